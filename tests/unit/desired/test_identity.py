"""Ids: which attribute tells people apart for good, and its text form."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ldap2mailcow.desired import DN, choose_id_attribute, stable_id
from ldap2mailcow.model import ID_CANDIDATES, Entry


def with_ids(*names: str) -> Entry:
    return Entry("uid=ann", {name.lower(): (b"1",) for name in names})


@pytest.mark.parametrize("name", ID_CANDIDATES)
def test_the_attribute_that_every_entry_has_is_chosen(name: str) -> None:
    assert choose_id_attribute([with_ids(name), with_ids(name, "uid")]) == name


def test_of_several_the_first_candidate_is_chosen() -> None:
    assert choose_id_attribute([with_ids("ipaUniqueID", "entryUUID")]) == "entryUUID"


def test_an_attribute_that_one_entry_lacks_is_not_chosen() -> None:
    entries = [with_ids("entryUUID", "nsUniqueId"), with_ids("nsUniqueId")]
    assert choose_id_attribute(entries) == "nsUniqueId"


def test_an_attribute_without_a_value_is_not_chosen() -> None:
    assert choose_id_attribute([Entry("uid=ann", {"entryuuid": (b"",)})]) == DN


@pytest.mark.parametrize("entries", [[], [with_ids("entryUUID"), with_ids()]])
def test_without_a_common_attribute_the_dn_is_chosen(entries: list[Entry]) -> None:
    assert choose_id_attribute(iter(entries)) == DN


def test_an_object_guid_is_shown_as_active_directory_shows_it() -> None:
    """MS-DTYP 2.3.4.2: the first three fields are little-endian."""
    raw = bytes.fromhex("33221100554477668899aabbccddeeff")
    entry = Entry("cn=ann", {"objectguid": (raw,)})
    assert stable_id(entry, "objectGUID") == "00112233-4455-6677-8899-aabbccddeeff"


@settings(derandomize=True, deadline=None)
@given(st.binary(min_size=16, max_size=16))
def test_an_object_guid_of_any_bytes_is_a_uuid(raw: bytes) -> None:
    entry = Entry("cn=ann", {"objectguid": (raw,)})
    assert uuid.UUID(stable_id(entry, "OBJECTGUID")).bytes_le == raw


def test_an_object_guid_of_another_length_is_read_as_text() -> None:
    assert stable_id(Entry("cn=ann", {"objectguid": (b"ABC",)}), "objectGUID") == "abc"


def test_an_id_is_compared_without_case() -> None:
    assert stable_id(Entry("uid=ann", {"entryuuid": (b"AB-12",)}), "entryUUID") == "ab-12"


def test_an_id_that_is_not_utf8_is_an_id_all_the_same() -> None:
    assert stable_id(Entry("uid=ann", {"employeenumber": (b"\xff1",)}), "employeeNumber") == "ff31"


@pytest.mark.parametrize("attributes", [{}, {"entryuuid": ()}, {"entryuuid": (b"",)}])
def test_an_entry_without_the_attribute_has_no_id(attributes: dict[str, tuple[bytes, ...]]) -> None:
    assert stable_id(Entry("uid=ann", attributes), "entryUUID") is None


@pytest.mark.parametrize("attribute", ["dn", "DN"])
def test_the_dn_may_be_the_id(attribute: str) -> None:
    assert stable_id(Entry("UID=Ann,DC=org", {}), attribute) == "uid=ann,dc=org"


def test_binary_ids_that_differ_in_what_lower_case_would_join_stay_two() -> None:
    """Security identifiers of Active Directory are bytes, and 0x41 is not 0x61 there."""
    ids = {
        stable_id(Entry("cn=ann", {"objectsid": (raw,)}), "objectSid") for raw in (b"\x01\x05A", b"\x01\x05a", b"\xffA")
    }
    assert ids == {"010541", "010561", "ff41"}


def test_the_id_of_an_endless_value_is_short_and_its_own() -> None:
    """Without an id such an entry would put the whole answer in doubt."""
    one, other = (Entry("uid=x", {"employeenumber": (text * 3_000_000,)}) for text in (b"ann", b"bob"))
    ids = {stable_id(one, "employeeNumber"), stable_id(other, "employeeNumber")}
    assert len(ids) == 2
    assert all(found and len(found) == 64 for found in ids)
