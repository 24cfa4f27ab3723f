"""A folder with a config in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ldap2mailcow.config import Config, ConfigError, Loaded, load_config

LDAP = {"uri": "ldaps://ldap.corp.test", "user_search_base": "ou=people,dc=corp,dc=test"}
REQUIRED = {"ldap": LDAP, "mailcow_host": "mail.corp.test", "mailcow_api_key": "AB12-CD34"}


@dataclass
class Folder:
    """Where a config lies: writes files, loads them."""

    path: Path
    environ: dict[str, str] = field(default_factory=dict)
    name: str = "config.yaml"

    def write(self, text: str | bytes, name: str = "", mode: int = 0o600) -> Path:
        file = self.path / (name or self.name)
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        file.chmod(mode)
        return file

    def load(self, text: str | None = None) -> Loaded:
        """Load a text as the folder's config, or what is there already."""
        if text is not None:
            self.write(text)
        return load_config(None, environ=self.environ, cwd=self.path, script_dir=None)

    def good(self, more: str = "", ldap: str = "", mailcow: str = "mailcow_api_key: AB12-CD34") -> str:
        """Return a config that loads, with more keys at the top or in `ldap`."""
        block = "".join(f"  {line}\n" for line in ldap.splitlines())
        return (
            f"ldap:\n  uri: {LDAP['uri']}\n  user_search_base: {LDAP['user_search_base']}\n{block}"
            f"mailcow_host: mail.corp.test\n{mailcow}\n{more}\n"
        )

    def config(self, more: str = "", ldap: str = "") -> Config:
        return self.load(self.good(more, ldap)).config

    def mistakes(self, text: str | None = None) -> list[str]:
        """Return what is wrong with a text, one line each."""
        with pytest.raises(ConfigError) as caught:
            self.load(text)
        assert caught.value.__cause__ is None
        assert caught.value.__context__ is None
        return [str(mistake) for mistake in caught.value.mistakes]

    def mistake(self, more: str = "", ldap: str = "") -> str:
        """Return the only thing that is wrong with more keys."""
        (mistake,) = self.mistakes(self.good(more, ldap))
        return mistake

    def mistaken_keys(self, text: str, environ: Mapping[str, str] | None = None) -> list[str]:
        self.environ.update(environ or {})
        return [mistake.partition("'")[2].partition("'")[0] for mistake in self.mistakes(text)]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)
