"""Values that could not be looked up in the directory: only the entry that has one is in doubt."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ldap2mailcow.model import Code, Entry, is_dn, is_ldap_url, normal_dn, shortened

from .values import Reader


def is_unsure(text: str, unsure: Mapping[str, str]) -> bool:
    """Tell whether a value could not be looked up; `unsure` has by LDAP URL or normal DN why."""
    return bool(unsure) and _key(text) in unsure


def tell_unsure(reader: Reader, entry: Entry, attributes: Iterable[str], unsure: Mapping[str, str]) -> bool:
    """Tell which values of an entry could not be looked up, and return whether there are any."""
    found = False
    for attribute in attributes if unsure else ():
        for text in reader.texts(entry, attribute):
            if is_unsure(text, unsure):
                found = True
                reader.find(
                    Code.NOT_LOOKED_UP,
                    entry,
                    f"its {attribute} {shortened(text.strip())!r} can't be looked up: {unsure[_key(text)]}; correct it "
                    "in the directory; until then what follows from it stays as it is in mailcow",
                )
    return found


def _key(text: str) -> str:
    text = text.strip()
    return normal_dn(text) if is_dn(text) and not is_ldap_url(text) else text
