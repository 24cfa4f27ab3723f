"""Knowledge: absence is believed only from a whole answer to an accepted search."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ldap2mailcow.config import Source
from ldap2mailcow.desired import measured
from ldap2mailcow.model import GOTO, Answer, Code, Finding, Fingerprint, Remembered, RememberedAlias, Role, SourceMemory

from .view import View

VANISHED_AT_LEAST = 3
"""Fewer entries than this losing an attribute is somebody's edit, not a lost right to read it."""


USER_KEYS = ("user_search_base", "user_search_filter", "domains", "user_mapping.id", "user_mapping.mail")
KEYS: dict[Role, tuple[str, ...]] = {
    Role.USER: (*USER_KEYS, "user_mapping.aliases"),
    Role.LIST: (
        *USER_KEYS,
        "group_search_base",
        "group_search_filter",
        "group_member_filter",
        "group_mapping.mail",
        "group_mapping.member",
        "group_mapping.aliases",
        "user_mapping.group_addresses",
    ),
    Role.FORWARD: (
        *USER_KEYS,
        "user_mapping.forward_to",
        "alias_search_base",
        "alias_search_filter",
        "alias_mapping.mail",
        "alias_mapping.goto",
    ),
    Role.FORMER: USER_KEYS,
}
"""The settings that decide which aliases of each kind there are, besides those that decide who is in the answer."""


def fingerprint(source: Source) -> Fingerprint:
    """Return the settings that decide who is in the answer, and which aliases follow from it."""
    users, groups, forwards = source.user_mapping, source.group_mapping, source.alias_mapping
    found = {
        "user_search_base": source.user_search_base,
        "user_search_filter": source.search_filter,
        "domains": ",".join(sorted(source.domains)),
        "user_mapping.id": users.id,
        "user_mapping.mail": users.mail,
        "user_mapping.aliases": ",".join(users.aliases),
        "user_mapping.group_addresses": users.group_addresses,
        "user_mapping.forward_to": users.forward_to,
        "user_mapping.send_as": users.send_as,
        "send_as_any": source.send_as_any,
    }
    if source.reads_groups:
        found |= {
            "group_search_base": source.group_base,
            "group_search_filter": source.group_filter,
            "group_member_filter": source.group_member_filter,
            "group_mapping.mail": groups.mail,
            "group_mapping.member": ",".join(groups.member),
            "group_mapping.aliases": ",".join(groups.aliases),
            "group_mapping.send_as": groups.send_as,
        }
    if source.reads_forwards:
        found |= {
            "alias_search_base": source.alias_base,
            "alias_search_filter": source.alias_filter,
            "alias_mapping.mail": forwards.mail,
            "alias_mapping.goto": forwards.goto,
        }
    return found


def differing(accepted: Fingerprint, present: Fingerprint, keys: Iterable[str] = USER_KEYS) -> tuple[str, ...]:
    """Return the names of the settings that differ, of those that matter; one that isn't there is empty."""
    return tuple(key for key in keys if accepted.get(key, "") != present.get(key, ""))


SENDER_KEYS = ("user_mapping.send_as", "group_mapping.send_as", "send_as_any")
"""The settings that decide who may send as whom, besides those that decide which users and groups there are."""


@dataclass(frozen=True, slots=True)
class Knowledge:
    """Whose absence is believed, and what makes it doubtful although the answers are whole."""

    whole: Mapping[Role, bool]
    """Whether the answers are whole that an alias of a kind comes from."""
    doubts: Mapping[Role, str]
    """How the search for a kind differs from the accepted one, in words; empty where it doesn't."""
    doubt_of_rights: str = ""
    """The same of rights to send as others, which users and groups give alike."""

    def knows(self, role: Role | None) -> bool:
        """Tell whether absence is believed; of an alias of unknown kind only where it is for all kinds."""
        return all(self.whole.values()) if role is None else self.whole[role]

    def doubt(self, role: Role | None) -> str:
        """Say why removals wait for somebody's word; empty where they don't."""
        return next(filter(None, self.doubts.values()), "") if role is None else self.doubts[role]


