"""The report for people: one line for each thing, and no character that isn't what it seems."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pydantic import SecretStr

from ldap2mailcow.model import (
    Address,
    Code,
    Kind,
    MailboxChange,
    Notice,
    Rule,
    Subject,
    Value,
)
from ldap2mailcow.plan import Fate, Guarded
from ldap2mailcow.report import Result
from ldap2mailcow.report.text import (
    change_lines,
    cost_lines,
    failure_lines,
    finding_lines,
    gone_lines,
    orphan_lines,
    pending_lines,
    summary_line,
    unmanaged_lines,
    withheld_lines,
)

from .builders import (
    ANN,
    EVIL,
    EVIL_SHOWN,
    NOW,
    RENAME,
    address_of,
    alias_change,
    change,
    done,
    failed,
    finding,
    pending,
    result,
    withheld,
)

EVIL_ADDRESS = Address(f"{EVIL}@example.org")
"""mailcow has had mailboxes that it would refuse today."""


# Changes


@pytest.mark.parametrize(
    ("field", "shown"),
    [
        pytest.param(("name", "Ann", "Anna"), 'name "Ann" -> "Anna"', id="text"),
        pytest.param(("name", None, "Ann"), 'name "Ann"', id="text that is new"),
        pytest.param(("quota", 1024, 2048), "quota 1024 MiB -> 2048 MiB", id="quota"),
        pytest.param(("quota", 1024, 0), "quota 1024 MiB -> unlimited", id="quota of 0"),
        pytest.param(("quota", None, 512), "quota 512 MiB", id="quota that is new"),
        pytest.param(("active", 1, 0), "active 1 -> 0", id="flag"),
        pytest.param(("active", None, 0), "active 0", id="a new mailbox that is inactive"),
        pytest.param(("tls_enforce_in", 0, 1), "tls_enforce_in 0 -> 1", id="another flag"),
        pytest.param(("authsource", "mailcow", "ldap"), 'authsource "mailcow" -> "ldap"', id="provider"),
    ],
)
def test_a_changed_value_is_shown_with_what_it_was(field: tuple[str, Value | None, Value], shown: str) -> None:
    assert change_lines([change(fields=[field])]) == [f"update    ann@example.org  {shown}  (the directory changed)"]


def test_what_every_new_mailbox_has_is_not_shown() -> None:
    created = change(
        Kind.CREATE, why=Rule.NEW, fields=[("name", None, "Ann"), ("active", None, 1), ("authsource", None, "mailcow")]
    )
    assert change_lines([created]) == ['create    ann@example.org  name "Ann"  (it is new in the directory)']


def test_a_password_is_shown_as_the_word() -> None:
    line = change_lines([change(password=SecretStr("{SSHA}hunter2"), why=Rule.PASSWORD)])
    assert line == ["update    ann@example.org  password  (its password changed in the directory)"]


def test_a_deletion_shows_what_goes_with_it() -> None:
    gone = change(Kind.DELETE, why=Rule.EXPIRED, fields=[("aliases", "a@example.org, b@example.org", "")])
    told = "calendars, contacts and filters too  (its entry has been gone from the directory for as long as the config "
    assert change_lines([gone, replace(gone, fields=())]) == [
        f"delete    ann@example.org  aliases -a@example.org, -b@example.org; {told}says)",
        f"delete    ann@example.org  {told}says)",
    ]


def test_a_rename_shows_both_addresses_and_what_stays_at_the_old_one() -> None:
    names = "ann@example.org -> bob@example.org"
    why = "its address changed in the directory"
    assert change_lines([RENAME]) == [f"rename    {names}; the old address stays as an alias  ({why})"]


def test_that_the_mail_is_kept_for_a_while_is_told_once() -> None:
    gone = [change(Kind.DELETE, address_of(number), rebuilds=1) for number in (1, 2)]
    assert cost_lines(result(*gone)) == [
        "2 writes to mailcow, with 2 rebuilds of its whole address book (slow on large servers)",
        "the mail of deleted mailboxes is kept by mailcow for some days (docs/operations.md)",
    ]


def test_tags_are_shown_with_their_sign() -> None:
    line = change_lines([change(fields=[("active", 0, 1)], add_tags=("mark",), remove_tags=("mark:disabled",))])
    assert line == ["update    ann@example.org  active 0 -> 1; +tag mark; -tag mark:disabled  (the directory changed)"]


def test_what_is_only_written_again_has_no_line() -> None:
    assert change_lines([change(Kind.REASSERT)]) == []


@pytest.mark.parametrize(
    "shown",
    [
        pytest.param(change_lines([change(address=EVIL_ADDRESS)]), id="address of a change"),
        pytest.param(change_lines([replace(RENAME, former=EVIL_ADDRESS)]), id="old address of a rename"),
        pytest.param(change_lines([replace(RENAME, address=EVIL_ADDRESS)]), id="new address of a rename"),
        pytest.param(change_lines([change(fields=[("name", EVIL, "Ann")])]), id="value before"),
        pytest.param(change_lines([change(fields=[("name", "Ann", EVIL)])]), id="value after"),
        pytest.param(withheld_lines([withheld(EVIL_ADDRESS)]), id="address of what is withheld"),
        pytest.param(withheld_lines([withheld(ANN, sentence=EVIL)]), id="sentence of what is withheld"),
        pytest.param(pending_lines([pending(EVIL_ADDRESS)]), id="address of what is pending"),
        pytest.param(finding_lines([finding(where=EVIL)], everything=True), id="place of a finding"),
        pytest.param(finding_lines([finding(sentence=EVIL)], everything=True), id="sentence of a finding"),
        pytest.param(gone_lines([Notice("no_mail", EVIL, "it had none", NOW)]), id="place of what is gone"),
        pytest.param(failure_lines(failed(change(address=EVIL_ADDRESS))), id="address of a failure"),
        pytest.param(failure_lines(failed(change(), detail=EVIL)), id="mailcow's reason"),
        pytest.param(orphan_lines(result(orphans=(EVIL_ADDRESS,))), id="address that nobody asks for"),
        pytest.param(unmanaged_lines(result(unmanaged=(EVIL_ADDRESS,))), id="address that is not ours"),
    ],
)
def test_values_of_ldap_and_mailcow_are_escaped(shown: list[str]) -> None:
    text = "".join(shown)
    assert EVIL_SHOWN in text
    assert text.isprintable()


# What isn't done


def test_what_is_withheld_is_told_with_the_addresses() -> None:
    lines = withheld_lines([withheld(ANN, address_of(1))])
    assert lines == ["withheld  too many", "          ann@example.org, user01@example.org"]


def test_of_many_withheld_addresses_ten_are_named() -> None:
    lines = withheld_lines([withheld(*map(address_of, range(12)))])
    assert lines[1].endswith("user09@example.org and 2 more")
    assert "user10" not in lines[1]


@pytest.mark.parametrize(
    ("answers", "more"),
    [
        (0, ""),
        (1, ", after 1 more run without its entry"),
        (2, ", after 2 more runs without its entry"),
    ],
)
def test_what_a_grace_will_bring_is_told_with_its_time(answers: int, more: str) -> None:
    line = f"pending   ann@example.org  would be disabled from 2026-06-01 12:30 UTC on{more}"
    assert pending_lines([pending(answers=answers)]) == [line]


@pytest.mark.parametrize(("fate", "told"), [(Fate.BARRED, "barred from logging in"), (Fate.DELETED, "deleted")])
def test_each_fate_is_named(fate: Fate, told: str) -> None:
    (line,) = pending_lines([replace(pending(), fate=fate)])
    assert f"would be {told} from" in line


def test_a_failure_is_told_with_its_reason() -> None:
    assert failure_lines(failed(change(), detail="no room")) == ["failed    update ann@example.org: no room"]


# Findings


def test_graver_findings_come_first_and_those_of_one_code_together() -> None:
    lines = finding_lines(
        [
            finding(Code.DOMAIN_NOT_OURS, "uid=dan"),
            finding(Code.NO_MAIL, "uid=cat"),
            finding(Code.TLS_INVALID, "uid=bob"),
            finding(Code.BAD_ADDRESS, "uid=ann"),
            finding(Code.NO_MAIL, "uid=ann"),
            finding(Code.TLS_INVALID, "uid=ann"),
        ],
        everything=False,
    )
    assert [line.partition(":")[0] for line in lines] == [
        "error     bad_address  uid=ann",
        "error     tls_invalid  uid=ann",
        "error     tls_invalid  uid=bob",
        "warning   no_mail  uid=ann",
        "warning   no_mail  uid=cat",
        "info      domain_not_ours  uid=dan",
    ]


def test_of_many_findings_of_one_code_ten_are_shown_and_the_others_counted() -> None:
    many = [finding(where=f"uid={number:02}") for number in range(12)]
    lines = finding_lines([*many, finding(Code.TLS_INVALID)], everything=False)
    assert len(lines) == 12
    assert lines[-1] == "warning   no_mail  and 2 more of these (-v shows all)"


def test_all_findings_are_shown_where_everything_is() -> None:
    many = [finding(where=f"uid={number:02}") for number in range(12)]
    assert len(finding_lines(many, everything=True)) == 12


def test_what_is_no_longer_so_is_told() -> None:
    assert gone_lines([Notice("no_mail", "uid=ann", "it had none", NOW)]) == ["gone      no_mail  uid=ann"]


def test_mailboxes_of_nobody_here_are_listed() -> None:
    lines = unmanaged_lines(result(unmanaged=(address_of(1),)))
    assert lines == ["not ours  user01@example.org  is in mailcow and not in the directory"]


def test_what_is_ours_and_nobody_asks_for_is_listed_unless_it_goes_now() -> None:
    going, staying = address_of(1), address_of(2)
    for kind in (Kind.DELETE, Kind.REMOVE):
        make = change if kind is Kind.DELETE else alias_change
        both: dict[str, object] = {"orphans" if kind is Kind.DELETE else "orphaned_aliases": (going, staying)}
        named = "user02@example.org" if kind is Kind.DELETE else "alias user02@example.org"
        assert orphan_lines(result(make(kind, going), **both)) == [  # type: ignore[arg-type]
            f"orphan    {named}  is managed, and no entry asks for it"
        ]


@pytest.mark.parametrize(("dry_run", "number"), [(True, 2), (False, 1)])
def test_the_summary_counts_them(dry_run: bool, number: int) -> None:  # noqa: FBT001 - pytest gives it by name
    gone = alias_change(Kind.REMOVE, address_of(1))
    this = result(
        gone,
        dry_run=dry_run,
        outcomes=done(gone),
        orphans=(ANN,),
        unmanaged=(address_of(3),),
        managed_aliases=5,
        orphaned_aliases=(address_of(1), address_of(2)),
        unmanaged_aliases=(address_of(4),),
    )
    line = summary_line(this)
    assert "40 mailboxes in the directory, 38 managed, 1 of them no longer asked for, 1 more in your domains;" in line
    assert f" managed, {number} of them no longer asked for, 1 more." in line


# The summary


EVERY_KIND = tuple(
    change(kind, address_of(number))
    for number, kind in enumerate(
        [Kind.CREATE, Kind.CREATE, Kind.ADOPT, Kind.UPDATE, Kind.ENABLE, Kind.DISABLE, Kind.REASSERT, Kind.DELETE]
    )
)


@pytest.mark.parametrize(
    ("this", "line"),
    [
        pytest.param(result(), "nothing to do; 40 mailboxes in the directory, 38 managed.", id="nothing to do"),
        pytest.param(
            result(*EVERY_KIND, dry_run=True),
            "Dry run: 2 to create, 1 to adopt, 1 to update, 1 to enable, 1 to disable, 1 to delete, "
            "1 to write again unchanged; 40 mailboxes in the directory, 38 managed.",
            id="dry run",
        ),
        pytest.param(
            result(*EVERY_KIND, outcomes=done(*EVERY_KIND)),
            "2 created, 1 adopted, 1 updated, 1 enabled, 1 disabled, 1 deleted, 1 written again unchanged; "
            "40 mailboxes in the directory, 40 managed.",
            id="all done, and what is created or adopted is managed, what is deleted no more",
        ),
        pytest.param(
            result(*EVERY_KIND, outcomes=[*done(EVERY_KIND[0]), *failed(EVERY_KIND[1])]),
            "1 created, 1 failed, 6 not tried; 40 mailboxes in the directory, 39 managed.",
            id="some failed, some not tried",
        ),
        pytest.param(
            result(
                findings=(finding(), finding(Code.TLS_INVALID)),
                withheld=(withheld(ANN, address_of(1)), withheld(ANN, kind=Guarded.ALIAS)),
                pending=(pending(),),
                unmanaged=(address_of(1), address_of(2)),
            ),
            "3 withheld, 1 pending, 2 findings; 40 mailboxes in the directory, 38 managed, 2 more in your domains.",
            id="what isn't done",
        ),
        pytest.param(
            result(findings=(finding(),)),
            "1 finding; 40 mailboxes in the directory, 38 managed.",
            id="one finding",
        ),
    ],
)
def test_the_summary_says_in_one_line_what_the_run_did(this: Result, line: str) -> None:
    assert summary_line(this) == line


def test_a_finding_of_one_of_several_directories_names_it() -> None:
    lines = finding_lines([replace(finding(), directory="berlin")], everything=True)
    assert lines == ["warning   no_mail  uid=ann of berlin: it has no mail"]


def test_an_accepted_finding_is_not_in_the_summary() -> None:
    this = result(findings=(finding(),))
    this.accept = frozenset({"no_mail"})
    assert summary_line(this).startswith("nothing to do;")


# What it costs


def written(kind: Kind = Kind.UPDATE, number: int = 1, rebuilds: int = 0) -> MailboxChange:
    return change(kind, address_of(number), writes={"name": f"User {number}"}, rebuilds=rebuilds)


@pytest.mark.parametrize(
    ("changes", "lines"),
    [
        pytest.param([], [], id="nothing"),
        pytest.param([written()], ["1 write to mailcow"], id="one"),
        pytest.param([written(), written(number=2)], ["2 writes to mailcow"], id="two"),
        pytest.param(
            [written(rebuilds=1)],
            ["1 write to mailcow, with a rebuild of its whole address book (slow on large servers)"],
            id="with a rebuild",
        ),
        pytest.param(
            [written(Kind.DISABLE, 1, 1), written(Kind.DISABLE, 2, 1)],
            ["2 writes to mailcow, with 2 rebuilds of its whole address book (slow on large servers)"],
            id="with two",
        ),
    ],
)
def test_the_price_is_told_before_it_is_paid(changes: list[MailboxChange], lines: list[str]) -> None:
    assert cost_lines(result(*changes)) == lines


# aliases


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        pytest.param(
            [("goto", None, "ann@example.org,bob@example.org")],
            "create    alias sales@example.org  goto ann@example.org, bob@example.org  (it is new in the directory)",
            id="new",
        ),
        pytest.param(
            [("goto", "ann@example.org,eve@example.org", "ann@example.org,bob@example.org")],
            "create    alias sales@example.org  goto +bob@example.org, -eve@example.org  (it is new in the directory)",
            id="changed",
        ),
        pytest.param([], "create    alias sales@example.org  (it is new in the directory)", id="nothing to show"),
        pytest.param(
            [("internal", None, 1), ("public_comment", None, EVIL)],
            f'create    alias sales@example.org  internal 1; public_comment "{EVIL_SHOWN}"'
            "  (it is new in the directory)",
            id="flags",
        ),
    ],
)
def test_a_change_of_an_alias_shows_who_comes_and_who_goes(
    fields: list[tuple[str, Value | None, Value]], line: str
) -> None:
    assert change_lines([alias_change(fields=fields)]) == [line]


def test_of_many_members_some_are_shown() -> None:
    goto = ",".join(map(str, map(address_of, range(14))))
    (line,) = change_lines([alias_change(fields=[("goto", None, goto)])])
    assert "user09@example.org and 4 more  (it is new" in line
    assert "user10@" not in line


def test_rights_to_send_show_what_comes_and_what_goes() -> None:
    grant = change(Kind.GRANT, fields=[("send_as", "a@example.org, b@example.org", "b@example.org, *")])
    assert change_lines([grant]) == ["grant     ann@example.org  send_as +*, -a@example.org  (the directory changed)"]


def test_the_summary_counts_aliases_apart() -> None:
    made, gone, box = alias_change(), alias_change(Kind.REMOVE, ANN), change(Kind.GRANT)
    this = result(made, gone, box, wanted_aliases=3, managed_aliases=2, unmanaged_aliases=(ANN,))
    this.outcomes += done(made, gone, box)
    assert summary_line(this) == (
        "1 given other send-as rights, aliases: 1 created, 1 removed; 40 mailboxes in the directory, 38 managed; "
        "3 aliases in the directory, 2 managed, 1 more."
    )
    this.dry_run = True
    assert summary_line(this) == (
        "Dry run: 1 to give other send-as rights, aliases: 1 to create, 1 to remove; 40 mailboxes in the directory, "
        "38 managed; 3 aliases in the directory, 2 managed, 1 more."
    )


def test_an_alias_that_waits_would_be_removed() -> None:
    waiting = replace(pending(), subject=Subject.ALIAS, fate=Fate.REMOVED)
    assert pending_lines([waiting]) == [
        "pending   alias ann@example.org  would be removed from 2026-06-01 12:30 UTC on",
    ]


def test_aliases_of_nobody_here_are_named() -> None:
    assert unmanaged_lines(result(unmanaged_aliases=(ANN,))) == [
        "not ours  alias ann@example.org  is in mailcow and not in the directory",
    ]


def test_the_summary_leaves_out_what_there_is_none_of() -> None:
    assert summary_line(result(wanted_aliases=1)) == (
        "nothing to do; 40 mailboxes in the directory, 38 managed; 1 alias in the directory, 0 managed."
    )


def test_the_price_names_rights_which_are_slow() -> None:
    grant = change(Kind.GRANT, senders=("boss@example.org",))
    (line,) = cost_lines(result(grant, dry_run=True))
    assert line == "1 write to mailcow, 1 of them send-as rights (slow where there are many aliases)"
