"""A certificate authority of our own and a server certificate, by the openssl command (version 3 or newer)."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path

# libldap puts the machine's own name in the place of "localhost" before it compares (docs/directories.md section 2).
DEFAULT_NAMES = ("IP:127.0.0.1", "DNS:localhost", f"DNS:{socket.gethostname()}")
_EC_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "3650")


def make_certificates(folder: Path, names: Sequence[str] = DEFAULT_NAMES) -> None:
    """Write `ca.pem`, `server.pem` and their keys into the folder.

    `names` are the server's alternative names as openssl writes them: `IP:127.0.0.1`, `DNS:localhost`.
    """
    authority = ("-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Test CA")
    _openssl(folder, *authority, "-addext", "keyUsage=critical,keyCertSign")
    server = ("-keyout", "server.key", "-out", "server.pem", "-subj", "/CN=Test server")
    extensions = ("-addext", f"subjectAltName={','.join(names)}", "-addext", "basicConstraints=critical,CA:FALSE")
    _openssl(folder, "-CA", "ca.pem", "-CAkey", "ca.key", *server, *extensions)


def _openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", "req", "-x509", *_EC_KEY, *arguments], cwd=folder, check=True, capture_output=True)