def alias_doubts(view: View) -> tuple[Finding, ...]:
    """Return every reason why the groups or the entries that only forward may not be all there are."""
    answers = (view.answers.groups, view.answers.forwards)
    return tuple(finding for answer in answers if answer for finding in answer.doubts)


SOFT: dict[str, Role | None] = {
    "aliases": Role.USER,
    "group_addresses": Role.LIST,
    "forward_to": Role.FORWARD,
    "send_as": None,
}
"""Keys of `user_mapping` that say nothing about mailboxes: where such an attribute vanishes, only what it makes waits
for somebody's word, aliases of a kind or (None) rights."""


def kind_of(key: str) -> str:
    """Return the key of `user_mapping` that a measured key belongs to."""
    return key.partition(":")[0]


def alias_knowledge(view: View, *, users_whole: bool, emptied: bool, vanished: Iterable[str] = ()) -> Knowledge:
    """Return what is known of aliases: users, groups and entries that only forward are searched for apart.

    `emptied` says that most lists lost all their members, `vanished` names the measured keys that most people lost:
    both may be a lost right to read them.
    """
    answers, scoped = view.answers, view.options.scoped
    users = users_whole and not scoped
    doubts = {role: _alias_doubt(view, role) or _EMPTIED * (emptied and role is Role.LIST) for role in Role}
    lost = {SOFT[kind_of(key)]: f"most people lost {measured(view.source)[key]} at once" for key in vanished}
    doubts = {role: doubt or lost.get(role, "") for role, doubt in doubts.items()}
    return Knowledge(
        whole={
            Role.USER: users,
            Role.LIST: users and _is_whole(answers.groups),
            Role.FORWARD: users and _is_whole(answers.forwards),
            Role.FORMER: users,
        },
        doubts=doubts,
        doubt_of_rights=changed_settings(view, SENDER_KEYS) or lost.get(None) or doubts[Role.USER] or doubts[Role.LIST],
    )


_EMPTIED = "most lists lost all their members at once"


def _is_whole(answer: Answer | None) -> bool:
    return answer is None or not answer.doubts


def changed_settings(view: View, keys: Iterable[str]) -> str:
    """Say which of some settings differ from those of the last accepted run."""
    remembered = view.memory.sources.get(view.source.name, SourceMemory()).accepted
    if remembered is None:
        return "no run was accepted yet, so their absence may be a mistake in the search"
    changed = differing(remembered, fingerprint(view.source), keys)
    return f"{' and '.join(changed)} changed since the last accepted run" if changed else ""


def _alias_doubt(view: View, role: Role) -> str:
    if changed := changed_settings(view, KEYS[role]):
        return changed
    source, answers = view.source, view.answers
    searched = {Role.LIST: (source.group_base, answers.groups), Role.FORWARD: (source.alias_base, answers.forwards)}
    base, answer = searched.get(role, ("", None))
    if answer is not None and not answer.entries and _had_some(view, role):
        return f"the search for them below {base} found nothing"
    return _dropped(view, role)


def _dropped(view: View, role: Role) -> str:
    """Say that most lists, or forwardings, lost their addresses at once, as with a lost right to read those."""
    had = [row.address for row in _rows(view) if row.role is role and row.dn]
    dropped = sum(address in view.actual.aliases and address not in view.wishes.aliases for address in had)
    if role is Role.FORWARD:
        dropped += sum(not view.wishes.aliases[row.address].goto for row in _with_targets(view, role))
    is_much = role in (Role.LIST, Role.FORWARD) and dropped >= VANISHED_AT_LEAST and dropped * 2 > len(had)
    return f"{dropped} of {len(had)} lost their addresses or targets at once" if is_much else ""


