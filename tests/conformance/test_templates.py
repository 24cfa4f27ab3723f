"""Mailbox templates."""

from .endpoints import exercises
from .place import MIB, Place


@exercises("add/mailbox/template", "get/mailbox/template", "get/mailbox/template/all")
def test_template_is_kept_in_bytes(place: Place) -> None:
    """'attributes (mailbox): tags[], quota (bytes)'; add takes MiB, 'acl missing -> all ACLs 0' (facts §8)."""
    number = place.template(quota=2048, tags=["staff"], protocol_access=["imap"])
    row = place.api.get(f"get/mailbox/template/{number}").json
    attributes = row["attributes"]
    assert (row["type"], attributes["quota"], attributes["tags"]) == ("mailbox", 2048 * MIB, ["staff"])
    assert (attributes["imap_access"], attributes["pop3_access"], attributes["acl_spam_alias"]) == (1, 0, 0)


@exercises("get/mailbox/template")
def test_unknown_template_is_an_empty_object(place: Place) -> None:
    """'({} unknown id)' (mailcow API facts §8)."""
    assert place.api.get("get/mailbox/template/999999").json == {}


@exercises("add/mailbox/template")
def test_name_must_be_new(place: Place) -> None:
    """'template_exists' (mailcow API facts §8)."""
    answer = place.api.post("add/mailbox/template", {"template": "Default"})
    assert answer.said == [("danger", ["template_exists", "Default"])]


@exercises("add/mailbox", "add/mailbox/template")
def test_new_mailbox_takes_what_is_not_sent_from_its_template(place: Place) -> None:
    """'template = numeric id; explicit fields win over it' (mailcow API facts §8)."""
    number = place.template(quota=20, tags=["staff"], active=2, protocol_access=["imap"])
    row = place.read(place.mailbox(place.domain(), template=number, quota=None, active=None, name="Own"))
    assert (row["quota"], row["active"], row["tags"], row["name"]) == (20 * MIB, 2, ["staff"], "Own")
    assert (row["attributes"]["imap_access"], row["attributes"]["pop3_access"]) == ("1", "0")


@exercises("add/mailbox")
def test_name_of_a_template_means_the_first_one(place: Place) -> None:
    """'template (numeric id; a name is intval'ed to 0 -> falls back to the first template)' (mailcow API facts §4)."""
    assert "tags" not in place.read(place.mailbox(place.domain(), template="staff"))


@exercises("edit/mailbox/template")
def test_edit_without_category_changes_nothing_with_success(place: Place) -> None:
    """'with quarantine_category missing: danger quarantine_category_invalid + success template_modified' (§8)."""
    number = place.template(quota=20)
    answer = place.api.edit("mailbox/template", number, quota=30)
    assert [message if isinstance(message, str) else message[0] for _, message in answer.said] == [
        "quarantine_category_invalid",
        "template_modified",
    ]
    assert place.api.get(f"get/mailbox/template/{number}").json["attributes"]["quota"] == 20 * MIB


@exercises("delete/mailbox/template")
def test_any_number_is_deleted_with_one_success(place: Place) -> None:
    """'one or more "template_removed" (string), for any id, never removes "Default"' (mailcow API facts §8)."""
    default = place.api.get("get/mailbox/template/all").json[0]["id"]
    assert place.api.post("delete/mailbox/template", [999999, default]).said == [("success", "template_removed")]
    assert place.api.get("get/mailbox/template/all").json[0]["id"] == default
