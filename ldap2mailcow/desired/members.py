"""Who is in a group: members by DN, name, address and LDAP URL, groups in groups at any depth."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from ldap2mailcow.model import Address, AddressError, Answers, Code, Finding, is_dn

from .askers import Group
from .goto import Addressees
from .nesting import components, flatten, loop_through
from .reading import Reader, parse_target, some_of
from .scope import Scope
from .who import Found, Who

_URL = re.compile(r"\s*ldap[is]?://", re.IGNORECASE)


@dataclass(slots=True)
class Members:
    """Reads the members of groups, as far as lists and those who forward lead to them."""

    reader: Reader
    scope: Scope
    answers: Answers
    who: Who
    addressees: Addressees
    direct: dict[Group, set[Address]] = field(default_factory=dict)
    nested: dict[Group, tuple[Group, ...]] = field(default_factory=dict)

    def everybody(self, roots: Iterable[Group]) -> Mapping[Group, frozenset[Address]]:
        """Return who is in each of some groups, and in all groups that they lead to."""
        ahead = list(roots)
        while ahead:
            group = ahead.pop()
            if group not in self.direct:
                self._read(group)
                ahead += self.nested[group]
        self._tell_loops()
        return flatten(self.direct, self.nested)

    def _read(self, group: Group) -> None:
        """Read the members of one group: addresses, and groups that are to be read in turn."""
        unknown: set[str] = set()
        direct: set[Address] = set()
        nested: set[Group] = set()
        found = [*group.joined, *self._stated(group, unknown)]
        for one in (self.addressees.of(one) if isinstance(one, Address) else one for one in found):
            if isinstance(one, Group):
                nested.add(one)
            else:
                direct.add(one)
        direct -= self._refused(group, direct)
        self._tell(group, unknown)
        self.direct[group] = direct
        self.nested[group] = tuple(sorted(nested, key=_name))

    def _stated(self, group: Group, unknown: set[str]) -> Iterator[Address | Group]:
        """Give what the values of a group's entry mean, and note those that mean nothing."""
        for attribute in self.reader.source.group_mapping.member:
            for text in self.reader.texts(group.entry, attribute):
                found = self._meant(text.strip(), unknown)
                yield from (one for one in found if one is not None and one not in group.addresses)

    def _meant(self, text: str, unknown: set[str]) -> Iterator[Found]:
        """Give whom one value means; an LDAP URL that couldn't be followed has made its answer doubtful already."""
        if _URL.match(text):
            for entry in self.answers.selected.get(text, ()):
                yield from _known(self.who.is_at, entry.dn, unknown)
        elif is_dn(text):
            yield from _known(self.who.is_at, text, unknown)
        elif "@" in text:
            yield from _known(parse_target, text, unknown)
        else:
            yield from _known(self.who.is_called, text, unknown)

    def _refused(self, group: Group, direct: set[Address]) -> set[Address]:
        """Return the members that may not be on a list, because mailcow doesn't host them."""
        if self.reader.config.external_goto.groups == "allow":
            return set()
        refused = {one for one in direct if self.scope.is_foreign(one)}
        if refused:
            self._find(
                Code.FOREIGN_GOTO,
                group,
                f"it has {some_of(refused)}, which mailcow doesn't host; take that out of the directory, "
                "or set external_goto.groups: allow",
            )
        return refused

    def _tell(self, group: Group, unknown: set[str]) -> None:
        if unknown:
            count = f"{len(unknown)} of its members is" if len(unknown) == 1 else f"{len(unknown)} of its members are"
            self._find(
                Code.MEMBER_NOT_FOUND,
                group,
                f"{count} not found in the directory, or without an address: {some_of(unknown)}; correct the group, "
                "or see what bind_dn may read",
            )

    def _tell_loops(self) -> None:
        """Name each loop once, at the first of the groups in it."""
        for component in components(self.nested):
            start = min(component, key=_name)
            if way := loop_through(start, self.nested):
                chain = " -> ".join(one.name for one in way)
                self._find(
                    Code.LIST_LOOP,
                    start,
                    f"it is in itself: {chain}; all of them get the same members until one is taken out of another",
                )

    def _find(self, code: Code, group: Group, sentence: str) -> None:
        self.reader.findings.append(Finding(code, group.name, sentence))


def _known(find: Callable[[str], Found], text: str, unknown: set[str]) -> Iterator[Found]:
    try:
        yield find(text)
    except (AddressError, LookupError):
        unknown.add(text)


def _name(group: Group) -> str:
    return group.name
