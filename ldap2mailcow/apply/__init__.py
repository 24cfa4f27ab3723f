"""Sends a plan's calls and settles the outcome of each change; what isn't certain is read again, then decided."""

from .steps import Applied, apply, read_stamps, writes_password

__all__ = ["Applied", "apply", "read_stamps", "writes_password"]
