"""A mailbox gets another local part."""

import pytest

from .client import Answer
from .endpoints import exercises
from .place import MIB, Place

DUPLICATE = "SQLSTATE[23000]: Integrity constraint violation: 1062 Duplicate entry '{}' for key '{}'"


def rename(place: Place, domain: str, old: str, new: str, *, create_alias: int = 0) -> Answer:
    return place.api.edit(
        "rename-mbox",
        f"{old}@{domain}",
        domain=domain,
        old_local_part=old,
        new_local_part=new,
        create_alias=create_alias,
    )


@exercises("edit/rename-mbox", "get/alias")
def test_old_address_stays_as_an_alias(place: Place) -> None:
    """'["alias_added",old,id] then ["mailbox_renamed",old,new]; that alias: sogo_visible 1, sender_allowed 0' (§15)."""
    domain = place.domain()
    place.mailbox(domain)
    first, second = rename(place, domain, "ann", "anna", create_alias=1).said
    assert first[1][:2] == ["alias_added", f"ann@{domain}"]
    assert second == ("success", ["mailbox_renamed", f"ann@{domain}", f"anna@{domain}"])
    row = place.read_alias(int(first[1][2]))
    assert (row["goto"], row["active"], row["sogo_visible"], row["sender_allowed"]) == (f"anna@{domain}", 1, 1, 0)
    assert row["private_comment"] == f"Mailbox was renamed from ann@{domain} to anna@{domain}"


@exercises("edit/rename-mbox")
def test_what_belongs_to_the_mailbox_follows(place: Place) -> None:
    """'tags, password, quota stay' (mailcow API facts §15)."""
    domain = place.domain()
    place.mailbox(domain, quota=30, tags=["x"])
    rename(place, domain, "ann", "anna")
    row = place.read(f"anna@{domain}")
    assert (row["local_part"], row["quota"], row["tags"]) == ("anna", 30 * MIB, ["x"])
    assert place.read(f"ann@{domain}") == {}


@exercises("edit/rename-mbox")
def test_only_gotos_equal_to_the_old_address_follow(place: Place) -> None:
    """'Only gotos equal to the old address are rewritten; lists keep it' (mailcow API facts §15)."""
    domain = place.domain()
    ann, ben = place.mailbox(domain), place.mailbox(domain, "ben")
    alone = place.alias(f"alone@{domain}", ann)
    both = place.alias(f"both@{domain}", f"{ann},{ben}")
    rename(place, domain, "ann", "anna")
    assert place.read_alias(alone)["goto"] == f"anna@{domain}"
    assert place.read_alias(both)["goto"] == f"{ann},{ben}"


@exercises("edit/rename-mbox")
def test_rights_follow_both_ways(place: Place) -> None:
    """Rights of and for the mailbox keep naming it under its new address (held on the recorded server)."""
    domain = place.domain()
    ann, ben = place.mailbox(domain), place.mailbox(domain, "ben")
    place.api.edit("mailbox", ann, sender_acl=[ben])
    place.api.edit("mailbox", ben, sender_acl=[ann])
    rename(place, domain, "ann", "anna")
    assert place.read(f"anna@{domain}")["sender_acl"] == [ben]
    assert place.read(ben)["sender_acl"] == [f"anna@{domain}"]


@exercises("edit/rename-mbox")
def test_mailbox_that_is_off_may_not_be_renamed(place: Place) -> None:
    """'a mailbox with active=0 gets access_denied (1 and 2 pass)' (mailcow API facts §15)."""
    domain = place.domain()
    place.mailbox(domain, active=0)
    assert rename(place, domain, "ann", "anna").said == [("danger", "access_denied")]
    place.api.edit("mailbox", f"ann@{domain}", active=2)
    assert rename(place, domain, "ann", "anna").said[-1][0] == "success"


@exercises("edit/rename-mbox")
def test_unknown_mailbox_is_refused(place: Place) -> None:
    """Unknown like inactive: access_denied (mailcow API facts §15)."""
    assert rename(place, place.domain(), "no", "body").said == [("danger", "access_denied")]


