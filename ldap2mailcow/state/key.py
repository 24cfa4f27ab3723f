"""The installation's own key, by which passwords are remembered as digests and never as hashes."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pydantic import SecretStr

from ldap2mailcow.files import OddFile, open_file

from .errors import StateError, unreadable
from .file import write_atomically

_NAME_SIZE = 8  # hex digits: enough to see that a key is another one
_SIZE = 32  # bytes; as long as the digest, RFC 2104 section 3
_LARGEST = 4096  # bytes of a file with a key in it


@dataclass(frozen=True)
class Key:
    """A secret of its own for each installation, kept beside the state file."""

    secret: SecretStr

    def seal(self, password: SecretStr) -> str:
        """Return the digest of a password: this key's name and, after a colon, HMAC-SHA-256 in hex."""
        return f"{self.name}:{self._hmac(password.get_secret_value())}"

    @cached_property
    def name(self) -> str:
        """Tells keys apart without telling the key."""
        return self._hmac("the name of this key")[:_NAME_SIZE]

    def _hmac(self, text: str) -> str:
        key = bytes.fromhex(self.secret.get_secret_value())
        return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def load_key(state_file: Path, *, create: bool) -> Key:
    """Read `<state_file>.key`, made first where it isn't there yet (0600) and `create` allows it.

    Only a run that holds the lock may create it. Without `create` a key that is in no file stands in, so that a dry
    run writes nothing.

    Raises StateError for a file that can't be read or written, or isn't a key.
    """
    path = state_file.with_name(f"{state_file.name}.key")
    fresh = secrets.token_hex(_SIZE)
    try:
        if create and not path.is_symlink() and not path.exists():
            with write_atomically(path) as file:
                file.write(f"{fresh}\n".encode())
        with os.fdopen(open_file(path, os.O_RDONLY, is_ours=True), "rb") as opened:
            text = opened.read(_LARGEST).decode("ascii").strip()
        if len(bytes.fromhex(text)) != _SIZE:
            raise ValueError
    except FileNotFoundError as error:
        if create:  # a link to a disk that isn't there now, perhaps
            raise unreadable(path, error) from None
        return Key(SecretStr(fresh))
    except OddFile as error:
        raise StateError(str(error)) from None
    except OSError as error:
        raise unreadable(path, error) from None
    except ValueError:
        raise StateError(
            f"{path} doesn't hold a key; restore it, or delete it to have every password's digest taken afresh",
        ) from None
    return Key(SecretStr(text))
