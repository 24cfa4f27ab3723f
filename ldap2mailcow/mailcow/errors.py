"""What can keep mailcow from answering us, besides a connection that doesn't stand."""

from __future__ import annotations

from ldap2mailcow.http import NoAnswer, Unreachable


class MailcowError(Exception):
    """mailcow answered, and not what we need; the message is a sentence that says what to do, and holds no secret."""

    def __init__(self, sentence: str, *, lasting: bool = False) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.lasting = lasting
        """True where trying again at once can't help."""


class Refused(MailcowError):  # noqa: N818 - a word of the design
    """The API key, or the address we come from: no further request is sent, because mailcow bans who goes on."""


class Unavailable(MailcowError):  # noqa: N818 - a word of the design
    """mailcow is starting, broken, or isn't mailcow: nothing can be learned now."""


class NotWhole(Unavailable):
    """Its lists don't add up, twice in a row: what isn't in them can't be taken as absent."""


class Unreadable(Unavailable):
    """An answer isn't of the form that docs/mailcow-api.md describes."""


TRY_LATER = (Unreachable, NoAnswer, Unavailable)
"""Everything after which a later run may find mailcow well again; for `except`."""
