"""What goes with a renamed mailbox, and what stays behind at its old address."""

from .endpoints import exercises
from .place import Place
from .test_rename import rename

STAYS = {
    "name", "active", "quota", "quota_used", "messages", "tags", "attributes", "custom_attributes", "authsource",
    "created", "domain",
}  # fmt: skip


@exercises("edit/rename-mbox", "edit/mailbox/custom-attribute", "edit/tls_policy", "get/mailbox")
def test_row_of_a_renamed_mailbox(place: Place) -> None:
    """'name, quota and use, tags, attributes (passwd_update, attribute_hash), custom attributes' (facts §20)."""
    domain = place.domain()
    ann = place.mailbox(domain, quota=30, tags=["ldap-sync", "ldap-sync:disabled"])
    place.api.edit("mailbox/custom-attribute", ann, attribute=["k"], value=["v"])
    place.api.edit("mailbox", ann, attribute_hash="H", name="Ann")
    place.api.edit("tls_policy", ann, tls_enforce_in=1, tls_enforce_out=1)
    before = place.read(ann)
    rename(place, domain, "ann", "anna", create_alias=1)
    after = place.read(f"anna@{domain}")
    assert {name: after[name] for name in STAYS} == {name: before[name] for name in STAYS}
    assert (after["attributes"]["attribute_hash"], after["attributes"]["tls_enforce_in"]) == ("H", "1")


@exercises("edit/rename-mbox", "edit/rl-mbox", "add/mailbox", "get/mailbox")
def test_rate_limit_stays_behind_and_nobody_gets_it(place: Place) -> None:
    """'Left at the old address: the rate limit (rl is false afterwards) ... which add/mailbox clears' (facts §20)."""
    domain = place.domain()
    ann = place.mailbox(domain)
    place.api.edit("rl-mbox", ann, rl_value=7, rl_frame="h")
    rename(place, domain, "ann", "anna")
    assert place.read(f"anna@{domain}")["rl"] is False
    place.mailbox(domain)
    assert place.read(ann)["rl"] is False


@exercises("edit/rename-mbox", "edit/rl-mbox", "get/mailbox")
def test_rate_limit_left_behind_is_the_next_ones(place: Place) -> None:
    """'Left at the old address: the rate limit': whoever is renamed to it has it (mailcow API facts §20)."""
    domain = place.domain()
    ann = place.mailbox(domain)
    place.mailbox(domain, "ben")
    place.api.edit("rl-mbox", ann, rl_value=7, rl_frame="h")
    rename(place, domain, "ann", "anna")
    rename(place, domain, "ben", "ann")
    assert place.read(ann)["rl"] == {"value": "7", "frame": "h"}


@exercises("edit/rename-mbox", "get/alias")
def test_gotos_that_follow(place: Place) -> None:
    """'Gotos equal to the old address, without case, follow: inactive aliases, catch-alls, alias domains' (§20)."""
    domain = place.domain()
    twin = place.alias_domain(domain)
    ann = place.mailbox(domain)
    upper = ann.upper().replace(domain.upper(), domain)
    addresses = [f"off@{domain}", f"@{domain}", f"x@{twin}", f"@{twin}", f"upper@{domain}"]
    numbers = [
        place.alias(address, upper if "upper" in address else ann, active=int("off" not in address), public_comment="p")
        for address in addresses
    ]
    before = [place.read_alias(number) for number in numbers]
    rename(place, domain, "ann", "anna")
    for old, number in zip(before, numbers, strict=True):
        new = place.read_alias(number)
        assert new == old | {"goto": f"anna@{domain}", "modified": new["modified"]}


@exercises("edit/rename-mbox", "get/alias")
def test_lists_keep_the_old_address_in_any_case(place: Place) -> None:
    """'Lists keep the old address' (mailcow API facts §20)."""
    domain = place.domain()
    ann, ben = place.mailbox(domain), place.mailbox(domain, "ben")
    gotos = [f"{ann},{ben}", f"{ben},{ann}", f"ANN@{domain},{ben}", f"{ann},x@elsewhere.test"]
    numbers = [place.alias(f"l{number}@{domain}", goto) for number, goto in enumerate(gotos)]
    rename(place, domain, "ann", "anna", create_alias=1)
    assert [place.read_alias(number)["goto"] for number in numbers] == gotos


@exercises("edit/rename-mbox", "edit/alias")
def test_old_address_alias_is_marked_and_its_flags_are_set(place: Place) -> None:
    """'Tags and comments with a colon (ldap-sync:renamed) are kept as sent' (mailcow API facts §20)."""
    domain = place.domain()
    ann = place.mailbox(domain)
    (_, (_, _, number)), _ = rename(place, domain, "ann", "anna", create_alias=1).said
    wanted = {"private_comment": "ldap-sync:renamed", "sogo_visible": 0, "sender_allowed": 1, "internal": 1}
    assert place.api.edit("alias", int(number), **wanted).said == [("success", ["alias_modified", ann])]
    row = place.read_alias(int(number))
    assert row["goto"] == f"anna@{domain}"
    assert {name: row[name] for name in wanted} == wanted
