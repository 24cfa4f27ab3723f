"""Who may send as whom."""

import pytest

from .endpoints import exercises
from .place import Place


@exercises("edit/mailbox", "get/mailbox")
def test_list_of_rights_is_replaced(place: Place) -> None:
    """'sender_acl replaces the list: addresses of existing mailboxes/aliases, @domain or domain, *' (facts §5)."""
    domain = place.domain()
    ann, ben, cat = (place.mailbox(domain, name) for name in ("ann", "ben", "cat"))
    place.alias(f"list@{domain}", cat)
    place.api.edit("mailbox", ann, sender_acl=[ben, f"list@{domain}"])
    assert place.read(ann)["sender_acl"] == [ben, f"list@{domain}"]
    place.api.edit("mailbox", ann, sender_acl=[cat, domain])
    assert place.read(ann)["sender_acl"] == [cat, f"@{domain}"]
    place.api.edit("mailbox", ann, sender_acl=[cat, "*"])
    assert place.read(ann)["sender_acl"] == ["*"]


@exercises("edit/mailbox")
@pytest.mark.parametrize("nothing", [["default"], []])
def test_rights_are_cleared(place: Place, nothing: list[str]) -> None:
    """'["default"] or [] clears' (mailcow API facts §5)."""
    domain = place.domain()
    ann, ben = place.mailbox(domain), place.mailbox(domain, "ben")
    place.api.edit("mailbox", ann, sender_acl=[ben])
    place.api.edit("mailbox", ann, sender_acl=nothing)
    assert place.read(ann)["sender_acl"] == []


@exercises("edit/mailbox")
def test_foreign_address_is_refused_and_the_rest_saved(place: Place) -> None:
    """'Unknown/external -> danger ["sender_acl_invalid",x], rest saved' (mailcow API facts §5)."""
    domain = place.domain()
    ann, ben = place.mailbox(domain), place.mailbox(domain, "ben")
    answer = place.api.edit("mailbox", ann, sender_acl=["x@elsewhere.test", ben])
    assert answer.said == [
        ("danger", ["sender_acl_invalid", "x@elsewhere.test"]),
        ("success", ["mailbox_modified", ann]),
    ]
    assert place.read(ann)["sender_acl"] == [ben]


@exercises("edit/mailbox")
def test_what_is_allowed_anyway_is_not_stored(place: Place) -> None:
    """'Own address/aliases with sender_allowed=1 are dropped' (mailcow API facts §5)."""
    domain = place.domain()
    ann = place.mailbox(domain)
    place.alias(f"may@{domain}", ann, sender_allowed=1)
    place.alias(f"mayn-t@{domain}", ann, sender_allowed=0)
    place.api.edit("mailbox", ann, sender_acl=[ann, f"may@{domain}", f"mayn-t@{domain}"])
    assert place.read(ann)["sender_acl"] == [f"mayn-t@{domain}"]


@exercises("edit/mailbox")
def test_rights_are_saved_even_when_the_password_is_refused(place: Place) -> None:
    """'none of its other fields is saved (but sender_acl of the same call already is)' (mailcow API facts §5)."""
    domain = place.domain()
    ann, ben = place.mailbox(domain), place.mailbox(domain, "ben")
    place.api.edit("mailbox", ann, sender_acl=[ben], password="abcdef", password2="abcdeg")
    assert place.read(ann)["sender_acl"] == [ben]


@exercises("edit/alias")
def test_editing_an_alias_drops_the_rights_of_its_gotos(place: Place) -> None:
    """'edit/alias deletes the sender_acl rows of its gotos for that address' (mailcow API facts §15)."""
    domain = place.domain()
    ann = place.mailbox(domain)
    number = place.alias(f"list@{domain}", ann, sender_allowed=0)
    place.api.edit("mailbox", ann, sender_acl=[f"list@{domain}"])
    assert place.read(ann)["sender_acl"] == [f"list@{domain}"]
    place.api.edit("alias", number, private_comment="c")
    assert place.read(ann)["sender_acl"] == []


@exercises("delete/alias", "delete/mailbox")
def test_rights_go_with_what_they_are_for(place: Place) -> None:
    """'Also deletes sender_acl rows for the address'; 'sender_acl rows both ways' (mailcow API facts §6, 7)."""
    domain = place.domain()
    ann, ben, cat = (place.mailbox(domain, name) for name in ("ann", "ben", "cat"))
    number = place.alias(f"list@{domain}", cat)
    place.api.edit("mailbox", ann, sender_acl=[ben, f"list@{domain}"])
    place.api.post("delete/alias", [number])
    place.api.post("delete/mailbox", [ben])
    assert place.read(ann)["sender_acl"] == []


@exercises("edit/mailbox")
def test_foreign_senders_are_a_text_of_their_own(place: Place) -> None:
    """'extended_sender_acl = string; hosted domains -> extra_acl_invalid_domain; a list -> empty body' (facts §5)."""
    domain = place.domain()
    ann = place.mailbox(domain)
    done = ("success", ["mailbox_modified", ann])
    assert place.api.edit("mailbox", ann, extended_sender_acl="x@elsewhere.test,@other.test").said == [done]
    answer = place.api.edit("mailbox", ann, extended_sender_acl=f"x@{domain}")
    assert answer.said == [("danger", ["extra_acl_invalid_domain", domain]), done]
    assert place.api.edit("mailbox", ann, extended_sender_acl=["x@elsewhere.test"]).text == ""
    assert place.read(ann)["sender_acl"] == []
