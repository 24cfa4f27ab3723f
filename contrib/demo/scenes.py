"""The scenes: what happens in the directory and in mailcow, what is typed then, and what is to be seen."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

import yaml

from ldap2mailcow.model import Code
from tests.mailcow_server import FaultKind

from .directory import BOOKSHOP, CLEAR_TEXT, COMPANY, FORMER, GROUPS, PEOPLE, STAFF, Person, new_password
from .stage import Stage

SYNC = "python mailcow_ldap_sync.py"
SET = "MAILCOW_LDAP_SYNC__"
BOSS_DN = f"uid=Helga.Thorsen,ou=management,{PEOPLE}"

MANAGERS = tuple(person.dn for person in STAFF if person.unit == "management")
BOOKSELLERS = tuple(person.dn for person in STAFF if person.unit == "bookshop")
PRINTER = Person("printer", "The", "Printer")

Act = Callable[[Stage], object]


@dataclass(frozen=True, slots=True)
class Scene:
    """One command with what comes before it, and what it is announced to show."""

    title: str
    """What is to be seen, after what it is about."""
    line: str
    """What is typed; `{ldap}` is where the directory is in clear."""
    events: tuple[tuple[str, tuple[Act, ...]], ...] = ()
    """What happens before, in words and in deeds."""
    exit_code: int = 0
    codes: frozenset[Code] = frozenset()
    """The findings that its output names: these and no others."""
    says: str | None = None
    """What its output has in it too; the empty text for an output that is empty."""


def _hire(person: Person, **attributes: str | bytes | list[str]) -> Act:
    return lambda stage: stage.directory.hire(person, **attributes)


def _edit(uid: str, /, **attributes: str | bytes | list[str]) -> Act:
    return lambda stage: stage.directory.edit(uid, **attributes)


def _move(uid: str, unit: str) -> Act:
    return lambda stage: stage.directory.move(uid, unit)


def _remove(*uids: str) -> Act:
    return lambda stage: stage.directory.remove(*uids)


def _form(name: str, *members: str, **attributes: str | list[str]) -> Act:
    return lambda stage: stage.directory.form(name, *members, **attributes)


def _regroup(name: str, *members: str, **attributes: str | list[str]) -> Act:
    return lambda stage: stage.directory.regroup(name, *members, **attributes)


def _pass_on(name: str, *targets: str) -> Act:
    return lambda stage: stage.directory.pass_on(name, *targets)


def _make_alias(local_part: str, goto: str) -> Act:
    alias = {"address": f"{local_part}@{COMPANY}", "goto": f"{goto}@{COMPANY}", "active": 1}
    return _call_mailcow("add/alias", alias)


def _disable_alias(stage: Stage) -> None:
    alias = stage.mailcow.state.alias_at(f"boss@{COMPANY}")
    stage.call_mailcow("edit/alias", {"items": [alias.id if alias else 0], "attr": {"active": 0}})


def _fill_aliases(stage: Stage) -> None:
    state = stage.mailcow.state
    state.domains[COMPANY].aliases = sum(a.domain == COMPANY and not a.is_self_row for a in state.aliases.values())


def _renew(stage: Stage) -> None:
    stage.directory.renew()


def _hide(what: str) -> Act:
    return lambda stage: stage.directory.hide(what)


def _limit_answers(entries: int) -> Act:
    return lambda stage: stage.directory.limit_answers(entries)


def _call_mailcow(path: str, body: object) -> Act:
    return lambda stage: stage.call_mailcow(path, body)


def _make_mailbox(local_part: str, name: str) -> Act:
    password = {"password": "made-by-hand-1", "password2": "made-by-hand-1"}
    box = {"local_part": local_part, "domain": COMPANY, "name": name, "quota": 1024, "active": 1, **password}
    return _call_mailcow("add/mailbox", box)


def _tag(local_part: str, tag: str) -> Act:
    return _call_mailcow("edit/mailbox", {"items": [f"{local_part}@{COMPANY}"], "attr": {"tags": [tag]}})


def _delete_by_halves(stage: Stage) -> None:
    stage.mailcow.faults.add(FaultKind.HALF_DELETED, "delete/mailbox")
    stage.call_mailcow("delete/mailbox", [f"info@{COMPANY}"])


def _change_password_in_mailcow(stage: Stage) -> None:
    stage.mailcow.state.mailboxes[f"f.haddad@{COMPANY}"].attributes.update({"passwd_update": "2037-01-01 08:00:00"})


def _fill_domain(stage: Stage) -> None:
    stage.mailcow.state.domains[COMPANY].mailboxes = len(stage.mailcow.state.mailboxes_in(COMPANY))


def _leave_little_quota(stage: Stage) -> None:
    used = stage.mailcow.state.quota_used_in(BOOKSHOP) // 1024**2
    stage.mailcow.state.domains[BOOKSHOP].quota = used + 512


def _expose_password_file(stage: Stage) -> None:
    stage.file("ldap-password").chmod(0o644)


def _lose_key(stage: Stage) -> None:
    stage.file("mailcow_ldap_sync.sqlite3.key").unlink()


def _add_directory(stage: Stage) -> None:
    path = stage.file("config.yaml")
    config = yaml.safe_load(path.read_text(encoding="utf-8"))
    down = {"name": "elsewhere", "uri": "ldaps://127.0.0.1:9", "user_search_base": "dc=elsewhere"}
    config["ldap"] = [{"name": "nord", **config["ldap"]}, down]
    path.write_text(yaml.safe_dump(config), encoding="utf-8")


def _leave_ancestors_database(stage: Stage) -> None:
    with closing(sqlite3.connect(stage.file("mailcow.sqlite3"))) as database, database:
        database.execute("CREATE TABLE user (id INTEGER PRIMARY KEY, uid TEXT, mail TEXT)")
        rows = [(person.dn, person.mail) for person in STAFF[:3]]
        database.executemany("INSERT INTO user (uid, mail) VALUES (?, ?)", rows)


STORY = (
    Scene(
        "A dry run: what a run would do, and nothing is written anywhere.",
        f"{SYNC} --dry-run",
        (
            (
                "mailcow has three mailboxes that were made by hand; two of them belong to people of the directory",
                (
                    _make_mailbox("helga.thorsen", "Helga T"),
                    _make_mailbox("anna.berg", "Anna Berg"),
                    _make_mailbox("info", "Info"),
                ),
            ),
        ),
        says="Dry run: 38 to create, 2 to adopt, aliases: 6 to create;",
    ),
    Scene(
        "The first run: the two keep their passwords, the third is left alone.",
        SYNC,
        says="38 created, 2 adopted, aliases: 6 created; 40 mailboxes in the directory, 40 managed",
    ),
    Scene(
        "The second run: nothing to do, so not a write, not a word, and no mail from cron.",
        SYNC,
        says="",
    ),
    Scene(
        "A day at work: each change has its reason, each finding a remedy. Deniz is only noted at first.",
        f"{SYNC} -v 2>>sync.log",
        (
            ("Thandiwe Dlamini joins", (_hire(Person("t.dlamini", "Thandiwe", "Dlamini", quota="4G")),)),
            ("Jule Petersen is Jule Brandt now", (_edit("j.petersen", sn="Brandt", cn="Jule Brandt"),)),
            ("Emil Krüger has a new password", (_edit("emil", userPassword=new_password()),)),
            ("Maja Kowalska gets 6 GiB", (_edit("maja", MailQuota="6 GiB"),)),
            ("Ivan Petrov goes on leave (mailActive: FALSE)", (_edit("i.petrov", mailActive="FALSE"),)),
            ("Deniz Kaya leaves (the entry moves to ou=former)", (_move("d.kaya", FORMER),)),
            ("a printer is entered beside them, and has no address", (_hire(PRINTER, mail=[]),)),
        ),
        codes=frozenset({Code.NO_MAIL}),
        says="1 created, 3 updated, 1 disabled, 1 pending, 1 finding;",
    ),
    Scene(
        "The next run: a second whole answer without Deniz, so the mailbox is disabled. No mail is deleted.",
        SYNC,
        says="disable   d.kaya@",
    ),
    Scene(
        "They are back: the mailboxes that were disabled from here are enabled again. The printer's finding is gone.",
        SYNC,
        (
            (
                "Deniz Kaya returns, and so does Ivan Petrov",
                (_move("d.kaya", f"ou=office,{PEOPLE}"), _edit("i.petrov", mailActive="TRUE")),
            ),
            ("the printer's entry is deleted", (_remove("printer"),)),
        ),
        says="2 enabled;",
    ),
    Scene(
        "Aliases, lists, forwardings and send-as. A member who leaves a group leaves every list above it.",
        SYNC,
        (
            ("Maja Kowalska gets a second address", (_edit("maja", mailAlias=f"maja.kowalska@{BOOKSHOP}"),)),
            ("Nils Åkesson leaves the bookshop's list", (_regroup("buchladen", *BOOKSELLERS[:-1]),)),
            (
                "a new list has the management and Jule Brandt on it; press@ goes to an agency outside",
                (
                    _form("project", f"cn=management,{GROUPS}", f"uid=j.petersen,ou=office,{PEOPLE}"),
                    _pass_on("press", "desk@agency.example"),
                ),
            ),
            ("Chloé Moreau may send as Helga Thorsen", (_edit("c.moreau", mailSendAs=BOSS_DN),)),
        ),
        says="1 given other send-as rights, aliases: 3 created, 2 updated;",
    ),
    Scene(
        "People marry: the mailbox gets the new name with all that is in it, and the old address goes on working.",
        SYNC,
        (
            ("i.petrov@ becomes ivan.petrov@", (_edit("i.petrov", mail=f"ivan.petrov@{COMPANY}"),)),
            ("h.yamada@ becomes hana@", (_edit("h.yamada", mail=f"hana@{COMPANY}"),)),
        ),
        says="2 renamed",
    ),
    Scene(
        "A wrong filter: the bookshop is missing, but the filter is another one, too. Nobody is disabled.",
        f"{SET}LDAP__USER_SEARCH_FILTER='(mail=*@{COMPANY})' {SYNC}",
        exit_code=4,
        says="14 withheld;",
    ),
    Scene(
        "The way out: the right filter. The run says that the trouble is over.",
        SYNC,
        says="nothing to do; 41 mailboxes in the directory, 41 managed",
    ),
    Scene(
        "The workshop closes: one run counts the absence, the next one asks, for 9 are more than it may take.",
        f"{SYNC} && {SYNC}",
        (
            (
                "nine of the workshop's entries are deleted",
                (
                    _remove(
                        *(
                            person.uid
                            for person in STAFF
                            if person.unit == "workshop" and person.uid not in {"m.ferrari", "n.nguyen"}
                        )
                    ),
                ),
            ),
        ),
        exit_code=4,
        says="9 withheld;",
    ),
    Scene(
        "It is meant: the administrator has read the list and types its length.",
        f"{SYNC} --force-removals 9",
        says="9 disabled;",
    ),
)

CORNERS = (
    Scene(
        "Entries that can't be a mailbox: each is named with a remedy, and everybody else is served as ever.",
        f"{SYNC} --dry-run",
        (
            (
                "a printer has no mail, somebody has two, one has a blank in it, one is another company's",
                (
                    _hire(PRINTER, mail=[]),
                    _hire(Person("q.adeyemi", "Q", "Adeyemi"), mail=[f"q@{COMPANY}", f"quinn@{COMPANY}"]),
                    _hire(Person("y.sato", "Y", "Sato"), mail=f"y sato@{COMPANY}"),
                    _hire(Person("guest", "G", "Guest"), mail="guest@elsewhere.example"),
                ),
            ),
            (
                "one is postmaster@, and two are chef@",
                (
                    _hire(Person("postmaster", "Petra", "Post")),
                    _hire(Person("chef.one", "A", "Chef"), mail=f"chef@{COMPANY}"),
                    _hire(Person("chef.two", "B", "Chef"), mail=f"Chef@{COMPANY}"),
                ),
            ),
        ),
        3,
        frozenset(
            {
                Code.NO_MAIL,
                Code.SEVERAL_MAILS,
                Code.BAD_ADDRESS,
                Code.DOMAIN_NOT_HOSTED,
                Code.RESERVED_ADDRESS,
                Code.DUPLICATE_ADDRESS,
            },
        ),
    ),
    Scene(
        "Values that can't be read: nothing is guessed, mailcow's value stays.",
        f"{SYNC} --dry-run",
        (
            (
                "a name of 300 letters, a quota of 'plenty', a status of 'maybe', a TLS flag of 'often'",
                (
                    _edit("c.moreau", givenName="Chloé" * 60),
                    _edit("e.novak", MailQuota="plenty"),
                    _edit("g.szabo", mailActive="maybe"),
                    _edit("h.yamada", tlsOut="often"),
                ),
            ),
        ),
        3,
        frozenset({Code.NAME_INVALID, Code.QUOTA_INVALID, Code.ACTIVE_INVALID, Code.TLS_INVALID}),
    ),
    Scene(
        "Passwords: mailcow takes an unknown scheme for the password itself, so only what it can verify is sent.",
        f"{SET}PASSWORD_DRIFT=report {SYNC} --dry-run",
        (
            (
                "one is in clear text, one is PBKDF2, one isn't UTF-8, one is gone, and somebody new has none",
                (
                    _edit("agnes", userPassword=CLEAR_TEXT),
                    _edit("bela", userPassword="{PBKDF2-SHA512}10000$c2FsdA$a2V5"),
                    _edit("carmen", userPassword="Núñez-1".encode("latin-1")),
                    _edit("dilara", userPassword=[]),
                    _hire(Person("oskar", "Oskar", "Ek"), userPassword=[]),
                ),
            ),
            ("Farid Haddad changed his in mailcow", (_change_password_in_mailcow,)),
        ),
        3,
        frozenset(
            {
                Code.CLEAR_TEXT_PASSWORD,
                Code.PASSWORD_UNUSABLE,
                Code.NOT_UTF8,
                Code.PASSWORD_VANISHED,
                Code.NO_PASSWORD,
                Code.PASSWORD_DRIFT,
            },
        ),
    ),
    Scene(
        "Addresses that aren't free yet: each mailbox keeps its own, and the turn of each is said.",
        f"{SYNC} --dry-run -v 2>>sync.log",
        (
            (
                "two users exchange their addresses",
                (_edit("m.jansen", mail=f"okonkwo@{COMPANY}"), _edit("okonkwo", mail=f"m.jansen@{COMPANY}")),
            ),
            (
                "e.novak@ becomes g.szabo@, which gives way for gabor@",
                (_edit("e.novak", mail=f"g.szabo@{COMPANY}"), _edit("g.szabo", mail=f"gabor@{COMPANY}")),
            ),
            ("Béla asks for the former address of Ivan Petrov", (_edit("bela", mailAlias=f"i.petrov@{COMPANY}"),)),
            ("a new user is inactive yet", (_hire(Person("u.later", "Uma", "Later"), mailActive="FALSE"),)),
        ),
        3,
        frozenset({Code.ADDRESS_EXCHANGE, Code.ADDRESS_WAITS, Code.FORMER_ADDRESS, Code.INACTIVE_NEW}),
    ),
    Scene(
        "Whose address is it? Where that isn't certain, nobody's mail is given to anybody.",
        f"{SET}ADOPT_MAILBOXES=refuse {SET}RENAMES=hold {SYNC} --dry-run",
        (
            (
                "m.ferrari@ becomes marco@; a new Xenia Lind gets the address of Xin Li who left",
                (_edit("m.ferrari", mail=f"marco@{COMPANY}"), _hire(Person("x.li", "Xenia", "Lind"))),
            ),
            (
                "one new address is an alias in mailcow, another one the mailbox that was made by hand",
                (
                    _call_mailcow("add/alias", {"address": f"zoe@{COMPANY}", "goto": f"info@{COMPANY}", "active": 1}),
                    _hire(Person("zoe", "Zoé", "Amar")),
                    _hire(Person("info", "Ina", "Forster")),
                ),
            ),
            (
                "an administrator disables g.szabo@ in mailcow",
                (_call_mailcow("edit/mailbox", {"items": [f"g.szabo@{COMPANY}"], "attr": {"active": 0}}),),
            ),
            ("e.novak has no address any more", (_edit("e.novak", mail=[]),)),
            (
                "c.moreau was set inactive from here, and her entry no longer says why",
                (
                    _edit("c.moreau", mailActive=[]),
                    _call_mailcow(
                        "edit/mailbox",
                        {"items": [f"c.moreau@{COMPANY}"], "attr": {"active": 0, "tags": ["ldap-sync:disabled"]}},
                    ),
                ),
            ),
        ),
        3,
        frozenset(
            {
                Code.RENAMED,
                Code.ADDRESS_REUSED,
                Code.ADDRESS_IS_ALIAS,
                Code.ADOPTION_REFUSED,
                Code.DISABLED_BY_HAND,
                Code.NO_MAIL,
                Code.ADDRESS_LOST,
                Code.STATUS_UNTOLD,
            },
        ),
    ),
    Scene(
        "Groups that aren't what they should be: whoever can be reached is; a loop is cut, nothing is guessed.",
        f"{SET}LIMITS__LIST_MEMBERS=20 {SYNC} --dry-run -v 2>>sync.log",
        (
            (
                "one has no mail, two contain each other, one holds somebody who doesn't exist, one nobody at all",
                (
                    _form("drafts", BOSS_DN, mail=[]),
                    _form("ring", f"cn=band,{GROUPS}", BOSS_DN),
                    _form("band", f"cn=ring,{GROUPS}"),
                    _form("ghosts", BOSS_DN, f"uid=nobody,{PEOPLE}"),
                    _form("nobody"),
                ),
            ),
            (
                "one is internal 'maybe', and its comment is a novel; one has more members than a list may have",
                (
                    _regroup("management", *MANAGERS, mailTag="maybe", description="Once upon a time. " * 12),
                    _form("all", *(person.dn for person in STAFF)),
                ),
            ),
        ),
        3,
        frozenset(
            {
                Code.LIST_WITHOUT_MAIL,
                Code.LIST_LOOP,
                Code.MEMBER_NOT_FOUND,
                Code.LIST_EMPTY,
                Code.FLAG_INVALID,
                Code.COMMENT_INVALID,
                Code.LIST_TOO_LONG,
            },
        ),
    ),
    Scene(
        "What people write about themselves: it can do others no harm.",
        f"{SET}LDAP__GROUP_MAPPING__MEMBER='[member, memberURL]' {SYNC} --dry-run",
        (
            (
                "a group's URL asks for the password hash of the head of the company",
                (_form("curious", memberURL=f"ldap:///{PEOPLE}??sub?(userPassword=*)"),),
            ),
            (
                "Agnes takes Béla's name, Carmen asks for 60 aliases, and one of Dilara's has 9,000 letters",
                (
                    _edit("agnes", uid=["agnes", "bela"]),
                    _edit("carmen", mailAlias=[f"carmen{number}@{COMPANY}" for number in range(60)]),
                    _edit("dilara", mailAlias=f"{'d' * 9_000}@{COMPANY}"),
                ),
            ),
        ),
        3,
        frozenset({Code.NOT_LOOKED_UP, Code.NAME_OF_ANOTHER, Code.TOO_MANY_ALIASES, Code.VALUE_TOO_LONG}),
    ),
    Scene(
        "Aliases that can't be: an address that works for somebody is never taken away from them.",
        f"{SYNC} --dry-run",
        (
            (
                "Anna Berg wants Helga's address as an alias, and one that was made by hand for somebody else",
                (
                    _make_alias("hotline", "info"),
                    _edit("anna.berg", mailAlias=[f"helga.thorsen@{COMPANY}", f"hotline@{COMPANY}"]),
                ),
            ),
            (
                "Björn Lindqvist has a mailbox and forwards as well; a new colleague forwards out of the house",
                (
                    _edit("b.lindqvist", mailForwardingAddress=f"helga.thorsen@{COMPANY}"),
                    _hire(Person("z.polat", "Zeynep", "Polat"), mailForwardingAddress="zeynep@home.example"),
                ),
            ),
            (
                "a forwarding goes to an address of ours that nobody has, and somebody shall send as one",
                (
                    _pass_on("lost", f"nobody@{COMPANY}", f"helga.thorsen@{COMPANY}"),
                    _pass_on("found", f"helga.thorsen@{COMPANY}"),
                    _edit("okonkwo", mailSendAs=f"nobody@{COMPANY}"),
                ),
            ),
            (
                "an administrator sets boss@ inactive in mailcow, and the domain takes no more aliases",
                (_disable_alias, _fill_aliases),
            ),
        ),
        3,
        frozenset(
            {
                Code.ALIAS_IS_MAILBOX,
                Code.ALIAS_NOT_OURS,
                Code.FORWARD_BESIDE_MAILBOX,
                Code.FOREIGN_GOTO,
                Code.MEMBER_UNREACHABLE,
                Code.SEND_AS_NOT_FOUND,
                Code.ALIAS_DISABLED_BY_HAND,
                Code.NO_ROOM_FOR_ALIAS,
            },
        ),
    ),
    Scene(
        "Aliases alone: the mailboxes come from elsewhere and are left alone; who has none is told.",
        f"{SET}CREATE_MAILBOXES=false {SYNC} --dry-run",
        (
            (
                "a new colleague has no mailbox yet",
                (_hire(Person("a.farkas", "Anikó", "Farkas"), mailAlias=f"aniko@{COMPANY}"),),
            ),
        ),
        codes=frozenset({Code.ALIAS_WITHOUT_MAILBOX}),
    ),
    Scene(
        "Left alone on purpose: what the config itself excludes is said with -v only.",
        f"{SET}PROTECTED='[helga.thorsen@{COMPANY}]' {SET}LDAP__DOMAINS='[{COMPANY}]' \\\n"
        f"  {SYNC} --dry-run -v --only helga.thorsen@{COMPANY} --only katja@bücher.example 2>>sync.log",
        codes=frozenset({Code.PROTECTED, Code.DOMAIN_NOT_OURS}),
    ),
    Scene(
        "Somebody else's: what was released from here, and what another installation has marked, is left alone.",
        f"{SYNC} --dry-run -v --only anna.berg@{COMPANY} --only d.kaya@{COMPANY} 2>>sync.log",
        (
            ("Anna Berg's mailbox is released", (_tag("anna.berg", "ldap-sync:released"),)),
            ("the branch in Berlin has Deniz Kaya's", (_tag("d.kaya", "ldap-sync-berlin"),)),
        ),
        3,
        frozenset({Code.RELEASED, Code.OTHER_INSTALLATION}),
    ),
    Scene(
        "Gone for good: with `delete` a mailbox is deleted a month after it was disabled, and until then it is told.",
        f"{SET}REMOVED_USERS__ACTION=delete {SYNC} --dry-run | grep pending",
        says="would be deleted from",
    ),
    Scene(
        "What mailcow can't hold: the plan knows its limits and says what won't fit, instead of running into it.",
        f"{SYNC} --dry-run",
        (
            (
                "the company has all the mailboxes that its domain may have, and Ravi Singh joins",
                (_hire(Person("r.singh", "Ravi", "Singh")), _fill_domain),
            ),
            (
                "the bookshop has 512 MiB left, Greta Müller wants 5 GiB, and Katja Žižek 50",
                (_edit("greta", MailQuota="5G"), _edit("katja", MailQuota="50G"), _leave_little_quota),
            ),
            ("deleting info@ in mailcow dies midway and leaves a row of nulls", (_delete_by_halves,)),
        ),
        3,
        frozenset(
            {Code.NO_ROOM_FOR_MAILBOX, Code.NO_ROOM_FOR_QUOTA, Code.QUOTA_OVER_LIMIT, Code.HALF_DELETED},
        ),
    ),
    Scene(
        "One mailbox at a time: mailcow has no LDAP login to switch to, and one of the addresses is a slip.",
        f"{SET}LDAP__USER_MAPPING__AUTHSOURCE=ldap \\\n"
        f"  {SYNC} --dry-run --only anna.berg@{COMPANY} --only ana.berg@{COMPANY}",
        exit_code=3,
        codes=frozenset({Code.PROVIDER_NOT_SET_UP, Code.NOT_IN_DIRECTORY}),
    ),
    Scene(
        "Half an answer: nobody is missing because the server stopped at its limit.",
        f"{SYNC} --dry-run",
        (("the directory gets a size limit of 20 entries", (_limit_answers(20),)),),
        4,
        frozenset({Code.ANSWER_CUT_SHORT}),
    ),
    Scene(
        "Nobody at all: the search base is a wrong one.",
        f"{SET}LDAP__USER_SEARCH_BASE={FORMER} {SYNC} --dry-run",
        exit_code=4,
        codes=frozenset({Code.NO_USERS}),
    ),
    Scene(
        "Lost rights: what the bind DN may no longer see looks like a departure, and isn't taken for one.",
        f"{SET}LDAP__CANARY_DNS='[\"{BOSS_DN}\"]' \\\n  {SYNC} --dry-run",
        (
            (
                "new access rules hide all quotas, the bookshop's entryUUIDs and Helga Thorsen",
                (
                    _hide("attrs=MailQuota"),
                    _hide(f'dn.subtree="ou=bookshop,{PEOPLE}" attrs=entryUUID'),
                    _hide(f'dn.exact="{BOSS_DN}" attrs=entry'),
                ),
            ),
        ),
        4,
        frozenset(
            {
                Code.ATTRIBUTE_VANISHED,
                Code.ID_MISSING,
                Code.CANARY_MISSING,
                Code.MEMBER_NOT_FOUND,
                Code.SEND_AS_NOT_FOUND,
            },
        ),
    ),
    Scene(
        "The installation: five things that whoever keeps it should know.",
        f"{SET}LDAP__REQUIRE_TLS=false \\\n"
        f"  {SET}LDAP__URI='[{{ldap}}, ldap://ldap.elsewhere.internal]' \\\n"
        f"  {SYNC} --dry-run --do-not-verify",
        (
            (
                "everybody may read ldap-password, and the key of the state file is lost",
                (_expose_password_file, _lose_key),
            ),
            ("the database of mailcow-ldap-sync lies beside the config", (_leave_ancestors_database,)),
        ),
        codes=frozenset(
            {
                Code.LDAP_NOT_ENCRYPTED,
                Code.NOT_VERIFIED,
                Code.SECRET_READABLE,
                Code.DIGEST_KEY_LOST,
                Code.ANCESTOR_STATE,
            }
        ),
    ),
    Scene(
        "Several directories: one that is down is left out, and one that the config no longer has isn't called empty.",
        f"{SYNC} --dry-run",
        (("the config has two directories now, and no longer the name of the one before", (_add_directory,)),),
        4,
        frozenset({Code.DIRECTORY_NOT_READ, Code.DIRECTORY_UNKNOWN}),
    ),
    Scene(
        "A new directory server: the same people with other ids. Once confirmed, their addresses tell who is who.",
        f"{SYNC} --dry-run; {SYNC} --dry-run --approve takeover:32",
        (("all entries are made anew, as after a move to another server", (_renew,)),),
        codes=frozenset({Code.IDS_REPLACED}),
    ),
    Scene(
        "No directory: try later. Cron's mail says so at once, then once a day.",
        f"{SET}LDAP__URI=ldaps://127.0.0.1:9 {SYNC}",
        exit_code=75,
        says="LDAP unreachable: ",
    ),
    Scene(
        "Refused: one try, then none for 15 minutes, so that no account is locked.",
        f"{SET}LDAP__BIND_DN=cn=reader,o=elsewhere {SYNC}",
        exit_code=77,
        says="LDAP refused: ",
    ),
    Scene(
        "A wrong config: every mistake at once, with its place and a remedy, before any connection.",
        f"{SET}LDAP__URI=ldap.{COMPANY} {SET}REMOVED_USERS=deleet {SYNC}",
        exit_code=78,
        says="At 'removed_users.action'",
    ),
)