def _had_some(view: View, role: Role) -> bool:
    """Tell whether mailcow has aliases that entries of a kind made: not users' own attributes, which make some too."""
    rows = (row for row in _rows(view) if row.address in view.actual.aliases)
    return any(row.role is role and row.dn and row.owner not in view.desired.ids for row in rows)


def _rows(view: View) -> list[RememberedAlias]:
    """Return what is remembered of this directory's aliases."""
    return [row for row in view.memory.aliases.values() if row.source == view.source.name]


def emptied_lists(view: View) -> tuple[Finding, ...]:
    """Tell where more than half of the lists that had members lost all of them at once: somebody has to say that."""
    rows = _with_targets(view, Role.LIST)
    lost = sum(not view.wishes.aliases[row.address].goto for row in rows)
    if lost < VANISHED_AT_LEAST or lost * 2 <= len(rows):
        return ()
    attribute = ", ".join(view.source.group_mapping.member)
    return (
        Finding(
            Code.ATTRIBUTE_VANISHED,
            attribute,
            f"{lost} of the {len(rows)} lists that had members no longer show any {attribute}; let the bind DN read it "
            "again, or correct group_mapping.member",
        ),
    )


def _with_targets(view: View, role: Role) -> list[RememberedAlias]:
    """Return the aliases of a kind that went somewhere and are still wanted."""
    return [
        row
        for row in _rows(view)
        if row.role is role and row.dn and row.applied.get(GOTO) and not row.disabled
        if row.address in view.wishes.aliases
    ]


def doubts(view: View, vanished: Mapping[str, tuple[int, int]]) -> tuple[Finding, ...]:
    """Return every reason why an answer is not believed to be whole; none means that it is.

    `vanished` is what `vanished_keys` says.
    """
    source, found = view.source, list(view.answers.users.doubts)
    is_in_another = view.options.overridden_filter and view.others.found_somebody
    if not view.answers.users.entries and not is_in_another:
        found.append(
            Finding(
                Code.NO_USERS,
                source.name,
                f"the search below {source.user_search_base} with {view.search_filter} found nobody; "
                "correct the base, the filter or the rights of the bind DN",
            ),
        )
    if view.desired.without_id:
        found.append(
            Finding(
                Code.ID_MISSING,
                source.name,
                f"{len(view.desired.without_id)} entries have no {view.id_attribute} of their own, to be known by, "
                f"{view.desired.without_id[0]} among them; let the bind DN read that attribute, or name one in "
                "user_mapping.id that is never shared",
            ),
        )
    found.extend(tell_vanished({key: lost for key, lost in vanished.items() if kind_of(key) not in SOFT}, view.source))
    return tuple(found)


def vanished_keys(view: View, remembered: Mapping[str, Remembered]) -> dict[str, tuple[int, int]]:
    """Return the mapped keys that more than half of the entries that had them no longer have: how many, of how many."""
    had: Counter[str] = Counter()
    lost: Counter[str] = Counter()
    for entry_id, present in view.desired.present.items():
        row = remembered.get(entry_id)
        if row:
            had.update(row.present)
            lost.update(row.present - present)
    return {
        key: (lost[key], had[key])
        for key in sorted(lost)
        if key in measured(view.source) and lost[key] >= VANISHED_AT_LEAST and lost[key] * 2 > had[key]
    }


def tell_vanished(vanished: Mapping[str, tuple[int, int]], source: Source) -> Iterable[Finding]:
    """Give a finding for each attribute that vanished: how many entries lost it, of how many."""
    for key, (lost, had) in vanished.items():
        attribute = measured(source)[key]
        yield Finding(
            Code.ATTRIBUTE_VANISHED,
            attribute,
            f"{lost} of the {had} entries that had {attribute} no longer show it; let the bind DN read "
            f"it again, or take it out of user_mapping.{kind_of(key)} if it is meant to be gone",
        )
