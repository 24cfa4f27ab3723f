"""`make` and CI on a bare machine: the Python they find, what they install and say, and what they leave behind."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
SETUP = "contrib/setup"
NEEDED = f"Makefile requirements.lock pyproject.toml {SETUP}/packages {SETUP}/install-packages .ci/run"
TOOLS = "make sh bash dpkg sed grep dirname mktemp cat rm env tee tail mkdir echo"
LIST = (TOP / SETUP / "packages").read_text(encoding="utf-8").splitlines()
PACKAGES = " ".join(line.split()[0] for line in LIST if not line.startswith("#"))


class Machine:
    """A bare machine: a checkout, the few programs that are always there, and stand-ins that write down their calls."""

    def __init__(self, folder: Path) -> None:
        self.checkout, self.temporary = folder / "checkout", folder / "tmp"
        self._programs, self._calls = folder / "bin", folder / "calls"
        self._programs.mkdir()
        self.temporary.mkdir()
        self._calls.touch()
        for name in NEEDED.split():
            (self.checkout / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(TOP / name, self.checkout / name)
        for name in TOOLS.split():
            self.has(name, f'exec {shutil.which(name)} "$@"')  # no link, through which a stand-in would be written
        for name in ("apt-get", "debconf-set-selections"):
            self.has(name, f'echo {name} "$@" >>{self._calls}; echo chatter')
        self.has("dpkg-query", "exit 1")
        self.has("id", "echo 0")

    def has(self, name: str, script: str) -> None:
        """Put a program onto the machine."""
        self._write(self._programs / name, script)

    def has_coverage(self, script: str) -> None:
        """Put everything there that `make` installs, of which `make test` calls coverage."""
        (self.checkout / ".venv/bin").mkdir(parents=True)
        script = f'echo "$1" >>{self._calls}; echo data >"$COVERAGE_FILE.$$"; {script}'
        self._write(self.checkout / ".venv/bin/coverage", script)
        (self.checkout / ".venv/.ready").touch()

    def lacks(self, name: str) -> None:
        """Take a program away."""
        (self._programs / name).unlink()

    def run(self, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the checkout with nothing but this machine's programs."""
        places = {"PATH": self._programs, "HOME": self.checkout, "TMPDIR": self.temporary}
        return subprocess.run(
            [self._programs / command[0], *command[1:]],
            cwd=self.checkout,
            env={**environment, **{name: str(place) for name, place in places.items()}},
            preexec_fn=_heed_interrupts,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )

    def install(self, python: str = "python3") -> subprocess.CompletedProcess[str]:
        """Install the system packages."""
        return self.run("sh", f"{SETUP}/install-packages", python)

    @staticmethod
    def _write(path: Path, script: str) -> None:
        path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        path.chmod(0o755)

    @property
    def calls(self) -> list[str]:
        """What was called to change the machine."""
        return self._calls.read_text(encoding="utf-8").splitlines()


