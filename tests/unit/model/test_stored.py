"""Values of entries: quotas, flags and names, as mailcow stores them."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ldap2mailcow.model import UnusableValueError, read_flag, read_name
from ldap2mailcow.model import read_quota as read_quota_with_unit

UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


def read_quota(text: str, unit: str) -> int:
    """Read a quota as an entry has it: one without a suffix counts in the unit of the config."""
    return read_quota_with_unit(text if text.strip()[-1:].isalpha() else f"{text} {unit}")


@pytest.mark.parametrize("text", ["1", "TRUE", "true", "True", "yes", "YES", " 1 "])
def test_a_flag_is_set(text: str) -> None:
    assert read_flag(text) == 1


@pytest.mark.parametrize("text", ["0", "FALSE", "false", "No", "no\n"])
def test_a_flag_is_not_set(text: str) -> None:
    assert read_flag(text) == 0


@pytest.mark.parametrize("text", ["", "2", "-1", "on", "off", "ja", "01", "1.0", "TRUE FALSE", "\u0661"])
def test_a_flag_is_nothing_else(text: str) -> None:
    with pytest.raises(UnusableValueError, match="is none of 1, 0, TRUE"):
        read_flag(text)


@pytest.mark.parametrize(
    ("unit", "mib"),
    [
        pytest.param("B", 3, id="bytes"),
        pytest.param("KiB", 3 * 1024, id="KiB"),
        pytest.param("MiB", 3 * 1024**2, id="MiB"),
        pytest.param("GiB", 3 * 1024**3, id="GiB"),
    ],
)
def test_a_bare_number_counts_in_the_unit_of_the_config(unit: str, mib: int) -> None:
    assert read_quota(str(3 * 1024**2), unit) == mib


def test_a_bare_number_may_count_in_tib() -> None:
    assert read_quota("2", "TiB") == 2 * 1024**2


@pytest.mark.parametrize(
    ("text", "mib"),
    [
        pytest.param("1048576B", 1, id="B"),
        pytest.param("2048k", 2, id="k"),
        pytest.param("500M", 500, id="M"),
        pytest.param("500MB", 500, id="MB, a power of 1024 too"),
        pytest.param("2G", 2048, id="G"),
        pytest.param("2 GiB", 2048, id="with a blank"),
        pytest.param("2gib", 2048, id="in small letters"),
        pytest.param(" 1T ", 1024**2, id="T with blanks around"),
        pytest.param("1.5G", 1536, id="a fraction"),
    ],
)
def test_a_suffix_counts_more_than_the_unit_of_the_config(text: str, mib: int) -> None:
    assert read_quota(text, "GiB") == mib


@pytest.mark.parametrize(
    ("text", "unit", "mib"),
    [
        pytest.param("0.4", "MiB", 1, id="less than one, which rounded down would be unlimited"),
        pytest.param("1", "B", 1, id="one byte"),
        pytest.param("1048577", "B", 2, id="one byte over one MiB"),
        pytest.param("1048576", "B", 1, id="one MiB to the byte"),
        pytest.param("1.000001", "MiB", 2, id="a bit over one MiB"),
        pytest.param("0.0000000000000000000000000000000000000001", "B", 1, id="next to nothing"),
    ],
)
def test_a_quota_is_rounded_up(text: str, unit: str, mib: int) -> None:
    assert read_quota(text, unit) == mib


@pytest.mark.parametrize("text", ["0", "0.0", "000", "0G"])
def test_zero_is_zero_which_mailcow_takes_as_unlimited(text: str) -> None:
    assert read_quota(text, "MiB") == 0


@pytest.mark.parametrize(
    "text", ["", " ", "-1", "-0", "+1", "1e3", "1,5G", "1.", ".5", "G", "1P", "1 2", "0x10", "all"]
)
def test_a_quota_is_a_number_from_0_on(text: str) -> None:
    with pytest.raises(UnusableValueError, match="is not a number from 0 on"):
        read_quota(text, "MiB")


MOST = 2**43 - 1
"""MiB: what mailcow's column of 63 bits holds, less one."""


