"""A story in steps: what happens, what mailcow does with mail after a run, and that one more run does nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tests.mailcow_server import Alias

from .delivery import Tables
from .installation import DOMAIN, Done, Installation

Act = Callable[[Installation], object]
Picture = dict[str, object]

SCHEMA = """\
dn: cn=lists,cn=schema,cn=config
objectClass: olcSchemaConfig
cn: lists
olcAttributeTypes: ( 1.3.6.1.4.1.99999.3.1 NAME 'mailInternal'
  EQUALITY booleanMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.7 SINGLE-VALUE )
olcAttributeTypes: ( 1.3.6.1.4.1.99999.3.2 NAME 'mailSenderAllowed'
  EQUALITY booleanMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.7 SINGLE-VALUE )
olcAttributeTypes: ( 1.3.6.1.4.1.99999.3.3 NAME 'mailInAddressBook'
  EQUALITY booleanMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.7 SINGLE-VALUE )
olcAttributeTypes: ( 1.3.6.1.4.1.99999.3.4 NAME 'mailCatchAll'
  EQUALITY booleanMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.7 SINGLE-VALUE )
olcAttributeTypes: ( 1.3.6.1.4.1.99999.3.5 NAME 'mailOnList'
  EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
olcObjectClasses: ( 1.3.6.1.4.1.99999.4.1 NAME 'mailListing'
  SUP top AUXILIARY
  MAY ( mailInternal $ mailSenderAllowed $ mailInAddressBook $ mailCatchAll $ mailOnList ) )
"""
"""Attributes for what a list is besides its members, and for the lists that a person is on."""


@dataclass(frozen=True)
class Step:
    """What happens before a run, and how things are after it.

    Addresses without a domain are in the story's own. What `mail` and `rights` don't name is as it was.
    """

    title: str
    happens: tuple[Act, ...]
    mail: Mapping[str, str] = field(default_factory=dict)
    """By address: all who get mail to it; "" for nobody."""
    rights: Mapping[str, str] = field(default_factory=dict)
    """By mailbox: the rows that say as whom its user may send besides."""
    columns: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    """By alias: columns of its row."""
    says: tuple[str, ...] = ()
    """The codes of all findings above info, and where each was made, by the beginning of its DN or address."""
    code: int = 0
    then: int | None = None
    """The exit code of the second run, where it is another one."""
    minutes: float = 10
    """How long after the last step."""
    options: tuple[str, ...] = ()
    rebuilds: int = 0
    """How often mailcow built its whole address book anew, and how often the plan said that it would."""
    is_quiet: bool = False
    """Whether the first run writes nothing already."""


class Story:
    """An installation to which one thing after the other happens."""

    def __init__(self, house: Installation) -> None:
        self.house = house
        self.mail: dict[str, list[str]] = {}
        self.rights: dict[str, list[str]] = {}

    def goes_on(self, step: Step) -> tuple[Picture, Picture]:
        """Let a step happen, run, and run again: return what came of it, and what should have."""
        for act in step.happens:
            act(self.house)
        self.house.writes()
        self.house.hands.forward(minutes=step.minutes)
        first = self.house.at_clock("--output", "json", *step.options)
        expected = self.expected(step)
        found = self.found(step, first)
        for run, options in (("dry run", ["--dry-run"]), ("second run", [])):
            before = self.house.mailcow.snapshot()
            again = self.house.at_clock("--output", "json", *options)
            is_same = self.house.mailcow.snapshot() == before
            found[run] = (again.code, again.document["changes"], self.house.writes(), is_same)
        return found, expected

    def found(self, step: Step, done: Done) -> Picture:
        """Return what a run has made, and what it said."""
        state = self.house.mailcow.state
        addresses = {row.address for row in state.aliases.values()} | {name for name, ends in self.mail.items() if ends}
        rights: dict[str, list[str]] = {}
        for right in sorted(state.sender_acl, key=lambda right: right.send_as):
            rights.setdefault(right.mailbox, []).append(right.send_as)
        findings = [one for one in done.document["findings"] if one["level"] != "info"]
        writes = self.house.writes()
        return {
            "mail": Tables.of(state).deliveries(addresses),
            "rights": rights,
            "columns": {
                address: {name: getattr(alias_at(self.house, address), name) for name in columns}
                for address, columns in step.columns.items()
            },
            "says": sorted(f"{one['code']} {_short(one['where'])}" for one in findings),
            "code": done.code,
            "writes": bool(writes),
            "rebuilds": [sum(write.full for write in writes), done.document["cost"]["rebuilds"]],
        }

    def expected(self, step: Step) -> Picture:
        """Return what should come of a step."""
        self.mail |= {full(address): _names(names) for address, names in step.mail.items()}
        self.rights |= {full(mailbox): _names(names) for mailbox, names in step.rights.items()}
        nothing_more: object = (step.code if step.then is None else step.then, [], [], True)
        return {
            "mail": {address: names for address, names in self.mail.items() if names},
            "rights": {mailbox: names for mailbox, names in self.rights.items() if names},
            "columns": step.columns,
            "says": sorted(step.says),
            "code": step.code,
            "writes": not step.is_quiet,
            "rebuilds": [step.rebuilds, step.rebuilds],
            "dry run": nothing_more,
            "second run": nothing_more,
        }


def full(name: str) -> str:
    """Return an address, written without its domain if it is in the story's own; `*` stays."""
    return name if "@" in name or name == "*" else f"{name}@{DOMAIN}"


def alias_at(house: Installation, name: str) -> Alias:
    """Return the row of an alias."""
    row = house.mailcow.state.alias_at(full(name))
    assert row is not None
    return row


def _names(names: str) -> list[str]:
    return sorted(map(full, names.split()))


def _short(where: str) -> str:
    """Return what tells a place from the others: the value of a DN's first part, or an address without our domain."""
    return where.split(",", maxsplit=1)[0].rpartition("=")[2].removesuffix(f"@{DOMAIN}")


# what can happen, in the directory and in mailcow


def user_dn(house: Installation, name: str) -> str:
    return f"uid={name},{house.slapd.people_dn}"


def group_dn(house: Installation, name: str) -> str:
    return f"cn={name},{house.slapd.groups_dn}"


def user(name: str, **attributes: str | list[str]) -> Act:
    """Somebody enters the directory."""
    entry = {
        "objectClass": ["inetOrgPerson", "mailPerson", "mailListing"],
        "uid": name,
        "cn": name,
        "sn": name,
        "mail": full(name),
        "userPassword": "{SSHA}0x4vVJXZDBfGGaVLYfYJHn8OWnGvoGbpVHUBLg==",
        "mailActive": "TRUE",
    }
    return lambda house: house.slapd.add(user_dn(house, name), {**entry, **attributes})


def of_user(name: str, **attributes: str | list[str]) -> Act:
    """Attributes of somebody change; [] takes one away."""
    return lambda house: house.slapd.modify(user_dn(house, name), attributes)


def group(name: str, *members: str, **attributes: str | list[str]) -> Act:
    """A group enters the directory, with users as members."""
    entry = {"objectClass": ["mailGroup", "mailPerson", "mailListing"], "cn": name, "mail": full(name)}

    def act(house: Installation) -> None:
        dns = [user_dn(house, member) for member in members]
        house.slapd.add(group_dn(house, name), {**entry, **({"member": dns} if dns else {}), **attributes})

    return act


def of_group(name: str, **attributes: str | list[str]) -> Act:
    """Attributes of a group change; [] takes one away."""
    return lambda house: house.slapd.modify(group_dn(house, name), attributes)


def members(name: str, *users: str, groups: tuple[str, ...] = ()) -> Act:
    """A group gets other members."""

    def act(house: Installation) -> None:
        dns = [*(user_dn(house, one) for one in users), *(group_dn(house, one) for one in groups)]
        house.slapd.modify(group_dn(house, name), {"member": dns})

    return act


def with_dn(name: str, attribute: str, *, of: str, kind: Callable[[Installation, str], str]) -> Act:
    """A user's attribute names somebody else, or a group, by DN."""
    return lambda house: house.slapd.modify(user_dn(house, name), {attribute: kind(house, of)})


def config(**changes: object) -> Act:
    """The administrator changes the config."""
    return lambda house: house.config(**changes)


def by_hand(path: str, body: object) -> Act:
    """Somebody does something in mailcow."""
    return lambda house: house.by_hand(path, body)


def alias_by_hand(name: str, to: str, **attributes: object) -> Act:
    """Somebody makes an alias in mailcow."""
    flags = {"active": "1", "sender_allowed": "1", "sogo_visible": "1"}
    return by_hand("add/alias", {"address": full(name), "goto": ",".join(_names(to)), **flags, **attributes})


def edit_by_hand(name: str, **attributes: object) -> Act:
    """Somebody edits an alias in mailcow."""
    return lambda house: house.by_hand("edit/alias", {"items": [str(alias_at(house, name).id)], "attr": attributes})


def delete_by_hand(name: str) -> Act:
    """Somebody deletes an alias in mailcow."""
    return lambda house: house.by_hand("delete/alias", [str(alias_at(house, name).id)])
