"""What `sender_acl` of a mailbox holds, and what takes rows out of it."""

from typing import Any

import pytest

from .endpoints import exercises
from .place import Place


def rows(place: Place, address: str) -> list[str]:
    """Whom a mailbox may send as."""
    found: list[str] = place.read(address)["sender_acl"]
    return found


@exercises("get/mailbox", "get/mailbox/reduced")
def test_only_rows_are_told_and_only_for_one_mailbox(place: Place) -> None:
    """'sender_acl: neither own aliases nor the twin in an alias domain; not in the reduced list' (facts §19)."""
    domain = place.domain()
    ann = place.mailbox(domain)
    place.alias(f"may@{domain}", ann, sender_allowed=1)
    place.alias_domain(domain)
    assert rows(place, ann) == []
    (row,) = place.api.get(f"get/mailbox/reduced/{domain}").json
    assert "sender_acl" not in row


@exercises("edit/mailbox", "get/mailbox")
def test_rows_keep_order_case_and_doubles_as_sent(place: Place) -> None:
    """'rows come back as sent: case, order, doubles; a domain as @domain' (mailcow API facts §19)."""
    domain = place.domain()
    ann, ben = place.mailbox(domain), place.mailbox(domain, "ben")
    place.alias(f"list@{domain}", ben)
    place.api.edit("mailbox", ann, sender_acl=[f"LIST@{domain}", ben, domain, ben])
    assert rows(place, ann) == [f"LIST@{domain}", ben, f"@{domain}", ben]


@exercises("edit/mailbox", "add/alias-domain")
def test_alias_domain_may_be_granted_its_twins_may_not(place: Place) -> None:
    """'@aliasdomain and its own aliases are taken, the twin of a mailbox is sender_acl_invalid' (facts §19)."""
    domain = place.domain()
    ann, ben, name = place.mailbox(domain), place.mailbox(domain, "ben"), place.alias_domain(domain)
    place.alias(f"own@{name}", ben)
    answer = place.api.edit("mailbox", ann, sender_acl=[f"ben@{name}", f"own@{name}", f"@{name}"])
    assert answer.said == [
        ("danger", ["sender_acl_invalid", f"ben@{name}"]),
        ("success", ["mailbox_modified", ann]),
    ]
    assert rows(place, ann) == [f"own@{name}", f"@{name}"]


@exercises("edit/mailbox")
@pytest.mark.parametrize("sent", ["nonsense", "x y", "", "@nowhere.test"])
def test_what_is_neither_is_refused_and_clears_the_rest(place: Place, sent: str) -> None:
    """'danger ["sender_acl_invalid",x], rest saved': with nothing left all rows go (mailcow API facts §5, 19)."""
    domain = place.domain()
    ann, ben = place.mailbox(domain), place.mailbox(domain, "ben")
    place.api.edit("mailbox", ann, sender_acl=[ben])
    answer = place.api.edit("mailbox", ann, sender_acl=[sent])
    assert answer.said == [("danger", ["sender_acl_invalid", sent]), ("success", ["mailbox_modified", ann])]
    assert rows(place, ann) == []


@exercises("edit/mailbox")
def test_null_keeps_the_rows_and_one_text_is_one_row(place: Place) -> None:
    """'sender_acl null: kept; a text is one entry, not a list' (mailcow API facts §19)."""
    domain = place.domain()
    ann, ben, cat = (place.mailbox(domain, name) for name in ("ann", "ben", "cat"))
    place.api.edit("mailbox", ann, sender_acl=ben)
    place.api.edit("mailbox", ann, sender_acl=None)
    assert rows(place, ann) == [ben]
    answer = place.api.edit("mailbox", ann, sender_acl=f"{ben},{cat}")
    assert answer.said[0] == ("danger", ["sender_acl_invalid", f"{ben},{cat}"])


@exercises("edit/mailbox")
@pytest.mark.parametrize("refused", [{"quota": 9999}, {"password": "abcdef", "password2": "abcdeg"}])
def test_senders_are_saved_before_the_password_is_looked_at_not_before_the_quota(
    place: Place, refused: dict[str, Any]
) -> None:
    """'sender_acl of the same call already is' for a password; a quota is looked at first (facts §5, 19)."""
    domain = place.domain()
    ann, ben = place.mailbox(domain), place.mailbox(domain, "ben")
    answer = place.api.edit("mailbox", ann, sender_acl=[ben], **refused)
    assert [kind for kind, _ in answer.said] == ["danger"]
    assert rows(place, ann) == ([] if "quota" in refused else [ben])


@exercises("edit/mailbox")
def test_several_mailboxes_get_the_same_rows_and_each_its_danger(place: Place) -> None:
    """'One call with many items works'; the danger comes before each success, without its name (facts §5, 19)."""
    domain = place.domain()
    ann, ben, cat = (place.mailbox(domain, name) for name in ("ann", "ben", "cat"))
    refused = ("danger", ["sender_acl_invalid", "x@elsewhere.test"])
    answer = place.api.edit("mailbox", [ann, ben], sender_acl=[cat, "x@elsewhere.test"])
    assert answer.said == [
        refused,
        ("success", ["mailbox_modified", ann]),
        refused,
        ("success", ["mailbox_modified", ben]),
    ]
    assert [rows(place, each) for each in (ann, ben)] == [[cat]] * 2


