"""Mailboxes: read, add, edit, delete."""

from typing import Any

import pytest

from .endpoints import exercises
from .place import HASH, MIB, OTHER_HASH, Place, mailbox_fields

ATTRIBUTES = {
    "force_pw_update": "0", "force_tfa": "0", "tls_enforce_in": "0", "tls_enforce_out": "0", "sogo_access": "1",
    "imap_access": "1", "pop3_access": "1", "smtp_access": "1", "sieve_access": "1", "eas_access": "1",
    "dav_access": "1", "relayhost": "0", "mailbox_format": "maildir:", "quarantine_notification": "hourly",
    "quarantine_category": "reject", "attribute_hash": "",
}  # fmt: skip
ONLY_IN_FULL = {"max_new_quota", "spam_aliases", "pushover_active", "rl", "rl_scope", "is_relayed", "sender_acl"}


@exercises("add/mailbox", "get/mailbox")
def test_mailbox_is_shown_as_it_was_made(place: Place) -> None:
    """'attributes.* are strings "0"/"1"; quota bytes; custom_attributes [] when empty' (mailcow API facts §3)."""
    domain = place.domain()
    row = place.read(place.mailbox(domain, quota=30, tags=["staff", "new"]))
    assert row["attributes"].pop("passwd_update") == row["created"] == row["modified"]
    assert row["attributes"] == ATTRIBUTES
    expected = {
        "username": f"ann@{domain}", "local_part": "ann", "domain": domain, "name": "Ann Other", "active": 1,
        "active_int": 1, "quota": 30 * MIB, "quota_used": 0, "percent_in_use": 0, "percent_class": "success",
        "messages": 0, "custom_attributes": [], "authsource": "mailcow", "rl": False, "rl_scope": "domain",
        "max_new_quota": 500 * MIB, "is_relayed": 0, "sender_acl": [], "tags": ["new", "staff"],
    }  # fmt: skip
    assert {name: row[name] for name in expected} == expected


@exercises("get/mailbox")
def test_address_is_found_in_any_case(place: Place) -> None:
    """'get/mailbox/{addr}: object; {} unknown; case-insensitive' (mailcow API facts §3)."""
    domain = place.domain()
    ann = place.mailbox(domain)
    assert place.read(ann.upper())["username"] == ann
    assert place.read(f"nobody@{domain}") == {}


@exercises("get/mailbox/reduced", "get/mailbox/all")
def test_reduced_list_leaves_out_what_is_dear(place: Place) -> None:
    """'reduced: without max_new_quota, spam_aliases, pushover_active, rl, rl_scope, is_relayed, sender_acl' (§3)."""
    domain = place.domain()
    place.mailbox(domain)
    (full,) = place.api.get(f"get/mailbox/all/{domain}").json
    (reduced,) = place.api.get(f"get/mailbox/reduced/{domain}").json
    assert set(full) - set(reduced) == ONLY_IN_FULL
    assert reduced.items() <= full.items()


@exercises("get/mailbox/reduced", "get/domain")
def test_rows_are_as_many_as_the_domain_counts(place: Place) -> None:
    """'mboxes_in_domain counts the same rows that get/mailbox/reduced returns for that domain' (facts §15)."""
    domain, other = place.domain(), place.domain()
    for local_part in ("u2", "u1", "u"):
        place.mailbox(domain, local_part)
    place.mailbox(other)
    rows = place.api.get(f"get/mailbox/reduced/{domain},{other}").json
    assert [row["local_part"] for row in rows] == ["u1", "u2", "u", "ann"]
    assert place.api.get(f"get/domain/{domain}").json["mboxes_in_domain"] == 3


@exercises("get/mailbox/reduced")
def test_no_mailbox_is_an_empty_object(place: Place) -> None:
    """'Lists are {} (object) when empty' (mailcow API facts §0.7)."""
    assert place.api.get(f"get/mailbox/reduced/{place.domain()}").json == {}


