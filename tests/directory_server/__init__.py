"""Real LDAP servers for tests, the demo and the benches; needs slapd, setpriv and openssl, but not pytest."""

from .people import forward, group, ldif, person
from .slapd import Slapd

__all__ = ["Slapd", "forward", "group", "ldif", "person"]
