"""Groups to lists: addresses, flags, comments; and lists that only their members name."""

from __future__ import annotations

from typing import Any

import pytest

from ldap2mailcow.config import Config
from ldap2mailcow.model import Address, Alias, Code, Entry, Role

from .builders import LISTS, Values, ask, codes, dn_of, entry, goto_of, group, group_dn, make_config, only

ANN, BOB, STAFF = "ann@example.org", "bob@example.org", "staff@example.org"
MAPPING = {
    "aliases": ["proxyAddresses"],
    "internal": "mailInternal",
    "sender_allowed": "mailSend",
    "sogo_visible": "mailVisible",
    "catch_all": "mailCatchAll",
    "comment": "description",
}


def config(mapping: dict[str, Any] | None = None, source: dict[str, Any] | None = None, **settings: object) -> Config:
    """Return a config that maps everything of groups."""
    return make_config(mapping, {**LISTS, "group_mapping": MAPPING, **(source or {})}, **settings)


def staff(**attributes: Values | None) -> Entry:
    return group("staff", **{"member": dn_of("ann"), **attributes})


def list_of(**attributes: Values | None) -> Alias:
    """Return the list that a group of Ann makes, nothing being odd about it."""
    wishes = ask(entry("ann"), groups=[staff(**attributes)], config=config())
    assert wishes.findings == ()
    return wishes.aliases[Address(STAFF)]


def test_a_group_is_a_list() -> None:
    wishes = ask(entry("ann"), entry("bob"), groups=[staff(member=[dn_of("bob"), dn_of("ann")])], config=config())
    assert wishes.aliases == {
        Address(STAFF): Alias(
            source="default",
            owner="id-staff",
            dn=group_dn("staff"),
            role=Role.LIST,
            address=Address(STAFF),
            goto=(Address(ANN), Address(BOB)),
            flags={"sogo_visible": 0},
            comment=None,
        )
    }
    assert wishes.owners[Role.LIST] == {"id-staff"}
    assert wishes.unreadable == set()
    assert wishes.findings == ()


def test_a_list_without_members_stays_a_wish() -> None:
    assert list_of(member=None).goto == ()


def test_groups_are_no_lists_where_the_config_reads_none() -> None:
    wishes = ask(entry("ann"), groups=[staff()], config=make_config())
    assert wishes.aliases == {}
    assert wishes.owners[Role.LIST] == set()


def test_a_group_without_an_id_of_its_own_is_known_by_its_dn() -> None:
    """Where users are known by a number of theirs, groups have none."""
    wishes = ask(groups=[staff(entryUUID=None), group("a", entryUUID="x"), group("b", entryUUID="x")], config=config())
    assert wishes.owners[Role.LIST] == {group_dn("staff"), group_dn("a"), group_dn("b")}
    assert len(wishes.aliases) == 3


# Addresses


@pytest.mark.parametrize("mail", [None, "", " "])
def test_a_group_without_an_address_is_no_list_and_counts_as_gone(mail: Values | None) -> None:
    """Its list goes after the grace of those that are gone: a lost right to read the address looks the same."""
    wishes = ask(entry("ann"), groups=[staff(mail=mail, proxyAddresses="s@example.org")], config=config())
    assert wishes.aliases == {}
    assert only(wishes, Code.LIST_WITHOUT_MAIL).where == group_dn("staff")
    assert wishes.owners[Role.LIST] == set()
    assert wishes.unreadable == set()


@pytest.mark.parametrize(
    ("mail", "code"),
    [
        ("nobody", Code.BAD_ADDRESS),
        (b"\xff", Code.NOT_UTF8),
        ("staff@example.net", Code.DOMAIN_NOT_HOSTED),
        (["s@example.org", "t@example.org"], Code.SEVERAL_MAILS),
    ],
)
def test_a_group_whose_address_can_not_be_used_keeps_what_there_is(mail: Values, code: Code) -> None:
    wishes = ask(entry("ann"), groups=[staff(mail=mail)], config=config())
    assert wishes.aliases == {}
    assert codes(wishes) == [code]
    assert wishes.unreadable == {"id-staff"}