@exercises("get/mailbox/reduced", "get/mailbox/all")
def test_unknown_domain_gives_every_mailbox(place: Place) -> None:
    """'Unknown domain in /all/{d} or /reduced/{d} -> every mailbox of the server' (mailcow API facts §3)."""
    ann = place.mailbox(place.domain())
    for form in ("reduced", "all"):
        rows = place.api.get(f"get/mailbox/{form}/{place.name()}").json
        assert ann in [row["username"] for row in rows]


@exercises("get/mailbox/reduced")
def test_tags_are_searched_as_parts(place: Place) -> None:
    """'?tags=a,b = OR; substring match on tag' (mailcow API facts §3)."""
    domain = place.domain()
    place.mailbox(domain, "ann", tags=["ldap-sync"])
    place.mailbox(domain, "ben", tags=["other"])
    place.mailbox(domain, "cat")
    rows = place.api.get(f"get/mailbox/reduced/{domain}?tags=SYNC,none").json
    assert [row["local_part"] for row in rows] == ["ann"]


@exercises("get/mailbox")
def test_tags_of_a_domain_name_give_a_real_list(place: Place) -> None:
    """'get/mailbox/{domain}?tags=x -> list, [] when none' (mailcow API facts §3)."""
    assert place.api.get(f"get/mailbox/{place.domain()}?tags=x").json == []


@exercises("add/mailbox")
def test_address_is_lower_cased(place: Place) -> None:
    """'local_part lower-cased; domain lower-cased + punycoded' (mailcow API facts §4)."""
    domain = place.domain()
    answer = place.api.post("add/mailbox", mailbox_fields(domain.upper(), "ANN"))
    assert answer.said[-1] == ("success", ["mailbox_added", f"ann@{domain}"])


@exercises("add/mailbox")
@pytest.mark.parametrize("local_part", ["a b", "a..b", ".a", "ü", "l" * 65, ""])
def test_bad_local_part_is_refused(place: Place, local_part: str) -> None:
    """'ASCII only (filter_var e-mail), local part <= 64', error mailbox_invalid (mailcow API facts §4)."""
    answer = place.api.post("add/mailbox", mailbox_fields(place.domain(), local_part))
    assert answer.said == [("danger", "mailbox_invalid")]


@exercises("add/mailbox")
def test_messages_quote_the_address_for_html(place: Place) -> None:
    """mailbox_added names the address with HTML quoting, rl_saved does not (held on the recorded server)."""
    domain = place.domain()
    answer = place.api.post("add/mailbox", mailbox_fields(domain, "o'brien"))
    assert answer.said == [
        ("success", ["rl_saved", f"o'brien@{domain}"]),
        ("success", ["mailbox_added", f"o&#039;brien@{domain}"]),
    ]


@exercises("add/mailbox")
def test_missing_name_is_empty(place: Place) -> None:
    """'name missing -> empty name (no fall-back)' (mailcow API facts §4)."""
    assert place.read(place.mailbox(place.domain(), name=None))["name"] == ""


@exercises("add/mailbox")
def test_angle_brackets_around_the_name_go(place: Place) -> None:
    """'surrounding </> stripped' (mailcow API facts §4)."""
    assert place.read(place.mailbox(place.domain(), name="<Ann>"))["name"] == "Ann"


@exercises("add/mailbox")
def test_name_too_long_stores_nothing(place: Place) -> None:
    """'> 255 chars -> empty body, nothing stored' (mailcow API facts §4)."""
    domain = place.domain()
    assert place.api.post("add/mailbox", mailbox_fields(domain, name="n" * 256)).text == ""
    assert place.read(f"ann@{domain}") == {}


@exercises("add/mailbox")
def test_missing_quota_is_unlimited(place: Place) -> None:
    """'quota default from the template, "Default" has 0 = unlimited'; percent_in_use "- " (mailcow API facts §3, 4)."""
    row = place.read(place.mailbox(place.domain(), quota=None))
    assert (row["quota"], row["percent_in_use"], row["percent_class"]) == (0, "- ", "info")


