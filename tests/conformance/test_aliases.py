"""Aliases."""

from typing import Any

import pytest

from .endpoints import exercises
from .place import Place, alias_fields, mailbox_fields


@exercises("add/alias", "get/alias", "get/alias/all")
def test_alias_is_shown_as_it_was_made(place: Place) -> None:
    """'ids are ints here, but a string in the success message' (mailcow API facts §7)."""
    domain = place.domain()
    ann = place.mailbox(domain)
    number = place.alias(f"list@{domain}", f"{ann}, EXT@elsewhere.test", public_comment="pub", private_comment="priv")
    row = place.read_alias(number)
    assert row.pop("created")
    assert row == {
        "in_primary_domain": "", "id": number, "domain": domain, "public_comment": "pub", "private_comment": "priv",
        "goto": f"{ann},EXT@elsewhere.test", "address": f"list@{domain}", "is_catch_all": 0, "internal": 0, "active": 1,
        "active_int": 1, "sogo_visible": 0, "sogo_visible_int": 0, "sender_allowed": 1, "modified": None,
    }  # fmt: skip
    assert [found["id"] for found in place.api.get(f"get/alias/all/{domain}").json] == [number]


@exercises("get/alias/all")
def test_self_rows_are_hidden(place: Place) -> None:
    """'Self rows (address == goto) are hidden'; list or {} (mailcow API facts §7)."""
    domain = place.domain()
    place.mailbox(domain)
    assert place.api.get(f"get/alias/all/{domain}").json == {}


@exercises("get/alias/all")
def test_unknown_domain_adds_nothing_to_the_list(place: Place) -> None:
    """'unknown domain in the list -> nothing for it' (mailcow API facts §7)."""
    domain = place.domain()
    number = place.alias(f"list@{domain}", place.mailbox(domain))
    rows = place.api.get(f"get/alias/all/{place.name()},{domain}").json
    assert [row["id"] for row in rows] == [number]


@exercises("get/alias")
def test_address_that_begins_with_digits_names_a_number_first(place: Place) -> None:
    """'an address that begins with digits finds the alias with that id first' (mailcow API facts §7)."""
    domain = place.domain()
    number = place.alias(f"list@{domain}", place.mailbox(domain))
    assert place.api.get(f"get/alias/{number}foo@{domain}").json["id"] == number
    assert place.api.get(f"get/alias/LIST@{domain}").json["id"] == number


@exercises("add/alias")
def test_flags_that_are_not_sent_are_nought(place: Place) -> None:
    """'defaults when missing are all 0: active 0 (!), sogo_visible 0, sender_allowed 0' (mailcow API facts §7)."""
    domain = place.domain()
    answer = place.api.post("add/alias", {"address": f"list@{domain}", "goto": place.mailbox(domain)})
    row = place.read_alias(int(answer.said[0][1][2]))
    assert [row[name] for name in ("active", "internal", "sogo_visible", "sender_allowed")] == [0, 0, 0, 0]


@exercises("add/alias")
def test_several_addresses_are_several_aliases(place: Place) -> None:
    """'separators comma, semicolon, blank, newline'; 'One entry per address' (mailcow API facts §7)."""
    domain = place.domain()
    ann, ben = place.mailbox(domain), place.mailbox(domain, "ben")
    answer = place.api.post("add/alias", alias_fields(f"a@{domain},b@{domain}; c@{domain}", f"{ann}\n{ben},{ann}"))
    assert [(kind, message[:2]) for kind, message in answer.said] == [
        ("success", ["alias_added", f"{name}@{domain}"]) for name in "abc"
    ]
    assert place.goto_of(f"b@{domain}", domain) == f"{ann},{ben}"


@exercises("add/alias")
def test_lists_for_texts_crash(place: Place) -> None:
    """'address, goto: strings … JSON arrays -> empty body' (mailcow API facts §7)."""
    domain = place.domain()
    answer = place.api.post("add/alias", {"address": [f"a@{domain}"], "goto": [f"b@{domain}"]})
    assert (answer.status, answer.text) == (200, "")


