"""No secret is printed, logged or kept: not the bind password, not the key, not a hash, not a clear-text password."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from ldap2mailcow import sync
from tests.directory_server import person
from tests.mailcow_server import FaultKind

from .installation import Installation, after_write

CLEAR = "correct horse battery staple"
PLAIN = "{CLEARTEXT}tr0ub4dor&3"
UNUSABLE = "{PBKDF2-SHA256}131000$JEtP0DeG7bhPrAZdbBwpJQ$7qFgLdQ1aPJl1v6J8h6kqxRwB1D0mzH7sNYoN3yT5Mo"
CRYPT = "$6$rounds=5000$saltsalt$" + "a" * 86
NEWER = "{SSHA}Jb5TCU1mCzLmjFqRCTJ/hTmM0PUk7CDc"


class Vault:
    """An installation with every kind of secret, and the texts that must be nowhere."""

    def __init__(self, house: Installation) -> None:
        self.house = house
        house.people(1, 2)
        for number, password in ((3, CLEAR), (4, PLAIN), (5, UNUSABLE), (6, CRYPT)):
            house.people(number, userPassword=password)
        house.config(log_file="sync.log")
        hashes = [person(number)[1]["userPassword"][0].decode() for number in (1, 2)]
        given = [*hashes, CLEAR, PLAIN, UNUSABLE, CRYPT, NEWER, "wrong-secret"]
        secrets = [*given, house.slapd.reader_password, house.mailcow.api_key]
        secrets += [text.partition("}")[2] for text in given if text.startswith("{")]
        self.secrets = [*secrets, *(base64.b64encode(text.encode()).decode() for text in secrets)]

    def leaks(self, *texts: str | bytes) -> list[str]:
        """Return the secrets that stand in any of the texts."""
        found = [text.encode() if isinstance(text, str) else text for text in texts]
        return [secret for secret in self.secrets if any(secret.encode() in text for text in found)]

    def files(self) -> list[bytes]:
        """Return the content of everything that was written, the config aside."""
        house = self.house
        return [path.read_bytes() for path in house.folder.rglob("*") if path.is_file() and path != house.config_file]


@pytest.fixture
def vault(house: Installation) -> Vault:
    return Vault(house)


def test_the_test_would_see_a_leak(vault: Vault) -> None:
    assert len(vault.leaks(vault.house.config_file.read_bytes())) == 2
    assert vault.leaks(f"password is {CLEAR}") == [CLEAR]


@pytest.mark.parametrize("options", [["-vv"], ["-vv", "--dry-run"], ["-vv", "--output", "json"], ["-vv", "--reassert"]])
def test_no_run_tells_a_secret(vault: Vault, options: list[str]) -> None:
    first = vault.house.run(*options)
    assert first.code == 3
    vault.house.change(1, userPassword=NEWER)
    second = vault.house.run(*options)
    assert vault.leaks(first.said, second.said, *vault.files()) == []


def test_python_ldaps_own_tracing_tells_no_secret(vault: Vault) -> None:
    done = vault.house.run("-vv", env={"PYTHON_LDAP_TRACE_LEVEL": "2"})
    assert done.code == 3
    assert vault.leaks(done.said) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"ldap__bind_pw": "wrong-secret"},
        {"mailcow_api_key": "wrong-secret"},
        {"ldap__uri": "ldap://127.0.0.1:1"},
        {"mailcow_host": "http://127.0.0.1:1"},
        {"mailcow_verify": "no-such-file"},
        {"mailcow_host": "http://user:wrong-secret@127.0.0.1:1"},
        {"ldap__uri": "ldap://user:wrong-secret@127.0.0.1:1"},
        {"proxy": "http://user:wrong-secret@127.0.0.1:1"},
        {"mailcow_api_key": ["wrong-secret"]},
        {"ldap__bind_pw": {"wrong-secret": "wrong-secret"}},
    ],
)
@pytest.mark.parametrize("output", ["text", "json"])
def test_no_failure_tells_a_secret(vault: Vault, changes: dict[str, object], output: str) -> None:
    vault.house.config(**changes)
    done = vault.house.at_clock("-vv", "--output", output)
    assert done.code in {75, 77, 78}
    assert vault.leaks(done.said, *vault.files()) == []


@pytest.mark.parametrize("kind", [FaultKind.DEADLOCK, FaultKind.DROP_AFTER, FaultKind.HTTP_500, FaultKind.EMPTY_BODY])
def test_no_fault_of_mailcow_tells_a_secret(vault: Vault, kind: FaultKind) -> None:
    vault.house.mailcow.faults.add(kind, "add/mailbox", times=None)
    done = vault.house.at_clock("-vv")
    assert done.code == 3
    assert vault.leaks(done.said, *vault.files()) == []


def test_an_unexpected_error_tells_where_and_not_what(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(view: object) -> None:
        raise RuntimeError(view, CLEAR)

    monkeypatch.setattr(sync, "make_plan", fail)
    done = vault.house.at_clock("-vv")
    assert done.code == 1
    assert "unexpected error: RuntimeError; run again with -vv" in done.err
    assert "in make_plan" not in done.err
    assert "test_secrets.py" in done.err
    assert vault.leaks(done.said, *vault.files()) == []


def test_an_unexpected_error_is_a_document_too(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(view: object) -> None:
        raise RuntimeError(view, CLEAR)

    monkeypatch.setattr(sync, "make_plan", fail)
    done = vault.house.at_clock("--output", "json")
    assert (done.code, done.document["exit_code"]) == (1, 1)
    assert vault.leaks(done.said) == []


def test_a_killed_run_leaves_no_secret_behind_and_shows_none_in_ps(vault: Vault) -> None:
    house, seen = vault.house, list[bytes]()
    with house.started("-vv") as process:

        def look_and_kill() -> None:
            seen.append(Path(f"/proc/{process.pid}/cmdline").read_bytes())
            process.kill()

        with after_write(2, house.mailcow, look_and_kill):
            said = process.communicate()
    assert b"mailcow_ldap_sync.py" in seen[0]
    assert vault.leaks(*said, *seen, *vault.files()) == []
