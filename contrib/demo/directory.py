"""A small company in LDAP: its people, and what happens to them."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import ldap

from tests.directory_server import Slapd, forward, group

SUFFIX = "o=nord"
PEOPLE = f"ou=people,{SUFFIX}"
FORMER = f"ou=former,{SUFFIX}"
"""Where the entries of those go who left; nobody is searched for there."""

COMPANY = "nord.example"
BOOKSHOP = "xn--bcher-kva.example"
"""bücher.example in the only form that the attribute `mail` takes: its syntax is ASCII (RFC 4524 section 2.16)."""

GROUPS = f"ou=groups,{SUFFIX}"
"""Where the lists are, and what only forwards."""

UNITS = ("management", "office", "workshop", "bookshop")

CLEAR_TEXT = "Sommer2026-an-der-See"
"""A password as somebody typed it into the directory; nothing may ever print it."""

DATABASE = "olcDatabase={1}mdb,cn=config"

Snapshot = Mapping[str, Mapping[str, list[bytes]]]

# One of each kind, for passwords that everybody knows by now.
_READY_MADE = (
    "{CRYPT}$6$nordlicht$uaYfhn7mI0.ROwYQsKNBJuAeyww4KrOTuMWuFJ/FrmGGQna8VUpIVfJU8X9A041EGBbCJj6KK7n0AsubPJDpl/",
    "{CRYPT}$2a$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW",
    "{ARGON2}$argon2i$v=19$m=65536,t=2,p=4$c29tc2FsdA$RdescudvJCsgt3ub+b2dWRWJTmaaU7Fl",
)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a mailbox; `quota` as the directory writes it, a number of MiB or one with a suffix."""

    uid: str
    first: str
    last: str
    unit: str = "office"
    quota: str = "2048"

    @property
    def dn(self) -> str:
        """Where the entry is while they work here."""
        return f"uid={self.uid},ou={self.unit},{PEOPLE}"

    @property
    def mail(self) -> str:
        """The address as the directory writes it, which is not always in lower case."""
        return f"{self.uid}@{BOOKSHOP if self.unit == 'bookshop' else COMPANY}"

    @property
    def attributes(self) -> dict[str, str | bytes | list[str]]:
        """The whole entry."""
        return {
            "objectClass": ["inetOrgPerson", "mailPerson"],
            "uid": self.uid,
            "cn": f"{self.first} {self.last}",
            "givenName": self.first,
            "sn": self.last,
            "mail": self.mail,
            "userPassword": _stored_password(self.uid),
            "MailQuota": self.quota,
            "mailActive": "TRUE",
        }


STAFF = (
    Person("Helga.Thorsen", "Helga", "Thorsen", "management", "10G"),
    Person("okonkwo", "Chidi", "Okonkwo", "management", "8G"),
    Person("m.jansen", "Marit", "Jansen", "management", "8G"),
    Person("anna.berg", "Anna", "Berg"),
    Person("b.lindqvist", "Björn", "Lindqvist"),
    Person("c.moreau", "Chloé", "Moreau"),
    Person("d.kaya", "Deniz", "Kaya"),
    Person("e.novak", "Eliška", "Nováková"),
    Person("f.haddad", "Farid", "Haddad"),
    Person("g.szabo", "Gábor", "Szabó"),
    Person("h.yamada", "Hana", "Yamada", quota="4096"),
    Person("i.petrov", "Ivan", "Petrov"),
    Person("j.petersen", "Jule", "Petersen"),
    Person("k.o'brien", "Keira", "O'Brien"),
    Person("l.wojcik", "Łukasz", "Wójcik"),
    Person("m.ferrari", "Marco", "Ferrari", "workshop", "1G"),
    Person("n.nguyen", "Nam", "Nguyễn", "workshop", "1G"),
    Person("o.hansen", "Ole", "Hansen", "workshop", "1G"),
    Person("p.costa", "Paulo", "Costa", "workshop", "1G"),
    Person("r.ivanova", "Raya", "Ivanova", "workshop", "1G"),
    Person("s.ozturk", "Selim", "Öztürk", "workshop", "1G"),
    Person("t.virtanen", "Timo", "Virtanen", "workshop", "1G"),
    Person("u.schmidt", "Uwe", "Schmidt", "workshop", "1G"),
    Person("v.dubois", "Victor", "Dubois", "workshop", "1G"),
    Person("w.mensah", "Winnie", "Mensah", "workshop", "1G"),
    Person("x.li", "Xin", "Li", "workshop", "1G"),
    Person("agnes", "Agnes", "Brückner", "bookshop", "3072"),
    Person("bela", "Béla", "Horváth", "bookshop"),
    Person("carmen", "Carmen", "Núñez", "bookshop"),
    Person("dilara", "Dilara", "Şahin", "bookshop"),
    Person("emil", "Emil", "Krüger", "bookshop"),
    Person("frieda", "Frieda", "Maaßen", "bookshop"),
    Person("greta", "Greta", "Müller", "bookshop"),
    Person("henrik", "Henrik", "Ødegård", "bookshop"),
    Person("ines", "Inês", "Carvalho", "bookshop"),
    Person("jonas", "Jonas", "Weiß", "bookshop"),
    Person("katja", "Katja", "Žižek", "bookshop"),
    Person("leon", "Léon", "Girard", "bookshop"),
    Person("maja", "Maja", "Kowalska", "bookshop"),
    Person("nils", "Nils", "Åkesson", "bookshop"),
)


