"""What a process has from those who start it, and doesn't keep: rights of new files, core dumps, words about TLS."""

from __future__ import annotations

import os
import resource

_NO_SAY = ("SSLKEYLOGFILE", "SSL_CERT_FILE", "SSL_CERT_DIR")
"""Variables by which TLS libraries write the keys of connections into a file, or trust other authorities.

Whom to trust is said by `ca_file` and `mailcow_verify`, and by nothing that a shell may have been left with.
"""


def settle() -> None:
    """Make files that are made from now on their owner's alone, dump no memory, and forget what has no say."""
    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # there are passwords and hashes in it
    for name in _NO_SAY:
        os.environ.pop(name, None)  # for the libraries in C too
