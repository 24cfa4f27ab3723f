"""What a run may never do, whatever it is given and whatever happens to it: DESIGN.md section 4, read plainly.

Each promise looks at what mailcow held before and after, and at what the directory really said. None of them knows how
the package comes to its decisions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from itertools import pairwise

from ldap2mailcow.model import Change, Code, Kind, Level, RenameChange
from ldap2mailcow.plan import Guarded, Reason
from tests.mailcow_server import Alias, Mailbox

from .installation import Ran
from .mail import HAND, US, Mail, Store
from .people import Person, Trust
from .troubles import Down

GRACE, WEEK = timedelta(minutes=30), timedelta(days=8)
"""Somebody is gone after so long; and between two answers no more time counts than this."""
ANSWERS = 2
FEW = 3
"""So many are no accident."""


@dataclass
class Judge:
    """One run, and all that is known of whose mail lies where."""

    ran: Ran
    mail: Mail

    def judge(self) -> None:
        """Hold a run to every promise, and follow what it did."""
        self.grant()
        self.follow_dns()
        self.no_mail_is_lost()
        self.renames_bring_people_to_their_addresses()
        self.what_is_not_ours_stays()
        self.new_mailboxes_are_somebodys_own()
        self.nobody_gets_the_mail_of_others()
        self.who_is_remembered_is_the_owner()
        self.remember_dns()
        self.status_follows_the_rules()
        self.no_more_goes_than_is_allowed()
        self.a_scoped_run_knows_nothing_of_others()
        self.aliases_of_others_stay()
        self.aliases_lead_to_those_whose_they_are()
        self.partial_knowledge_takes_nothing_away()
        self.whoever_is_not_served_is_told()
        self.count_absences()
        self.accept_the_search()

    # what the run was

    @property
    def mark(self) -> str:
        return self.ran.house.mark

    def is_released(self, box: Mailbox) -> bool:
        """Tell whether somebody has let go of a mailbox with our own command."""
        return f"{self.mark}:released" in box.tags

    @property
    def scoped(self) -> bool:
        return self.ran.request.options.scoped

    @cached_property
    def stores(self) -> list[tuple[Store, Mailbox, Mailbox]]:
        """All mail that was there before: with its mailbox as it was, and as it is."""
        before, after = self.ran.before.boxes, self.ran.after.boxes
        return [(self.mail.stores[number], before[number], after[number]) for number in before if number in after]

    @cached_property
    def renamed(self) -> dict[str, str]:
        """What each mailbox is called now, by what it was called before."""
        return {old.username: new.username for _, old, new in self.stores}

    @property
    def knows_absence(self) -> bool:
        """Whether whoever it doesn't name is gone."""
        return self.ran.told.is_whole and not self.scoped

    def person(self, store: Store) -> Person | None:
        """Return the entry of a store's owner, if the run was told of it."""
        if store.is_loose or self.is_out_of_sight(store):
            return next(iter(self.ran.told.whose(store.address)), None)
        return next((person for person in self.ran.told.people if person.id == store.owner), None)

    def is_out_of_sight(self, store: Store) -> bool:
        """Tell whether an entry has moved in the tree before its id could be remembered: nothing tells whose it is."""
        return bool(store.dn) and self.ran.told.by_dn(store.dn) is None

    def follow_dns(self) -> None:
        """Let those who are known by their DN alone be whoever is there now."""
        for store in self.mail.stores.values():
            person = self.ran.told.by_dn(store.dn)
            if store.mark == self.mark and person:
                self.hand_over(store, person)

    def remember_dns(self) -> None:
        """Note who is known by their DN alone, until a whole answer has settled what tells people apart."""
        dns = self.ran.house.dns()
        for store in self.mail.stores.values():
            store.dn = dns.get(store.address, "") if store.mark == self.mark else ""
            store.is_loose &= self.ran.told.by_dn(store.dn) is None
        self.follow_dns()

    def grant(self) -> None:
        """Note whom the directory gives which address."""
        people = {person.name: person for person in self.ran.told.people}
        granted = self.mail.granted
        granted |= {(address, one.id) for one in people.values() for address in (one.mail, *one.aliases)}
        granted |= {
            (one.mail, people[name].id) for one in self.ran.told.lists for name in one.members if name in people
        }
        for store in self.mail.stores.values():
            for person in self.ran.told.whose(store.address) if self.is_waiting(store) else ():
                granted |= {(address, store.owner) for address, owner in granted if owner == person.id}

    # mail

    def no_mail_is_lost(self) -> None:
        """No mailbox goes but by a deletion that is due, and what lies in it goes where it goes."""
        deleted = self.ran.before.boxes.keys() - self.ran.after.boxes.keys()
        for number in sorted(deleted):
            self.may_be_deleted(self.mail.stores[number], self.ran.before.boxes[number])
        allowed = most(len(self.ours_before), self.ran.approved(Guarded.DELETE))
        assert len(deleted) <= allowed, f"{len(deleted)} of {len(self.ours_before)} are deleted at once"
        for number in deleted:
            del self.mail.stores[number]
        for store, _, after in self.stores:
            letter = self.mail.state.mail.get(after.username)
            assert letter == store.letter, f"{after.username} has {letter}, not {store.letter}"

    def may_be_deleted(self, store: Store, before: Mailbox) -> None:
        """A deletion is asked for, and its time has come: by the time that is believed, and in whole answers."""
        name, removed = before.username, self.ran.config.removed_users
        assert store.mark == self.mark, f"{name}, which isn't ours, is deleted"
        assert removed.action == "delete", f"{name} is deleted, and nobody asked for that"
        assert self.knows_absence, f"{name} is deleted by a run that doesn't see everybody"
        assert not self.is_in_use(store), f"{name} is deleted, and {store.owner} is there"
        assert before.active == 0, f"{name} is deleted while it is active"
        assert not isinstance(self.ran.trouble, Down), f"{name} is deleted while dovecot is down"
        time = between([*store.doomed, self.ran.now])
        assert time >= removed.delete_after, f"{name} is deleted after {time} of {removed.delete_after}"

    def is_in_use(self, store: Store) -> bool:
        """Tell whether an entry that the run was told of has its mail there, and not in another domain by now."""
        person = self.person(store)
        return person is not None and not self.has_moved(store, person)

    def has_moved(self, store: Store, person: Person) -> bool:
        """Tell whether somebody has another mailbox in the domain that their address is in now."""
        domain = domain_of(person.mail)
        others = [one for one in self.mail.of(person.id) if domain_of(one.address) == domain]
        return domain_of(store.address) != domain and bool(others)

    def renames_bring_people_to_their_addresses(self) -> None:
        """A mailbox that gets another name gets its owner's, in its domain, if the config says so."""
        renamed = [(store, old, new) for store, old, new in self.stores if old.username != new.username]
        for store, old, new in renamed:
            what = f"{old.username} becomes {new.username}"
            assert store.mark == self.mark, f"{what}, and isn't ours"
            assert self.ran.config.renames == "rename", f"{what}, and nobody asked for that"
            assert not isinstance(self.ran.trouble, Down), f"{what} while dovecot is down"
            assert domain_of(old.username) == domain_of(new.username), what
            assert old.active, f"{what} while it is inactive"
            person = self.person(store) or next(iter(self.ran.told.whose(new.username)), None)
            assert person, f"{what}, and nobody has that address"
            assert person.mail == new.username, f"{what}, and {person.dn} is {person.mail}"
            if store.is_loose:
                self.gives(store, person)
            store.is_loose = False
        allowed = most(len(self.ours_before), self.ran.approved(Guarded.RENAME))
        going = [new.username for _, _, new in renamed]
        assert len(going) <= allowed, f"{going} are renamed at once"

    @property
    def ours_before(self) -> list[Mailbox]:
        """The mailboxes that were this installation's before."""
        return [
            box
            for number, box in self.ran.before.boxes.items()
            if number not in self.mail.stores or self.mail.stores[number].mark == self.mark
        ]

    def what_is_not_ours_stays(self) -> None:
        """What somebody made by hand is untouched, unless it becomes the mailbox of the one who has its address."""
        policy = self.ran.config.adopt_mailboxes
        adopted = []
        for store, before, after in self.stores:
            if store.mark == self.mark or asdict(before) == asdict(after):
                continue
            assert not store.mark, f"{before.username} is another installation's"
            assert policy != "refuse", f"{before.username} is taken over"
            wanting = self.ran.told.whose(before.username)
            assert len(wanting) == 1, f"{before.username} is taken over for {wanting}"
            assert not self.is_released(before), f"{before.username} was released"
            assert self.mark in after.tags, f"{before.username} is changed without our mark"
            assert policy == "overwrite" or after.password == before.password, f"the password of {before.username}"
            known = wanting[0].id in self.ran.rows.values()
            assert not known, f"{before.username} is taken over for {wanting[0].dn}, who had another"
            self.gives(store, wanting[0])
            store.mark, store.is_loose = self.mark, False
            adopted.append(before.username)
        if self.has_accepted:
            assert len(adopted) <= self.ran.approved(Guarded.ADOPT), f"{adopted} are taken over without a word"

    def new_mailboxes_are_somebodys_own(self) -> None:
        """A new mailbox is made for the only one who wants it, whole, and for nobody who has one."""
        for number, box in self.ran.after.boxes.items():
            if number in self.mail.stores:
                continue
            row = next(row for row in self.mail.state.mailboxes.values() if id(row) == number)
            wanting = self.ran.told.whose(box.username)
            owner = next((person for person in wanting if person.password == box.password), None)
            assert owner, f"{box.username} is made for nobody who wants it"
            remembered = self.ran.rows.get(box.username) == owner.id
            assert len(wanting) == 1 or remembered, f"{box.username} is made, though {wanting} want it"
            assert self.mark in box.tags, f"{box.username} is made without our mark"
            assert box.active == 1, f"{box.username} is made, active={box.active}"
            is_known = self.ran.told.trust is not Trust.NO_STATUS
            assert owner.active or not is_known, f"{box.username} is made, and {owner.dn} is inactive"
            others = [
                one.address
                for one in self.mail.of(owner.id)
                if one.mark == self.mark
                and not (one.is_loose or self.is_out_of_sight(one))
                and domain_of(one.address) == domain_of(box.username)
            ]
            assert not others, f"{owner.dn} gets {box.username} besides {others}"
            self.mail.add(Store(row, self.mark, owner.id, passwords={box.password}, last_seen=self.ran.now))

    def nobody_gets_the_mail_of_others(self) -> None:
        """A password that is written is that of the one whose mail it lets in to.

        Whoever waits for an address has the mailbox at the present one.
        """
        for store, before, after in self.stores:
            if before.password == after.password:
                continue
            assert store.mark == self.mark, f"the password of {after.username}, which is not ours, is written"
            writers = [one for one in self.ran.told.people if one.password == after.password]
            assert writers, f"{after.username} has a password that nobody has"
            person = writers[0]
            waits = store.owner == person.id and not self.has_moved(store, person)
            assert waits or person.mail == after.username, f"{after.username} has the password of {person.dn}"
            self.gives(store, person)

    def gives(self, store: Store, person: Person) -> None:
        """Let somebody have a store, if they may have it."""
        if store.owner != person.id:
            assert self.may_take(store, person), (
                f"the mail of {store.owner} at {store.address} goes to {person.dn}, {person.id}"
            )
            self.hand_over(store, person)
            store.is_loose |= not self.ran.is_complete  # it may not have been written down
        store.passwords.add(person.password)

    def hand_over(self, store: Store, person: Person) -> None:
        if store.owner != person.id:
            self.mail.granted |= {(address, person.id) for address, owner in self.mail.granted if owner == store.owner}
            store.owner, store.last_seen, store.was_employed = person.id, self.ran.now, person.active
            store.is_seen()

    def may_take(self, store: Store, person: Person) -> bool:
        """Tell whether another entry may have a store: where nobody has it, or it can only be its owner made anew.

        The two were never there together, the old one was seen a short while ago and was active, and the new one never
        had another. Where most people have other ids, that takes a word.
        """
        if store.is_loose or not store.owner:
            return True
        is_gone = store.owner not in self.ran.told.ids and self.ran.told.is_whole
        if not is_gone or self.ran.request.options.overridden_filter or person.id in self.ran.rows.values():
            return False
        if self.is_another_server:
            return len(self.anew) <= self.ran.approved(Guarded.TAKEOVER)
        is_just = store.last_seen is not None and self.ran.now - store.last_seen <= GRACE
        were_together = any({store.owner, person.id} <= ids for ids in self.mail.answers)
        return is_just and store.was_employed and not were_together

    @cached_property
    def is_another_server(self) -> bool:
        """Whether most people have another id and the same address."""
        return len(self.anew) >= FEW and len(self.anew) * 2 > len(self.ours)

    @cached_property
    def ours(self) -> list[Store]:
        return [store for store in self.mail.stores.values() if store.mark == self.mark]

    @cached_property
    def anew(self) -> list[Store]:
        """The stores of those who aren't there, and whose address somebody has."""
        return [one for one in self.ours if one.owner not in self.ran.told.ids and self.ran.told.whose(one.address)]

    def who_is_remembered_is_the_owner(self) -> None:
        """The state file says of a mailbox that it is the one's whose mail lies in it."""
        ended = self.ran.result is not None and not self.ran.result.error  # else it may not have come to write it down
        stayed = {new.username for _, old, new in self.stores if old.username == new.username}
        for address, entry_id in self.ran.house.rows().items():
            store = self.mail.at(address)
            if store is None or store.mark != self.mark or entry_id is None or not (ended or address in stayed):
                continue
            if entry_id != store.owner and self.ran.rows.get(address) != entry_id:
                person = next((one for one in self.ran.told.people if one.id == entry_id), None)
                assert person, f"{address} is remembered as that of {entry_id}, which isn't told"
                assert person.mail == address, f"{address} is remembered as that of {person.dn}"
                self.gives(store, person)
            if store.is_loose and ended:
                store.owner = entry_id
            store.is_loose &= not ended

    # status

    def status_follows_the_rules(self) -> None:
        """Out of service is who says so, or is gone for long enough; back again is only what we took out of it."""
        for store, before, after in self.stores:
            what = f"{after.username} goes from {before.active} to {after.active}"
            if before.active == after.active:
                continue
            assert store.mark == self.mark, f"{what}, and isn't ours"
            if is_shut(before, after):
                self.may_be_shut(store, what, after.active)
                if US not in store.shut_by or store.box.active == 1:
                    store.was_active = before.active
                store.shut_by, store.is_noted_shut = frozenset({US}), True
            else:
                assert US in store.shut_by, f"{what}, and somebody set that by hand"
                person = self.person(store)
                assert person, f"{what}, and {store.owner} isn't there"
                assert person.active, f"{what}, and {person.dn} is inactive"
                assert after.active == store.was_active or store.is_loose, f"{what}, and was {store.was_active}"
                store.shut_by = frozenset() if after.active == 1 else frozenset({HAND})

    def may_be_shut(self, store: Store, what: str, value: int) -> None:
        person, action = self.person(store), self.ran.config.removed_users.action
        if person and not person.active:
            assert value == 0, what
            assert self.ran.told.trust is not Trust.NO_STATUS, f"{what} by a status that nobody sees"
            return
        assert not self.is_in_use(store), f"{what}, and {store.owner} is active"
        assert self.knows_absence, f"{what}, and nobody knows that {store.owner} is gone"
        assert value == {"disable": 0, "delete": 0, "disallow_login": 2}.get(action), f"{what} by {action}"
        answers = [*store.absences, self.ran.now]
        is_long = len(answers) >= ANSWERS and between(answers) >= GRACE
        assert is_long or self.ran.approved(Guarded.DISABLE), f"{what} before the grace is over"

    def count_absences(self) -> None:
        """Note who was there together, and whose entry was looked for in vain."""
        if self.ran.result is not None and not self.ran.result.error and self.ran.told.trust is not Trust.NO_IDS:
            self.mail.answers.append(self.ran.told.ids)
        planned = self.ran.result is None or not self.ran.result.error or bool(self.ran.result.plan.changes)
        if not self.knows_absence or not planned:
            return
        certain = self.ran.result is not None and not self.ran.result.error
        deletes = self.ran.config.removed_users.action == "delete"
        for store in self.mail.stores.values():
            if store.mark != self.mark:
                continue
            if store.box.active == 1 and self.ran.is_complete:
                store.is_noted_shut = False
            if certain and not (deletes and store.box.active == 0):
                store.doomed.clear()
            if not self.is_in_use(store):
                store.absences.append(self.ran.now)
                if deletes and store.box.active == 0:
                    store.doomed.append(self.ran.now)
                continue
            if certain:
                store.is_seen()
            if person := self.person(store):
                store.last_seen, store.was_employed = self.ran.now, person.active

    def is_waiting(self, store: Store) -> bool:
        """Tell whether most people have other ids, so that nobody is followed before somebody says a word."""
        result = self.ran.result
        if result is None:
            return self.is_another_server and store in self.anew
        return store in self.anew and self.is_told_of_another_server

    @property
    def is_told_of_another_server(self) -> bool:
        """Whether the run said that most people have other ids, which is one sentence for all of them."""
        result = self.ran.result
        return result is not None and any(one.code is Code.IDS_REPLACED for one in result.findings)

    # guards

    def no_more_goes_than_is_allowed(self) -> None:
        """Of mailboxes that go out of service, unless somebody let more through."""
        active = sum(box.active != 0 for box in self.ours_before)
        gone = [
            after.username for store, before, after in self.stores if store.mark == self.mark and is_shut(before, after)
        ]
        forced = self.ran.approved(Guarded.DISABLE)
        assert len(gone) <= most(active, forced), f"{gone} of {active} are shut at once"
        if self.ran.config.ldap[0].user_search_filter not in self.ran.house.accepted and not forced:
            missing = [name for name in gone if self.person_at(name) is None]
            assert not missing, f"{missing} are disabled by a search that nobody has accepted yet"

    def person_at(self, address: str) -> Person | None:
        """Return the entry of the one whose mail is at an address now."""
        store = self.mail.at(address)
        return self.person(store) if store else None

    def accept_the_search(self) -> None:
        """Note the filters whose absences may be believed: those of runs that had nothing to withhold."""
        result, searched = self.ran.result, self.ran.config.ldap[0].user_search_filter
        if not self.knows_absence or self.ran.request.dry_run:
            return
        if result is None or result.error or self.ran.told.trust is Trust.NO_LISTS:
            self.ran.house.accepted.add(searched)  # it may have been accepted, or the one before still is
        elif all(one.reason is not Reason.SEARCH_CHANGED for one in result.plan.withheld):
            self.ran.house.accepted.clear()
            self.ran.house.accepted.add(searched)
            self.ran.house.has_ids = True

    @property
    def has_accepted(self) -> bool:
        """Whether a run was surely accepted before."""
        return self.ran.house.has_ids

    def a_scoped_run_knows_nothing_of_others(self) -> None:
        options = self.ran.request.options
        told = {person.id for person in self.ran.told.people}
        for store, before, after in self.stores:
            if options.only and not options.only & {before.username, after.username}:
                assert before == after, f"{before.username} is changed by a run with --only {options.only}"
            is_theirs = store.owner in told or self.ran.told.whose(after.username)
            if options.overridden_filter and not is_theirs:
                assert before == after, f"{before.username} is changed by a run with another filter"

    # aliases

    def aliases_of_others_stay(self) -> None:
        """What somebody made by hand is untouched, unless it is just what the directory wants."""
        taken = self.ran.house.aliases()
        for number, row in self.ran.before.aliases.items():
            now = self.ran.after.aliases.get(number)
            if self.mail.aliases.get(number) == self.mark:
                continue
            is_taken = row.address in taken or now != row
            if self.mail.aliases.get(number) is None and is_taken and self.is_wanted_so(row):
                self.mail.aliases[number] = self.mark
                continue
            assert now, f"the alias {row.address}, which is not ours, is gone"
            goto = self.renamed.get(row.goto, row.goto)  # mailcow itself lets it follow the mailbox that it leads to
            is_same = replace(now, modified=None) == replace(row, goto=goto, modified=None)
            assert is_same, f"the alias {row.address}, which is not ours, is changed"
        for number in self.ran.after.aliases.keys() - self.ran.before.aliases.keys():
            self.mail.aliases[number] = self.mark

    def is_wanted_so(self, row: Alias) -> bool:
        """Tell whether the directory wants an alias that goes just where one goes that is there."""
        goto = frozenset(row.goto.split(","))
        homes = {one.name: self.homes(one) for one in self.ran.told.people}
        for one in self.ran.told.people:
            if row.address in one.aliases and len(goto) == 1 and goto <= homes[one.name]:
                return True
        for group in self.ran.told.lists:
            members = frozenset().union(*(homes.get(name, frozenset()) for name in group.members))
            if row.address == group.mail and goto <= members:
                return True
        return False

    def homes(self, person: Person) -> frozenset[str]:
        """Return where somebody is reached: at their address, or in the mailbox that doesn't have it yet."""
        return frozenset({person.mail, *(store.address for store in self.mail.of(person.id))})

    def aliases_lead_to_those_whose_they_are(self) -> None:
        for number, row in self.ran.after.aliases.items():
            if self.mail.aliases.get(number) != self.mark or not row.active or self.may_be_behind(number, row):
                continue
            for target in row.goto.split(","):
                store = self.mail.at(target)
                if store is None or store.is_loose or not store.owner:
                    continue
                granted = (row.address, store.owner) in self.mail.granted
                assert granted, f"what comes to {row.address} goes to {target}, the mail of {store.owner}"

    def may_be_behind(self, number: int, row: Alias) -> bool:
        """Tell whether a run may not have come to an alias yet: lists follow those who were renamed before them."""
        before = self.ran.before.aliases.get(number)
        return not self.ran.is_complete and before is not None and before.goto == row.goto

    def partial_knowledge_takes_nothing_away(self) -> None:
        """Where absence isn't believed nobody is disabled, no alias goes, and no list shrinks."""
        told = self.ran.told
        if not told.is_whole:
            for _, before, after in self.stores:
                shut = is_shut(before, after) and before.active == 1
                assert not shut, f"{before.username} is shut by an answer that isn't whole"
        if self.knows_absence and told.trust is not Trust.NO_LISTS:
            return
        listed = {one.mail for one in self.ran.house.directory.lists.values()}
        for number, row in self.ran.before.aliases.items():
            if self.mail.aliases.get(number) != self.mark or (self.knows_absence and row.address not in listed):
                continue
            if any(row.address in one.aliases for one in told.people):
                continue  # somebody's own, who is there: it follows them
            now = self.ran.after.aliases.get(number)
            if now is None and self.ran.told.whose(row.address) and self.mail.at(row.address):
                continue  # a former address, which is somebody's own by now
            assert now, f"the alias {row.address} is gone, though the answer isn't whole"
            missing = self.ran.before.boxes_at(row) - self.ran.after.boxes_at(now)
            lost = [self.ran.after.boxes[number].username for number in missing if self.is_rightly_on(number, row)]
            assert not lost, f"the alias {row.address} loses {lost}, though the answer isn't whole"

    def is_rightly_on(self, number: int, row: Alias) -> bool:
        """Tell whether a mailbox is active, and got an alias from the directory."""
        store = self.mail.stores[number]
        is_granted = (row.address, store.owner) in self.mail.granted and not store.is_loose
        return is_granted and self.ran.after.boxes[number].active != 0

    # everybody

    def whoever_is_not_served_is_told(self) -> None:
        """After a run that came to its end each entry has its mailbox, or a sentence says why not."""
        result, told = self.ran.result, self.ran.told
        if result is None or not self.ran.is_complete or self.scoped or self.ran.request.dry_run:
            return
        for person in told.people:
            missing = self.missing_to(person)
            if missing:
                assert self.is_told(person), f"{person.dn} ({person.mail}) {missing}, and nobody is told"
            if missing and "active" not in missing and not self.waits(person):  # that is a warning
                assert result.exit_code, f"{person.dn} ({person.mail}) {missing}, and the exit code is 0"

    def missing_to(self, person: Person) -> str:
        """Return what somebody lacks, in words."""
        store = self.mail.at(person.mail)
        if store is None:
            in_domain = [one for one in self.mail.of(person.id) if domain_of(one.address) == domain_of(person.mail)]
            return "has no mailbox" if person.active or in_domain else ""
        if self.is_released(store.box):
            return ""  # whoever let go of it knows
        if store.owner != person.id:
            return f"has a mailbox that is {store.owner or 'somebody'}'s"
        if store.mark != self.mark:
            return "has a mailbox that isn't managed"
        if store.box.active != int(person.active) and self.ran.told.trust is not Trust.NO_STATUS:
            return f"has a mailbox with active={store.box.active}"
        return "" if store.box.password in store.passwords else "has another password"

    def is_told(self, person: Person) -> bool:
        """Tell whether a sentence of the run names somebody, or the run ended saying that nobody was looked at."""
        return any(person.dn in text or person.mail in text for text in self.sentences())

    def waits(self, person: Person) -> bool:
        """Tell whether a later run gives somebody the new address, without anybody's doing."""
        assert self.ran.result is not None
        return any(one.code is Code.ADDRESS_WAITS and one.where == person.dn for one in self.ran.result.findings)

    def sentences(self) -> Iterator[str]:
        result = self.ran.result
        assert result is not None
        told = (one for one in result.findings if one.level is not Level.INFO or one.code is Code.ADDRESS_WAITS)
        yield from (f"{one.where} {one.sentence}" for one in told)
        yield from (f"{one.sentence} {' '.join(one.addresses)}" for one in result.plan.withheld)
        yield from (f"{one.address} {one.dn}" for one in result.plan.pending)
        hidden = self.ran.told.trust in {Trust.NO_MAILS, Trust.NO_STATUS, Trust.NO_PASSWORDS, Trust.NO_IDS}
        if hidden or self.is_told_of_another_server:
            yield " ".join(f"{one.dn} {one.mail}" for one in self.ran.told.people)  # one sentence for all of them


