#!/usr/bin/env python3
"""The command that crontab calls: `python mailcow_ldap_sync.py --help`."""

from ldap2mailcow.cli import main

if __name__ == "__main__":
    main()
