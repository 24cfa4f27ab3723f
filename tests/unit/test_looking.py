"""What plans follow from, as far as it is put together without a server."""

from __future__ import annotations

from dataclasses import replace

from ldap2mailcow.looking import alias_holders, settle_id
from ldap2mailcow.model import Answer, Memory, SourceMemory
from tests.unit.plan.branches import BRANCH, HEAD, Branches, config_of
from tests.unit.plan.builders import ANN, BOB, CAT, HELP, INFO, TEAM, alias_row, id_of, row, seal, wish


def test_another_id_attribute_is_about_the_ids_of_its_own_directory() -> None:
    rows = {one.address: one for one in (row(ANN, source=HEAD), row(BOB, source=BRANCH))}
    memory = Memory(rows, {HEAD: SourceMemory("objectGUID")}, seal)
    source = config_of(HEAD, BRANCH).sources[0]
    source = source.model_copy(update={"user_mapping": source.user_mapping.model_copy(update={"id": "entryUUID"})})
    attribute, after = settle_id(source, Answer(HEAD, ()), memory)
    assert attribute == "entryUUID"
    assert {address: one.id for address, one in after.mailboxes.items()} == {ANN: None, BOB: id_of(BOB)}


def test_who_has_an_alias_in_another_directory_has_it_not_in_this_one() -> None:
    rows = [
        replace(alias_row(wish(one, CAT)), source=source)
        for one, source in ((INFO, HEAD), (TEAM, BRANCH), (HELP, "old"))
    ]
    (view, _) = Branches(alias_rows=rows).views()
    assert alias_holders(view) == {INFO: id_of(CAT), HELP: id_of(CAT)}
