"""A mailbox gets another local part."""

from .client import Answer
from .endpoints import exercises
from .place import MIB, Place


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