def test_of_several_addresses_the_one_stays_that_the_list_has() -> None:
    mail = ["s@example.org", STAFF, "t@example.org"]
    wishes = ask(
        entry("ann"),
        groups=[staff(mail=mail)],
        config=config(),
        holders={STAFF: "id-staff", "s@example.org": "id-other"},
    )
    assert goto_of(wishes) == {STAFF: (ANN,)}
    assert f"{STAFF} stays" in only(wishes, Code.SEVERAL_MAILS).sentence
    assert wishes.unreadable == set()


def test_further_addresses_are_lists_like_the_first() -> None:
    group_ = staff(
        proxyAddresses=["SMTP:staff@example.org", "smtp:s@example.org", "x500:x", "smtp:s@example.net"],
        mailInternal="TRUE",
        description="All of us",
    )
    wishes = ask(entry("ann"), groups=[group_], config=config())
    first, second = wishes.aliases[Address(STAFF)], wishes.aliases[Address("s@example.org")]
    assert len(wishes.aliases) == 2
    assert (second.role, second.owner, second.goto) == (Role.LIST, "id-staff", (ANN,))
    assert (second.flags, second.comment) == (first.flags, first.comment)
    assert second.flags["internal"] == 1
    assert codes(wishes) == [Code.DOMAIN_NOT_HOSTED]


def test_a_first_address_that_is_not_hosted_leaves_the_others() -> None:
    wishes = ask(
        entry("ann"), groups=[staff(mail="staff@example.net", proxyAddresses="smtp:s@example.org")], config=config()
    )
    assert goto_of(wishes) == {"s@example.org": (ANN,)}


def test_reserved_names_are_for_groups() -> None:
    wishes = ask(
        entry("ann"), groups=[staff(mail="postmaster@example.org", proxyAddresses="abuse@example.org")], config=config()
    )
    assert set(wishes.aliases) == {"postmaster@example.org", "abuse@example.org"}
    assert wishes.findings == ()


def test_a_further_address_in_an_alias_domain_is_an_alias_too() -> None:
    """mailcow takes an address in an alias domain for its twin only where that is a mailbox."""
    wishes = ask(entry("ann"), groups=[staff(proxyAddresses="staff@alias.example")], config=config())
    assert set(wishes.aliases) == {STAFF, "staff@alias.example"}


# Flags


def test_flags_are_read() -> None:
    assert list_of(mailInternal="TRUE", mailSend="no", mailVisible="1").flags == {
        "internal": 1,
        "sender_allowed": 0,
        "sogo_visible": 1,
    }


def test_a_blank_flag_says_nothing() -> None:
    assert list_of(mailInternal=" ", mailSend="").flags == {"sogo_visible": 0}


def test_lists_are_shown_in_sogo_as_the_config_says() -> None:
    wishes = ask(groups=[staff(member=None)], config=config(sogo_visible={"users": False, "lists": True}))
    assert wishes.aliases[Address(STAFF)].flags["sogo_visible"] == 1


@pytest.mark.parametrize("value", ["maybe", ["TRUE", "FALSE"]])
@pytest.mark.parametrize(
    ("attribute", "flag"),
    [("mailInternal", "internal"), ("mailSend", "sender_allowed"), ("mailVisible", "sogo_visible")],
)
def test_an_unclear_flag_leaves_mailcow_s_own(attribute: str, flag: str, value: Values) -> None:
    told: dict[str, Values] = {"mailInternal": "TRUE", "mailSend": "TRUE", "mailVisible": "TRUE", attribute: value}
    wishes = ask(groups=[staff(member=None, **told)], config=config())
    assert attribute in only(wishes, Code.FLAG_INVALID).sentence
    assert {"internal", "sender_allowed", "sogo_visible"} - wishes.aliases[Address(STAFF)].flags.keys() == {flag}
    assert wishes.unreadable == set()


# Catch-alls


