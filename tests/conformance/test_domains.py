"""Domains and alias domains."""

from typing import Any

import pytest

from .endpoints import exercises
from .place import MIB, Place


@exercises("get/domain/all")
def test_no_domain_is_an_empty_object(place: Place) -> None:
    """'Lists are {} (object) when empty' (mailcow API facts §0.7)."""
    assert place.api.get("get/domain/all?tags=no-such-tag-anywhere").json == {}


@exercises("add/domain", "get/domain", "get/domain/all")
def test_sizes_are_mib_written_and_bytes_read(place: Place) -> None:
    """'quota is MiB on write, bytes on read' (mailcow API facts §0.8)."""
    domain = place.domain(defquota=50, maxquota=500, quota=2000, tags=["b", "a"])
    row = place.api.get(f"get/domain/{domain}").json
    assert (row["def_quota_for_mbox"], row["max_quota_for_mbox"], row["max_quota_for_domain"]) == (
        50 * MIB,
        500 * MIB,
        2000 * MIB,
    )
    assert [found for found in place.api.get("get/domain/all").json if found["domain_name"] == domain] == [row]


@exercises("get/domain")
def test_shape_of_a_domain(place: Place) -> None:
    """'quota_used_in_domain is a string, rl false, tags absent when none' (mailcow API facts §2)."""
    row = place.api.get(f"get/domain/{place.domain()}").json
    assert (row["quota_used_in_domain"], row["rl"], row["modified"], "tags" in row) == ("0", False, None, False)
    assert (row["mboxes_in_domain"], row["mboxes_left"], row["aliases_in_domain"], row["aliases_left"]) == (
        0,
        20,
        0,
        20,
    )


@exercises("get/domain")
def test_unknown_domain_is_an_empty_object(place: Place) -> None:
    """'get/domain/{domain} -> object, {} when unknown' (mailcow API facts §2)."""
    assert place.api.get(f"get/domain/{place.name()}").json == {}


@exercises("get/domain")
def test_domain_counts_what_is_in_it(place: Place) -> None:
    """'quota_used_in_domain (sum of mailbox quotas)', mboxes_left, aliases_left (mailcow API facts §2)."""
    domain = place.domain()
    ann = place.mailbox(domain, quota=30)
    place.mailbox(domain, "ben", quota=0)
    place.alias(f"list@{domain}", ann)
    row = place.api.get(f"get/domain/{domain}").json
    assert (row["quota_used_in_domain"], row["mboxes_in_domain"], row["mboxes_left"]) == (str(30 * MIB), 2, 18)
    assert (row["aliases_in_domain"], row["aliases_left"]) == (1, 19)


@exercises("add/domain")
def test_name_is_lower_cased(place: Place) -> None:
    """'Name is lower-cased and punycoded' (mailcow API facts §2)."""
    domain = place.domain()
    assert place.api.post("add/domain", {"domain": domain.upper()}).said == [("danger", ["domain_exists", domain])]


@exercises("add/domain")
@pytest.mark.parametrize(
    ("limits", "code"),
    [
        ({"defquota": 501}, "mailbox_defquota_exceeds_mailbox_maxquota"),
        ({"maxquota": 2001}, "mailbox_quota_exceeds_domain_quota"),
        ({"defquota": 0}, "defquota_empty"),
        ({"defquota": 0, "maxquota": 0}, "defquota_empty"),
    ],
)
def test_impossible_limits_are_refused(place: Place, limits: dict[str, int], code: str) -> None:
    """Errors 'mailbox_defquota_exceeds_mailbox_maxquota, mailbox_quota_exceeds_domain_quota, defquota_empty' (§2)."""
    fields = {"domain": place.name(), "defquota": 50, "maxquota": 500, "quota": 2000, "key_size": 0, **limits}
    assert place.api.post("add/domain", fields).said == [("danger", code)]


@exercises("add/domain")
def test_no_domain_name_is_refused(place: Place) -> None:
    """Error 'domain_invalid' (mailcow API facts §2)."""
    assert place.api.post("add/domain", {"domain": "not a domain"}).said == [("danger", "domain_invalid")]


@exercises("add/domain", "get/domain")
def test_repeated_tag_leaves_a_domain_behind(place: Place) -> None:
    """'Trap: duplicate values in tags -> 200 + empty body, domain row exists' (mailcow API facts §2)."""
    name = place.name()
    answer = place.api.post("add/domain", {"domain": name, "tags": ["x", "x"], "key_size": 0})
    assert (answer.status, answer.text) == (200, "")
    assert place.api.get(f"get/domain/{name}").json["tags"] == ["x"]
    assert place.api.post("delete/domain", [name]).said == [("success", ["domain_removed", name])]


@exercises("edit/domain")
def test_empty_values_keep(place: Place) -> None:
    """'aliases/maxquota/quota/description of 0/"" are ignored (kept)' (mailcow API facts §2)."""
    domain = place.domain(description="ours")
    before = place.api.get(f"get/domain/{domain}").json
    answer = place.api.edit("domain", domain, aliases=0, maxquota=0, quota=0, description="", mailboxes="")
    assert answer.said == [("success", ["domain_modified", domain])]
    assert place.api.get(f"get/domain/{domain}").json == before


@exercises("edit/domain")
def test_unknown_domain_is_not_named(place: Place) -> None:
    """'domain_invalid (also unknown domain; the name isn't given)' (mailcow API facts §2)."""
    assert place.api.edit("domain", place.name(), active=1).said == [("danger", "domain_invalid")]