@pytest.mark.parametrize("text", [str(MOST), f"{MOST}M"])
def test_the_largest_quota_is_what_mailcow_can_store(text: str) -> None:
    assert read_quota(text, "MiB") == MOST


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        pytest.param(str(MOST + 1), "MiB", id="one too much"),
        pytest.param("8388608T", "MiB", id="with a suffix"),
        pytest.param(str(2**63), "B", id="in bytes"),
        pytest.param("9" * 40, "B", id="more digits than Decimal divides"),
        pytest.param("9" * 40, "TiB", id="more digits than Decimal multiplies"),
        pytest.param("9" * 10_000, "MiB", id="more digits than int reads"),
    ],
)
def test_an_absurd_quota_is_refused_and_stops_nothing(text: str, unit: str) -> None:
    with pytest.raises(UnusableValueError, match="is larger than mailcow can store"):
        read_quota(text, unit)


@settings(derandomize=True, deadline=None, max_examples=500)
@given(
    number=st.decimals(min_value=0, max_value=10**9, places=3),
    unit=st.sampled_from(sorted(UNITS)),
)
def test_a_quota_is_the_next_whole_mib(number: object, unit: str) -> None:
    exact = Fraction(str(number)) * 1024 ** UNITS.index(unit) / 1024**2
    if exact <= MOST:
        assert 0 <= read_quota(str(number), unit) - exact < 1


@settings(derandomize=True, deadline=None, max_examples=500)
@given(st.text() | st.from_regex(r"\A-?\d{1,60}(\.\d{1,60})? ?([kmgt]?i?b?)?\Z"), st.sampled_from(sorted(UNITS)))
def test_any_text_is_a_quota_or_refused(text: str, unit: str) -> None:
    try:
        mib = read_quota(text, unit)
    except UnusableValueError:
        return
    assert 0 <= mib <= MOST


@pytest.mark.parametrize(
    ("text", "name"),
    [
        pytest.param("Ann Other", "Ann Other", id="as it is"),
        pytest.param("  Ann \t Other\n", "Ann Other", id="blanks"),
        pytest.param("Ann\u00a0Other", "Ann Other", id="a blank that isn't broken"),
        pytest.param("<Ann Other>", "Ann Other", id="brackets around, which mailcow strips"),
        pytest.param("< <Ann Other> >", "Ann Other", id="brackets around, with blanks"),
        pytest.param("Ann <3 Other", "Ann <3 Other", id="a bracket inside"),
        pytest.param("Änn Öther 李", "Änn Öther 李", id="outside ASCII"),
        pytest.param("00", "00", id="not quite 0"),
        pytest.param("", "", id="nothing"),
        pytest.param(" <> ", "", id="only brackets"),
        pytest.param("ä" * 255, "ä" * 255, id="255 characters"),
        pytest.param(" " * 300 + "Ann", "Ann", id="255 characters after trimming"),
    ],
)
def test_a_name_is_read_as_mailcow_stores_it(text: str, name: str) -> None:
    assert read_name(text) == name


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param("a" * 256, "has more than 255 characters", id="256 characters"),
        pytest.param("0", "is 0, which mailcow takes for none", id="0"),
        pytest.param(" <0> ", "is 0, which mailcow takes for none", id="0 in brackets"),
        pytest.param("Ann\0", "has control characters", id="NUL"),
        pytest.param("Ann\x1b[31m", "has control characters", id="escape sequence"),
        pytest.param("\x7fAnn", "has control characters", id="DEL"),
        pytest.param("A\x9bnn", "has control characters", id="the one-character CSI"),
    ],
)
def test_a_name_that_mailcow_can_not_hold_is_refused(text: str, told: str) -> None:
    with pytest.raises(UnusableValueError, match=told):
        read_name(text)


@settings(derandomize=True, deadline=None, max_examples=500)
@given(st.text() | st.text(alphabet="<> aA\t\u00a0"))
def test_reading_a_name_again_changes_nothing(text: str) -> None:
    """Else mailcow's own trimming would make it another name, which every run would write again."""
    try:
        name = read_name(text)
    except UnusableValueError:
        return
    assert read_name(name) == name
    assert name == name.strip().strip("<>")