@exercises("edit/rename-mbox")
def test_taken_address_changes_nothing(place: Place) -> None:
    """'Onto an existing mailbox: danger SQLSTATE[23000]… Duplicate entry, nothing changed' (mailcow API facts §15)."""
    domain = place.domain()
    ann, ben = place.mailbox(domain), place.mailbox(domain, "ben")
    ((kind, message),) = rename(place, domain, "ann", "ben").said
    assert kind == "danger"
    assert message.startswith("SQLSTATE[23000]: Integrity constraint violation: 1062 Duplicate entry")
    assert (place.read(ann)["username"], place.read(ben)["username"]) == (ann, ben)


@exercises("edit/rename-mbox")
def test_without_room_for_the_alias_it_is_renamed_all_the_same(place: Place) -> None:
    """'In a domain without room for one more alias the mailbox is renamed, without the alias' (facts §15)."""
    domain = place.domain(aliases=1)
    place.alias(f"list@{domain}", place.mailbox(domain))
    answer = rename(place, domain, "ann", "anna", create_alias=1)
    assert answer.said == [
        ("danger", "max_alias_exceeded"),
        ("success", ["mailbox_renamed", f"ann@{domain}", f"anna@{domain}"]),
    ]


@exercises("edit/rename-mbox", "get/alias")
def test_old_address_alias_is_numbered_in_text_and_has_these_flags(place: Place) -> None:
    """'the number a text'; 'active 1, sogo_visible 1, sender_allowed 0, internal 0, no public comment' (facts §20)."""
    domain = place.domain()
    ann = place.mailbox(domain)
    (_, (_, _, number)), _ = rename(place, domain, "ann", "anna", create_alias=1).said
    assert isinstance(number, str)
    row = place.read_alias(int(number))
    flags = ("active", "sogo_visible", "sender_allowed", "internal", "public_comment", "address")
    assert [row[name] for name in flags] == [1, 1, 0, 0, None, ann]


@exercises("edit/rename-mbox", "get/mailbox")
def test_new_address_is_kept_as_sent(place: Place) -> None:
    """'new_local_part is neither trimmed nor lower-cased: Anna is stored so'; 'found without case' (facts §20)."""
    domain = place.domain()
    place.mailbox(domain)
    assert rename(place, domain, "ANN", "Anna").said == [
        ("success", ["mailbox_renamed", f"ANN@{domain}", f"Anna@{domain}"])
    ]
    row = place.read(f"anna@{domain}")
    assert (row["username"], row["local_part"]) == (f"Anna@{domain}", "Anna")


@pytest.mark.parametrize(
    "local_part", ["", " anna", "an na", "a" * 65, ".anna", "anna.", "an..na", "\u00e4nna", "an,na", "an@na", None]
)
@exercises("edit/rename-mbox")
def test_new_address_that_is_none(place: Place, local_part: str | None) -> None:
    """'missing, empty, blanks anywhere, over 64, dots first, last or double, ä, comma' (mailcow API facts §20)."""
    domain = place.domain()
    ann = place.mailbox(domain)
    answer = place.api.edit(
        "rename-mbox", ann, domain=domain, old_local_part="ann", new_local_part=local_part, create_alias=1
    )
    assert answer.said == [("danger", ["username_invalid", f"{local_part or ''}@{domain}"])]
    assert place.read(ann)["username"] == ann


@pytest.mark.parametrize(
    "local_part", ["ldap-sync-renaming.ann", "ldap-sync.renaming-ann.1", "x" * 64, "ann+x", "o'neil", "a_b", "5"]
)
@exercises("edit/rename-mbox", "get/mailbox/reduced")
def test_new_address_that_is_taken(place: Place, local_part: str) -> None:
    """'Taken are `+`, `\'`, dots and dashes, 64 characters'; 'the messages quote nothing for HTML' (facts §20)."""
    domain = place.domain()
    place.mailbox(domain)
    new = f"{local_part}@{domain}"
    assert rename(place, domain, "ann", local_part).said == [("success", ["mailbox_renamed", f"ann@{domain}", new])]
    assert [row["username"] for row in place.api.get(f"get/mailbox/reduced/{domain}").json] == [new]


