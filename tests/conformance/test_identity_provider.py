"""The identity provider, on a stand-in of the case's own: on a real server each setting would touch every login."""

from .endpoints import exercises
from .place import HASH, Place, mailbox_fields

LDAP = {
    "authsource": "ldap", "host": "a.test, b.test", "port": 389, "basedn": "dc=x", "binddn": "cn=y",
    "bindpass": "secret", "username_field": "MAIL", "attribute_field": "employeeType", "mappers": ["staff"],
    "templates": ["staff"],
}  # fmt: skip


def configure(place: Place, **settings: object) -> list[tuple[str, object]]:
    return place.api.post("edit/identity-provider", {"attr": LDAP | settings}).said


@exercises("get/identity-provider")
def test_no_provider_is_one_field(own_place: Place) -> None:
    """'get/identity-provider -> {"login_provisioning":1} when unset' (mailcow API facts §9)."""
    assert own_place.api.get("get/identity-provider").json == {"login_provisioning": 1}


@exercises("edit/identity-provider", "get/identity-provider")
def test_settings_come_back_with_the_password_in_clear(own_place: Place) -> None:
    """'the settings including bindpass in clear; field names get lower-cased; missing booleans become 0' (facts §9)."""
    assert configure(own_place) == [("success", ["object_modified", ""])]
    found = own_place.api.get("get/identity-provider").json
    expected = {
        "authsource": "ldap", "host": "a.test,b.test", "port": "389", "bindpass": "secret", "username_field": "mail",
        "attribute_field": "employeetype", "use_ssl": False, "use_tls": False, "ignore_ssl_error": "",
        "ignore_ssl_errors": False, "login_provisioning": False, "periodic_sync": "0", "import_users": "0",
        "sync_interval": "15", "mappers": ["staff"], "templates": ["staff"],
    }  # fmt: skip
    assert {name: found[name] for name in expected} == expected


@exercises("edit/identity-provider")
def test_incomplete_settings_are_refused(own_place: Place) -> None:
    """'errors ["required_data_missing","basedn"], ["invalid_authsource",null]' (mailcow API facts §9)."""
    assert configure(own_place, basedn=None) == [("danger", ["required_data_missing", "basedn"])]
    assert configure(own_place, authsource="x") == [("danger", ["invalid_authsource", None])]


@exercises("add/mailbox", "edit/identity-provider")
def test_provider_mailbox_has_an_empty_password(own_place: Place) -> None:
    """'IdP mailboxes get an empty password, force_pw_update 0' (mailcow API facts §4)."""
    configure(own_place)
    fields = mailbox_fields("example.org", authsource="ldap", password=None, password2=None, force_pw_update=1)
    own_place.api.post("add/mailbox", fields)
    row = own_place.read("ann@example.org")
    assert (row["authsource"], row["attributes"]["force_pw_update"]) == ("ldap", "0")
    assert own_place.own_server().state.mailboxes["ann@example.org"].password == ""


@exercises("edit/mailbox", "edit/identity-provider")
def test_password_of_a_provider_mailbox_is_ignored(own_place: Place) -> None:
    """'Ignored with success when the mailbox's current authsource isn't mailcow', also on switching back (facts §5)."""
    configure(own_place)
    own_place.mailbox("example.org", authsource="ldap")
    for attr in ({}, {"authsource": "mailcow"}):
        answer = own_place.api.edit("mailbox", "ann@example.org", password=HASH, password2=HASH, **attr)
        assert answer.said == [("success", ["mailbox_modified", "ann@example.org"])]
    assert own_place.own_server().state.mailboxes["ann@example.org"].password == ""
    assert own_place.read("ann@example.org")["authsource"] == "mailcow"


@exercises("edit/mailbox", "edit/identity-provider")
def test_switch_to_the_provider_keeps_the_old_hash(own_place: Place) -> None:
    """'Switching to ldap keeps the old hash row (unused)' (mailcow API facts §5)."""
    configure(own_place)
    own_place.mailbox("example.org")
    own_place.api.edit("mailbox", "ann@example.org", authsource="ldap")
    assert own_place.read("ann@example.org")["authsource"] == "ldap"
    assert own_place.own_server().state.mailboxes["ann@example.org"].password == HASH


@exercises("delete/identity-provider")
def test_provider_in_use_stays(own_place: Place) -> None:
    """'delete/identity-provider [] -> item_deleted / authsource_in_use' (mailcow API facts §9)."""
    configure(own_place)
    own_place.mailbox("example.org", authsource="ldap")
    assert own_place.api.post("delete/identity-provider", []).said == [("danger", ["authsource_in_use", None])]
    own_place.api.post("delete/mailbox", ["ann@example.org"])
    assert own_place.api.post("delete/identity-provider", []).said == [("success", ["item_deleted", ""])]
    assert own_place.api.get("get/identity-provider").json == {"login_provisioning": 1}


@exercises("edit/identity-provider-test")
def test_incomplete_settings_fail_the_test(own_place: Place) -> None:
    """'edit/identity-provider-test -> … {"type":"error","msg":"Cannot edit item"}' (mailcow API facts §9)."""
    answer = own_place.api.post("edit/identity-provider-test", {"attr": {"authsource": "ldap"}})
    assert answer.json == {"type": "error", "msg": "Cannot edit item"}
