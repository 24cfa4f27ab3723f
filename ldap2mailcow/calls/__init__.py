"""Changes as requests to mailcow: which ones, each with how to see that it is done, and what they cost. Pure.

One list of requests is counted before a run, sent in it, and followed by the tests' mailcow.
"""

from .batches import Batch, Cost, Phase, cost, phases
from .requests import Live, Request, alias_left, as_edit, is_done, requests_of

__all__ = [
    "Batch",
    "Cost",
    "Live",
    "Phase",
    "Request",
    "alias_left",
    "as_edit",
    "cost",
    "is_done",
    "phases",
    "requests_of",
]
