"""The documentation says what the program does, in both directions."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from ldap2mailcow.cli import main
from ldap2mailcow.model import LEVELS, Address, Code, FieldChange, Finding, Kind, MailboxChange, Outcome, Rule
from ldap2mailcow.plan import REMOVING, Guarded, Pending, Plan, Reason, Withheld
from ldap2mailcow.report import ExitCode, Result, document

from .test_house import ROOMS

TOP = Path(__file__).parents[2]
DOCUMENTS = (TOP / "README.md", *sorted((TOP / "docs").glob("*.md")))
SOURCES = [path for room in ("ldap2mailcow", "bench", "contrib") for path in sorted((TOP / room).rglob("*.py"))]
CITATION = re.compile(r"docs/([a-z-]+\.md)(?: sections?)? (\d+(?:(?:, | and | to )\d+)*)")
LINK = re.compile(r"\]\(([^)\s]+)\)")
CODED = re.compile(r"`([a-z_]+)(?:\[\])?`")


def section(name: str, title: str) -> str:
    """Return what stands below a heading of a document, up to the next one."""
    text = (TOP / "docs" / name).read_text(encoding="utf-8")
    return text.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def rows(text: str) -> Iterator[list[str]]:
    """Give the cells of the first table, without its head."""
    table = re.search(r"^\|.*\n\|[-|]+\n((?:\|.*(?:\n|$))*)", text, re.MULTILINE)
    for line in table[1].splitlines() if table else ():
        yield [cell.strip() for cell in line.strip("|").split("|")]


def test_the_readme_has_the_commands_help() -> None:
    shown = CliRunner().invoke(main, ["--help"], prog_name="mailcow_ldap_sync.py", terminal_width=100).output
    text = (TOP / "README.md").read_text(encoding="utf-8")
    assert text.partition("<!-- help -->")[2].partition("<!-- /help -->")[0] == f"\n```text\n{shown}```\n"


@pytest.mark.parametrize("name", sorted(main.commands))
def test_every_command_is_documented_as_it_is_called(name: str) -> None:
    text = (TOP / "docs" / "operations.md").read_text(encoding="utf-8")
    assert re.search(rf"^    python mailcow_ldap_sync.py {name}\b", text, re.MULTILINE)


def test_every_finding_is_documented_with_its_level() -> None:
    documented = {cells[0].strip("`"): cells[1] for cells in rows(section("operations.md", "Findings"))}
    assert documented == {code.value: level.value for code, level in LEVELS.items()}


def test_every_exit_code_is_documented_in_the_order_in_which_they_apply() -> None:
    documented = [int(cells[0]) for cells in rows(section("operations.md", "Exit codes"))]
    assert documented == list(ExitCode)


def test_every_kind_that_waits_for_a_word_is_documented() -> None:
    documented = {cells[0].strip("`"): cells[3] for cells in rows(section("operations.md", "What waits for a word"))}
    assert list(documented) == list(Guarded)
    assert [kind for kind, removes in documented.items() if removes == "yes"] == list(REMOVING)


def full_document() -> dict[str, object]:
    """Return a report in which no list is empty."""
    ann = Address("ann@a.test")
    again = MailboxChange(Kind.REASSERT, Address("bob@a.test"), Rule.REASSERT)
    change = MailboxChange(Kind.UPDATE, ann, Rule.LDAP, fields=(FieldChange("name", "A", "Ann"),))
    plan = Plan(
        changes=(change, again),
        withheld=(Withheld(Guarded.DISABLE, Reason.OVER_LIMIT, (ann,), 1, 1, "", directory="berlin"),),
        pending=(Pending(ann, "", datetime(2026, 1, 1, tzinfo=UTC), 1),),
        unmanaged=(ann,),
    )
    finding = Finding(Code.NO_MAIL, "", "", "berlin")
    result = Result(dry_run=False, plan=plan, findings=(finding,), outcomes=[Outcome(again, done=False)])
    whole: dict[str, object] = json.loads(document(result))
    return whole


def names_within(value: object) -> set[str]:
    """Return the names of all fields below a value."""
    if isinstance(value, list):
        return {name for item in value for name in names_within(item)}
    if isinstance(value, dict):
        return {name for key, item in value.items() for name in {key, *names_within(item)}}
    return set()


def test_the_fields_of_the_json_are_documented() -> None:
    documented = {
        name: set(CODED.findall(content))
        for names, content in rows(section("operations.md", "JSON"))
        for name in CODED.findall(names)
    }
    assert documented == {name: names_within(value) for name, value in full_document().items()}


@pytest.mark.parametrize(
    ("field", "name", "words"),
    [
        ("changes", "kind", [kind for kind in Kind if kind is not Kind.REASSERT]),
        ("withheld", "kind", [kind for kind in Guarded if kind is not Guarded.TAKEOVER]),
        ("withheld", "reason", list(Reason)),
    ],
)
def test_the_words_of_the_json_are_documented(field: str, name: str, words: list[str]) -> None:
    content = next(cells[1] for cells in rows(section("operations.md", "JSON")) if CODED.findall(cells[0]) == [field])
    (listed,) = re.findall(rf"`{name}` \(([^)]*)\)", content)
    assert listed.split(", ") == words


def test_the_rooms_are_those_of_the_house_in_its_order() -> None:
    documented = [cells[0].strip("`/").removesuffix(".py") for cells in rows(section("architecture.md", "Rooms"))]
    assert tuple(documented) == ROOMS


def cited() -> Iterator[tuple[str, str, int]]:
    """Give each section that a module cites: the module, the document, the number."""
    for path in SOURCES:
        text = re.sub(r"\s+(?:#\s)?\s*", " ", path.read_text(encoding="utf-8"))
        for name, numbers in CITATION.findall(text):
            last = 0
            for word, digits in re.findall(r"(to )?(\d+)", numbers):
                first = last + 1 if word else int(digits)
                last = int(digits)
                yield from ((str(path.relative_to(TOP)), name, number) for number in range(first, last + 1))


def test_cited_sections_exist() -> None:
    headings = {
        (path.name, int(number))
        for path in DOCUMENTS
        for number in re.findall(r"^## (\d+)\.? ", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    citations = list(cited())
    assert len(citations) > 20, "the pattern no longer finds them"
    assert [citation for citation in citations if citation[1:] not in headings] == []


def test_documents_that_modules_name_exist() -> None:
    named = {(path.name, name) for path in SOURCES for name in re.findall(r"docs/[a-z-]+\.md", path.read_text("utf-8"))}
    assert [(module, name) for module, name in sorted(named) if not (TOP / name).is_file()] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    links = {link.partition("#")[0] for link in LINK.findall(path.read_text(encoding="utf-8")) if "://" not in link}
    assert [link for link in sorted(links) if link and not (path.parent / link).exists()] == []


PROMISING = ("reliability.md", "security.md")
"""The documents whose promises are held by tests."""


def promised() -> Iterator[tuple[str, str]]:
    """Give each test that a promise rests on: its module, its name."""
    for name in PROMISING:
        text = (TOP / "docs" / name).read_text(encoding="utf-8")
        yield from re.findall(r"`(tests/[a-z_/]+\.py)::(\w+)`", text)


def test_every_promise_names_a_test_that_exists() -> None:
    found = list(promised())
    assert len(found) > 40, "the pattern no longer finds them"
    missing = [
        (module, name)
        for module, name in found
        if not re.search(rf"^def {name}\(", (TOP / module).read_text(encoding="utf-8"), re.MULTILINE)
    ]
    assert missing == []


def test_every_promise_names_a_test() -> None:
    for name in PROMISING:
        text = (TOP / "docs" / name).read_text(encoding="utf-8")
        lines = [
            line for table in text.split("| promise | held by |")[1:] for line in table.partition("\n\n")[0].split("\n")
        ]
        assert [line for line in lines if line.startswith("| ") and "::" not in line] == []