@exercises("add/mailbox")
@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"password2": "{SSHA}x"}, "password_mismatch"),
        ({"password2": None}, "password_complexity"),
        ({"password": None, "password2": None}, "password_complexity"),
        ({"password": "short", "password2": "short"}, "password_complexity"),
        ({"quarantine_category": "none"}, "quarantine_category_invalid"),
        ({"quota": 501}, ["mailbox_quota_exceeded", 500]),
    ],
)
def test_bad_fields_are_refused(place: Place, fields: dict[str, Any], message: object) -> None:
    """'Missing password or password2 -> password_complexity (not "mismatch")'; quota limits (mailcow API facts §4)."""
    domain = place.domain()
    assert place.api.post("add/mailbox", mailbox_fields(domain, **fields)).said == [("danger", message)]
    assert place.read(f"ann@{domain}") == {}


@exercises("add/mailbox")
def test_taken_addresses_are_refused(place: Place) -> None:
    """Errors '["object_exists",a], ["is_alias",a]' (mailcow API facts §4)."""
    domain = place.domain()
    ann = place.mailbox(domain)
    place.alias(f"list@{domain}", ann)
    assert place.api.post("add/mailbox", mailbox_fields(domain)).said == [("danger", ["object_exists", ann])]
    answer = place.api.post("add/mailbox", mailbox_fields(domain, "list"))
    assert answer.said == [("danger", ["is_alias", f"list@{domain}"])]


@exercises("add/mailbox")
def test_domain_must_be_hosted_and_no_alias_domain(place: Place) -> None:
    """'access_denied (domain not hosted), ["domain_not_found",d] (an alias domain)' (mailcow API facts §4)."""
    name = place.alias_domain(place.domain())
    assert place.api.post("add/mailbox", mailbox_fields(place.name())).said == [("danger", "access_denied")]
    assert place.api.post("add/mailbox", mailbox_fields(name)).said == [("danger", ["domain_not_found", name])]


@exercises("add/mailbox")
def test_number_of_mailboxes_is_checked_before_quotas(place: Place) -> None:
    """'["max_mailbox_exceeded",n,max]'; order: … max mailboxes, max quota, domain quota (mailcow API facts §4)."""
    domain = place.domain(mailboxes=1)
    place.mailbox(domain)
    answer = place.api.post("add/mailbox", mailbox_fields(domain, "ben", quota=9999))
    assert answer.said == [("danger", ["max_mailbox_exceeded", 1, 1])]


@exercises("add/mailbox")
def test_quota_must_fit_into_the_domain_but_none_always_does(place: Place) -> None:
    """'["mailbox_quota_left_exceeded",leftMiB]; quota 0 passes both quota checks' (mailcow API facts §4)."""
    domain = place.domain(defquota=10, maxquota=100, quota=100)
    place.mailbox(domain, quota=80)
    answer = place.api.post("add/mailbox", mailbox_fields(domain, "ben", quota=30))
    assert answer.said == [("danger", ["mailbox_quota_left_exceeded", 20])]
    place.mailbox(domain, "cat", quota=0)


@exercises("add/mailbox")
def test_password_is_checked_before_limits(place: Place) -> None:
    """'Order of checks: … domain, exists, alias, password, max mailboxes, max quota' (mailcow API facts §4)."""
    answer = place.api.post("add/mailbox", mailbox_fields(place.domain(mailboxes=0), password2="other!"))
    assert answer.said == [("danger", "password_mismatch")]


@exercises("add/mailbox")
@pytest.mark.parametrize("stored", [HASH, OTHER_HASH, "{crypt}!locked", "{SSHA}x"])
def test_hash_of_a_known_scheme_is_stored_as_it_is(place: Place, stored: str) -> None:
    """'Pre-hashed passwords: stored verbatim when they match (case-insensitive) … No check of the form' (facts §4)."""
    server = place.own_server()
    ann = place.mailbox(place.domain(), password=stored, password2=stored)
    assert server.state.mailboxes[ann].password == stored


@exercises("add/mailbox")
@pytest.mark.parametrize("sent", ["{NT}0123456789", "{PBKDF2-SHA512}x", "{XYZ}abc", "clear text"])
def test_anything_else_is_taken_as_clear_text(place: Place, sent: str) -> None:
    """'Anything else ({NT}…, {PBKDF2-SHA512}…, {XYZ}…) is taken as a plain password and bcrypted' (facts §4)."""
    server = place.own_server()
    ann = place.mailbox(place.domain(), password=sent, password2=sent)
    assert server.state.mailboxes[ann].password.startswith("{BLF-CRYPT}")