@exercises("add/alias")
def test_case_is_kept_but_does_not_tell_apart(place: Place) -> None:
    """'local part keeps its case; uniqueness is case-insensitive' (mailcow API facts §7)."""
    domain = place.domain()
    ann = place.mailbox(domain)
    place.alias(f"MiXed@{domain}", ann)
    answer = place.api.post("add/alias", alias_fields(f"mixed@{domain}", ann))
    assert answer.said == [("danger", ["is_alias_or_mailbox", f"mixed@{domain}"])]


@exercises("add/alias")
@pytest.mark.parametrize(
    ("address", "goto", "said"),
    [
        ("ann@{d}", "ben@{d}", [("danger", ["is_alias_or_mailbox", "ann@{d}"])]),
        ("x@none.test", "ann@{d}", [("danger", ["domain_not_found", "none.test"])]),
        ("ü@{d}", "ann@{d}", [("danger", ["alias_invalid", "ü@{d}"])]),
        ("", "ann@{d}", [("danger", "alias_empty")]),
        ("x@{d}", "", [("danger", "goto_empty")]),
        ("x@{d}", "nonsense", [("danger", ["goto_invalid", "@"])]),
    ],
)
def test_what_is_refused(place: Place, address: str, goto: str, said: list[tuple[str, Any]]) -> None:
    """Dangers 'is_alias_or_mailbox, domain_not_found, alias_invalid, goto_invalid, alias_empty, goto_empty' (§7)."""
    domain = place.domain()
    place.mailbox(domain)
    answer = place.api.post("add/alias", alias_fields(address.format(d=domain), goto.format(d=domain)))
    wanted = [
        (kind, [part.format(d=domain) for part in message] if isinstance(message, list) else message)
        for kind, message in said
    ]
    assert answer.said == wanted


@exercises("add/alias")
def test_bad_goto_is_dropped_beside_a_good_one(place: Place) -> None:
    """'["goto_invalid",g] (that goto is dropped, the rest still is added)' (mailcow API facts §7)."""
    domain = place.domain()
    ann = place.mailbox(domain)
    answer = place.api.post("add/alias", alias_fields(f"list@{domain}", f"nonsense,{ann}"))
    assert [message[0] for _, message in answer.said] == ["goto_invalid", "alias_added"]
    assert place.goto_of(f"list@{domain}", domain) == ann


@exercises("add/alias")
def test_alias_to_itself_is_skipped_without_a_word(place: Place) -> None:
    """'goto == address only: silently skipped -> "Task completed"' (mailcow API facts §7)."""
    domain = place.domain()
    answer = place.api.post("add/alias", alias_fields(f"list@{domain}", f"list@{domain}"))
    assert answer.json == {"type": "success", "msg": "Task completed"}
    assert place.goto_of(f"list@{domain}", domain) is None


@exercises("add/alias")
def test_loop_at_the_end_of_a_list_is_stored_elsewhere_it_is_skipped(place: Place) -> None:
    """'In a list with others the loop a -> h1,a is stored' (facts §7); a -> a,h1 is not (recorded server)."""
    domain = place.domain()
    ann = place.mailbox(domain)
    place.alias(f"last@{domain}", f"{ann},last@{domain}")
    answer = place.api.post("add/alias", alias_fields(f"first@{domain}", f"first@{domain},{ann}"))
    assert answer.json == {"type": "success", "msg": "Task completed"}
    assert place.goto_of(f"last@{domain}", domain) == f"{ann},last@{domain}"