@pytest.mark.parametrize(("goto", "active"), [("ann", 1), ("ben", 1), ("ben", 0)])
@exercises("edit/rename-mbox", "get/alias")
def test_alias_at_the_new_address_hinders(place: Place, goto: str, active: int) -> None:
    """'any alias, active or not, whoever it goes to: ... for key address. Nothing is changed' (facts §20)."""
    domain = place.domain()
    ann = place.mailbox(domain)
    place.mailbox(domain, "ben")
    number = place.alias(f"anna@{domain}", f"{goto}@{domain}", active=active)
    before = place.read_alias(number)
    answer = rename(place, domain, "ann", "anna", create_alias=1)
    assert answer.said == [("danger", DUPLICATE.format(f"anna@{domain}", "address"))]
    assert (place.read(ann)["username"], place.read_alias(number)) == (ann, before)


@exercises("edit/rename-mbox")
def test_mailbox_at_the_new_address_hinders_in_any_case(place: Place) -> None:
    """'a mailbox or a resource (Duplicate entry 'new' for key 'PRIMARY')' (mailcow API facts §20)."""
    domain = place.domain()
    place.mailbox(domain)
    place.mailbox(domain, "ben")
    answer = rename(place, domain, "ann", "BEN")
    assert answer.said == [("danger", DUPLICATE.format(f"BEN@{domain}", "PRIMARY"))]


@exercises("edit/rename-mbox")
def test_what_does_not_hinder(place: Place) -> None:
    """'An alias of that local part in an alias domain, a catch-all ... don't hinder' (mailcow API facts §20)."""
    domain = place.domain()
    twin = place.alias_domain(domain)
    ann = place.mailbox(domain)
    place.alias(f"anna@{twin}", ann)
    place.alias(f"@{domain}", ann)
    answer = rename(place, domain, "ann", "anna")
    assert answer.said == [("success", ["mailbox_renamed", ann, f"anna@{domain}"])]
    assert place.goto_of(f"anna@{twin}", twin) == f"anna@{domain}"
    assert place.goto_of(f"@{domain}", domain) == f"anna@{domain}"


@exercises("edit/rename-mbox", "get/alias")
def test_second_rename_takes_the_first_alias_along(place: Place) -> None:
    """'After a -> b -> c the alias of a goes to c (its comment stays), and b is a second one' (facts §20)."""
    domain = place.domain()
    place.mailbox(domain)
    (_, (_, _, first)), _ = rename(place, domain, "ann", "anna", create_alias=1).said
    (_, (_, _, second)), _ = rename(place, domain, "anna", "annika", create_alias=1).said
    assert [place.read_alias(int(number))["goto"] for number in (first, second)] == [f"annika@{domain}"] * 2
    assert place.read_alias(int(first))["private_comment"].endswith(f" to anna@{domain}")


@exercises("edit/rename-mbox", "delete/alias")
def test_way_back_is_free_once_the_old_address_alias_is_gone(place: Place) -> None:
    """'any alias ... the own old-address alias on the way back too' (mailcow API facts §20)."""
    domain = place.domain()
    ann = place.mailbox(domain)
    (_, (_, _, number)), _ = rename(place, domain, "ann", "anna", create_alias=1).said
    assert rename(place, domain, "anna", "ann").said == [("danger", DUPLICATE.format(ann, "address"))]
    place.api.post("delete/alias", [int(number)])
    assert rename(place, domain, "anna", "ann").said == [("success", ["mailbox_renamed", f"anna@{domain}", ann])]


@exercises("edit/rename-mbox")
def test_swap_through_a_third_address(place: Place) -> None:
    """'A swap through a third address (a -> t, b -> a, t -> b) works without aliases' (mailcow API facts §20)."""
    domain = place.domain()
    place.mailbox(domain, name="Ann")
    place.mailbox(domain, "ben", name="Ben")
    place.alias(f"to-ann@{domain}", f"ann@{domain}")
    place.alias(f"to-both@{domain}", f"ann@{domain},ben@{domain}")
    third = "ldap-sync-renaming.ann"
    for old, new in (("ann", third), ("ben", "ann"), (third, "ben")):
        assert rename(place, domain, old, new).said[-1][0] == "success"
    assert [place.read(f"{name}@{domain}")["name"] for name in ("ann", "ben")] == ["Ben", "Ann"]
    assert place.goto_of(f"to-ann@{domain}", domain) == f"ben@{domain}"
    assert place.goto_of(f"to-both@{domain}", domain) == f"ann@{domain},ben@{domain}"


