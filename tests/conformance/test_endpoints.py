"""The list of endpoints with a case is what the cases themselves say."""

import importlib
from pathlib import Path

from ldap2mailcow.mailcow import ENDPOINTS

from .endpoints import ENDPOINTS_WITH_A_CASE, endpoint_of


def test_each_listed_endpoint_has_a_case() -> None:
    exercised: set[str] = set()
    for file in sorted(Path(__file__).parent.glob("test_*.py")):
        module = importlib.import_module(f"{__package__}.{file.stem}")
        for case in vars(module).values():
            exercised.update(getattr(case, "endpoints", ()))
    assert exercised == ENDPOINTS_WITH_A_CASE


def test_path_belongs_to_its_longest_endpoint() -> None:
    assert endpoint_of("get/mailbox/reduced/example.org?tags=x") == "get/mailbox/reduced"
    assert endpoint_of("get/mailbox/ann@example.org") == "get/mailbox"
    assert endpoint_of("delete/mailbox/tag/ann@example.org") == "delete/mailbox/tag"
    assert endpoint_of("get/nothing") == "get/nothing"


def test_every_endpoint_that_the_client_calls_has_a_case() -> None:
    assert set() == ENDPOINTS - ENDPOINTS_WITH_A_CASE
