"""Two directories, head and branch, of one mailcow and one state file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ldap2mailcow.config import Config
from ldap2mailcow.desired import User
from ldap2mailcow.model import Answers, Remembered, RememberedAlias, SourceMemory
from ldap2mailcow.plan import Case, Plan, fingerprint, merged, renamed_all, settle_mailboxes, with_all_wishes

from .builders import CUT_SHORT, Scene, alias_config

HEAD, BRANCH = "head", "branch"
Change = Callable[[Case], Case]


def config_of(*names: str, **settings: object) -> Config:
    """Return a config with directories of these names, all alike."""
    base = alias_config().sources[0]
    block = base.model_dump(exclude_unset=True, exclude={"bind_pw"})
    ldap = [{**block, "name": name, "uri": [f"ldaps://{name}.example.org"]} for name in names]
    basics = {"mailcow_host": "mail.example.org", "mailcow_api_key": "key-of-the-api", "ldap": ldap}
    return Config.model_validate({**basics, **settings})


@dataclass(frozen=True)
class Branches:
    """What the views of both are made of: what each wants, and what both see."""

    head: Iterable[User] = ()
    branch: Iterable[User] = ()
    head_wishes: Iterable[Alias] = ()
    branch_wishes: Iterable[Alias] = ()
    answered: tuple[str, ...] = (HEAD, BRANCH)
    config: Config = field(default_factory=lambda: config_of(HEAD, BRANCH))
    accepted: tuple[str, ...] = (HEAD, BRANCH)
    """Whose search is the accepted one."""
    change: Mapping[str, Change] = field(default_factory=dict)
    """By directory: what else is different in its view."""
    rows: Iterable[Remembered] = ()
    alias_rows: Iterable[RememberedAlias] = ()
    shared: Mapping[str, Any] = field(default_factory=dict)
    """Further fields of the scenes."""

    def views(self) -> tuple[Case, ...]:
        """Return the views of those that answered, with nothing settled between them."""
        return tuple(self._view(name) for name in self.answered)

    def _view(self, name: str) -> Case:
        wants, wishes = (self.head, self.head_wishes) if name == HEAD else (self.branch, self.branch_wishes)
        source = next(source for source in self.config.sources if source.name == name)
        sources = {
            one.name: SourceMemory("entryUUID", fingerprint(one) if one.name in self.accepted else None)
            for one in self.config.sources
        }
        scene = Scene(
            wants=[replace(box, source=name) for box in wants],
            wishes=[replace(wish, source=name) for wish in wishes],
            config=self.config,
            sources=sources,
            rows=self.rows,
            alias_rows=self.alias_rows,
            **self.shared,
        )
        view = replace(scene.case(), source=source, search_filter=source.search_filter)
        return self.change[name](view) if name in self.change else view

    def settled(self) -> tuple[Case, ...]:
        """Return the views with everything settled between them."""
        return with_all_wishes(renamed_all(settle_mailboxes(self.views())), lambda view: view)

    def plans(self) -> dict[str, Plan]:
        """Return the plan of each that answered."""
        return dict(zip(self.answered, make_plans(self.settled()), strict=True))

    def plan(self) -> Plan:
        """Return the plan for all."""
        return merged(self.plans(), of=len(self.config.sources))


def doubting(view: Case) -> Case:
    """Return a view whose answer about users isn't whole."""
    users = replace(view.answers.users, doubts=(CUT_SHORT,))
    return replace(view, answers=replace(view.answers, users=users))


def finding_nobody(view: Case) -> Case:
    """Return a view whose search found nobody."""
    return replace(view, answers=Answers(replace(view.answers.users, entries=())))
