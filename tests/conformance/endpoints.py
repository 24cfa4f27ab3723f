"""Which endpoints have a case here; another test compares them with what our own client calls."""

from collections.abc import Callable
from typing import TypeVar

ENDPOINTS_WITH_A_CASE = frozenset(
    {
        "add/alias",
        "add/alias-domain",
        "add/domain",
        "add/mailbox",
        "add/mailbox/template",
        "delete/alias",
        "delete/alias-domain",
        "delete/domain",
        "delete/domain/tag",
        "delete/identity-provider",
        "delete/mailbox",
        "delete/mailbox/tag",
        "delete/mailbox/template",
        "edit/alias",
        "edit/alias-domain",
        "edit/delimiter_action",
        "edit/domain",
        "edit/identity-provider",
        "edit/identity-provider-test",
        "edit/mailbox",
        "edit/mailbox/custom-attribute",
        "edit/mailbox/template",
        "edit/quarantine_category",
        "edit/quarantine_notification",
        "edit/rename-mbox",
        "edit/rl-mbox",
        "edit/tls_policy",
        "edit/user-acl",
        "get/alias",
        "get/alias-domain/all",
        "get/alias/all",
        "get/domain",
        "get/domain/all",
        "get/identity-provider",
        "get/mailbox",
        "get/mailbox/all",
        "get/mailbox/reduced",
        "get/mailbox/template",
        "get/mailbox/template/all",
        "get/passwordpolicy",
        "get/rl-mbox/all",
        "get/status/containers",
        "get/status/version",
    }
)

Case = TypeVar("Case", bound=Callable[..., None])


def exercises(*endpoints: str) -> Callable[[Case], Case]:
    """Name the endpoints that a case is about; the suite checks that it calls them."""

    def mark(case: Case) -> Case:
        vars(case)["endpoints"] = endpoints
        return case

    return mark


def endpoint_of(path: str) -> str:
    """The endpoint that a path asks: ``get/mailbox/reduced/example.org`` is ``get/mailbox/reduced``."""
    parts = path.partition("?")[0].split("/")
    candidates = ["/".join(parts[:length]) for length in range(len(parts), 0, -1)]
    return next((name for name in candidates if name in ENDPOINTS_WITH_A_CASE), path)
