"""What a process does not keep of what it was started with."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = Path(__file__).parents[2] / "mailcow_ldap_sync.py"
SEES = """
import os, resource, ssl, sys
from ldap2mailcow import cli
sys.argv = ["x", "--version"]
try:
    cli.main()
except SystemExit:
    umask = os.umask(0)
    print(oct(umask), *resource.getrlimit(resource.RLIMIT_CORE), ssl.create_default_context().keylog_filename)
    print(ssl.get_default_verify_paths().cafile, ssl.get_default_verify_paths().capath)
"""


def test_no_core_is_dumped_files_are_the_owners_and_variables_about_tls_have_no_say(tmp_path: Path) -> None:
    own = {name: str(tmp_path / name) for name in ("SSLKEYLOGFILE", "SSL_CERT_FILE", "SSL_CERT_DIR")}
    Path(own["SSL_CERT_FILE"]).touch()
    Path(own["SSL_CERT_DIR"]).mkdir()
    done = subprocess.run(
        ["sh", "-c", 'umask 777; ulimit -c unlimited 2>/dev/null; exec "$@"', "sh", sys.executable, "-c", SEES],
        env={**os.environ, **own},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "0o77 0 0 None" in done.stdout
    assert str(tmp_path) not in done.stdout


@pytest.mark.parametrize("umask", ["000", "777"])
def test_the_first_config_is_its_owners_whatever_the_umask(tmp_path: Path, umask: str) -> None:
    done = subprocess.run(
        ["sh", "-c", f'umask {umask}; exec "$@"', "sh", sys.executable, str(COMMAND)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 78
    assert (tmp_path / "config.yaml").stat().st_mode & 0o777 == 0o600