@exercises("add/mailbox")
def test_unknown_provider_is_the_own_one(place: Place) -> None:
    """'"ldap" only if that provider is the configured one, else silently "mailcow"' (mailcow API facts §4)."""
    assert place.read(place.mailbox(place.domain(), authsource="keycloak"))["authsource"] == "mailcow"


@exercises("add/mailbox")
def test_switches_stick(place: Place) -> None:
    """'tls_enforce_in, tls_enforce_out, …; protocol_access sets all six' (mailcow API facts §4)."""
    ann = place.mailbox(place.domain(), active=2, tls_enforce_in=1, protocol_access=["imap", "smtp"], force_tfa="1")
    row = place.read(ann)
    names = ("tls_enforce_in", "tls_enforce_out", "imap_access", "pop3_access", "smtp_access", "force_tfa")
    assert ([row["attributes"][name] for name in names], row["active"]) == (["1", "0", "1", "0", "1", "1"], 2)


@exercises("add/mailbox")
def test_bad_rate_frame_does_not_stop_it(place: Place) -> None:
    """'A bad rl_frame gives danger rl_timeframe and mailbox_added' (mailcow API facts §4)."""
    domain = place.domain()
    answer = place.api.post("add/mailbox", mailbox_fields(domain, rl_value=5, rl_frame="x"))
    assert answer.said == [("danger", "rl_timeframe"), ("success", ["mailbox_added", f"ann@{domain}"])]


@exercises("edit/mailbox")
def test_only_what_is_sent_changes(place: Place) -> None:
    """'Empty/null values keep the old one: name cannot be emptied. quota: ""/null keep' (mailcow API facts §5)."""
    ann = place.mailbox(place.domain(), tags=["x"])
    answer = place.api.edit("mailbox", ann, name="", quota="", active=None)
    assert answer.said == [("success", ["mailbox_modified", ann])]
    row = place.read(ann)
    assert (row["name"], row["quota"], row["active"], row["tags"]) == ("Ann Other", 10 * MIB, 1, ["x"])


@exercises("edit/mailbox")
@pytest.mark.parametrize(("sent", "kept"), [(0, 0), (1, 1), (2, 2), ("1", 1), (True, 1), ("yes", 0), ("true", 0)])
def test_active_is_a_number(place: Place, sent: object, kept: int) -> None:
    """'Booleans: send ints 0/1. true -> 1, but "yes"/"true" -> 0 = deactivates' (mailcow API facts §0.9)."""
    ann = place.mailbox(place.domain())
    place.api.edit("mailbox", ann, active=sent)
    row = place.read(ann)
    assert (row["active"], row["active_int"]) == (kept, kept)


@exercises("edit/mailbox")
def test_first_edit_brings_a_recovery_address(place: Place) -> None:
    """'recovery_email appears after the first edit' (mailcow API facts §3)."""
    ann = place.mailbox(place.domain())
    place.api.edit("mailbox", ann)
    assert place.read(ann)["attributes"]["recovery_email"] is None


@exercises("edit/mailbox", "edit/tls_policy")
def test_tls_is_ignored_in_edit_and_has_a_call_of_its_own(place: Place) -> None:
    """'Silently ignored (success!): tls_enforce_in/out …  Use: edit/tls_policy' (mailcow API facts §5)."""
    ann = place.mailbox(place.domain())
    assert place.api.edit("mailbox", ann, tls_enforce_in=1).said == [("success", ["mailbox_modified", ann])]
    assert place.read(ann)["attributes"]["tls_enforce_in"] == "0"
    assert place.api.edit("tls_policy", ann, tls_enforce_in=1).said == [("success", ["mailbox_modified", ann])]
    attributes = place.read(ann)["attributes"]
    assert (attributes["tls_enforce_in"], attributes["tls_enforce_out"]) == ("1", "0")