@exercises("edit/alias")
def test_any_edit_of_an_alias_drops_the_rows_of_its_targets_only(place: Place) -> None:
    """'edit/alias deletes the rows of its gotos for that address', whatever is edited (mailcow API facts §15, 19)."""
    domain = place.domain()
    ann, ben, cat = (place.mailbox(domain, name) for name in ("ann", "ben", "cat"))
    address = f"list@{domain}"
    number = place.alias(address, f"{ann},{ben}", sender_allowed=0)
    place.api.edit("mailbox", [ann, ben, cat], sender_acl=[address])
    assert [rows(place, each) for each in (ann, ben, cat)] == [[address]] * 3
    place.api.edit("alias", number, goto=ann)
    assert [rows(place, each) for each in (ann, ben, cat)] == [[], [address], [address]]
    place.api.edit("alias", number, goto=f"{ann},{cat}", internal=1)
    assert [rows(place, each) for each in (ann, ben, cat)] == [[], [address], []]


@exercises("edit/alias")
def test_sink_leaves_the_rows(place: Place) -> None:
    """'with goto_null, … no goto is looked at: rows stay' (mailcow API facts §19)."""
    domain = place.domain()
    ann = place.mailbox(domain)
    number = place.alias(f"list@{domain}", ann, sender_allowed=0)
    place.api.edit("mailbox", ann, sender_acl=[f"list@{domain}"])
    place.api.edit("alias", number, goto_null=1)
    assert rows(place, ann) == [f"list@{domain}"]


@exercises("edit/alias", "edit/mailbox")
def test_allowing_the_senders_of_an_alias_takes_their_rows_and_forbidding_brings_none(place: Place) -> None:
    """'sender_allowed = 1 lets its gotos send as it without any row' (mailcow API facts §15)."""
    domain = place.domain()
    ann = place.mailbox(domain)
    address = f"list@{domain}"
    number = place.alias(address, ann, sender_allowed=0)
    place.api.edit("mailbox", ann, sender_acl=[address])
    place.api.edit("alias", number, sender_allowed=1)
    assert rows(place, ann) == []
    place.api.edit("mailbox", ann, sender_acl=[address])
    assert rows(place, ann) == []
    place.api.edit("alias", number, sender_allowed=0)
    assert rows(place, ann) == []


@exercises("delete/alias", "add/alias")
def test_rows_for_a_deleted_alias_do_not_come_back_with_it(place: Place) -> None:
    """'Also deletes sender_acl rows for the address', of everybody (mailcow API facts §7)."""
    domain = place.domain()
    ann, ben, cat = (place.mailbox(domain, name) for name in ("ann", "ben", "cat"))
    address = f"list@{domain}"
    number = place.alias(address, cat)
    place.api.edit("mailbox", [ann, ben], sender_acl=[address, cat])
    place.api.post("delete/alias", [number])
    place.alias(address, cat)
    assert [rows(place, each) for each in (ann, ben)] == [[cat]] * 2


@exercises("delete/alias", "edit/alias")
def test_catch_all_shares_its_rows_with_the_domain(place: Place) -> None:
    """'delete/alias of @domain takes everybody's row for the whole domain' (mailcow API facts §19)."""
    domain = place.domain()
    ann, ben, cat = (place.mailbox(domain, name) for name in ("ann", "ben", "cat"))
    number = place.alias(f"@{domain}", cat, sender_allowed=1)
    place.api.edit("mailbox", [ann, ben, cat], sender_acl=[domain])
    assert [rows(place, each) for each in (ann, ben, cat)] == [[f"@{domain}"]] * 3
    place.api.edit("alias", number, active=1)
    assert [rows(place, each) for each in (ann, ben, cat)] == [[f"@{domain}"], [f"@{domain}"], []]
    place.api.post("delete/alias", [number])
    assert [rows(place, each) for each in (ann, ben)] == [[]] * 2


@exercises("edit/rename-mbox", "get/mailbox")
def test_rows_follow_a_renamed_mailbox(place: Place) -> None:
    """'rename-mbox rewrites the rows for the old address too' (mailcow API facts §19)."""
    domain = place.domain()
    ann, ben = place.mailbox(domain), place.mailbox(domain, "ben")
    place.api.edit("mailbox", ann, sender_acl=[ben])
    fields = {"domain": domain, "old_local_part": "ben", "new_local_part": "new", "create_alias": 0}
    place.api.edit("rename-mbox", "x", **fields)
    assert rows(place, ann) == [f"new@{domain}"]


@exercises("edit/mailbox", "get/mailbox")
def test_foreign_senders_and_own_ones_are_replaced_each_by_itself(place: Place) -> None:
    """'extended_sender_acl … isn't returned by any get' (mailcow API facts §5)."""
    domain, other = place.domain(), place.domain()
    ann, ben = place.mailbox(domain), place.mailbox(domain, "ben")
    place.api.edit("mailbox", ann, extended_sender_acl="x@elsewhere.test; @other.test", sender_acl=[ben])
    assert rows(place, ann) == [ben]
    answer = place.api.edit("mailbox", ann, extended_sender_acl=f"@{other},no_domain,y@elsewhere.test")
    assert answer.said == [
        ("danger", ["extra_acl_invalid_domain", None]),
        ("danger", ["extra_acl_invalid", "no_domain"]),
        ("success", ["mailbox_modified", ann]),
    ]
    place.api.edit("mailbox", ann, extended_sender_acl="")
    assert rows(place, ann) == [ben]
