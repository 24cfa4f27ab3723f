"""The servers that the tests start, where other tests rest on what they promise."""

from __future__ import annotations

import ldap
import pytest

from ldap2mailcow.directory import read
from ldap2mailcow.model import normal_dn
from tests.directory_server import Slapd, ldif, person

from .sources import reader_of


def test_slapd_keeps_its_data_and_ports_over_stops_and_kills() -> None:
    with Slapd(suffix="o=Example Corp") as server:
        server.add(*person(1, suffix=server.suffix))
        uri = server.uri
        server.stop()
        server.start()
        server.kill()
        server.start()
        assert server.uri == uri
        assert len(read(reader_of(server)).users.entries) == 1


def test_entries_can_be_changed_renamed_and_deleted(slapd: Slapd) -> None:
    dn, attributes = person(1)
    slapd.add(dn, attributes)
    slapd.modify(dn, {"MailQuota": "7", "mailActive": []})
    slapd.rename(dn, f"uid=anna,{slapd.groups_dn}")
    source = reader_of(
        slapd, user_search_base=slapd.suffix, user_mapping={"quota": "MailQuota", "active": "mailActive"}
    )

    (entry,) = read(source).users.entries

    assert entry.dn == f"uid=anna,{slapd.groups_dn}"
    assert (entry.values("MailQuota"), entry.values("mailActive")) == ((b"7",), ())
    slapd.delete(entry.dn)
    assert read(source).users.entries == ()


def test_loaded_people_are_the_same_every_time_and_can_log_in(slapd: Slapd) -> None:
    text = ldif(person(number) for number in range(3))
    assert text == ldif(person(number) for number in range(3))
    slapd.load(text)

    dn, attributes = person(2)
    (entry,) = read(reader_of(slapd), filter_override="(uid=user000002)").users.entries
    assert entry.values("sn") == tuple(attributes["sn"])
    connection = ldap.initialize(slapd.uri)
    connection.simple_bind_s(dn, "password-2")
    connection.unbind_s()


def test_overlays_give_member_of_and_hash_passwords() -> None:
    with Slapd(overlays=["memberof", "ppolicy"]) as server:
        dn, attributes = person(1, password_hash="clear text")
        server.add(dn, attributes)
        group = f"cn=staff,{server.groups_dn}"
        server.add(group, {"objectClass": ["groupOfNames", "mailPerson"], "cn": "staff", "member": dn})
        (entry,) = read(reader_of(server, user_mapping={"quota": "memberOf"})).users.entries

    assert entry.values("memberOf") == (group.encode(),)
    assert entry.values("userPassword")[0].startswith(b"{SSHA}")


def test_dynlist_gives_member_of_for_nested_groups() -> None:
    with Slapd(overlays=["dynlist"]) as server:
        dn, attributes = person(1)
        server.add(dn, attributes)
        inner, outer = f"cn=inner,{server.groups_dn}", f"cn=outer,{server.groups_dn}"
        server.add(inner, {"objectClass": "groupOfNames", "cn": "inner", "member": dn})
        server.add(outer, {"objectClass": "groupOfNames", "cn": "outer", "member": inner})
        (entry,) = read(reader_of(server, user_mapping={"quota": "memberOf"})).users.entries

    assert set(entry.values("memberOf")) == {inner.encode(), outer.encode()}


def test_slapd_that_can_not_start_says_why() -> None:
    with pytest.raises(RuntimeError, match="slapadd refused the LDIF"):
        Slapd(schema="dn: cn=broken,cn=schema,cn=config\nobjectClass: nothing\n")


@pytest.mark.parametrize(
    ("stored", "asked"),
    [
        ("cn=Zoe\u0308", "cn=Zoë"),
        ("cn=ﬁn", "cn=FIN"),
        ("cn=\uff21nn", "cn=ann"),
        ("cn=ΟΔΟΣ", "cn=οδοσ"),
        ("cn=ΟΔΟΣ", "cn=οδος"),
        ("cn=Groß", "cn=GROSS"),
        ("cn=\\ Ann\\ ", "cn=Ann"),
        ("cn=a\u00a0b", "cn=a  b"),
        ("cn=a\tb", "cn=a b"),
        ("cn=a+sn=b", "sn=B + CN=A"),
        ("commonName=a", "2.5.4.3=A"),
        ("cn=\\C3\\A9", "CN = É "),
        ("cn=a\\\\5c", "cn=a\\5c5c"),
        ("cn=a\\\\5c", "cn=a\\5c\\5c"),
        ("cn=a#b", "cn=a\\#b"),
        ("cn=\\ ", "cn=\\20\\20"),
        ("cn=a\\00b", "cn=a\\00B"),
        ("cn=a\\00b", "cn=ab"),
        ("cn=a\\,b", "cn=a\\2Cb"),
    ],
)
def test_a_dn_is_the_same_for_us_and_for_slapd(slapd: Slapd, stored: str, asked: str) -> None:
    slapd.add(f"{stored},{slapd.people_dn}", {"objectClass": "inetOrgPerson", "sn": "x"})

    try:
        ((found, _),) = slapd.admin.search_s(f"{asked},{slapd.people_dn}", ldap.SCOPE_BASE, attrlist=["1.1"])
    except ldap.NO_SUCH_OBJECT:
        found = None

    same = normal_dn(f"{stored},{slapd.people_dn}") == normal_dn(f"{asked},{slapd.people_dn}")
    assert same == (found is not None)
    assert found is None or normal_dn(found) == normal_dn(f"{asked},{slapd.people_dn}")
