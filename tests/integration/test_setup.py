"""What `make` does before anything else: the Python it finds, the packages it installs, and what it says."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
SETUP = "contrib/setup"
NEEDED = f"Makefile requirements.lock pyproject.toml {SETUP}/packages {SETUP}/install-packages"
TOOLS = "make sh dpkg sed grep dirname mktemp cat rm env"
LIST = (TOP / SETUP / "packages").read_text(encoding="utf-8").splitlines()
PACKAGES = " ".join(line.split()[0] for line in LIST if not line.startswith("#"))


class Machine:
    """A bare machine: a checkout, the few programs that are always there, and stand-ins that write down their calls."""

    def __init__(self, folder: Path) -> None:
        self.checkout, self._programs, self._calls = folder / "checkout", folder / "bin", folder / "calls"
        self._programs.mkdir()
        self._calls.touch()
        for name in NEEDED.split():
            (self.checkout / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(TOP / name, self.checkout / name)
        for name in TOOLS.split():
            (self._programs / name).symlink_to(str(shutil.which(name)))
        for name in ("apt-get", "debconf-set-selections"):
            self.has(name, f'echo {name} "$@" >>{self._calls}; echo chatter')
        self.has("dpkg-query", "exit 1")
        self.has("id", "echo 0")

    def has(self, name: str, script: str) -> None:
        """Put a program onto the machine."""
        (self._programs / name).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        (self._programs / name).chmod(0o755)

    def lacks(self, name: str) -> None:
        """Take a program away."""
        (self._programs / name).unlink()

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the checkout with nothing but this machine's programs."""
        environment = {"PATH": str(self._programs), "HOME": str(self.checkout), "TMPDIR": str(self.checkout)}
        return subprocess.run(
            [self._programs / command[0], *command[1:]],
            cwd=self.checkout,
            env=environment,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )

    def install(self, python: str = "python3") -> subprocess.CompletedProcess[str]:
        """Install the system packages."""
        return self.run("sh", f"{SETUP}/install-packages", python)

    @property
    def calls(self) -> list[str]:
        """What was called to change the machine."""
        return self._calls.read_text(encoding="utf-8").splitlines()


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