MAIL_GROUP = ["mailGroup", "mailPerson"]
FURTHER: dict[str, dict[str, list[str]]] = {
    "Helga.Thorsen": {"mailAlias": [f"boss@{COMPANY}", f"Chefin@{COMPANY}"]},
    "anna.berg": {"mailAlias": [f"anna@{COMPANY}"]},
}
"""Who has further addresses."""


class Directory:
    """The company's LDAP server, in the words of a personnel department."""

    def __init__(self, slapd: Slapd) -> None:
        self._slapd = slapd
        self._dns = {person.uid: person.dn for person in STAFF}

    def fill(self) -> None:
        """Add the organizational units and everybody."""
        for dn in (*(f"ou={unit},{PEOPLE}" for unit in UNITS), FORMER):
            self._slapd.add(dn, {"objectClass": "organizationalUnit", "ou": dn.partition(",")[0].removeprefix("ou=")})
        for person in STAFF:
            self._slapd.add(person.dn, {**person.attributes, **FURTHER.get(person.uid, {})})
        self.form("management", *(person.dn for person in STAFF if person.unit == "management"))
        self.form("buchladen", *(person.dn for person in STAFF if person.unit == "bookshop"))
        self.form("everybody", f"cn=management,{GROUPS}", f"cn=buchladen,{GROUPS}")

    def form(self, name: str, *members: str, **attributes: str | list[str]) -> None:
        """Add a group, whose members are DNs; an attribute that is an empty list is left out."""
        more = {key: [value] if isinstance(value, str) else value for key, value in attributes.items()}
        dn, entry = group(name, members, suffix=SUFFIX, domain=COMPANY, more={"objectClass": MAIL_GROUP, **more})
        self._slapd.add(dn, {key: values for key, values in entry.items() if values})

    def regroup(self, name: str, *members: str, **attributes: str | list[str]) -> None:
        """Replace the members of a group, and attributes where given."""
        self._slapd.modify(f"cn={name},{GROUPS}", {"member": list(members), **attributes})

    def pass_on(self, name: str, *targets: str) -> None:
        """Add an entry that only forwards."""
        self._slapd.add(*forward(name, targets, suffix=SUFFIX, domain=COMPANY))

    def hire(self, person: Person, **attributes: str | bytes | list[str]) -> None:
        """Add an entry; `attributes` stand in for the usual ones, an empty list leaves one out."""
        entry = {**person.attributes, **attributes}
        self._slapd.add(person.dn, {name: values for name, values in entry.items() if values != []})
        self._dns[person.uid] = person.dn

    def edit(self, uid: str, /, **attributes: str | bytes | list[str]) -> None:
        """Change attributes of somebody's entry; an empty list removes one."""
        self._slapd.modify(self._dns[uid], attributes)

    def move(self, uid: str, unit: str) -> None:
        """Move an entry below another unit; it stays the same entry."""
        rdn = self._dns[uid].partition(",")[0]
        dn = f"{rdn},{unit}"
        self._slapd.rename(self._dns[uid], dn)
        self._dns[uid] = dn

    def remove(self, *uids: str) -> None:
        """Delete entries for good."""
        for uid in uids:
            self._slapd.delete(self._dns[uid])

    def renew(self) -> None:
        """Make all entries anew, as on another server: everything is the same but their entryUUIDs."""
        for dn, attributes in self._read(PEOPLE, ldap.SCOPE_SUBTREE).items():
            if dn.startswith("uid="):
                self._slapd.delete(dn)
                self._slapd.add(dn, attributes)

    def limit_answers(self, entries: int) -> None:
        """Let the server send no more than so many entries for one search."""
        self._slapd.modify(DATABASE, {"olcSizeLimit": str(entries)})

    def hide(self, what: str) -> None:
        """Forbid everybody to read something, in the words of slapd.access(5)."""
        rules = [rule.partition(b"}")[2] for rule in self._read(DATABASE, ldap.SCOPE_BASE)[DATABASE]["olcAccess"]]
        self._slapd.modify(DATABASE, {"olcAccess": [f"to {what} by * none".encode(), *rules]})

    def snapshot(self) -> Snapshot:
        """Return all of it, to be brought back by `restore`; so does what `limit_answers` and `hide` change."""
        return {**self._read(SUFFIX, ldap.SCOPE_SUBTREE), **self._read(DATABASE, ldap.SCOPE_BASE)}

    def restore(self, before: Snapshot) -> None:
        """Undo what was added and changed; an entry that was deleted or moved can't come back as the same one."""
        now = self.snapshot()
        for dn in now.keys() - before.keys():
            self._slapd.delete(dn)
        for dn in now.keys() & before.keys():
            names = now[dn].keys() | before[dn].keys()
            old = {name: before[dn].get(name, []) for name in names if now[dn].get(name) != before[dn].get(name)}
            if old:
                self._slapd.modify(dn, old)

    def _read(self, base: str, scope: int) -> Snapshot:
        return dict(self._slapd.admin.search_s(base, scope))


def _stored_password(uid: str) -> str:
    """Return what the directory keeps of somebody's password: of each kind some, as in a directory that has grown."""
    kind = sum(uid.encode()) % 6
    if kind < len(_READY_MADE):
        return _READY_MADE[kind]
    name, make = (("SSHA512", hashlib.sha512), ("SSHA256", hashlib.sha256), ("SSHA", hashlib.sha1))[kind - 3]
    salt = uid.encode()
    return f"{{{name}}}{base64.b64encode(make(b'a password of ' + salt + salt).digest() + salt).decode()}"


def new_password() -> str:
    """Return the hash of a password that nobody had before."""
    return f"{{SSHA512}}{base64.b64encode(hashlib.sha512(b'another one' + b'salt').digest() + b'salt').decode()}"
