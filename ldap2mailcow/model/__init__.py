"""The words all rooms share; pure values, no I/O."""

from .address import Address, AddressError, normal_domain
from .attribute import ACTIVE, ATTRIBUTES, AUTHSOURCE, MIB, NAME, QUOTA, TLS_IN, TLS_OUT, Attribute, Value
from .change import Call, Change, FieldChange, Kind, Outcome, Patch, Why
from .entry import Answer, Entry
from .finding import LEVELS, Code, Finding, Level
from .mailbox import Actual, Cause, Domain, Existing, Mailbox, Origin, Remembered

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
    "Kind",
    "Level",
    "Mailbox",
    "Origin",
    "Outcome",
    "Patch",
    "Remembered",
    "Value",
    "Why",
    "normal_domain",
]
