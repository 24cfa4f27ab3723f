"""Sends a plan's calls until it is certain how each change ended: what mailcow doesn't confirm is read again."""

from .steps import Applied, apply, read_stamps, writes_password

__all__ = ["Applied", "apply", "read_stamps", "writes_password"]
