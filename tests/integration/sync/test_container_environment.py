"""The variables of the container tool LDAP_MAILCOW alone, against slapd made to look like Active Directory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import pytest
from click.testing import CliRunner

from ldap2mailcow import cli
from tests.directory_server import Slapd
from tests.mailcow_server import Alias, Clock, DomainLimits, MailcowServer

from .active_directory import DISABLED, SCHEMA, ad_group, ad_user
from .installation import DOMAIN, STATE, Done, Installation, at_clock

USERS, GROUPS = "ou=people,dc=example,dc=org", "ou=groups,dc=example,dc=org"
HAND = "{SSHA}r1NBy3jzPDHtP3cQp8CY4Xf0p0lcmVEe"
PREFIX = "LDAP_MAILCOW_"

PEOPLE = (
    ad_user(
        "ann",
        base=USERS,
        proxies=["SMTP:ann@example.org", "smtp:Anna@Example.org", "x500:/o=Old/cn=ann", "sip:ann@example.org"],
    ),
    ad_user("ben", base=USERS, proxies=["SMTP:ben@example.org", "smtp:benny@example.org", "smtp:b@example.org"]),
    ad_user("cat", base=USERS),
    ad_user("dan", base=USERS, proxies=["SMTP:dan@example.org", "smtp:danny@example.org"], control=DISABLED),
    ad_user("eve", base=USERS, proxies=["SMTP:eve@example.org", "smtp:evi@example.org"]),
)
"""dan's account is disabled; all but eve have a mailbox in mailcow."""

LISTS = (
    ad_group("team", [PEOPLE[0][0], PEOPLE[1][0], PEOPLE[3][0]], base=GROUPS, proxies=["SMTP:team@example.org"]),
    ad_group("all", [PEOPLE[2][0], f"CN=team,{GROUPS}", f"CN=guest,{USERS}"], base=GROUPS),
    ad_group("nobody", [], base=GROUPS),
    ad_group("silent", [PEOPLE[0][0]], base=GROUPS, mail=""),
)

TABLE = {
    # address: goto, active, internal, sender_allowed, sogo_visible, private_comment
    "anna@example.org": ("ann@example.org", 1, 0, 1, 1, "ldap-sync"),
    "b@example.org": ("ben@example.org", 1, 0, 1, 1, "ldap-sync"),
    "benny@example.org": ("ben@example.org", 1, 0, 1, 1, "ldap-sync"),
    "team@example.org": ("ann@example.org,ben@example.org", 1, 0, 1, 0, "ldap-sync"),
    "all@example.org": (
        "ann@example.org,ben@example.org,cat@example.org,guest@elsewhere.example",
        1,
        0,
        1,
        0,
        "ldap-sync",
    ),
    # and one that somebody made by hand
    "info@example.org": ("old@example.org", 1, 0, 1, 1, None),
}

WITHOUT_BEN = {
    "anna@example.org": "ann@example.org",
    "team@example.org": "ann@example.org",
    "all@example.org": "ann@example.org,cat@example.org,guest@elsewhere.example",
    "info@example.org": "old@example.org",
}
"""Where they go once he is gone."""


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Installation]:
    """People and groups; mailboxes that somebody made by hand, one of which is nobody's, with tags; an alias."""
    clock = Clock("2026-11-21 11:00:00")
    with Slapd(schema=SCHEMA) as slapd, MailcowServer([DomainLimits(DOMAIN)], clock=clock) as mailcow:
        for entry in (*PEOPLE, guest(), *LISTS):
            slapd.add(*entry)
        house = Installation(tmp_path, slapd, mailcow)
        house.config_file.unlink()
        for name in ("ann", "ben", "cat", "dan", "old"):
            house.by_hand(
                "add/mailbox",
                {
                    "local_part": name,
                    "domain": DOMAIN,
                    "name": f"{name} by hand",
                    "quota": "100",
                    "active": "1",
                    "password": HAND,
                    "password2": HAND,
                    "tags": ["by hand"],
                },
            )
        flags = {"active": "1", "sender_allowed": "1", "sogo_visible": "1"}
        house.by_hand("add/alias", {"address": f"info@{DOMAIN}", "goto": f"old@{DOMAIN}", **flags})
        yield house


def guest() -> tuple[str, Mapping[str, Any]]:
    """Return somebody who is no user: an address elsewhere, to be put on lists."""
    dn = f"CN=guest,{USERS}"
    known = {
        "objectClass": [b"inetOrgPerson", b"extensibleObject"],
        "cn": [b"guest"],
        "sn": [b"guest"],
        "mail": [b"guest@elsewhere.example"],
        "distinguishedName": [dn.encode()],
    }
    return dn, known


def variables(house: Installation, **more: str) -> dict[str, str]:
    """Return what that tool's container is given."""
    named = {
        "LDAP_URI": house.slapd.uri,
        "LDAP_BASE_DN": house.slapd.suffix,
        "LDAP_BIND_DN": house.slapd.reader_dn,
        "LDAP_BIND_DN_PASSWORD": house.slapd.reader_password,
        "API_HOST": house.mailcow.url,
        "API_KEY": house.mailcow.api_key,
        "SYNC_INTERVAL": "300",
        **more,
    }
    return {f"{PREFIX}{name}": value for name, value in named.items()}


def table(house: Installation) -> dict[str, tuple[object, ...]]:
    """Return the aliases of mailcow, without each mailbox's own row."""
    return {row.address: columns(row) for row in house.mailcow.state.aliases.values() if not row.is_self_row}


