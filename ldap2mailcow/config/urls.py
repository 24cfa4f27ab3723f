"""URLs of the config: where the directory and mailcow are."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from ldap2mailcow.model import AddressError, normal_domain

PROXY_SCHEMES = frozenset({"http", "https"})
LDAP_SCHEMES = frozenset({"ldap", "ldaps", "ldapi"})

_RESERVED_DOMAINS = ("example.com", "example.org", "example.net", "example", "invalid")  # RFC 2606, RFC 6761
_HOST = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?")


@dataclass(frozen=True, slots=True)
class Url:
    """A URL in its parts."""

    scheme: str
    user: bool
    """Whether a name or a password stands before the host."""
    host: str
    """Lower case, an IPv6 address without its brackets."""
    port: int | None
    tail: bool
    """Whether anything but a slash follows host and port."""

    @property
    def netloc(self) -> str:
        """The host, in brackets where it needs them, with the port where there is one."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port is None else f"{host}:{self.port}"


def split_url(text: str) -> Url | None:
    """Split a URL; None where it isn't one."""
    try:
        parts = urlsplit(text)
        host, port = _host(parts.scheme, parts.hostname or ""), parts.port
    except ValueError:
        return None
    if not parts.scheme or "://" not in text:
        return None
    tail = parts.path.strip("/") + parts.query + parts.fragment
    return Url(parts.scheme, "@" in parts.netloc, host, port, bool(tail) or text.endswith(("?", "#")))


def _host(scheme: str, host: str) -> str:
    """Return a host name in ASCII, an IPv6 address or a socket's path as it is. Raises ValueError for what is none."""
    if not host or ":" in host:
        return host
    host = unquote(host)
    if scheme == "ldapi":
        return host
    if not host.isascii():
        host = normal_domain(host)
    if not _HOST.fullmatch(host):
        raise AddressError("is not a host name")
    return host


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine, whoever asks."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_placeholder(host: str) -> bool:
    """Tell whether a host is one of those that documentation uses and nobody has."""
    return any(host == domain or host.endswith(f".{domain}") for domain in _RESERVED_DOMAINS)


def read_ldap_uri(text: str) -> str:
    """Return the URI of a directory, without a slash at its end.

    Raises ValueError with what to write instead.
    """
    text = text.strip()
    if not text:
        return text
    if re.search(r"[\s,]", text):
        raise ValueError("this holds a blank or a comma; write several URIs as a list: [ldaps://one, ldaps://two]")
    url = split_url(text)
    if url is None or url.scheme not in LDAP_SCHEMES:
        raise ValueError("this is not the URI of a directory; write ldaps://host, ldap://host:port or ldapi:///")
    if url.scheme == "ldapi":
        return _read_socket(text, url)
    if url.user or url.tail:
        raise ValueError("only scheme, host and port go here; bind_dn, bind_pw and user_search_base have the rest")
    if not url.host:
        raise ValueError(f"there is no host in it; write {url.scheme}://host")
    return f"{url.scheme}://{url.netloc}"


def _read_socket(text: str, url: Url) -> str:
    if url.user or url.tail:
        raise ValueError("a socket's path has %2F for each slash; write ldapi://%2Frun%2Fslapd%2Fldapi")
    return f"ldapi://{text.partition('://')[2].rstrip('/')}"


def read_mailcow_url(text: str) -> str:
    """Return mailcow's URL without a slash at its end, from a host, host:port or URL; https unless it says http.

    Raises ValueError with what to write instead.
    """
    url = split_mailcow_host(text)
    if url is None or url.scheme not in PROXY_SCHEMES or not url.host:
        raise ValueError("this is neither a host nor a URL; write mail.example.com, or https://mail.example.com:8443")
    if url.user or url.tail:
        raise ValueError("only the host and a port go here; take out what stands before and behind them")
    if url.scheme == "http" and not is_loopback(url.host):
        raise ValueError("http:// would send the API key in clear text; write https://, or a host name alone")
    return f"{url.scheme}://{url.netloc}"


def split_mailcow_host(text: str) -> Url | None:
    """Split a host, host:port or URL; None where it is none of these."""
    return split_url(_with_scheme(text.strip()))


def _with_scheme(text: str) -> str:
    if "://" in text:
        return text
    try:
        return f"https://[{ipaddress.IPv6Address(text)}]"
    except ValueError:
        return f"https://{text}"
