"""Changes, findings and results with sensible defaults."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from ldap2mailcow.model import (
    Address,
    AliasChange,
    Change,
    Code,
    FieldChange,
    Finding,
    Kind,
    MailboxChange,
    Outcome,
    RenameChange,
    Rule,
    Value,
)
from ldap2mailcow.plan import Guarded, Pending, Plan, Reason, Withheld
from ldap2mailcow.report import Result

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
EVIL = "\x1b[31mred\x07\u202egnp.exe\nsecond line\u2028third\x9b"
"""A terminal escape, a bell, a bidi override, three kinds of new line."""
EVIL_SHOWN = "\\x1b[31mred\\x07\\u202egnp.exe\\nsecond line\\u2028third\\x9b"


def address_of(number: int) -> Address:
    return Address(f"user{number:02}@example.org")


ANN = Address("ann@example.org")


def change(
    kind: Kind = Kind.UPDATE,
    address: Address = ANN,
    *,
    why: Rule = Rule.LDAP,
    fields: Iterable[tuple[str, Value | None, Value]] = (),
    **more: object,
) -> MailboxChange:
    return MailboxChange(
        kind,
        address,
        why,
        dn="uid=ann,dc=example,dc=org",
        fields=tuple(FieldChange(*field) for field in fields),
        **more,  # type: ignore[arg-type]
    )


def alias_change(
    kind: Kind = Kind.CREATE,
    address: Address = Address("sales@example.org"),  # noqa: B008 - a value that can't change
    *,
    why: Rule = Rule.NEW,
    fields: Iterable[tuple[str, Value | None, Value]] = (),
    **more: object,
) -> AliasChange:
    return AliasChange(
        kind,
        address,
        why,
        dn="cn=sales,dc=example,dc=org",
        fields=tuple(FieldChange(*field) for field in fields),
        **more,  # type: ignore[arg-type]
    )


def finding(code: Code = Code.NO_MAIL, where: str = "uid=ann", sentence: str = "it has no mail") -> Finding:
    return Finding(code, where, sentence)


RENAME = RenameChange(
    Kind.RENAME,
    Address("bob@example.org"),
    Rule.RENAMED,
    fields=(FieldChange("address", ANN, "bob@example.org"),),
    former=ANN,
    left={"goto": "bob@example.org"},
)


def withheld(*addresses: Address, kind: Guarded = Guarded.DISABLE, sentence: str = "too many") -> Withheld:
    return Withheld(kind, Reason.OVER_LIMIT, addresses, managed=40, limit=5, sentence=sentence)


def pending(address: Address = ANN, answers: int = 0) -> Pending:
    return Pending(address, "uid=ann,dc=example,dc=org", datetime(2026, 6, 1, 12, 30, tzinfo=UTC), answers)


def done(*changes: Change) -> list[Outcome]:
    return [Outcome(one, done=True) for one in changes]


def failed(*changes: Change, detail: str = "mailcow said no") -> list[Outcome]:
    return [Outcome(one, done=False, detail=detail) for one in changes]


def result(
    *changes: Change,
    dry_run: bool = False,
    outcomes: list[Outcome] | None = None,
    wanted: int = 40,
    managed: int = 38,
    findings: tuple[Finding, ...] = (),
    **plan: object,
) -> Result:
    return Result(
        dry_run,
        Plan(changes, wanted=wanted, managed=managed, **plan),  # type: ignore[arg-type]
        outcomes or [],
        findings,
    )
