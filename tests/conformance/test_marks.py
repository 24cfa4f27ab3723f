"""Tags and private comments, as marks of whose a mailbox or an alias is."""

from .endpoints import exercises
from .place import Place

TIMES = ("modified", "created")


@exercises("add/mailbox", "get/mailbox/reduced")
def test_new_mailbox_shows_its_mark_and_its_signature_in_lists(place: Place) -> None:
    """'TAGS: any character: colon, dash …' (mailcow API facts §17 e)."""
    domain = place.domain()
    place.mailbox(domain, tags=["paris.2_b-c", "ldap-sync:paris.2_b-c", "paris.2_b-c:disabled"])
    (row,) = place.api.get(f"get/mailbox/reduced/{domain}").json
    assert set(row["tags"]) == {"paris.2_b-c", "ldap-sync:paris.2_b-c", "paris.2_b-c:disabled"}


@exercises("edit/mailbox", "delete/mailbox/tag")
def test_marks_change_and_nothing_else_does(place: Place) -> None:
    """'tags: adds only'; 'Removing tags' (mailcow API facts §5): how a mailbox is released."""
    ann = place.mailbox(place.domain(), tags=["paris", "ldap-sync:paris", "paris:disabled", "staff"])
    before = place.read(ann)
    place.api.edit("mailbox", ann, tags=["paris:released"])
    assert set(place.read(ann)["tags"]) == {*before["tags"], "paris:released"}
    answer = place.api.post(f"delete/mailbox/tag/{ann}", ["paris", "ldap-sync:paris", "paris:disabled"])
    assert answer.said == [("success", ["mailbox_modified", ann])]
    after = place.read(ann)
    assert set(after.pop("tags")) == {"staff", "paris:released"}
    changed = {name for name in after if name not in TIMES and after[name] != before[name]}
    assert changed <= {"attributes"}
    empty = {"recovery_email": None}  # written at a mailbox's first edit
    assert empty | after["attributes"] == empty | before["attributes"]


@exercises("edit/mailbox", "delete/mailbox/tag")
def test_mark_in_another_case_is_not_added_and_is_removed(place: Place) -> None:
    """'Unique per mailbox by utf8mb4_general_ci; the first stays' (mailcow API facts §17 e)."""
    ann = place.mailbox(place.domain(), tags=["Paris"])
    assert place.api.edit("mailbox", ann, tags=["paris"]).said == [("success", ["mailbox_modified", ann])]
    assert place.read(ann)["tags"] == ["Paris"]
    place.api.post(f"delete/mailbox/tag/{ann}", ["pARIS"])
    assert "tags" not in place.read(ann)


@exercises("edit/alias")
def test_private_comment_changes_alone(place: Place) -> None:
    """'missing fields keep' (mailcow API facts §7): how an alias is marked, disabled or not."""
    domain = place.domain()
    ann = place.mailbox(domain)
    for active in (0, 1):
        number = place.alias(
            f"a{active}@{domain}", f"{ann},x@elsewhere.test", active=active, internal=1, private_comment="paris"
        )
        before = place.read_alias(number)
        answer = place.api.edit("alias", number, private_comment="paris:released")
        assert answer.said == [("success", ["alias_modified", f"a{active}@{domain}"])]
        after = place.read_alias(number)
        assert after["private_comment"] == "paris:released"
        assert {name for name in after if after[name] != before[name]} <= {"private_comment", "modified"}