@exercises("add/alias")
def test_comments_have_160_bytes(place: Place) -> None:
    """'public_comment, private_comment: <= 160 bytes (comment_too_long, whole call)' (mailcow API facts §7)."""
    domain = place.domain()
    ann = place.mailbox(domain)
    place.alias(f"fits@{domain}", ann, private_comment="ü" * 80)
    answer = place.api.post("add/alias", alias_fields(f"list@{domain}", ann, private_comment="ü" * 81))
    assert answer.said == [("danger", "comment_too_long")]


@exercises("add/alias")
def test_full_domain_ends_the_call(place: Place) -> None:
    """'max_alias_exceeded (ends the call: later addresses, also of other domains, are not tried)' (facts §7)."""
    domain, other = place.domain(aliases=1), place.domain()
    ann = place.mailbox(domain)
    answer = place.api.post("add/alias", alias_fields(f"a@{domain},b@{domain},c@{other}", ann))
    assert [message[0] if isinstance(message, list) else message for _, message in answer.said] == [
        "alias_added",
        "max_alias_exceeded",
    ]
    assert place.goto_of(f"c@{other}", other) is None


@exercises("add/alias")
def test_catch_all_and_sinks(place: Place) -> None:
    """'@domain = catch-all'; 'goto_null = 1 -> goto null@localhost' (mailcow API facts §7)."""
    domain = place.domain()
    row = place.read_alias(place.alias(f"@{domain}", place.mailbox(domain)))
    assert (row["address"], row["is_catch_all"]) == (f"@{domain}", 1)
    assert place.read_alias(place.alias(f"gone@{domain}", "", goto_null=1))["goto"] == "null@localhost"


@exercises("add/alias", "add/alias-domain")
def test_twin_of_a_mailbox_in_an_alias_domain_is_taken(place: Place) -> None:
    """'is_alias_or_mailbox (… or a mailbox of the target of an alias domain)'; in_primary_domain (facts §7)."""
    domain = place.domain()
    ann, name = place.mailbox(domain), place.alias_domain(domain)
    answer = place.api.post("add/alias", alias_fields(f"ann@{name}", ann))
    assert answer.said == [("danger", ["is_alias_or_mailbox", f"ann@{name}"])]
    assert place.read_alias(place.alias(f"other@{name}", ann))["in_primary_domain"] == domain


@exercises("add/mailbox", "add/alias")
def test_self_row_takes_a_number(place: Place) -> None:
    """'the self row takes an alias id but is hidden, not counted in aliases_in_domain' (mailcow API facts §4)."""
    domain = place.domain()
    first = place.alias(f"one@{domain}", place.mailbox(domain))
    place.mailbox(domain, "ben")
    assert place.alias(f"two@{domain}", f"ann@{domain}") >= first + 2
    assert place.api.get(f"get/domain/{domain}").json["aliases_in_domain"] == 2


@exercises("edit/alias")
def test_goto_is_replaced_and_the_rest_kept(place: Place) -> None:
    """'missing fields keep; goto replaces. ["alias_modified",address]' (mailcow API facts §7)."""
    domain = place.domain()
    ann, ben = place.mailbox(domain), place.mailbox(domain, "ben")
    number = place.alias(f"list@{domain}", ann, private_comment="ours")
    assert place.api.edit("alias", number, goto=ben).said == [("success", ["alias_modified", f"list@{domain}"])]
    row = place.read_alias(number)
    assert (row["goto"], row["private_comment"], row["active"], row["sender_allowed"]) == (ben, "ours", 1, 1)


@exercises("edit/alias")
def test_without_a_good_goto_nothing_is_written_with_success(place: Place) -> None:
    """'All gotos invalid -> dangers + alias_modified, nothing written at all, also the other fields' (facts §7)."""
    domain = place.domain()
    number = place.alias(f"list@{domain}", place.mailbox(domain))
    before = place.read_alias(number)
    answer = place.api.edit("alias", number, goto="nonsense", active=0)
    assert answer.said == [
        ("danger", ["goto_invalid", "nonsense"]),
        ("success", ["alias_modified", f"list@{domain}"]),
    ]
    assert place.read_alias(number) == before


