"""The logging of a command that runs in the process of the tests."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from ldap2mailcow.streams import Stream


@contextmanager
def log_of_its_own() -> Iterator[None]:
    """Close the log file that a command opens meanwhile, and put the handlers and levels back as they were."""
    package = logging.getLogger("ldap2mailcow")
    before = package.handlers, package.level, package.propagate
    try:
        yield
    finally:
        for handler in package.handlers:
            if isinstance(handler, logging.StreamHandler) and isinstance(handler.stream, Stream):
                handler.stream.close()
        package.handlers, package.level, package.propagate = before
