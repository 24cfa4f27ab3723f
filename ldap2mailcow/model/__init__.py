"""The words all rooms share; pure values, no I/O."""

from .address import Address, AddressError, normal_domain
from .attribute import ACTIVE, ATTRIBUTES, AUTHSOURCE, EDIT, NAME, QUOTA, TLS_IN, TLS_OUT, Attribute, Value
from .change import Call, Change, FieldChange, Kind, Outcome, Patch, Why
from .entry import ID_CANDIDATES, Answer, Entry
from .finding import LEVELS, Code, Finding, Level
from .mailbox import Actual, Cause, Domain, Existing, Mailbox, Origin, Remembered
from .memory import Fingerprint, Memory, Note, Notice, SourceMemory
from .stored import MIB, UNITS, UnusableValueError, read_flag, read_name, read_quota
from .text import escaped, escaped_lines

__all__ = [
    "ACTIVE",
    "ATTRIBUTES",
    "AUTHSOURCE",
    "EDIT",
    "ID_CANDIDATES",
    "LEVELS",
    "MIB",
    "NAME",
    "QUOTA",
    "TLS_IN",
    "TLS_OUT",
    "UNITS",
    "Actual",
    "Address",
    "AddressError",
    "Answer",
    "Attribute",
    "Call",
    "Cause",
    "Change",
    "Code",
    "Domain",
    "Entry",
    "Existing",
    "FieldChange",
    "Finding",
    "Fingerprint",
    "Kind",
    "Level",
    "Mailbox",
    "Memory",
    "Note",
    "Notice",
    "Origin",
    "Outcome",
    "Patch",
    "Remembered",
    "SourceMemory",
    "UnusableValueError",
    "Value",
    "Why",
    "escaped",
    "escaped_lines",
    "normal_domain",
    "read_flag",
    "read_name",
    "read_quota",
]
