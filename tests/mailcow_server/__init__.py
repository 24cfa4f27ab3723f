"""A small server of our own that behaves as mailcow's web API does; the one stand-in of the project.

It knows nothing of the package that is tested against it. What it is true to stands in ``tests/conformance``, whose
cases also run against a real mailcow: where the two differ, this one is wrong.
"""

from .clock import Clock
from .faults import Costs, Fault, FaultKind, Faults
from .journal import Journal, LoggedRequest
from .server import API_KEY, READ_ONLY_KEY, MailcowServer
from .state import Alias, AliasDomain, Domain, DomainLimits, Mailbox, SenderAcl, State, Template

__all__ = [
    "API_KEY",
    "READ_ONLY_KEY",
    "Alias",
    "AliasDomain",
    "Clock",
    "Costs",
    "Domain",
    "DomainLimits",
    "Fault",
    "FaultKind",
    "Faults",
    "Journal",
    "LoggedRequest",
    "Mailbox",
    "MailcowServer",
    "SenderAcl",
    "State",
    "Template",
]
