"""The order of the house: imports go down the list of rooms, pure rooms stay pure, faces hide insides."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

PACKAGE = Path(__file__).parents[2] / "ldap2mailcow"

# The list of docs/architecture.md, top to bottom.
ROOMS = (
    "cli",
    "process",
    "streams",
    "sync",
    "gather",
    "report",
    "apply",
    "calls",
    "plan",
    "desired",
    "directory",
    "mailcow",
    "http",
    "deadline",
    "state",
    "config",
    "files",
    "model",
)
PURE = ("model", "desired", "plan", "calls", "report")
FORBIDDEN_IN_PURE = {"httpx", "ldap", "sqlite3", "socket", "subprocess", "os", "time", "logging", "random", "secrets"}
ONLY_IN = {"httpx": {"http"}, "ldap": {"directory"}, "sqlite3": {"state"}, "click": {"cli"}, "yaml": {"config"}}


def modules() -> Iterator[tuple[str, Path]]:
    """Give every module of the package with the room it is in."""
    for path in sorted(PACKAGE.rglob("*.py")):
        inside = path.relative_to(PACKAGE)
        if inside.name != "__init__.py" or len(inside.parts) > 1:
            yield inside.parts[0].removesuffix(".py"), path


def imported(path: Path) -> Iterator[str]:
    """Give the absolute names of what a module imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module
            if node.module == "ldap2mailcow":
                yield from (f"ldap2mailcow.{alias.name}" for alias in node.names)


MODULES = list(modules())


def test_every_room_is_on_the_list() -> None:
    assert {room for room, _ in MODULES} == set(ROOMS)


@pytest.mark.parametrize(("room", "path"), MODULES, ids=lambda value: getattr(value, "stem", value))
def test_imports_go_down_the_list_and_stop_at_the_face(room: str, path: Path) -> None:
    for name in imported(path):
        parts = name.split(".")
        if parts[0] != "ldap2mailcow" or len(parts) == 1:
            continue
        if parts[1] == room:
            within = path.relative_to(PACKAGE / room).parts[:-1]
            is_deep = len(parts) > 3 and (PACKAGE / room / parts[2]).is_dir() and parts[2:3] != [*within]
            assert not is_deep, f"{path} reaches into {name}; only its own modules may"
            continue
        assert ROOMS.index(parts[1]) > ROOMS.index(room), f"{path} imports {name}, which is not below it"
        assert len(parts) == 2, f"{path} reaches into {name}; only a room's own modules may"


@pytest.mark.parametrize(("room", "path"), MODULES, ids=lambda value: getattr(value, "stem", value))
def test_each_library_has_its_room(room: str, path: Path) -> None:
    for name in imported(path):
        library = name.split(".")[0]
        assert room in ONLY_IN.get(library, {room}), f"{path} imports {library}"


@pytest.mark.parametrize("path", [path for room, path in MODULES if room in PURE], ids=lambda path: path.stem)
def test_pure_rooms_do_no_input_or_output(path: Path) -> None:
    assert FORBIDDEN_IN_PURE.isdisjoint(name.split(".")[0] for name in imported(path))
    calls = {
        node.func.id
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert calls.isdisjoint({"open", "print", "input", "exec", "eval"})


@pytest.mark.parametrize("path", [path for room, path in MODULES if room in PURE], ids=lambda path: path.stem)
def test_pure_rooms_are_given_their_clock(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert ".now(" not in text
    assert ".today(" not in text


@pytest.mark.parametrize(("room", "path"), MODULES, ids=lambda value: getattr(value, "stem", value))
def test_only_the_command_prints_or_exits(room: str, path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    found = re.search(r"\b(print\(|sys\.exit|click\.echo|os\._exit)", text)
    assert found is None or room == "cli", f"{path} has {found}"


def test_a_quiet_run_loads_only_what_it_needs() -> None:
    """Everything a run without changes loads is imported by the command's own modules; these are the libraries."""
    code = (
        "import sys, ldap2mailcow.cli; "
        "print(*sorted({name.split('.')[0] for name in sys.modules} - set(sys.stdlib_module_names)))"
    )
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name for name in finished.stdout.split() if not name.startswith(("_", "$", "pydantic_core"))}
    allowed = {
        "annotated_types",
        "anyio",
        "certifi",
        "click",
        "h11",
        "httpcore",
        "httpx",
        "idna",
        "ldap",
        "ldap2mailcow",
        "ldapurl",
        "ldif",
        "pyasn1",
        "pyasn1_modules",
        "pydantic",
        "sniffio",
        "typing_extensions",
        "typing_inspection",
        "yaml",
    }
    of_the_tests = {"coverage", "a1_coverage", "cython_runtime", "pygments", "sitecustomize"}  # httpx takes pygments
    assert loaded - allowed - of_the_tests == set()


def test_generated_examples_are_the_same_everywhere() -> None:
    assert settings().derandomize
    assert settings().deadline is None
