"""Lists of aliases and alias domains: what is in them, what is counted, and why the two may differ."""

from .endpoints import exercises
from .place import Place, alias_fields, mailbox_fields


def counted(place: Place, domain: str) -> tuple[int, int]:
    """Aliases that a domain has, and how many more it may have."""
    row = place.api.get(f"get/domain/{domain}").json
    return row["aliases_in_domain"], row["aliases_left"]


def listed(place: Place, *domains: str) -> list[str]:
    """The addresses of the aliases in some domains."""
    return [row["address"] for row in place.api.get(f"get/alias/all/{','.join(domains)}").json or []]


@exercises("get/alias-domain/all")
def test_alias_domains_are_listed_with_their_targets_also_inactive_ones(place: Place) -> None:
    """'get/alias-domain/all -> [{"alias_domain","parent_is_backupmx","target_domain","active",…}]' (facts §7, 19)."""
    domain = place.domain()
    name, inactive = place.alias_domain(domain), place.alias_domain(domain, active=0)
    rows = {row["alias_domain"]: row for row in place.api.get("get/alias-domain/all").json}
    assert (rows[name]["target_domain"], rows[name]["active"], rows[inactive]["active"]) == (domain, 1, 0)
    assert rows[name].pop("created")
    assert rows[name] == {
        "alias_domain": name, "parent_is_backupmx": 0, "target_domain": domain, "active": 1, "active_int": 1,
        "rl": False, "modified": None,
    }  # fmt: skip


@exercises("add/alias", "get/alias/all")
def test_inactive_alias_domain_is_treated_like_an_active_one(place: Place) -> None:
    """'Inactive alias domains: twins are taken, aliases can be added, are listed and counted' (facts §19)."""
    domain = place.domain()
    ann, name = place.mailbox(domain), place.alias_domain(domain, active=0)
    assert place.api.post("add/alias", alias_fields(f"ann@{name}", "x@elsewhere.test")).said == [
        ("danger", ["is_alias_or_mailbox", f"ann@{name}"])
    ]
    place.alias(f"info@{name}", ann)
    assert listed(place, name) == [f"info@{name}"]
    assert counted(place, domain) == (1, 19)


@exercises("get/alias/all")
def test_aliases_of_an_alias_domain_are_listed_there_and_counted_in_its_target(place: Place) -> None:
    """'aliases of alias domains are listed under their own name, counted in the target' (mailcow API facts §19)."""
    domain = place.domain()
    ann, name = place.mailbox(domain), place.alias_domain(domain)
    for address in (f"info@{domain}", f"info@{name}", f"@{domain}", f"@{name}"):
        place.alias(address, ann)
    assert listed(place, domain) == [f"info@{domain}", f"@{domain}"]
    assert listed(place, name, domain) == [f"info@{name}", f"@{name}", f"info@{domain}", f"@{domain}"]
    rows = {row["address"]: row for row in place.api.get(f"get/alias/all/{name}").json}
    assert (rows[f"info@{name}"]["domain"], rows[f"info@{name}"]["in_primary_domain"]) == (name, domain)
    assert [counted(place, each) for each in (domain, name)] == [(4, 16)] * 2


@exercises("get/alias/all", "get/domain")
def test_alias_to_itself_is_counted_and_not_listed(place: Place) -> None:
    """'a row whose goto is its own address in another case is stored, counted, never shown' (facts §19)."""
    domain = place.domain()
    answer = place.api.post("add/alias", alias_fields(f"ghost@{domain}", f"Ghost@{domain}"))
    assert [message[0] for _, message in answer.said] == ["alias_added"]
    assert (listed(place, domain), counted(place, domain)) == ([], (1, 19))
    assert place.api.post("add/mailbox", mailbox_fields(domain, "ghost")).said == [
        ("danger", ["is_alias", f"ghost@{domain}"])
    ]
    assert place.api.post("add/alias", alias_fields(f"ghost@{domain}", f"ann@{domain}")).said == [
        ("danger", ["is_alias_or_mailbox", f"ghost@{domain}"])
    ]