@exercises("edit/mailbox")
def test_attribute_hash_is_lost_when_not_sent(place: Place) -> None:
    """'attribute_hash (reset to "" when not sent)' (mailcow API facts §5)."""
    ann = place.mailbox(place.domain(), attribute_hash="abc")
    place.api.edit("mailbox", ann, name="B", attribute_hash="def")
    assert place.read(ann)["attributes"]["attribute_hash"] == "def"
    place.api.edit("mailbox", ann, name="C")
    assert place.read(ann)["attributes"]["attribute_hash"] == ""


@exercises("edit/mailbox")
def test_quota_must_leave_room_for_the_others(place: Place) -> None:
    """'mailbox_quota_left_exceeded' with max_new_quota in MiB, above maxquota too (mailcow API facts §5)."""
    domain = place.domain(defquota=10, maxquota=100, quota=150)
    ann = place.mailbox(domain, quota=50)
    place.mailbox(domain, "ben", quota=60)
    assert place.read(ann)["max_new_quota"] == 90 * MIB
    assert place.api.edit("mailbox", ann, quota=91).said == [("danger", ["mailbox_quota_left_exceeded", 90])]
    assert place.api.edit("mailbox", ann, quota=90).said == [("success", ["mailbox_modified", ann])]


@exercises("edit/mailbox")
def test_quota_nought_and_below_is_taken(place: Place) -> None:
    """'0 = unlimited, negative accepted (!), floats truncated' (mailcow API facts §0.8)."""
    ann = place.mailbox(place.domain())
    found = []
    for quota in (0, -5, 7.9, "8x", "x"):
        place.api.edit("mailbox", ann, quota=quota)
        found.append(place.read(ann)["quota"])
    assert found == [0, -5 * MIB, 7 * MIB, 8 * MIB, 0]


@exercises("edit/mailbox")
def test_items_are_answered_in_order_without_names(place: Place) -> None:
    """'order kept: success …, danger "access_denied", danger ["username_invalid",…], success' (facts §5)."""
    domain = place.domain()
    ann, ben = place.mailbox(domain), place.mailbox(domain, "ben")
    answer = place.api.edit("mailbox", [ann, f"no@{domain}", "notanaddress", ben], name="N")
    assert answer.said == [
        ("success", ["mailbox_modified", ann]),
        ("danger", "access_denied"),
        ("danger", ["username_invalid", "notanaddress"]),
        ("success", ["mailbox_modified", ben]),
    ]


@exercises("edit/mailbox")
def test_bad_password_keeps_the_other_fields_from_being_saved(place: Place) -> None:
    """'mismatch/complexity -> that item only gets the danger and none of its other fields is saved' (facts §5)."""
    ann = place.mailbox(place.domain())
    answer = place.api.edit("mailbox", ann, password=HASH, password2="other!", name="No")
    assert answer.said == [("danger", "password_mismatch")]
    assert place.read(ann)["name"] == "Ann Other"


@exercises("edit/mailbox")
def test_password_write_is_stamped(place: Place) -> None:
    """'attributes.passwd_update is set by every password write: it tells when' (mailcow API facts §15)."""
    server = place.own_server()
    ann = place.mailbox(place.domain())
    made = place.read(ann)["attributes"]["passwd_update"]
    server.clock.advance(5)
    place.api.edit("mailbox", ann, name="Other")
    assert place.read(ann)["attributes"]["passwd_update"] == made
    place.api.edit("mailbox", ann, password=OTHER_HASH, password2=OTHER_HASH)
    assert place.read(ann)["attributes"]["passwd_update"] == server.clock.now() > made
    assert server.state.mailboxes[ann].password == OTHER_HASH


@exercises("edit/mailbox")
def test_edit_that_changes_nothing_is_not_stamped(place: Place) -> None:
    """The database sets ``modified`` only when a value of the row changes (held on the recorded server)."""
    server = place.own_server()
    ann = place.mailbox(place.domain())
    place.api.edit("mailbox", ann, name="B")
    before = place.read(ann)["modified"]
    server.clock.advance(5)
    place.api.edit("mailbox", ann, name="B", tags=["t"])
    assert place.read(ann)["modified"] == before


