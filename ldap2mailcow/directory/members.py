"""Members of groups that are in none of the answers: looked up, and the members of groups among them likewise."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property

import ldap

from ldap2mailcow.config import Source
from ldap2mailcow.model import Answers, Code, Entry, Finding, decoded, is_ldap_url, normal_dn

from .answer import log_reading, troubles
from .errors import LOST
from .ldap_url import selection_of
from .lookups import Lookup, Wanted, lookups, member_attributes, own_names
from .search import Reading, search
from .session import Session

_URLS = 20  # of one group, each of which is a search
_SINGLY = 500  # members that are looked up one by one, where a search for several fails


class Members:
    """Entries that were found outside the answers, those by LDAP URL, and the reasons why more may be there.

    What a value alone is to blame for is in `unsure`, so that only those are in doubt who have that value; `problems`
    are doubts about all. member_filter: as group_member_filter; "" finds everybody.
    """

    def __init__(self, session: Session, source: Source, answers: Answers, member_filter: str) -> None:
        self._session, self._source, self._answers, self._filter = session, source, answers, member_filter
        self._seen: set[bytes] = set()
        self._asked: set[str] = set()
        self.outside: list[Entry] = []
        self.selected: dict[str, tuple[Entry, ...]] = {}
        self.unsure: dict[str, str] = {}
        """By LDAP URL or normal DN: why it could not be looked up."""
        self.problems: list[str] = []
        self._singly = _SINGLY
        self._few_urls: set[str] = set()
        self._many_urls: set[str] = set()

    def follow_answers(self) -> None:
        """Look up the members of all groups that were read, and whom users and groups may send as by DN."""
        users, groups = self._answers.users.entries, self._groups
        senders = [
            *self._values(users, [self._source.user_mapping.send_as]),
            *self._values(groups, [self._source.group_mapping.send_as]),
        ]
        self._follow(groups, senders)

    def follow(self, group: Entry) -> None:
        """Look up the members of one group."""
        self._follow([group])

    @property
    def _groups(self) -> Sequence[Entry]:
        return self._answers.groups.entries if self._answers.groups else ()

    def _follow(self, groups: Sequence[Entry], senders: Sequence[bytes] = ()) -> None:
        """Go round by round; groups that hold each other end, because no value is looked at twice.

        URLs come once nothing else is left: a search that takes too long costs the connection, and what their owners
        wrote shall not be in the way of others.
        """
        urls: list[str] = []
        while groups or senders or urls:
            members = Wanted.of(self._values(groups, self._source.group_mapping.member))
            self._note_many_urls(groups)
            wanted = self._new(members, Wanted.of(senders))
            urls += wanted.urls
            groups = [
                *self._look_up(wanted),
                *(self._groups_by_dn[dn] for dn in members.dns if dn in self._groups_by_dn),
            ]
            senders = ()
            if not groups:
                groups, urls = [entry for url in urls for entry in self._select(url)], []

    def _note_many_urls(self, groups: Iterable[Entry]) -> None:
        """Note the URLs that are not followed because their groups have too many: each is a search."""
        for group in groups:
            values = (value for name in self._source.group_mapping.member for value in group.values(name))
            urls = [text for value in values if is_ldap_url(text := (decoded(value) or "").strip())]
            self._few_urls.update(urls[:_URLS])
            self._many_urls.update(urls[_URLS:])

    def _values(self, entries: Iterable[Entry], attributes: Sequence[str]) -> list[bytes]:
        """Return the values that weren't there before, each once."""
        new: dict[bytes, None] = {}
        for entry in entries:
            for attribute in attributes:
                new |= dict.fromkeys(value for value in entry.values(attribute) if value not in self._seen)
        self._seen |= new.keys()
        return list(new)

    def _new(self, members: Wanted, senders: Wanted) -> Wanted:
        """Return who of the members isn't known and wasn't looked up yet; of senders, those that are DNs."""
        dns = members.dns | senders.dns
        new = Wanted(
            {dn: text for dn, text in dns.items() if dn not in self._asked and dn not in self._known_dns},
            {
                name: text
                for name, text in members.names.items()
                if name not in self._asked and name not in self._known_names
            },
            members.urls,
        )
        self._asked |= new.dns.keys() | new.names.keys()
        return new

    @cached_property
    def _groups_by_dn(self) -> dict[str, Entry]:
        return {normal_dn(entry.dn): entry for entry in self._groups}

    @cached_property
    def _known_dns(self) -> set[str]:
        answers = (self._answers.users, self._answers.groups, self._answers.forwards)
        return {normal_dn(entry.dn) for answer in answers if answer for entry in answer.entries}

    @cached_property
    def _known_names(self) -> set[str]:
        return {name for entry in self._answers.users.entries for name in own_names(entry)}

    def _look_up(self, wanted: Wanted) -> list[Entry]:
        """Return those of the wanted members that are there."""
        found: list[Entry] = []
        ahead = list(lookups(self._session, self._source, wanted, self._filter))
        while ahead:
            lookup = ahead.pop(0)
            reading = search(self._session, lookup.query)
            log_reading("members", reading)
            found += [entry for entry in reading.entries if wanted.meets(entry) and self._is_new(entry)]
            ahead += self._singles(lookup, reading)
        self.outside += found
        return found

    def _singles(self, lookup: Lookup, reading: Reading) -> list[Lookup]:
        """Note what went wrong with a search; return those for each of its members where one may be to blame for it."""
        reasons = troubles(reading, self._session.timeout)
        if not reasons or self._is_nowhere(lookup, reading):
            return []
        if not lookup.dns or isinstance(reading.error, LOST):
            self._note(*reasons)
            return []
        missing = self._missing(lookup, reading)
        if len(lookup.dns) == 1 or len(missing) > self._singly:
            self.unsure |= dict.fromkeys(map(normal_dn, missing), "; ".join(reasons))
            return []
        self._singly -= len(missing)
        return [Lookup.of(dn, lookup.query.attributes) for dn in missing]

    def _missing(self, lookup: Lookup, reading: Reading) -> list[str]:
        """Return the members that a search didn't bring."""
        there = {normal_dn(entry.dn) for entry in reading.entries}
        return [dn for dn in lookup.dns if normal_dn(dn) not in there]

    def _is_nowhere(self, lookup: Lookup, reading: Reading) -> bool:
        """Tell whether the place that members are in isn't there, so that none of them is: they dangle.

        The server must have told what it holds, or that this is no DN, which is meant for all that end with it.
        """
        if isinstance(reading.error, ldap.NO_SUCH_OBJECT):
            return bool(self._session.contexts)
        return isinstance(reading.error, ldap.INVALID_DN_SYNTAX) and bool(lookup.dns)

    def _is_new(self, entry: Entry) -> bool:
        """Tell whether an entry is in no answer and wasn't found before; from now on it is known."""
        dn = normal_dn(entry.dn)
        is_new = dn not in self._known_dns
        self._known_dns.add(dn)
        return is_new

    def _select(self, url: str) -> tuple[Entry, ...]:
        """Return the entries that an LDAP URL selects."""
        if url in self._many_urls - self._few_urls:
            self.unsure[url] = f"its group has more than {_URLS} LDAP URLs"
            return ()
        try:
            selection = selection_of(url, self._source, member_attributes(self._source))
        except ValueError as error:
            self.unsure[url] = str(error)
            return ()
        reading = search(self._session, selection.query)
        log_reading("selected by an LDAP URL", reading)
        reasons = troubles(reading, self._session.timeout)
        if reasons:
            self.unsure[url] = "; ".join(reasons)
        self.selected[url] = tuple(filter(selection.has, reading.entries))
        return self.selected[url]

    def _note(self, *problems: str) -> None:
        self.problems += [problem for problem in problems if problem not in self.problems]


def member_doubt(source: Source, problems: Sequence[str]) -> list[Finding]:
    """Return the doubt that members may be missing, where there is a problem."""
    if not problems:
        return []
    sentence = (
        f"not everybody could be looked up who is a member but not among the users: {'; '.join(problems)}; "
        "see what bind_dn may read, and group_member_filter"
    )
    return [Finding(Code.ANSWER_CUT_SHORT, f"{source.name} (members)", sentence)]