@exercises("edit/alias")
def test_sink_must_be_sent_again(place: Place) -> None:
    """'This hits every null/spam/ham alias when goto_null/… is not re-sent' (mailcow API facts §7)."""
    domain = place.domain()
    number = place.alias(f"gone@{domain}", "", goto_null=1)
    answer = place.api.edit("alias", number, active=0)
    assert answer.said == [
        ("danger", ["goto_invalid", "null@localhost"]),
        ("success", ["alias_modified", f"gone@{domain}"]),
    ]
    place.api.edit("alias", number, active=0, goto_null=1)
    assert place.read_alias(number)["active"] == 0


@exercises("edit/alias")
def test_own_address_is_dropped_from_the_goto(place: Place) -> None:
    """'goto containing the own address: alias_goto_identical, dropped' (mailcow API facts §7)."""
    domain = place.domain()
    ann = place.mailbox(domain)
    number = place.alias(f"list@{domain}", ann)
    answer = place.api.edit("alias", number, goto=f"list@{domain},{ann}")
    assert answer.said == [("danger", "alias_goto_identical"), ("success", ["alias_modified", f"list@{domain}"])]
    assert place.read_alias(number)["goto"] == ann


@exercises("edit/alias")
def test_unknown_number_names_the_address_of_the_item_before(place: Place) -> None:
    """'Unknown id -> danger ["alias_invalid",<address of the previous item or null>]' (mailcow API facts §7)."""
    domain = place.domain()
    number = place.alias(f"list@{domain}", place.mailbox(domain))
    answer = place.api.edit("alias", [999999999, number, 999999999], active=1)
    assert answer.said == [
        ("danger", ["alias_invalid", None]),
        ("success", ["alias_modified", f"list@{domain}"]),
        ("danger", ["alias_invalid", f"list@{domain}"]),
    ]


@exercises("edit/alias")
def test_new_address_must_be_free(place: Place) -> None:
    """'Renaming checks is_alias_or_mailbox' (mailcow API facts §7)."""
    domain = place.domain()
    ann = place.mailbox(domain)
    number = place.alias(f"list@{domain}", ann)
    assert place.api.edit("alias", number, address=ann).said == [("danger", ["is_alias_or_mailbox", ann])]
    place.api.edit("alias", number, address=f"other@{domain}")
    assert place.read_alias(number)["address"] == f"other@{domain}"


@exercises("delete/alias")
def test_alias_is_deleted_by_number(place: Place) -> None:
    """'["alias_removed",address]; unknown, or a self row -> access_denied' (mailcow API facts §7)."""
    domain = place.domain()
    number = place.alias(f"list@{domain}", place.mailbox(domain))
    assert place.api.post("delete/alias", [number]).said == [("success", ["alias_removed", f"list@{domain}"])]
    assert place.api.post("delete/alias", [number, f"ann@{domain}"]).said == [("danger", "access_denied")] * 2


@exercises("delete/alias")
def test_address_that_begins_with_digits_deletes_that_number(place: Place) -> None:
    """'delete/alias ["27nonexistent@…"] -> alias_removed of id 27: use integer ids only' (mailcow API facts §0.6)."""
    domain = place.domain()
    number = place.alias(f"list@{domain}", place.mailbox(domain))
    answer = place.api.post("delete/alias", [f"{number}nonexistent@{domain}"])
    assert answer.said == [("success", ["alias_removed", f"list@{domain}"])]


@exercises("add/alias", "add/mailbox")
def test_mailbox_cannot_take_an_alias(place: Place) -> None:
    """'["is_alias",a]' (mailcow API facts §4)."""
    domain = place.domain()
    place.alias(f"list@{domain}", "x@elsewhere.test")
    answer = place.api.post("add/mailbox", mailbox_fields(domain, "list"))
    assert answer.said == [("danger", ["is_alias", f"list@{domain}"])]