@exercises("delete/mailbox", "get/alias/all")
def test_list_with_itself_as_member_turns_into_one_when_the_others_go(place: Place) -> None:
    """'delete/mailbox cuts its address out of a -> h1,a: what is left is a -> a' (mailcow API facts §19)."""
    domain = place.domain()
    ann = place.mailbox(domain)
    place.alias(f"loop@{domain}", f"{ann},loop@{domain}")
    place.api.post("delete/mailbox", [ann])
    assert (listed(place, domain), counted(place, domain)) == ([], (1, 19))


@exercises("add/alias", "edit/alias", "get/alias")
def test_local_part_and_targets_keep_their_case_the_domain_does_not(place: Place) -> None:
    """'Address domain is lower-cased; local part keeps its case; goto keeps case and order' (facts §7)."""
    domain = place.domain()
    ann = place.mailbox(domain)
    sent = f"MiXed@{domain.upper()}"
    answer = place.api.post("add/alias", alias_fields(sent, f"Zed@Elsewhere.TEST,{ann.upper()}"))
    ((_, (_, said, number)),) = answer.said
    row = place.read_alias(int(number))
    assert (said, row["address"], row["domain"]) == (f"MiXed@{domain}", f"MiXed@{domain}", domain)
    assert row["goto"].split(",")[0].startswith("Zed@")
    assert place.api.post("add/alias", alias_fields(f"mixed@{domain}", ann)).said == [
        ("danger", ["is_alias_or_mailbox", f"mixed@{domain}"])
    ]
    said_of_edit = place.api.edit("alias", int(number), active=0).said
    assert said_of_edit == [("success", ["alias_modified", f"MiXed@{domain}"])]


@exercises("add/alias", "get/alias/all", "edit/alias", "delete/alias")
def test_odd_names_come_back_raw_and_are_escaped_in_some_messages(place: Place) -> None:
    """'alias_modified and alias_removed quote for HTML; alias_added and the list do not' (mailcow API facts §18)."""
    domain = place.domain()
    ann = place.mailbox(domain)
    for local, shown in {"o'b": "o&#039;b", "x&y": "x&amp;y", "p+q": "p+q", "a/b": "a/b", "0": "0"}.items():
        number = place.alias(f"{local}@{domain}", ann)
        assert listed(place, domain) == [f"{local}@{domain}"]
        assert place.api.edit("alias", number, active=0).said == [("success", ["alias_modified", f"{shown}@{domain}"])]
        assert place.api.post("delete/alias", [number]).said == [("success", ["alias_removed", f"{shown}@{domain}"])]


@exercises("add/alias", "add/mailbox", "get/alias/all")
def test_mailbox_may_be_made_whose_twin_is_an_alias(place: Place) -> None:
    """'an alias in an alias domain outlives the creation of its twin in the target' (mailcow API facts §19)."""
    domain = place.domain()
    ann, name = place.mailbox(domain), place.alias_domain(domain)
    place.alias(f"late@{name}", ann)
    place.mailbox(domain, "late")
    assert place.goto_of(f"late@{name}", name) == ann


@exercises("add/alias", "add/alias-domain")
def test_alias_of_the_target_does_not_take_its_twin(place: Place) -> None:
    """'only mailboxes of the target are looked up: info@ may be an alias in both domains' (facts §19)."""
    domain = place.domain()
    ann, name = place.mailbox(domain), place.alias_domain(domain)
    place.alias(f"info@{domain}", ann)
    place.alias(f"info@{name}", ann)
    place.alias(f"own@{name}", f"own@{domain}")


@exercises("add/alias")
def test_target_may_be_the_twin_of_a_mailbox(place: Place) -> None:
    """'a goto in an alias domain is stored as sent' (mailcow API facts §19)."""
    domain = place.domain()
    place.mailbox(domain)
    name = place.alias_domain(domain)
    place.alias(f"list@{domain}", f"ann@{name}")
    assert place.goto_of(f"list@{domain}", domain) == f"ann@{name}"


@exercises("delete/alias-domain", "get/alias/all")
def test_aliases_go_with_their_alias_domain(place: Place) -> None:
    """'delete/alias-domain removes also its aliases' (mailcow API facts §7)."""
    domain = place.domain()
    ann, name = place.mailbox(domain), place.alias_domain(domain)
    place.alias(f"info@{name}", ann)
    place.api.post("delete/alias-domain", [name])
    assert (listed(place, domain, name), counted(place, domain)) == ([], (0, 20))