@exercises("edit/rename-mbox", "get/alias/all")
def test_same_address_again_changes_nothing(place: Place) -> None:
    """'old = new: success, nothing changes, no alias' (mailcow API facts §20)."""
    domain = place.domain()
    ann = place.mailbox(domain)
    assert rename(place, domain, "ann", "ann", create_alias=1).said == [("success", ["mailbox_renamed", ann, ann])]
    assert place.api.get(f"get/alias/all/{domain}").json == {}


@exercises("edit/rename-mbox")
def test_only_the_case_changes(place: Place) -> None:
    """'Only the case differs: renamed; with create_alias is_alias_or_mailbox before the success' (facts §20)."""
    domain = place.domain()
    ann = place.mailbox(domain)
    assert rename(place, domain, "ann", "Ann", create_alias=1).said == [
        ("danger", ["is_alias_or_mailbox", ann]),
        ("success", ["mailbox_renamed", ann, f"Ann@{domain}"]),
    ]


@exercises("edit/rename-mbox", "get/alias/all")
def test_long_addresses_get_no_alias(place: Place) -> None:
    """'comment_too_long where both addresses together are longer than 131 bytes' (mailcow API facts §20)."""
    domain = place.domain()
    free = 131 - 2 * len(f"@{domain}")
    old, fits = "o" * (free // 2), "f" * (free - free // 2)
    place.mailbox(domain, old)
    assert [kind for kind, _ in rename(place, domain, old, fits, create_alias=1).said] == ["success", "success"]
    assert rename(place, domain, fits, old + "xx", create_alias=1).said == [
        ("danger", "comment_too_long"),
        ("success", ["mailbox_renamed", f"{fits}@{domain}", f"{old}xx@{domain}"]),
    ]
    assert len(place.api.get(f"get/alias/all/{domain}").json) == 1


@exercises("edit/rename-mbox")
def test_barred_mailbox_stays_barred_and_its_alias_is_active(place: Place) -> None:
    """'active 2 is renamed and stays 2, the alias is active 1 all the same' (mailcow API facts §20)."""
    domain = place.domain()
    place.mailbox(domain, active=2)
    (_, (_, _, number)), _ = rename(place, domain, "ann", "anna", create_alias=1).said
    assert (place.read(f"anna@{domain}")["active"], place.read_alias(int(number))["active"]) == (2, 1)


@exercises("edit/rename-mbox", "edit/mailbox", "delete/mailbox")
def test_full_domain_hinders_the_edits_and_not_the_rename(place: Place) -> None:
    """'A domain over its quota hinders no rename, but the edits from 0 to 2 and back' (mailcow API facts §20)."""
    domain = place.domain(quota=100, maxquota=100)
    ann, less = place.mailbox(domain, quota=90), place.mailbox(domain, "less", quota=-400)
    place.mailbox(domain, "cat", quota=90)
    place.api.post("delete/mailbox", [less])
    assert place.api.edit("mailbox", ann, active=2).said == [("danger", ["mailbox_quota_left_exceeded", 10])]
    assert rename(place, domain, "ann", "anna").said[-1][0] == "success"


@exercises("edit/rename-mbox")
def test_harmless_call_tells_that_renaming_exists(place: Place) -> None:
    """'{"items":[],"attr":{}}: username_invalid @ where it exists, else 404' (mailcow API facts §20)."""
    body: dict[str, object] = {"items": [], "attr": {}}
    assert place.api.post("edit/rename-mbox", body).said == [("danger", ["username_invalid", "@"])]
    answer = place.api.post("edit/no-such-route", body)
    assert (answer.status, answer.json) == (404, {"type": "error", "msg": "route not found"})
    told = [place.api.get(f"edit/{name}").text for name in ("rename-mbox", "no-such-route")]
    assert told[0] == told[1]
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    told = [place.api.send("POST", f"edit/{name}", b"", form).text for name in ("rename-mbox", "no-such-route")]
    assert told[0] == told[1]
