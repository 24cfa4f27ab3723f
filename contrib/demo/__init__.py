"""The demo: the real command between a real slapd and the stand-in for mailcow."""
