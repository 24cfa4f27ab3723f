"""What all readers share: how names are listed in a sentence."""

from __future__ import annotations

import pytest

from ldap2mailcow.desired import some_of


@pytest.mark.parametrize(
    ("names", "text"),
    [
        (["x"], "x"),
        (["z", "x", "y"], "x, y, z"),
        (["z", "x", "y", "a"], "a, x, y and 1 more"),
        ([str(number) for number in range(9)], "0, 1, 2 and 6 more"),
    ],
)
def test_a_few_names_are_listed_and_the_others_counted(names: list[str], text: str) -> None:
    assert some_of(names) == text


def test_names_may_be_joined_by_another_word() -> None:
    assert some_of(["b", "a"], by=" and ") == "a and b"
