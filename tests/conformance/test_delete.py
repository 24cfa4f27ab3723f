"""What goes with a deleted mailbox, and what is left of it."""

from .endpoints import exercises
from .place import Place


@exercises("delete/mailbox", "get/alias")
def test_aliases_that_go_to_it_alone_are_gone(place: Place) -> None:
    """'all aliases that go to it alone, in any case: inactive ones, catch-alls, those in alias domains' (facts §20)."""
    domain = place.domain()
    twin = place.alias_domain(domain)
    ann = place.mailbox(domain)
    numbers = [
        place.alias(address, goto, active=active)
        for address, goto, active in (
            (f"off@{domain}", ann, 0),
            (f"@{domain}", ann, 1),
            (f"x@{twin}", ann, 1),
            (f"@{twin}", ann, 1),
            (f"upper@{domain}", f"ANN@{domain}", 1),
        )
    ]
    place.api.post("delete/mailbox", [ann])
    assert [place.read_alias(number) for number in numbers] == [{}] * 5


@exercises("delete/mailbox", "edit/rename-mbox", "get/alias")
def test_old_address_alias_goes_with_its_mailbox(place: Place) -> None:
    """'mailcow's old-address aliases' are gone too (mailcow API facts §20)."""
    domain = place.domain()
    place.mailbox(domain)
    fields = {"domain": domain, "old_local_part": "ann", "new_local_part": "anna", "create_alias": 1}
    (_, (_, _, number)), _ = place.api.edit("rename-mbox", "x", **fields).said
    place.api.post("delete/mailbox", [f"anna@{domain}"])
    assert place.read_alias(int(number)) == {}
    place.mailbox(domain)


@exercises("delete/mailbox", "get/alias/all")
def test_gotos_that_are_left(place: Place) -> None:
    """'Left are a goto in an alias domain, A@x in a list, and A@x of an alias to A@x,a@x' (mailcow API facts §20)."""
    domain = place.domain()
    twin = place.alias_domain(domain)
    ann, ben = place.mailbox(domain), place.mailbox(domain, "ben")
    upper = f"ANN@{domain}"
    place.alias(f"twin@{domain}", f"ann@{twin}")
    place.alias(f"twin-in-list@{domain}", f"{ben},ann@{twin}")
    place.alias(f"upper-in-list@{domain}", f"{upper},{ben}")
    place.alias(f"both@{domain}", f"{upper},{ann}")
    place.alias(f"middle@{domain}", f"{ben},{ann},x@elsewhere.test")
    place.api.post("delete/mailbox", [ann])
    assert {row["address"].partition("@")[0]: row["goto"] for row in place.api.get(f"get/alias/all/{domain}").json} == {
        "twin": f"ann@{twin}",
        "twin-in-list": f"{ben},ann@{twin}",
        "upper-in-list": f"{upper},{ben}",
        "both": upper,
        "middle": f"{ben},x@elsewhere.test",
    }


@exercises("delete/mailbox", "get/alias")
def test_name_in_another_case_deletes_and_leaves_it_in_lists(place: Place) -> None:
    """'B@x deletes b@x, says ["mailbox_removed","B@x"], and leaves b@x in the lists' (mailcow API facts §20)."""
    domain = place.domain()
    ann, ben = place.mailbox(domain), place.mailbox(domain, "ben")
    number = place.alias(f"list@{domain}", f"{ann},{ben}")
    assert place.api.post("delete/mailbox", [f"ANN@{domain}"]).said == [
        ("success", ["mailbox_removed", f"ANN@{domain}"])
    ]
    assert (place.read(ann), place.read_alias(number)["goto"]) == ({}, f"{ann},{ben}")


@exercises("delete/mailbox")
def test_what_is_gone_is_refused(place: Place) -> None:
    """'Twice in one call: access_denied the second time'; '[]: Task completed'; 'one text works' (facts §20)."""
    domain = place.domain()
    ann, ben = place.mailbox(domain), place.mailbox(domain, "ben")
    removed, refused = ("success", ["mailbox_removed", ann]), ("danger", "access_denied")
    assert place.api.post("delete/mailbox", [ann, ann]).said == [removed, refused]
    assert place.api.post("delete/mailbox", [ann]).said == [refused]
    assert place.api.post("delete/mailbox", []).json == {"type": "success", "msg": "Task completed"}
    assert place.api.post("delete/mailbox", ben).said == [("success", ["mailbox_removed", ben])]


@exercises("delete/mailbox", "edit/rl-mbox", "add/mailbox", "get/mailbox")
def test_made_again_at_once_without_what_it_had(place: Place) -> None:
    """'It can be made again at once'; 'Inactive ones go like active ones' (mailcow API facts §20)."""
    domain = place.domain()
    for active in (0, 1, 2):
        ann = place.mailbox(domain, active=active, tags=["ldap-sync:disabled"], quota=20)
        place.api.edit("rl-mbox", ann, rl_value=7, rl_frame="h")
        assert place.api.post("delete/mailbox", [ann]).said == [("success", ["mailbox_removed", ann])]
        place.mailbox(domain)
        row = place.read(ann)
        assert (row["rl"], "tags" in row, row["active"]) == (False, False, 1)
        place.api.post("delete/mailbox", [ann])


@exercises("delete/mailbox", "edit/mailbox", "get/mailbox")
def test_rights_go_both_ways(place: Place) -> None:
    """'Its rights go both ways' (mailcow API facts §20)."""
    domain = place.domain()
    ann, ben, cat = (place.mailbox(domain, name) for name in ("ann", "ben", "cat"))
    place.api.edit("mailbox", ann, sender_acl=[ben])
    place.api.edit("mailbox", ben, sender_acl=[ann, cat])
    place.api.post("delete/mailbox", [ann])
    assert place.read(ben)["sender_acl"] == [cat]
    place.mailbox(domain)
    assert place.read(ann)["sender_acl"] == []


@exercises("delete/mailbox", "edit/rl-mbox", "edit/rename-mbox", "get/mailbox")
def test_rate_limit_goes_with_it(place: Place) -> None:
    """'its app passwords, filters, tags and rate limit too' (mailcow API facts §20)."""
    domain = place.domain()
    ann, ben = place.mailbox(domain), place.mailbox(domain, "ben")
    place.api.edit("rl-mbox", ann, rl_value=7, rl_frame="h")
    place.api.post("delete/mailbox", [ann])
    place.api.edit("rename-mbox", ben, domain=domain, old_local_part="ben", new_local_part="ann", create_alias=0)
    assert place.read(ann)["rl"] is False