def _heed_interrupts() -> None:
    """Let a process be interrupted: what a shell starts in the background ignores that, and so do its children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_an_old_python_is_said_before_anything_is_installed(machine: Machine) -> None:
    machine.has("python3", "echo 3.10")
    finished = machine.run("make", "demo")
    assert finished.stderr.startswith("Python 3.11 or newer is needed, and python3 is 3.10. ")
    assert finished.returncode == 2
    assert finished.stdout == ""
    assert machine.calls == []


def test_an_old_python_that_would_be_installed_is_said_before_it_is(machine: Machine) -> None:
    machine.has("apt-cache", "echo '  Installed: (none)'; echo '  Candidate: 3.10.6-1~22.04'")
    finished = machine.install()
    assert "python3 is 3.10.6-1~22.04. " in finished.stderr
    assert finished.returncode == 1
    assert machine.calls == []


def test_a_python_that_is_known_after_the_lists_were_read_is_looked_at_then(machine: Machine) -> None:
    machine.has("apt-cache", "[ -s ../calls ] && echo '  Candidate: 3.10.6-1~22.04' || echo '  Candidate: (none)'")
    finished = machine.install()
    assert "python3 is 3.10.6-1~22.04. " in finished.stderr
    assert finished.returncode == 1
    assert machine.calls == ["apt-get update"]


def test_another_python_is_looked_at_where_make_is_given_one(machine: Machine) -> None:
    machine.has("python3", "echo 3.10")
    machine.has("python3.11", "echo 3.11")
    assert machine.install("python3.11").returncode == 0
    finished = machine.run("make", "demo", "PYTHON=python3.14")
    assert finished.stderr.startswith("There is no python3.14 here; ")
    assert finished.returncode == 2


@pytest.mark.parametrize("version", ["3.11", "3.14"])
def test_what_is_missing_is_installed_and_said_in_one_line(machine: Machine, version: str) -> None:
    machine.has("python3", f"echo {version}")
    machine.has("dpkg-query", 'case "$*" in *gcc) echo installed ;; *) exit 1 ;; esac')
    finished = machine.install()
    missing = PACKAGES.removeprefix("gcc ")
    assert finished.stdout == f"Installing system packages, for a few minutes: {missing}\n"
    assert finished.stderr == ""
    assert finished.returncode == 0
    options = "--yes --no-install-recommends"
    assert machine.calls == [
        "apt-get update",
        f"apt-get install {options} debconf",
        "debconf-set-selections",
        f"apt-get install {options} {missing}",
    ]


def test_nothing_is_said_where_all_packages_are_there(machine: Machine) -> None:
    machine.has("python3", "echo 3.11")
    machine.has("dpkg-query", "echo installed")
    finished = machine.install()
    assert (finished.stdout, finished.stderr, finished.returncode) == ("", "", 0)
    assert machine.calls == []


def test_what_apt_get_says_is_shown_where_it_fails(machine: Machine) -> None:
    machine.has("python3", "echo 3.11")
    machine.has("apt-get", "echo E: the disk is full; exit 100")
    finished = machine.install()
    assert finished.stderr == "E: the disk is full\n"
    assert finished.returncode == 1


def test_a_user_without_sudo_is_told_what_to_run(machine: Machine) -> None:
    machine.has("python3", "echo 3.11")
    machine.has("id", "echo 1000")
    finished = machine.install()
    assert finished.stderr == f"As root, run: apt-get install {PACKAGES}\n"
    assert finished.returncode == 1


def test_a_system_without_apt_get_is_told_so(machine: Machine) -> None:
    machine.lacks("apt-get")
    finished = machine.install()
    assert finished.stderr == "There is no apt-get here: make works on Debian and Ubuntu.\n"
    assert finished.returncode == 1


def test_the_tests_say_how_long_they_take_and_leave_no_data_behind(machine: Machine) -> None:
    machine.has_coverage('case "$*" in *pytest*) echo tested ;; esac')
    finished = machine.run("make", "test")
    assert finished.stdout == "Every test, with coverage: about 15 minutes on two processors.\ntested\n"
    assert finished.returncode == 0
    assert machine.calls == ["run", "combine", "report", "report"]
    assert list(machine.temporary.iterdir()) == []
    assert list(machine.checkout.rglob(".coverage*")) == []


@pytest.mark.parametrize("end", ["exit 1", "kill -INT $PPID"])
def test_tests_that_fail_or_are_interrupted_leave_no_data_behind(machine: Machine, end: str) -> None:
    machine.has_coverage(end)
    finished = machine.run("make", "test")
    assert finished.returncode == 2
    assert machine.calls == ["run"]
    assert list(machine.temporary.iterdir()) == []
    assert list(machine.checkout.rglob(".coverage*")) == []


def test_the_tests_get_nothing_of_what_a_user_has_set(machine: Machine) -> None:
    machine.has_coverage("env")
    finished = machine.run("make", "test", MAILCOW_LDAP_SYNC__MARK="mine", LC_ALL="C", PYTHONUNBUFFERED="1")
    names = {line.partition("=")[0] for line in finished.stdout.splitlines() if "=" in line}
    assert names - {"PWD", "OLDPWD", "SHLVL", "_"} == {"HOME", "PATH", "TMPDIR", "LANG", "COVERAGE_FILE"}


@pytest.fixture
def ci(machine: Machine) -> Machine:
    """A machine on which CI runs; what it runs has passed."""
    machine.has("git", 'for last; do :; done; mkdir -p "$last"')
    machine.has("make", 'echo "$@"; env; echo "=== 3 passed in 1 s ==="; echo 100 % covered')
    return machine


def test_ci_runs_everything_as_a_stranger_would_and_ends_with_the_closing_line(ci: Machine) -> None:
    own = {"LANG": "C.UTF-8", "PIP_INDEX_URL": "file:///x", "SSL_CERT_FILE": "/x", "https_proxy": "x"}
    finished = ci.run("bash", ".ci/run", CI="true", PYTHONUNBUFFERED="1", **own)
    first, *rest, last = finished.stdout.splitlines()
    assert re.fullmatch(rf"-C {ci.temporary}/[^/]+/tests/checkout lint test", first)
    names = {line.partition("=")[0] for line in rest if re.match(r"\w+=", line)}
    assert names - {"PWD", "OLDPWD", "SHLVL", "_"} == {"HOME", "PATH", *own}
    assert last == "=== 3 passed in 1 s ==="
    assert finished.returncode == 0
    assert list(ci.temporary.iterdir()) == []


@pytest.mark.parametrize("make", ['echo "=== 1 failed in 1 s ==="; exit 2', "echo no test has run"])
def test_ci_fails_where_tests_fail_and_where_none_has_run(ci: Machine, make: str) -> None:
    ci.has("make", make)
    finished = ci.run("bash", ".ci/run")
    assert finished.returncode != 0
    assert list(ci.temporary.iterdir()) == []
