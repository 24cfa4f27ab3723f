"""How a plan and its outcome are shown: text for people, JSON for programs. Pure: returns text, prints nothing."""

from .document import document
from .exit_code import ExitCode
from .notices import EVERYTHING, Due, due, notices_of
from .render import Reader, Verbosity, render_answer, render_end, render_plan
from .result import Result

__all__ = [
    "EVERYTHING",
    "Due",
    "ExitCode",
    "Reader",
    "Result",
    "Verbosity",
    "document",
    "due",
    "notices_of",
    "render_answer",
    "render_end",
    "render_plan",
]