@exercises("edit/mailbox")
def test_unconfigured_provider_is_ignored(place: Place) -> None:
    """'authsource to a provider that isn't configured: ignored, success' (mailcow API facts §5)."""
    ann = place.mailbox(place.domain())
    assert place.api.edit("mailbox", ann, authsource="keycloak").said == [("success", ["mailbox_modified", ann])]
    assert place.read(ann)["authsource"] == "mailcow"


@exercises("edit/mailbox")
def test_name_too_long_ends_the_call(place: Place) -> None:
    """'a PDO error inside edit/mailbox ends the call: earlier items are saved, later ones untouched' (facts §1)."""
    domain = place.domain()
    ann, ben = place.mailbox(domain), place.mailbox(domain, "ben")
    answer = place.api.edit("mailbox", [ann, ben], name="n" * 256)
    error = "SQLSTATE[22001]: String data, right truncated: 1406 Data too long for column 'name' at row 1"
    assert answer.said == [("danger", error)]


@exercises("edit/mailbox", "delete/mailbox/tag")
def test_tags_are_added_and_removed_one_by_one(place: Place) -> None:
    """'tags (adds only; duplicates ignored here)'; delete/mailbox/tag -> mailbox_modified (mailcow API facts §5)."""
    ann = place.mailbox(place.domain(), tags=["a"])
    place.api.edit("mailbox", ann, tags=["A", "ldap-sync:disabled", ""])
    assert place.read(ann)["tags"] == ["a", "ldap-sync:disabled"]
    answer = place.api.post(f"delete/mailbox/tag/{ann}", ["ldap-sync:disabled", "never there"])
    assert answer.said == [("success", ["mailbox_modified", ann])]
    assert place.read(ann)["tags"] == ["a"]


@exercises("delete/mailbox/tag")
def test_tag_of_nobody_is_refused(place: Place) -> None:
    """Unknown mailbox: access_denied; no tags: Cannot delete item (held on the recorded server)."""
    domain = place.domain()
    ann = place.mailbox(domain)
    assert place.api.post(f"delete/mailbox/tag/no@{domain}", ["a"]).said == [("danger", "access_denied")]
    assert place.api.post(f"delete/mailbox/tag/{ann}", []).json == {"type": "error", "msg": "Cannot delete item"}


@exercises("edit/mailbox")
def test_26_tags_per_call(place: Place) -> None:
    """'entries with list index 0..25 are taken, then warning tag_limit_exceeded' (held on the recorded server)."""
    ann = place.mailbox(place.domain())
    answer = place.api.edit("mailbox", ann, tags=[f"t{number}" for number in range(30)])
    assert answer.said == [
        ("warning", ["tag_limit_exceeded", "limit 25"]),
        ("success", ["mailbox_modified", ann]),
    ]
    assert len(place.read(ann)["tags"]) == 26


@exercises("edit/mailbox/custom-attribute")
def test_custom_attributes_are_replaced_as_a_whole(place: Place) -> None:
    """'replaces the whole object; lengths must be equal (else empty body); blanks are removed from keys' (§5)."""
    ann = place.mailbox(place.domain())
    place.api.edit("mailbox/custom-attribute", ann, attribute=["a", "b"], value=["1", {"x": 2}])
    assert place.read(ann)["custom_attributes"] == {"a": "1", "b": {"x": 2}}
    assert place.api.edit("mailbox/custom-attribute", ann, attribute=["a", "b"], value=["1"]).text == ""
    place.api.edit("mailbox/custom-attribute", ann, attribute=["k 1"], value=["v"])
    assert place.read(ann)["custom_attributes"] == {"k1": "v"}
    place.api.edit("mailbox/custom-attribute", ann)
    assert place.read(ann)["custom_attributes"] == []


@exercises("edit/rl-mbox", "get/rl-mbox/all")
def test_rate_limit_is_set_and_dropped(place: Place) -> None:
    """'edit/rl-mbox {rl_value,rl_frame; 0 removes}; get/rl-mbox/all' (mailcow API facts §5, 10)."""
    ann = place.mailbox(place.domain())
    assert place.api.edit("rl-mbox", ann, rl_value=10, rl_frame="m").said == [("success", ["rl_saved", ann])]
    row = place.read(ann)
    assert (row["rl"], row["rl_scope"]) == ({"value": "10", "frame": "m"}, "mailbox")
    assert {"value": "10", "frame": "m", "mailbox": ann} in place.api.get("get/rl-mbox/all").json
    place.api.edit("rl-mbox", ann, rl_value=0, rl_frame="m")
    assert place.read(ann)["rl"] is False


