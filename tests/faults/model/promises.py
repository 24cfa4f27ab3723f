"""What a run may never do, whatever it is given and whatever happens to it: DESIGN.md section 4, read plainly.

Each promise looks at what mailcow held before and after, and at what the directory really said. None of them knows how
the package comes to its decisions.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import timedelta
from functools import cached_property

from ldap2mailcow.model import Kind, Level
from tests.mailcow_server import Alias, Mailbox

from .installation import Ran
from .mail import US, Mail, Store
from .people import NET, ORG, Person, Trust

GRACE = timedelta(minutes=30)
ANSWERS = 2
HOSTED = (ORG, NET)


@dataclass
class Judge:
    """One run, and all that is known of whose mail lies where."""

    ran: Ran
    mail: Mail

    def judge(self) -> None:
        """Hold a run to every promise, and follow what it did."""
        self.grant()
        self.no_mail_is_lost()
        self.what_is_not_ours_stays()
        self.new_mailboxes_are_somebodys_own()
        self.nobody_gets_the_mail_of_others()
        self.who_is_remembered_is_the_owner()
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

    @property
    def scoped(self) -> bool:
        return self.ran.request.options.scoped

    @cached_property
    def stores(self) -> list[tuple[Store, Mailbox, Mailbox]]:
        """All mail that was there before: with its mailbox as it was, and as it is."""
        before, after = self.ran.before.boxes, self.ran.after.boxes
        return [(self.mail.stores[number], before[number], after[number]) for number in before if number in after]

    @property
    def knows_absence(self) -> bool:
        """Whether whoever it doesn't name is gone."""
        return self.ran.told.is_whole and not self.scoped

    def person(self, store: Store) -> Person | None:
        """Return the entry of a store's owner, if the run was told of it."""
        if store.is_loose:
            return next(iter(self.ran.told.whose(store.address)), None)
        return next((person for person in self.ran.told.people if person.id == store.owner), None)

    def grant(self) -> None:
        """Note whom the directory gives which address."""
        people = {person.name: person for person in self.ran.told.people}
        granted = self.mail.granted
        granted |= {(address, one.id) for one in people.values() for address in (one.mail, *one.aliases)}
        granted |= {
            (one.mail, people[name].id) for one in self.ran.told.lists for name in one.members if name in people
        }

    # mail

    def no_mail_is_lost(self) -> None:
        lost = self.ran.before.boxes.keys() - self.ran.after.boxes.keys()
        assert not lost, f"mail is lost: {[self.ran.before.boxes[number].username for number in lost]}"

    def what_is_not_ours_stays(self) -> None:
        """What somebody made by hand is untouched, unless it becomes the mailbox of the one who has its address."""
        policy = self.ran.config.adopt_mailboxes
        for store, before, after in self.stores:
            if store.mark == self.mark or asdict(before) == asdict(after):
                continue
            assert not store.mark, f"{before.username} is another installation's"
            assert policy != "refuse", f"{before.username} is taken over"
            wanting = self.ran.told.whose(before.username)
            assert len(wanting) == 1, f"{before.username} is taken over for {wanting}"
            assert self.mark in after.tags, f"{before.username} is changed without our mark"
            assert policy == "overwrite" or after.password == before.password, f"the password of {before.username}"
            store.mark, store.is_loose = self.mark, False
            self.gives(store, wanting[0])

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
            if self.ran.told.trust is not Trust.NO_STATUS:
                assert box.active == int(owner.active), f"{box.username} is made, active={box.active}"
            others = [one.address for one in self.mail.of(owner.id) if one.mark == self.mark and not one.is_loose]
            assert not others, f"{owner.dn} gets {box.username} besides {others}"
            inactive_by = frozenset() if box.active else frozenset({US})
            store = Store(row, self.mark, owner.id, inactive_by=inactive_by, passwords={box.password})
            self.mail.stores[number] = store

    def nobody_gets_the_mail_of_others(self) -> None:
        """A password that is written is that of the one whose mail it lets in to."""
        for store, before, after in self.stores:
            if before.password == after.password:
                continue
            assert store.mark == self.mark, f"the password of {after.username}, which is not ours, is written"
            writers = [one for one in self.ran.told.people if one.password == after.password]
            assert writers, f"{after.username} has a password that nobody has"
            person = writers[0]
            assert person.mail == after.username, f"{after.username} has the password of {person.dn}"
            self.gives(store, person)

    def gives(self, store: Store, person: Person) -> None:
        """Let somebody have a store, if they may have it."""
        if store.owner != person.id:
            assert self.may_take(store), (
                f"the mail of {store.owner} at {store.address} goes to {person.dn}, {person.id}"
            )
            self.mail.granted |= {(address, person.id) for address, owner in self.mail.granted if owner == store.owner}
            store.owner = person.id
            store.is_seen()
        store.passwords.add(person.password)

    def may_take(self, store: Store) -> bool:
        """Tell whether another entry may have a store: where nobody has it, or its owner has only just gone."""
        if store.is_loose or not store.owner:
            return True
        is_gone = store.owner not in self.ran.told.ids and self.ran.told.is_whole
        since = store.absent_since or self.ran.now
        return is_gone and not self.ran.request.options.overridden_filter and self.ran.now - since <= GRACE

    def who_is_remembered_is_the_owner(self) -> None:
        """The state file says of a mailbox that it is the one's whose mail lies in it."""
        if self.ran.request.dry_run:
            return
        for address, entry_id in self.ran.house.rows().items():
            store = self.mail.at(address)
            if store is None or store.mark != self.mark or entry_id is None:
                continue
            if entry_id != store.owner and self.ran.rows.get(address) != entry_id:
                person = next((one for one in self.ran.told.people if one.id == entry_id), None)
                assert person, f"{address} is remembered as that of {entry_id}, which isn't told"
                assert person.mail == address, f"{address} is remembered as that of {person.dn}"
                self.gives(store, person)
            if store.is_loose:
                store.owner = entry_id
            store.is_loose = False

    # status

    def status_follows_the_rules(self) -> None:
        """Inactive is who says so, or is gone for long enough; active again is only what we had set inactive."""
        for store, before, after in self.stores:
            if before.active == after.active:
                continue
            name = after.username
            assert store.mark == self.mark, f"{name}, which is not ours, goes from {before.active} to {after.active}"
            if after.active == 0:
                self.may_be_disabled(store)
                store.inactive_by, store.was_active = frozenset({US}), before.active
                store.is_noted_inactive, store.inactive_since = True, self.ran.now
            else:
                assert before.active == 0, f"{name} goes from {before.active} to {after.active}"
                assert US in store.inactive_by, f"{name} was set inactive by hand, and is active again"
                person = self.person(store)
                assert person, f"{name} is active again, and {store.owner} isn't there"
                assert person.active, f"{name} is active again, and {person.dn} is not"
                assert after.active == store.was_active or store.is_loose, f"{name} goes from 0 to {after.active}"
                store.inactive_by = frozenset()

    def may_be_disabled(self, store: Store) -> None:
        person, name = self.person(store), store.address
        if person:
            assert not person.active, f"{name} is disabled, and {person.dn} is active"
            assert self.ran.told.trust is not Trust.NO_STATUS, f"{name} is disabled by a status that nobody sees"
            return
        assert self.knows_absence, f"{name} is disabled, and nobody knows that {store.owner} is gone"
        assert self.ran.config.removed_users.action != "keep", f"{name} is disabled, and should be kept"
        answers = [*store.absences, self.ran.now]
        is_long = len(answers) >= ANSWERS and self.ran.now - answers[0] >= GRACE
        assert is_long or self.ran.forced, f"{name} is disabled before its grace is over"

    def count_absences(self) -> None:
        """Note whose entry was looked for in vain."""
        planned = self.ran.result is None or not self.ran.result.error or bool(self.ran.result.plan.changes)
        if not self.knows_absence or not planned or self.ran.request.dry_run:
            return
        certain = self.ran.result is not None and not self.ran.result.error
        for store in self.mail.stores.values():
            if store.mark != self.mark:
                continue
            if store.box.active and self.ran.is_complete:
                store.is_noted_inactive = False
            if self.person(store) is None:
                store.absences.append(self.ran.now)
                if certain:
                    store.absent_since = store.absent_since or self.ran.now
            elif certain:
                store.is_seen()

    # guards

    def no_more_goes_than_is_allowed(self) -> None:
        ours = [before for store, before, _ in self.stores if store.mark == self.mark]
        active = sum(before.active != 0 for before in ours)
        gone = [
            after.username
            for store, before, after in self.stores
            if store.mark == self.mark and before.active and not after.active
        ]
        allowed = max(1, min(max(5, active * 10 // 100), active // 2))
        assert len(gone) <= max(allowed, self.ran.forced), f"{gone} of {active} are disabled at once"
        if self.ran.config.ldap[0].user_search_filter not in self.ran.house.accepted and not self.ran.forced:
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
        elif not result.plan.withheld:
            self.ran.house.accepted.clear()
            self.ran.house.accepted.add(searched)
            self.ran.house.has_ids = True

    def a_scoped_run_knows_nothing_of_others(self) -> None:
        options = self.ran.request.options
        told = {person.id for person in self.ran.told.people}
        for store, before, after in self.stores:
            if options.only and before.username not in options.only:
                assert before == after, f"{before.username} is changed by a run with --only {options.only}"
            if options.overridden_filter and store.owner not in told and not self.ran.told.whose(before.username):
                assert before == after, f"{before.username} is changed by a run with another filter"

    # aliases

    def aliases_of_others_stay(self) -> None:
        """What somebody made by hand is untouched, unless it is just what the directory wants."""
        for number, row in self.ran.before.aliases.items():
            now = self.ran.after.aliases.get(number)
            if self.mail.aliases.get(number) == self.mark:
                continue
            if self.mail.aliases.get(number) is None and self.is_wanted_so(row):
                self.mail.aliases[number] = self.mark
                continue
            assert now, f"the alias {row.address}, which is not ours, is gone"
            assert now == row, f"the alias {row.address}, which is not ours, is changed"
        for number in self.ran.after.aliases.keys() - self.ran.before.aliases.keys():
            self.mail.aliases[number] = self.mark

    def is_wanted_so(self, row: Alias) -> bool:
        """Tell whether the directory wants an alias that goes just where one goes that is there."""
        goto = frozenset(row.goto.split(","))
        for one in self.ran.told.people:
            if row.address in one.aliases and goto == {one.mail}:
                return True
        mails = {person.name: person.mail for person in self.ran.told.people}
        for group in self.ran.told.lists:
            members = {mails[name] for name in group.members if name in mails}
            if row.address == group.mail and goto <= members:
                return True
        return False

    def aliases_lead_to_those_whose_they_are(self) -> None:
        for number, row in self.ran.after.aliases.items():
            if self.mail.aliases.get(number) != self.mark:
                continue
            for target in row.goto.split(","):
                store = self.mail.at(target)
                if store is None or store.is_loose or not store.owner:
                    continue
                granted = (row.address, store.owner) in self.mail.granted
                assert granted, f"what comes to {row.address} goes to {target}, the mail of {store.owner}"

    def partial_knowledge_takes_nothing_away(self) -> None:
        """Where absence isn't believed nobody is disabled, no alias goes, and no list shrinks."""
        told = self.ran.told
        if not told.is_whole:
            for _, before, after in self.stores:
                assert not before.active or after.active, f"{before.username} is disabled by an answer that isn't whole"
        if self.knows_absence and told.trust is not Trust.NO_LISTS:
            return
        listed = {one.mail for one in self.ran.house.directory.lists.values()}
        for number, row in self.ran.before.aliases.items():
            if self.mail.aliases.get(number) != self.mark or (self.knows_absence and row.address not in listed):
                continue
            if any(row.address in one.aliases for one in told.people):
                continue  # somebody's own, who is there: it follows them
            now = self.ran.after.aliases.get(number)
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
            if missing and "active" not in missing:  # that is a warning
                assert result.exit_code, f"{person.dn} ({person.mail}) {missing}, and the exit code is 0"

    def missing_to(self, person: Person) -> str:
        """Return what somebody lacks, in words."""
        store = self.mail.at(person.mail)
        if store is None:
            return "has no mailbox"
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

    def sentences(self) -> Iterator[str]:
        result = self.ran.result
        assert result is not None
        yield from (f"{one.where} {one.sentence}" for one in result.findings if one.level is not Level.INFO)
        yield from (f"{one.sentence} {' '.join(one.addresses)}" for one in result.plan.withheld)
        yield from (f"{one.address} {one.dn}" for one in result.plan.pending)
        if self.ran.told.trust in {Trust.NO_MAILS, Trust.NO_STATUS, Trust.NO_PASSWORDS, Trust.NO_IDS}:
            yield " ".join(f"{one.dn} {one.mail}" for one in self.ran.told.people)  # one sentence for all of them


def planned(ran: Ran) -> list[object]:
    """Return what a run meant to do, and what it said: what two runs that see the same must have in common."""
    assert ran.result is not None
    plan = ran.result.plan
    return [
        [(change.name, change.why, change.fields) for change in plan.changes],
        [(one.name, one.addresses) for one in plan.withheld],
        sorted((one.code, one.where, one.sentence) for one in ran.result.findings),
    ]


def left_to_do(ran: Ran) -> list[str]:
    """Return the changes that a run means to make, but for what is written again each time."""
    assert ran.result is not None
    return [change.name for change in ran.result.plan.changes if change.kind is not Kind.REASSERT]
