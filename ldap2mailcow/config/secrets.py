"""Secrets that stand in files of their own."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from .draft import Draft, Place
from .files import FileProblem, exposure, read_secret
from .schema import Config
from .urls import split_url

_API_KEY = "mailcow_api_key"
_PASSWORD = "bind_pw"  # noqa: S105 - the name of a key
_PROXY = "proxy"


def secret_file(key: str) -> str:
    """Return the key that names the file of a secret."""
    return f"{key}_file"


def holds_secret(draft: Draft) -> bool:
    """Tell whether any secret stands in the values themselves."""
    places: list[Place] = [(_API_KEY,), *((*place, _PASSWORD) for place, _ in draft.blocks())]
    if any(isinstance(value := draft.get(place), str) and value for place in places):
        return True
    proxy = draft.get((_PROXY,))
    url = split_url(proxy) if isinstance(proxy, str) else None
    return url is not None and url.user


def secrets_of(config: Config) -> tuple[str, ...]:
    """Return all secrets of a config, for a text to be searched for them."""
    proxy = urlsplit(config.proxy or "")
    given = [config.mailcow_api_key.get_secret_value(), proxy.password, unquote(proxy.password or "")]
    return tuple(filter(None, [*given, *(source.bind_pw.get_secret_value() for source in config.sources)]))


def read_secret_files(draft: Draft, folder: Path) -> None:
    """Put what the secret files hold where the secrets go; relative paths begin at `folder`."""
    for place in [(), *(place for place, _ in draft.enabled())]:
        key = _PASSWORD if place else _API_KEY
        _read(draft, (*place, key), (*place, secret_file(key)), folder)


def _read(draft: Draft, key: Place, file_key: Place, folder: Path) -> None:
    name = draft.get(file_key)
    if not isinstance(name, str) or not name:
        return
    if draft.get(key) not in (None, ""):
        draft.blame(file_key, f"{key[-1]} is there too; take one of them out")
        return
    path = folder / name
    try:
        secret = read_secret(path)
    except FileProblem as problem:
        draft.blame(file_key, str(problem))
        return
    draft.put(key, secret.text, str(path))
    if secret.exposed:
        draft.findings.append(exposure(path))