@exercises("edit/quarantine_notification", "edit/quarantine_category", "edit/delimiter_action", "edit/user-acl")
def test_side_endpoints(place: Place) -> None:
    """'edit/quarantine_notification · edit/quarantine_category · edit/delimiter_action · edit/user-acl' (facts §5)."""
    ann = place.mailbox(place.domain())
    done = [("success", ["mailbox_modified", ann])]
    assert place.api.edit("quarantine_notification", ann, quarantine_notification="never").said == done
    assert place.api.edit("quarantine_category", ann, quarantine_category="all").said == done
    assert place.api.edit("quarantine_category", ann, quarantine_category="x").said == [("danger", "access_denied")]
    assert place.api.edit("delimiter_action", ann, tagged_mail_handler="subject").said == done
    assert place.api.edit("user-acl", ann, user_acl=["app_passwds"]).said == [("success", ["acl_saved", ann])]
    attributes = place.read(ann)["attributes"]
    assert (attributes["quarantine_notification"], attributes["quarantine_category"]) == ("never", "all")


@exercises("delete/mailbox")
def test_each_deleted_item_is_answered(place: Place) -> None:
    """'per item ["mailbox_removed",a] | access_denied (unknown or no address)' (mailcow API facts §6)."""
    domain = place.domain()
    ann = place.mailbox(domain)
    answer = place.api.post("delete/mailbox", [ann, f"no@{domain}", "x"])
    assert answer.said == [
        ("success", ["mailbox_removed", ann]),
        ("danger", "access_denied"),
        ("danger", "access_denied"),
    ]
    assert place.read(ann) == {}


@exercises("delete/mailbox")
def test_deleted_mailbox_leaves_lists_only_where_written_the_same(place: Place) -> None:
    """'Aliases whose goto is only this mailbox are deleted; in lists the address is cut out, case-sensitively' (§6)."""
    domain = place.domain()
    ann, ben = place.mailbox(domain), place.mailbox(domain, "ben")
    only = place.alias(f"only@{domain}", ann)
    both = place.alias(f"both@{domain}", f"{ann},{ben}")
    upper = place.alias(f"upper@{domain}", f"ANN@{domain},{ben}")
    place.api.post("delete/mailbox", [ann])
    assert place.read_alias(only) == {}
    assert place.read_alias(both)["goto"] == ben
    assert place.read_alias(upper)["goto"] == f"ANN@{domain},{ben}"


@exercises("delete/mailbox", "get/mailbox", "get/mailbox/reduced", "add/mailbox")
def test_half_deleted_mailbox_is_a_row_of_nulls(place: Place) -> None:
    """'A half-deleted mailbox is returned with all fields null, in the lists too. Delete it again' (facts §3, 11)."""
    server = place.own_server()
    domain = place.domain()
    ann = place.mailbox(domain)
    server.faults.add("half_deleted", "delete/mailbox", ann)
    assert place.api.post("delete/mailbox", [ann]).text == ""
    row = place.read(ann)
    assert (row["username"], row["domain"], row["quota"], row["authsource"]) == (None, None, None, "mailcow")
    assert [found["username"] for found in place.api.get(f"get/mailbox/reduced/{domain}").json] == [None]
    assert place.api.get(f"get/domain/{domain}").json["mboxes_in_domain"] == 1
    assert place.api.post("add/mailbox", mailbox_fields(domain)).said == [("danger", ["object_exists", ann])]
    assert place.api.edit("mailbox", ann, active=0).said == [("danger", "access_denied")]
    warning = "Could not move maildir to garbage collector: variables local_part and/or domain empty"
    assert place.api.post("delete/mailbox", [ann]).said == [("warning", warning), ("success", ["mailbox_removed", ann])]
    place.mailbox(domain)
