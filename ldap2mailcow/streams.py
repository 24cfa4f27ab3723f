"""stdout, stderr and the log file as they are written here: whatever becomes of them, the command does its work.

Python's own streams raise where a disk is full, a reader is gone or an encoding lacks a letter. They keep what couldn't
be written, try it again when the process ends, and have it end with 120 then.
"""

from __future__ import annotations

import io
import logging
import os
import select
import sys

_log = logging.getLogger(__name__)

_STANDARD = {"stdout": 1, "stderr": 2}
"""The descriptors that POSIX gives them; below them is stdin's."""


class Stream(io.TextIOBase):
    """Writes text at once, what the encoding lacks with escapes; from the first error on, it lets go of everything.

    It has no `buffer`: nothing is left to be written at the end, and click has to write here, and not UTF-8 into the
    buffer of a stream in ASCII.
    """

    encoding = ""
    errors = "backslashreplace"

    def __init__(self, raw: io.FileIO, encoding: str, name: str = "") -> None:
        """Make one; `name` is what a warning calls it that it can't be written, "" for no warning."""
        self.encoding, self._raw, self._name = encoding, raw, name
        self._is_lost = False

    def isatty(self) -> bool:
        """Tell whether it is a terminal."""
        return self._raw.isatty()

    def write(self, text: str) -> int:
        """Write as much as can be written."""
        left = memoryview(text.encode(self.encoding, self.errors))
        try:
            while left and not self._is_lost:
                written = self._raw.write(left)
                if written is None:  # a pipe is full and doesn't wait for its reader, so we do
                    select.select([], [self._raw], [])
                left = left[written or 0 :]
        except OSError as error:
            self._is_lost = True
            if self._name:
                _log.warning("%s can't be written (%s); the command goes on without it", self._name, error.strerror)
        return len(text)

    def close(self) -> None:
        """Close the file below, too."""
        super().close()
        self._raw.close()


def take_over() -> None:
    """Put streams of this kind in place of `sys.stdout` and `sys.stderr`.

    One that was closed when Python began is silent, and its descriptor is opened on /dev/null: else the next file that
    is opened would have it, be it the lock or a socket, and what a library prints would be written into that. Nobody
    is warned about stderr, because the warning would have to go there.
    """
    silence = os.open(os.devnull, os.O_RDWR)
    while silence <= max(_STANDARD.values()):  # the lowest one that is free is given
        silence = os.open(os.devnull, os.O_RDWR)
    for name, descriptor in _STANDARD.items():
        found = getattr(sys, name)
        raw = io.FileIO(descriptor if found else silence, "w", closefd=False)
        setattr(sys, name, Stream(raw, found.encoding if found else "utf-8", "" if name == "stderr" else name))
