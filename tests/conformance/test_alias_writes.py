"""Calls about many aliases, and the limits of what an alias can hold."""

import pytest

from .endpoints import exercises
from .place import Place, alias_fields

LONGEST_GOTO = 65535


def goto_of_length(length: int) -> str:
    """Targets that are that many characters together."""
    targets = [f"u{number:04}@elsewhere.test" for number in range(length // 21)]
    return ",".join(["x" * (length - 21 * len(targets) + 1) + targets[0], *targets[1:]])


@exercises("add/alias", "edit/alias", "delete/alias")
def test_twenty_aliases_in_one_call(place: Place) -> None:
    """'One entry per address', in their order; edit and delete alike by number (mailcow API facts §7, 19)."""
    domain = place.domain()
    ann = place.mailbox(domain)
    addresses = [f"m{number:02}@{domain}" for number in range(20)]
    answer = place.api.post("add/alias", alias_fields(",".join(addresses), ann))
    numbers = [int(message[2]) for _, message in answer.said]
    assert [message[:2] for _, message in answer.said] == [["alias_added", address] for address in addresses]
    assert place.api.edit("alias", numbers, active=0, public_comment="p").said == [
        ("success", ["alias_modified", address]) for address in addresses
    ]
    rows = place.api.get(f"get/alias/all/{domain}").json
    assert {(row["active"], row["goto"], row["public_comment"]) for row in rows} == {(0, ann, "p")}
    assert place.api.post("delete/alias", numbers).said == [
        ("success", ["alias_removed", address]) for address in addresses
    ]


@exercises("add/alias")
def test_address_that_is_among_the_targets_is_skipped_without_a_word(place: Place) -> None:
    """'an address that is also a goto of the same call is skipped, the others are added' (mailcow API facts §19)."""
    domain = place.domain()
    ann, ben = place.mailbox(domain), place.mailbox(domain, "ben")
    answer = place.api.post("add/alias", alias_fields(f"a@{domain},{ann},b@{domain}", f"{ann},{ben}"))
    assert [message[:2] for _, message in answer.said] == [["alias_added", f"{name}@{domain}"] for name in "ab"]


@exercises("add/alias")
def test_refused_addresses_leave_the_others(place: Place) -> None:
    """'One entry per address … or danger' (mailcow API facts §7)."""
    domain, foreign = place.domain(), place.name()
    ann = place.mailbox(domain)
    wanted = f"a@{domain},x@{foreign},ü@{domain},b@{domain},{ann}"
    answer = place.api.post("add/alias", alias_fields(wanted, "x@elsewhere.test"))
    assert [(kind, message[:2]) for kind, message in answer.said] == [
        ("success", ["alias_added", f"a@{domain}"]),
        ("danger", ["domain_not_found", foreign]),
        ("danger", ["alias_invalid", f"ü@{domain}"]),
        ("success", ["alias_added", f"b@{domain}"]),
        ("danger", ["is_alias_or_mailbox", ann]),
    ]


@exercises("add/alias")
def test_limit_of_a_domain_includes_its_alias_domains(place: Place) -> None:
    """'Per-domain limit: counts aliases of the domain and of its alias domains, without self rows' (facts §7)."""
    domain = place.domain(aliases=2)
    ann, name = place.mailbox(domain), place.alias_domain(domain)
    place.alias(f"info@{name}", ann)
    place.alias(f"info@{domain}", ann)
    for address in (f"more@{name}", f"more@{domain}"):
        assert place.api.post("add/alias", alias_fields(address, ann)).said == [("danger", "max_alias_exceeded")]


@exercises("edit/domain", "add/alias")
def test_domain_with_more_aliases_than_it_may_have_takes_any_number(place: Place) -> None:
    """'the limit is asked as aliases_left == 0: a domain that is below nought takes more' (mailcow API facts §19)."""
    domain = place.domain(aliases=5)
    ann, name = place.mailbox(domain), place.alias_domain(domain)
    for address in (f"a@{name}", f"b@{name}", f"c@{domain}"):
        place.alias(address, ann)
    place.api.edit("domain", domain, aliases=1)
    assert place.api.get(f"get/domain/{domain}").json["aliases_left"] == -2
    place.alias(f"d@{domain}", ann)


@exercises("add/alias")
@pytest.mark.parametrize("field", ["public_comment", "private_comment"])
def test_comments_are_measured_in_bytes_and_kept_as_sent(place: Place, field: str) -> None:
    """'comment_too_long, whole call'; neither trimmed nor quoted (mailcow API facts §7, 19)."""
    domain = place.domain()
    ann = place.mailbox(domain)
    fitting = " <b> & ü\n "
    number = place.alias(f"list@{domain}", ann, **{field: fitting})
    assert place.read_alias(number)[field] == fitting
    place.alias(f"most@{domain}", ann, **{field: "ü" * 80})
    answer = place.api.post("add/alias", alias_fields(f"a@{domain},b@{domain}", ann, **{field: "ü" * 80 + "u"}))
    assert answer.said == [("danger", "comment_too_long")]
    assert place.goto_of(f"a@{domain}", domain) is None


@exercises("edit/alias")
def test_edit_does_not_measure_comments_and_an_empty_one_clears(place: Place) -> None:
    """'edit/alias takes comments of any length; "" is stored, null keeps' (mailcow API facts §19)."""
    domain = place.domain()
    number = place.alias(f"list@{domain}", place.mailbox(domain), public_comment="p")
    place.api.edit("alias", number, private_comment="z" * 161, public_comment="")
    row = place.read_alias(number)
    assert (row["private_comment"], row["public_comment"]) == ("z" * 161, "")
    place.api.edit("alias", number, private_comment=None)
    assert place.read_alias(number)["private_comment"] == "z" * 161


@exercises("add/alias")
def test_targets_are_at_most_64_kib(place: Place) -> None:
    """'alias.goto is TEXT: 65,535 bytes; one more is an empty body and nothing stored' (mailcow API facts §19)."""
    domain = place.domain()
    most = goto_of_length(LONGEST_GOTO)
    number = place.alias(f"most@{domain}", most)
    assert place.read_alias(number)["goto"] == most
    answer = place.api.post("add/alias", alias_fields(f"more@{domain}", goto_of_length(LONGEST_GOTO + 1)))
    assert answer.text == ""
    assert place.goto_of(f"more@{domain}", domain) is None


@exercises("edit/alias")
def test_targets_that_are_too_long_leave_the_alias_and_end_the_call(place: Place) -> None:
    """'in edit/alias likewise: the other fields and the items after it are not written either' (facts §19)."""
    domain = place.domain()
    ann = place.mailbox(domain)
    numbers = [place.alias(f"{name}@{domain}", ann) for name in "ab"]
    answer = place.api.edit("alias", numbers, goto=goto_of_length(LONGEST_GOTO + 1), active=0)
    assert answer.text == ""
    assert [(row["goto"], row["active"]) for row in map(place.read_alias, numbers)] == [(ann, 1)] * 2


@exercises("edit/alias")
def test_flags_that_are_not_sent_are_kept_by_an_edit(place: Place) -> None:
    """'missing fields keep' (mailcow API facts §7): edit with active only keeps goto, flags and comments."""
    domain = place.domain()
    ann = place.mailbox(domain)
    number = place.alias(f"list@{domain}", f"{ann},x@elsewhere.test", internal=1, sogo_visible=1, private_comment="c")
    before = place.read_alias(number)
    place.api.edit("alias", number, active=0)
    after = place.read_alias(number)
    assert {name for name in before if before[name] != after[name]} <= {"active", "active_int", "modified"}
    assert after["active"] == 0


@exercises("edit/alias")
def test_alias_that_would_only_go_to_itself_is_left(place: Place) -> None:
    """'alias_goto_identical, dropped'; with none left nothing is written, with success (facts §7)."""
    domain = place.domain()
    ann = place.mailbox(domain)
    number = place.alias(f"list@{domain}", ann)
    answer = place.api.edit("alias", number, goto=f"list@{domain}", active=0)
    assert answer.said == [("danger", "alias_goto_identical"), ("success", ["alias_modified", f"list@{domain}"])]
    assert (place.read_alias(number)["goto"], place.read_alias(number)["active"]) == (ann, 1)


@exercises("edit/alias", "get/alias")
def test_own_address_in_another_case_hides_the_alias(place: Place) -> None:
    """'goto is compared in its case: a -> A is stored, and the alias is gone from every answer' (facts §19)."""
    domain = place.domain()
    number = place.alias(f"list@{domain}", place.mailbox(domain))
    assert place.api.edit("alias", number, goto=f"LIST@{domain}").said == [
        ("success", ["alias_modified", f"list@{domain}"])
    ]
    assert place.read_alias(number) == {}


@exercises("delete/alias")
def test_numbers_may_be_numbers_or_texts(place: Place) -> None:
    """'delete/alias and edit/alias take 26 and "26"' (mailcow API facts §19)."""
    domain = place.domain()
    ann = place.mailbox(domain)
    numbers = [place.alias(f"{name}@{domain}", ann) for name in "abc"]
    answer = place.api.post("delete/alias", [numbers[0], str(numbers[1]), numbers[0]])
    assert answer.said == [
        ("success", ["alias_removed", f"a@{domain}"]),
        ("success", ["alias_removed", f"b@{domain}"]),
        ("danger", "access_denied"),
    ]
    assert place.api.edit("alias", [str(numbers[2])], active=0).said == [("success", ["alias_modified", f"c@{domain}"])]


@exercises("delete/alias")
def test_deleting_nothing_says_that_it_was_completed(place: Place) -> None:
    """'{"type":"success","msg":"Task completed"} means nothing was done (empty items …)' (mailcow API facts §0.4)."""
    assert place.api.post("delete/alias", []).json == {"type": "success", "msg": "Task completed"}
