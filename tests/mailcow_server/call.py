"""One call on its way through the server: what was asked, and the entries of the answer so far."""

from dataclasses import dataclass, field
from enum import Enum, auto

from .faults import DEADLOCK, LOCK_WAIT, Fault, FaultKind
from .state import State
from .values import Json, JsonObject, fold

SECRETS = ("password", "password2", "app_passwd", "app_passwd2", "client_secret", "access_token")
_DATABASE_ERRORS = {FaultKind.DEADLOCK: DEADLOCK, FaultKind.LOCK_WAIT: LOCK_WAIT}


class End(Enum):
    """How a call came to its end."""

    REACHED = auto()  # it went through: the address book is refreshed, nothing said means "Task completed"
    DONE = auto()  # it returned early with success: the address book is not refreshed
    GIVEN_UP = auto()  # it returned early with failure: not refreshed, nothing said means "Cannot … item"


@dataclass
class Call:
    """What one request asks.

    Attributes:
        state: what the server holds.
        data: the fields of the body, with the items under the name the server gives them.
        items: what an edit or delete is about.
        object: the path's third part; ``extra`` its fourth.
        tags: ``?tags=`` of a read, None when not asked.
        echo: the beginning of each entry's ``log``.
        sent: the data as it came, the rest of the ``log``.
        touched: the addresses whose address book entries are refreshed at the end.
        touched_within: those that a call made from within this one refreshed.
        fault: what is to go wrong in here.
    """

    state: State
    data: JsonObject = field(default_factory=dict)
    items: list[Json] = field(default_factory=list)
    object: str = ""
    extra: str = ""
    tags: list[str] | None = None
    echo: tuple[str, ...] = ()
    sent: JsonObject = field(init=False)
    touched: list[str] = field(default_factory=list)
    touched_within: list[str] = field(default_factory=list)
    fault: Fault | None = None
    entries: list[Json] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.sent = dict(self.data)

    def success(self, *message: Json) -> None:
        """Say that something was done."""
        self.say("success", *message)

    def danger(self, *message: Json) -> None:
        """Say that something was refused."""
        self.say("danger", *message)

    def say(self, kind: str, *message: Json, log: list[Json] | None = None) -> None:
        """Add an entry to the answer: a code alone, or a list of the code and what it is about."""
        said: Json = message[0] if len(message) == 1 else list(message)
        self.entries.append({"type": kind, "log": self._log() if log is None else log, "msg": said})

    def nested(self, echo: tuple[str, ...], data: JsonObject) -> "Call":
        """A call made from within this one; what it says stands in the same answer."""
        return Call(state=self.state, data=data, echo=echo, entries=self.entries)

    def database_error(self, item: str) -> str | None:
        """The text of the database error that a knob wants at this item."""
        if self.fault is None or (self.fault.item and fold(self.fault.item) != fold(item)):
            return None
        return _DATABASE_ERRORS.get(self.fault.kind)

    def dies_at(self, item: str) -> bool:
        """Whether a knob wants the deletion to die at this item."""
        return (
            self.fault is not None
            and self.fault.kind is FaultKind.HALF_DELETED
            and fold(self.fault.item) in {"", fold(item)}
        )

    def _log(self) -> list[Json]:
        data: Json = masked(self.sent) or []
        # The function for mailboxes and domains names a last value that it never sets.
        return [*self.echo, data, None] if self.echo[0] == "mailbox" else [*self.echo, data]


def masked(data: JsonObject) -> JsonObject:
    """The fields of a call as they are echoed: passwords are ``*``."""
    return {name: "*" if name in SECRETS and value is not None else value for name, value in data.items()}