def test_a_catch_all_gets_what_the_list_gets() -> None:
    wishes = ask(entry("ann"), groups=[staff(mailCatchAll="TRUE", mailInternal="TRUE")], config=config())
    assert goto_of(wishes) == {STAFF: (ANN,), "@example.org": (ANN,)}
    assert wishes.aliases[Address("@example.org")].flags["internal"] == 1


@pytest.mark.parametrize("value", [None, "FALSE", ""])
def test_a_list_is_no_catch_all_by_itself(value: Values | None) -> None:
    wishes = ask(groups=[staff(member=None, mailCatchAll=value)], config=config())
    assert set(wishes.aliases) == {STAFF}


def test_an_unclear_catch_all_stays_as_it_is() -> None:
    wishes = ask(groups=[staff(member=None, mailCatchAll="maybe")], config=config())
    assert codes(wishes) == [Code.FLAG_INVALID]
    assert set(wishes.aliases) == {STAFF}
    assert wishes.unreadable == {"id-staff"}


def test_a_group_without_an_address_catches_nothing() -> None:
    wishes = ask(groups=[staff(mail=None, mailCatchAll="TRUE")], config=config())
    assert wishes.aliases == {}


# Comments


@pytest.mark.parametrize(
    ("value", "comment"),
    [
        ("All  of\tus\n", "All of us"),
        (["All of us", " All of us"], "All of us"),
        (" ", None),
        (None, None),
        ("x" * 160, "x" * 160),
        ("ü" * 80, "ü" * 80),
    ],
)
def test_a_comment_is_what_mailcow_holds(value: Values | None, comment: str | None) -> None:
    assert list_of(description=value).comment == comment


@pytest.mark.parametrize("value", ["x" * 161, "ü" * 81, "a\x00b", "a\x1bb", ["one", "two"]])
def test_a_comment_that_mailcow_can_not_hold_leaves_its_own(value: Values) -> None:
    wishes = ask(groups=[staff(member=None, description=value)], config=config())
    assert "its description" in only(wishes, Code.COMMENT_INVALID).sentence
    assert wishes.aliases[Address(STAFF)].comment is None


# Lists that users name


NAMING = {"group_addresses": "mailGroup"}


def test_a_list_that_only_its_members_name() -> None:
    wishes = ask(
        entry("ann", mailGroup=["Sales@Example.org", "it@example.org"]),
        entry("bob", mailGroup="smtp:sales@example.org"),
        config=make_config(NAMING, sogo_visible={"users": False, "lists": True}),
    )
    sales = wishes.aliases[Address("sales@example.org")]
    assert (sales.owner, sales.dn, sales.role, sales.goto) == ("sales@example.org", "", Role.LIST, (ANN, BOB))
    assert sales.flags == {"sogo_visible": 1}
    assert sales.comment is None
    assert goto_of(wishes)["it@example.org"] == (ANN,)
    assert wishes.owners[Role.LIST] == {"sales@example.org", "it@example.org"}
    assert wishes.findings == ()


@pytest.mark.parametrize(
    "value",
    [STAFF, "s@example.org", group_dn("staff"), group_dn("STAFF").replace(",", " , ")],
)
def test_who_names_a_group_is_on_its_list(value: str) -> None:
    wishes = ask(
        entry("ann", mailGroup=value),
        groups=[staff(member=None, proxyAddresses="s@example.org")],
        config=config(NAMING),
    )
    assert goto_of(wishes) == {STAFF: (ANN,), "s@example.org": (ANN,)}
    assert wishes.findings == ()
    assert wishes.owners[Role.LIST] == {"id-staff"}


def test_an_address_in_an_alias_domain_is_a_list_of_its_own() -> None:
    """mailcow delivers such an address to a mailbox of that name in the target, and to no alias."""
    wishes = ask(entry("ann", mailGroup="staff@alias.example"), groups=[staff(member=None)], config=config(NAMING))
    assert goto_of(wishes) == {STAFF: (), "staff@alias.example": (ANN,)}