def is_shut(before: Mailbox, after: Mailbox) -> bool:
    """Tell whether a mailbox takes less than before: 1 is all, 2 mail without logins, 0 nothing."""
    takes = {1: 2, 2: 1, 0: 0}
    return takes[after.active] < takes[before.active]


def most(total: int, forced: int) -> int:
    """Return how many of so many may go at once: five or a tenth, half at most, one at least, or what is forced."""
    return max(1, min(max(5, total * 10 // 100), total // 2), forced)


def between(answers: Sequence[datetime]) -> timedelta:
    """Return how long somebody was gone: only time in which runs were looking counts, by a clock that may jump."""
    return sum((min(max(later - one, timedelta()), WEEK) for one, later in pairwise(answers)), timedelta())


def domain_of(address: str) -> str:
    """Return the domain of an address."""
    return address.rpartition("@")[2]


def planned(ran: Ran) -> list[object]:
    """Return what a run meant to do, and what it said: what two runs that see the same must have in common."""
    assert ran.result is not None
    plan = ran.result.plan
    return [
        [(change.name, change.why, change.fields) for change in plan.changes],
        [(one.name, one.addresses) for one in plan.withheld],
        sorted((one.code, one.where, one.sentence) for one in ran.result.findings),
    ]


def left_to_do(ran: Ran, first: Ran) -> list[str]:
    """Return the changes that a second run means to make, but for what is written again each time.

    Nor what was too much for the first: a limit is a share of what is managed, which may be more by now. Nor what
    becomes of an address that the first has set free, by a deletion, the last thing in a run, or by a renaming: a chain
    of renames goes one link a run, and a mailbox that was inactive is renamed once it is active.
    """
    assert ran.result is not None
    assert first.result is not None
    kept, still = ({one.name for one in of.withheld} for of in (first.result.plan, ran.result.plan))
    too_many = {one.name for one in first.result.plan.withheld if one.reason is Reason.OVER_LIMIT}
    if too_many & kept - still:
        return []
    free = {change.address for change in first.result.plan.changes if change.kind is Kind.DELETE}
    free |= {change.former for change in first.result.plan.changes if isinstance(change, RenameChange)}
    enabled = {change.address for change in first.result.plan.changes if change.kind is Kind.ENABLE}
    renames = [change for change in ran.result.plan.changes if isinstance(change, RenameChange)]
    free |= {change.address for change in renames if change.former in enabled}

    def is_about(change: Change) -> set[str]:
        gotos = [str(field.after).split(",") for field in change.fields if field.key == "goto"]
        return {change.address, *(target for goto in gotos for target in goto)}

    changes = [change for change in ran.result.plan.changes if change.kind is not Kind.REASSERT]
    return [change.name for change in changes if not is_about(change) & free]