@exercises("edit/domain")
@pytest.mark.parametrize(
    ("attr", "message"),
    [
        ({"maxquota": 50}, ["max_quota_in_use", "100"]),
        ({"quota": 150, "maxquota": 120}, ["domain_quota_m_in_use", "200"]),
        ({"mailboxes": 1}, ["mailboxes_in_use", 2]),
        ({"aliases": 1}, ["aliases_in_use", 2]),
    ],
)
def test_limits_do_not_go_below_use(place: Place, attr: dict[str, int], message: list[Any]) -> None:
    """Errors 'mailboxes_in_use, aliases_in_use, max_quota_in_use, domain_quota_m_in_use' (mailcow API facts §2)."""
    domain = place.domain()
    ann = place.mailbox(domain, quota=100)
    place.mailbox(domain, "ben", quota=100)
    place.alias(f"one@{domain}", ann)
    place.alias(f"two@{domain}", ann)
    assert place.api.edit("domain", domain, **attr).said == [("danger", message)]


@exercises("edit/domain", "delete/domain/tag")
def test_tags_are_added_and_removed_one_by_one(place: Place) -> None:
    """'tags only adds; delete/domain/tag -> domain_modified (also when the tag wasn't there)' (facts §2)."""
    domain = place.domain(tags=["a"])
    place.api.edit("domain", domain, tags=["b"])
    answer = place.api.post(f"delete/domain/tag/{domain}", ["a", "never there"])
    assert answer.said == [("success", ["domain_modified", domain])]
    assert place.api.get(f"get/domain/{domain}").json["tags"] == ["b"]


@exercises("edit/domain")
def test_tag_that_is_there_crashes_the_edit(place: Place) -> None:
    """'a tag the domain already has -> empty body (exception)' (mailcow API facts §2)."""
    domain = place.domain(tags=["a"])
    assert place.api.edit("domain", domain, tags=["a"]).text == ""


@exercises("delete/domain")
def test_domain_with_mailboxes_stays(place: Place) -> None:
    """'domain_not_empty (has mailboxes/resources)' (mailcow API facts §2)."""
    domain = place.domain()
    place.mailbox(domain)
    assert place.api.post("delete/domain", [domain]).said == [("danger", ["domain_not_empty", domain])]


@exercises("delete/domain")
def test_domain_that_never_was_is_deleted_with_success(place: Place) -> None:
    """'domain_removed (also for a domain that never existed)' (mailcow API facts §2)."""
    name = place.name()
    assert place.api.post("delete/domain", [name]).said == [("success", ["domain_removed", name])]


@exercises("delete/domain")
def test_aliases_go_with_their_domain(place: Place) -> None:
    """'Deletes all its aliases and alias domains' (mailcow API facts §2)."""
    domain, other = place.domain(), place.domain()
    number = place.alias(f"list@{domain}", place.mailbox(other))
    place.alias_domain(domain)
    place.api.post("delete/domain", [domain])
    assert place.read_alias(number) == {}
    rows = place.api.get("get/alias-domain/all").json or []
    assert [row for row in rows if row["target_domain"] == domain] == []


@exercises("add/alias-domain", "get/alias-domain/all")
def test_alias_domain_is_listed(place: Place) -> None:
    """'get/alias-domain/all -> [{"alias_domain","parent_is_backupmx","target_domain","active",…}]' (facts §7)."""
    domain = place.domain()
    name = place.alias_domain(domain)
    rows = [row for row in place.api.get("get/alias-domain/all").json if row["alias_domain"] == name]
    assert [(row["target_domain"], row["active"], row["rl"], row["modified"]) for row in rows] == [
        (domain, 1, False, None)
    ]


@exercises("add/alias-domain", "get/domain")
def test_alias_domain_shows_its_target(place: Place) -> None:
    """'an alias domain gives its target domain's object' (mailcow API facts §2)."""
    domain = place.domain()
    assert place.api.get(f"get/domain/{place.alias_domain(domain)}").json["domain_name"] == domain


@exercises("add/alias-domain")
def test_alias_domain_needs_a_new_name_and_a_target(place: Place) -> None:
    """Errors 'alias_domain_invalid (exists), aliasd_targetd_identical, access_denied' (mailcow API facts §7)."""
    domain, other, name = place.domain(), place.domain(), place.name()

    def refusal(alias_domain: str, target: str) -> list[tuple[str, Any]]:
        return place.api.post("add/alias-domain", {"alias_domain": alias_domain, "target_domain": target}).said

    assert refusal(other, domain) == [("danger", ["alias_domain_invalid", other])]
    assert refusal(domain, domain) == [("danger", ["aliasd_targetd_identical", domain])]
    assert refusal(name, place.name()) == [("danger", "access_denied")]


@exercises("edit/alias-domain", "delete/alias-domain")
def test_alias_domain_is_changed_and_removed_with_its_aliases(place: Place) -> None:
    """'edit/alias-domain {active,target_domain}; delete/alias-domain removes also its aliases' (facts §7)."""
    domain = place.domain()
    name = place.alias_domain(domain)
    number = place.alias(f"list@{name}", place.mailbox(domain))
    assert place.api.edit("alias-domain", name, active=0).said == [("success", ["aliasd_modified", name])]
    assert place.api.post("delete/alias-domain", [name]).said == [("success", ["alias_domain_removed", name])]
    assert place.read_alias(number) == {}