def test_a_group_that_is_no_list_is_not_joined() -> None:
    wishes = ask(
        entry("ann", mailGroup=group_dn("silent")),
        groups=[staff(member=group_dn("silent")), group("silent", mail=None)],
        config=config(NAMING),
    )
    assert goto_of(wishes) == {STAFF: ()}


def test_a_dn_of_anything_else_says_nothing() -> None:
    """memberOf names all groups."""
    values = [group_dn("silent"), group_dn("nowhere"), dn_of("bob")]
    wishes = ask(
        entry("ann", mailGroup=values), entry("bob"), groups=[group("silent", mail=None)], config=config(NAMING)
    )
    assert wishes.aliases == {}
    assert codes(wishes) == [Code.LIST_WITHOUT_MAIL]


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("postmaster@example.org", Code.RESERVED_ADDRESS),
        ("@example.org", Code.RESERVED_ADDRESS),
        ("sales@example.net", Code.DOMAIN_NOT_HOSTED),
        ("sales", Code.BAD_ADDRESS),
        (b"\xff", Code.NOT_UTF8),
    ],
)
def test_a_name_that_can_not_be_a_list_is_told(value: Values, code: Code) -> None:
    wishes = ask(entry("ann", mailGroup=value), config=make_config(NAMING))
    assert codes(wishes) == [code]
    assert wishes.aliases == {}
    assert wishes.owners[Role.LIST] == set()


def test_who_names_a_reserved_group_is_on_its_list() -> None:
    """The group says what the address is; the user only that they are on it."""
    wishes = ask(
        entry("ann", mailGroup="postmaster@example.org"),
        groups=[staff(mail="postmaster@example.org", member=None)],
        config=config(NAMING),
    )
    assert goto_of(wishes) == {"postmaster@example.org": (ANN,)}


def test_a_list_that_nobody_with_an_address_names_stays_as_it_is() -> None:
    wishes = ask(entry("ann", mail=None, mailGroup="sales@example.org"), config=make_config(NAMING))
    assert wishes.aliases == {}
    assert wishes.owners[Role.LIST] == {"sales@example.org"}
    assert wishes.unreadable == {"id-ann", "sales@example.org"}


def test_who_has_no_address_is_on_no_list() -> None:
    wishes = ask(
        entry("ann", mail=None, mailGroup=["sales@example.org", group_dn("staff"), STAFF]),
        entry("bob", mailGroup="sales@example.org"),
        groups=[staff(member=None)],
        config=config(NAMING),
    )
    assert goto_of(wishes) == {"sales@example.org": (BOB,), STAFF: ()}
    assert wishes.unreadable == {"id-ann"}


def test_who_forwards_is_on_lists_too() -> None:
    wishes = ask(
        entry("ann", mailForward=BOB, mailGroup="sales@example.org"),
        config=make_config({**NAMING, "forward_to": "mailForward"}),
    )
    assert goto_of(wishes) == {ANN: (BOB,), "sales@example.org": (ANN,)}


@pytest.mark.parametrize(("holder", "joined"), [("id-staff", True), ("id-crew", False), (None, False)])
def test_who_names_an_address_that_two_groups_want_is_on_the_holder_s_list(holder: str | None, *, joined: bool) -> None:
    wishes = ask(
        entry("ann", mailGroup=STAFF),
        groups=[staff(member=None), group("crew", mail=STAFF, proxyAddresses="c@example.org")],
        config=config(NAMING),
        holders={STAFF: holder} if holder else {},
    )
    assert codes(wishes) == [Code.DUPLICATE_ADDRESS]
    alias = wishes.aliases.get(Address(STAFF))
    assert (alias.owner if alias else None) == holder
    assert (alias.goto if alias else ()) == ((ANN,) if holder else ())
    assert goto_of(wishes)["c@example.org"] == ((ANN,) if holder == "id-crew" else ())
    assert wishes.owners[Role.LIST] == {"id-staff", "id-crew"}
    assert joined == (alias is not None and alias.dn == group_dn("staff"))