def gotos(house: Installation) -> dict[str, object]:
    return {address: columns[0] for address, columns in table(house).items()}


def columns(row: Alias) -> tuple[object, ...]:
    return row.goto, row.active, row.internal, row.sender_allowed, row.sogo_visible, row.private_comment


def all_but_aliases(house: Installation) -> dict[str, Any]:
    """Return everything else that mailcow holds: mailboxes with their tags and passwords, domains, rights."""
    held: dict[str, Any] = dict(house.mailcow.snapshot())
    aliases = held.pop("aliases")
    del held["next_alias_id"]
    return {**held, "by hand": [row for row in aliases.values() if row["address"] == f"info@{DOMAIN}"]}


def in_process(house: Installation, monkeypatch: pytest.MonkeyPatch, **more: str) -> Done:
    """Run the command in this process, at the clock of the house, in its folder."""
    monkeypatch.chdir(house.folder)
    with at_clock(house.hands):
        found = CliRunner().invoke(cli.main, [], env=variables(house, **more))
    if found.exception and not isinstance(found.exception, SystemExit):
        raise found.exception
    return Done(found.exit_code, found.stdout, found.stderr)


def test_they_alone_make_the_aliases_and_lists_and_nothing_else(house: Installation) -> None:
    before = all_but_aliases(house)
    done = house.run("-v", env=variables(house))
    assert (done.code, table(house)) == (0, TABLE)
    assert all_but_aliases(house) == before
    assert "alias_without_mailbox" in done.out  # eve's
    for secret in (house.slapd.reader_password, house.mailcow.api_key, HAND):
        assert secret not in done.said
    assert {path.name for path in house.folder.iterdir()} == {STATE, f"{STATE}.key", f"{STATE}.lock"}


def test_a_second_run_writes_nothing_and_says_nothing(house: Installation) -> None:
    house.run(env=variables(house))
    house.writes()
    second = house.run(env=variables(house))
    assert (second.code, second.said, house.writes()) == (0, "", [])


def test_secrets_are_shown_nowhere_when_a_run_fails(house: Installation) -> None:
    given = variables(house)
    for name in ("LDAP_BIND_DN_PASSWORD", "API_KEY"):
        wrong = {**given, f"{PREFIX}{name}": f"wr0ng{name.replace('_', '-')}"}
        done = house.run("-vv", env=wrong)
        assert done.code == 77
        assert "wr0ng" not in done.said


def test_sync_interval_is_taken_and_its_uselessness_told_once(house: Installation) -> None:
    assert f"{PREFIX}SYNC_INTERVAL has no effect" in house.run(env=variables(house)).said
    assert "SYNC_INTERVAL" not in house.run(env=variables(house)).said


def test_the_filters_are_that_tools_own(house: Installation) -> None:
    given = variables(
        house,
        LDAP_FILTER="(&(objectClass=user)(!(cn=ben)))",
        LDAP_GROUP_FILTER="(cn=all)",
        LDAP_GROUP_MEMBER_FILTER="(&(sAMAccountName=*)(distinguishedName={MEMBER_CN}))",
    )
    assert house.run(env=given).code == 0
    found = table(house)
    assert found.keys() == {"anna@example.org", "all@example.org", "info@example.org"}
    assert found["all@example.org"][0] == "ann@example.org,ben@example.org,cat@example.org"


def test_the_mailbox_of_somebody_who_is_gone_is_left_alone(
    house: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_process(house, monkeypatch)
    before = all_but_aliases(house)
    house.slapd.delete(PEOPLE[1][0])
    for _ in range(3):
        house.hands.forward(minutes=40)
        assert in_process(house, monkeypatch).code == 0
    assert all_but_aliases(house) == before
    assert gotos(house) == WITHOUT_BEN


def test_it_is_disabled_after_the_grace_where_they_say_so(house: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    """So is at once whose account is disabled; nobody else's mailbox changes, not even by a mark."""
    before = mailboxes(house)
    assert in_process(house, monkeypatch, DISABLE_DELETED_USERS="true").code == 0
    assert table(house) == TABLE
    assert disabled_since(before, house) == {f"dan@{DOMAIN}"}
    house.slapd.delete(PEOPLE[1][0])
    for disabled in ({f"dan@{DOMAIN}"}, {f"ben@{DOMAIN}", f"dan@{DOMAIN}"}):
        house.hands.forward(minutes=40)
        assert in_process(house, monkeypatch, DISABLE_DELETED_USERS="true").code == 0
        assert disabled_since(before, house) == disabled
    assert gotos(house) == WITHOUT_BEN


def mailboxes(house: Installation) -> dict[str, Any]:
    """Return all mailboxes; without what mailcow adds in any edit, an empty address for lost passwords."""
    rows = cast("dict[str, Any]", house.mailcow.snapshot()["mailboxes"])
    for row in rows.values():
        row["attributes"].pop("recovery_email", None)
    return rows


def disabled_since(before: dict[str, Any], house: Installation) -> set[str]:
    """Return whose mailboxes became inactive, as our tag says; see that no other column of any mailbox changed."""
    now, found = mailboxes(house), set()
    for address, row in now.items():
        if row != before[address]:
            found.add(address)
            tags = [*before[address]["tags"], "ldap-sync:disabled"]
            changed = {"active": 0, "tags": tags, "modified": row["modified"]}
            assert row == {**before[address], **changed}
    assert now.keys() == before.keys()
    return found
