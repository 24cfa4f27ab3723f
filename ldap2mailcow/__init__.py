"""Makes a mailcow mail server hold what an LDAP directory says."""
