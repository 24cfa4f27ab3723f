"""The words all rooms share; pure values, no I/O."""

from .address import Address, AddressError, normal_domain
from .attribute import ACTIVE, ATTRIBUTES, AUTHSOURCE, MIB, NAME, QUOTA, TLS_IN, TLS_OUT, Attribute, Value
from .change import Call, Change, FieldChange, Kind, Outcome, Patch, Why
from .entry import Answer, Entry
from .finding import LEVELS, Code, Finding, Level
from .mailbox import Actual, Cause, Domain, Existing, Mailbox, Origin, Remembered
from .memory import Fingerprint, Memory, Note, SourceMemory

__all__ = [
    "ACTIVE",
    "ATTRIBUTES",
    "AUTHSOURCE",
    "LEVELS",
    "MIB",
    "NAME",
    "QUOTA",
    "TLS_IN",
    "TLS_OUT",
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
    "Origin",
    "Outcome",
    "Patch",
    "Remembered",
    "SourceMemory",
    "Value",
    "Why",
    "normal_domain",
]
