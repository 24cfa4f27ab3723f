"""Domains and alias domains (mailcow API facts §2, §7)."""

from dataclasses import replace
from typing import cast

from .call import Call, End
from .ratelimits import edit_domain_limit, limit_of
from .state import MIB, AliasDomain, Domain, State, Template
from .values import (
    Json,
    JsonObject,
    UncaughtError,
    fold,
    given,
    integer,
    is_domain_name,
    is_empty,
    listed,
    order,
    rounded,
    shown,
    split_list,
    text,
    to_ascii,
    to_unicode,
)

LAST_TAG_INDEX = 25
_FLAGS = ("active", "gal", "backupmx", "relay_all_recipients", "relay_unknown_only")


def domain_details(state: State, name: str) -> JsonObject | None:
    """A domain as it is shown, quotas in bytes; an alias domain gives its target."""
    name = to_ascii(name.strip())
    if name in state.alias_domains:
        name = state.alias_domains[name].target
    row = state.domains.get(name)
    if row is None:
        return None
    used = state.quota_used_in(name)
    mailboxes = len(state.mailboxes_in(name))
    aliases = state.count_aliases(name)
    largest = min(row.quota * MIB - used, row.maxquota * MIB)
    details: JsonObject = {
        "max_new_mailbox_quota": largest,
        "def_new_mailbox_quota": min(largest, row.defquota * MIB),
        "quota_used_in_domain": str(used),
        "bytes_total": _total(sum(mailbox.bytes_used for mailbox in state.mailboxes_in(name).values())),
        "msgs_total": _total(sum(mailbox.messages for mailbox in state.mailboxes_in(name).values())),
        "mboxes_in_domain": mailboxes,
        "mboxes_left": row.mailboxes - mailboxes,
        "domain_name": row.name,
        "domain_h_name": to_unicode(row.name),
        "description": row.description,
        "max_num_aliases_for_domain": row.aliases,
        "max_num_mboxes_for_domain": row.mailboxes,
        "def_quota_for_mbox": row.defquota * MIB,
        "max_quota_for_mbox": row.maxquota * MIB,
        "max_quota_for_domain": row.quota * MIB,
        "relayhost": row.relayhost,
        "backupmx": row.backupmx,
        "backupmx_int": row.backupmx,
        "gal": row.gal,
        "gal_int": row.gal,
        "rl": limit_of(state, name) or False,
        "active": row.active,
        "active_int": row.active,
        "relay_all_recipients": row.relay_all_recipients,
        "relay_all_recipients_int": row.relay_all_recipients,
        "relay_unknown_only": row.relay_unknown_only,
        "relay_unknown_only_int": row.relay_unknown_only,
        "created": row.created,
        "modified": row.modified,
        "aliases_in_domain": aliases,
        "aliases_left": row.aliases - aliases,
        "domain_admins": "-",
    }
    if row.tags:
        details["tags"] = cast("list[Json]", sorted(row.tags, key=order))
    return details


def get_domain(call: Call) -> Json:
    """``get/domain/all[?tags=]`` or one domain."""
    if call.object != "all":
        return domain_details(call.state, call.object)
    names = sorted(call.state.domains, key=order)
    if call.tags is not None:
        wanted = [fold(tag) for tag in call.tags]
        tags_of = {name: [fold(tag) for tag in call.state.domains[name].tags] for name in names}
        names = [name for name in names if any(part in tag for part in wanted for tag in tags_of[name])]
    return [domain_details(call.state, name) for name in names]


def add_domain(call: Call) -> End:
    """``add/domain``; quotas in MiB, what is missing comes from a template."""
    state, data = call.state, call.data
    defaults = _domain_template(state, data)

    def number(name: str, default: str, unit: int = 1) -> int:
        return integer(data[name]) if given(data, name) else integer(defaults.get(default)) // unit

    name = to_ascii(text(data.get("domain")).strip())
    row = Domain(
        name=name,
        description=name if is_empty(data.get("description")) else text(data["description"]),
        aliases=number("aliases", "max_num_aliases_for_domain"),
        mailboxes=number("mailboxes", "max_num_mboxes_for_domain"),
        defquota=number("defquota", "def_quota_for_mbox", MIB),
        maxquota=number("maxquota", "max_quota_for_mbox", MIB),
        quota=number("quota", "max_quota_for_domain", MIB),
        created=state.clock.now(),
    )
    for flag in _FLAGS:
        setattr(row, flag, number(flag, flag))
    _imply_relay(row)
    refusal = _quota_refusal(row, new=True)
    if refusal is None and not is_domain_name(name):
        refusal = ("domain_invalid",)
    if refusal is None and (name in state.domains or name in state.alias_domains):
        refusal = ("domain_exists", shown(name))
    if refusal is None and name == state.hostname:
        refusal = ("domain_cannot_match_hostname",)
    if refusal is not None:
        call.danger(*refusal)
        return End.GIVEN_UP
    state.sender_acl = [
        right for right in state.sender_acl if not (right.external and fold(right.send_as).endswith("@" + name))
    ]
    state.domains[name] = row
    tags = data["tags"] if given(data, "tags") else defaults.get("tags")
    _add_tags(call, row, listed(tags))
    _add_domain_extras(call, name, defaults)
    call.success("domain_added", shown(name))
    return End.DONE


def edit_domain(call: Call) -> End:
    """``edit/domain``: missing and empty fields keep; tags are only added; an alias domain is left as it is."""
    for item in call.items:
        name = to_ascii(text(item))
        if name in call.state.alias_domains:
            if isinstance(call.data.get("tags"), list):
                raise UncaughtError("Cannot add or update a child row: a foreign key constraint fails", 1452)
            call.success("domain_modified", shown(name))
            continue
        row = call.state.domains.get(name)
        if row is None:
            call.danger("domain_invalid")
            continue
        wanted = _edited(row, call.data)
        refusal = _quota_refusal(wanted, new=False) or _in_use_refusal(call.state, wanted)
        if refusal is not None:
            call.danger(*refusal)
            continue
        call.state.touch(row, lambda row=row, wanted=wanted: _copy_settings(wanted, row))  # type: ignore[misc]
        tags = call.data.get("tags")
        _add_tags(call, row, tags if isinstance(tags, list) else [])
        call.success("domain_modified", shown(name))
    return End.REACHED


def delete_domain(call: Call) -> End:
    """``delete/domain``; a domain that never was is deleted with success."""
    state = call.state
    for item in call.items:
        if is_empty(item) or not is_domain_name(text(item)):
            call.danger("domain_invalid")
            continue
        name = to_ascii(text(item).strip())
        if state.mailboxes_in(name):
            call.danger("domain_not_empty", name)
            continue
        state.domains.pop(name, None)
        _drop_aliases_of(state, name)
        for alias_domain in state.alias_domains_of(name):
            del state.alias_domains[alias_domain]
        state.sender_acl = [row for row in state.sender_acl if not fold(row.mailbox).endswith("@" + name)]
        state.rate_limits.pop(name, None)
        call.success("domain_removed", shown(name))
    return End.REACHED


def delete_domain_tags(call: Call) -> End:
    """``delete/domain/tag/{domain}``; tags that are not there are deleted with success."""
    if not is_domain_name(call.extra):
        call.danger("domain_invalid")
        return End.GIVEN_UP
    if not call.state.hosts(call.extra):
        call.danger("access_denied")
        return End.GIVEN_UP
    if not call.items:
        return End.GIVEN_UP
    row = call.state.domains.get(fold(call.extra))
    if row is not None:
        gone = {fold(text(tag)) for tag in call.items}
        row.tags = [tag for tag in row.tags if fold(tag) not in gone]
    call.success("domain_modified", call.extra)
    return End.REACHED


def alias_domain_details(state: State, name: str) -> JsonObject | None:
    """An alias domain as it is shown."""
    row = state.alias_domains.get(fold(name))
    if row is None or not state.hosts(row.target):
        return None
    target = state.domains.get(row.target)
    return {
        "alias_domain": row.name,
        "parent_is_backupmx": None if target is None else target.backupmx,
        "target_domain": row.target,
        "active": row.active,
        "active_int": row.active,
        "rl": limit_of(state, row.name) or False,
        "created": row.created,
        "modified": row.modified,
    }


def get_alias_domain(call: Call) -> Json:
    """``get/alias-domain/all`` or one."""
    if call.object != "all":
        return alias_domain_details(call.state, call.object)
    rows = sorted(call.state.alias_domains.values(), key=lambda row: (order(row.target), order(row.name)))
    return [alias_domain_details(call.state, row.name) for row in rows]


def add_alias_domain(call: Call) -> End:
    """``add/alias-domain``; ``active`` is 0 when not sent."""
    state, data = call.state, call.data
    names = [name for name in split_list(data.get("alias_domain")) if name]
    target = to_ascii(text(data.get("target_domain")).strip())
    if not is_domain_name(target):
        call.danger("target_domain_invalid")
        return End.GIVEN_UP
    if not state.hosts(target):
        call.danger("access_denied")
        return End.GIVEN_UP
    for given_name in names:
        name = to_ascii(given_name)
        refusal = _alias_domain_refusal(state, name, target)
        if refusal is not None:
            call.danger(*refusal)
            continue
        state.alias_domains[name] = AliasDomain(name, target, integer(data.get("active")), state.clock.now())
        if integer(data.get("rl_value")):
            _limit(call, name, data.get("rl_value"), data.get("rl_frame"))
        if not is_empty(data.get("key_size")) and not is_empty(data.get("dkim_selector")):
            _add_dkim_key(call, name, data.get("key_size"), text(data.get("dkim_selector")))
        call.success("aliasd_added", shown(name))
    return End.REACHED


def edit_alias_domain(call: Call) -> End:
    """``edit/alias-domain``: ``active`` and ``target_domain``."""
    state = call.state
    for item in call.items:
        name = to_ascii(text(item).strip())
        row = state.alias_domains.get(name)
        if row is None:
            call.danger("alias_domain_invalid", shown(name))
            continue
        wanted = call.data.get("target_domain")
        target = row.target if is_empty(wanted) else to_ascii(text(wanted).strip())
        if not is_domain_name(target):
            call.danger("target_domain_invalid", shown(target))
            continue
        if not state.hosts(target):
            call.danger("access_denied")
            continue
        if target not in state.domains:
            call.danger("target_domain_invalid", shown(target))
            continue
        active = integer(call.data["active"]) if given(call.data, "active") else row.active
        changed = replace(row, target=target, active=active)
        if changed != row:
            changed.modified = state.clock.now()
            state.alias_domains[name] = changed
        call.success("aliasd_modified", shown(name))
    return End.REACHED


def delete_alias_domain(call: Call) -> End:
    """``delete/alias-domain``; its aliases go with it."""
    for item in call.items:
        name = text(item)
        if not is_domain_name(name):
            call.danger("domain_invalid")
            continue
        row = call.state.alias_domains.get(fold(name))
        if row is None or not call.state.hosts(row.target):
            call.danger("access_denied")
            continue
        del call.state.alias_domains[fold(name)]
        _drop_aliases_of(call.state, fold(name))
        call.success("alias_domain_removed", shown(name))
    return End.REACHED


def _total(number: int) -> Json:
    return str(number) if number else 0


def _domain_template(state: State, data: JsonObject) -> JsonObject:
    rows = [row for row in state.templates.values() if row.type == "domain"]
    chosen: list[Template] = []
    if not is_empty(data.get("template")):
        chosen = [row for row in rows if row.id == integer(data.get("template"))]
    return (chosen or rows)[0].attributes


def _imply_relay(row: Domain) -> None:
    if row.relay_all_recipients == 1:
        row.backupmx = 1
    if row.relay_unknown_only == 1:
        row.backupmx = row.relay_all_recipients = 1


def _quota_refusal(row: Domain, *, new: bool) -> tuple[str, ...] | None:
    checks = {
        "mailbox_defquota_exceeds_mailbox_maxquota": row.defquota > row.maxquota,
        "mailbox_quota_exceeds_domain_quota": row.maxquota > row.quota,
        "defquota_empty": row.defquota == 0,
        "maxquota_empty": row.maxquota == 0,
    }
    names = list(checks)
    if not new:
        names[1], names[2] = names[2], names[1]
    return next(((name,) for name in names if checks[name]), None)


def _in_use_refusal(state: State, row: Domain) -> tuple[Json, ...] | None:
    mailboxes = state.mailboxes_in(row.name).values()
    biggest = max((mailbox.quota // MIB for mailbox in mailboxes), default=0)
    given_away = state.quota_used_in(row.name) // MIB
    aliases = state.count_aliases(row.name, with_alias_domains=False)
    if biggest > row.maxquota:
        return ("max_quota_in_use", str(biggest))
    if given_away > row.quota:
        return ("domain_quota_m_in_use", str(given_away))
    if len(mailboxes) > row.mailboxes:
        return ("mailboxes_in_use", len(mailboxes))
    if aliases > row.aliases:
        return ("aliases_in_use", aliases)
    return None


def _edited(row: Domain, data: JsonObject) -> Domain:
    def kept_when_empty(name: str) -> int:
        return int(getattr(row, name)) if is_empty(data.get(name)) else rounded(data[name])

    def kept_when_blank(name: str) -> int:
        return integer(data[name]) if given(data, name) and data[name] != "" else int(getattr(row, name))

    wanted = replace(
        row,
        aliases=kept_when_empty("aliases"),
        maxquota=kept_when_empty("maxquota"),
        quota=kept_when_empty("quota"),
        mailboxes=kept_when_blank("mailboxes"),
        defquota=kept_when_blank("defquota"),
        description=row.description if is_empty(data.get("description")) else text(data["description"]),
        relayhost=str(integer(data["relayhost"])) if given(data, "relayhost") else row.relayhost,
    )
    for flag in _FLAGS:
        if given(data, flag):
            setattr(wanted, flag, integer(data[flag]))
    _imply_relay(wanted)
    return wanted


def _copy_settings(source: Domain, target: Domain) -> None:
    for name in ("aliases", "maxquota", "quota", "mailboxes", "defquota", "description", "relayhost", *_FLAGS):
        setattr(target, name, getattr(source, name))


def _add_tags(call: Call, row: Domain, tags: list[Json]) -> None:
    for index, tag in enumerate(tags):
        if is_empty(tag):
            continue
        if index > LAST_TAG_INDEX:
            call.say("warning", "tag_limit_exceeded", f"limit {LAST_TAG_INDEX}")
            return
        if fold(text(tag)) in {fold(there) for there in row.tags}:
            raise UncaughtError(f"Duplicate entry '{text(tag)}-{row.name}' for key 'PRIMARY'", 1062)
        row.tags.append(text(tag))


def _add_domain_extras(call: Call, name: str, defaults: JsonObject) -> None:
    data = call.data
    value = integer(data["rl_value"]) if given(data, "rl_value") else defaults.get("rl_value")
    frame = data["rl_frame"] if given(data, "rl_frame") else defaults.get("rl_frame")
    if not is_empty(value) and not is_empty(frame):
        _limit(call, name, value, frame)
    key_size = integer(data["key_size"]) if given(data, "key_size") else defaults.get("key_size")
    selector = data["dkim_selector"] if given(data, "dkim_selector") else defaults.get("dkim_selector")
    if not is_empty(key_size) and not is_empty(selector):
        _add_dkim_key(call, name, key_size, text(selector))


def _limit(call: Call, name: str, value: Json, frame: Json) -> None:
    edit_domain_limit(call, [name], value, frame, {"object": name, "rl_value": value, "rl_frame": frame})


def _add_dkim_key(call: Call, name: str, key_size: Json, selector: str) -> None:
    if name in call.state.dkim_selectors:
        call.success("domain_add_dkim_available")
        return
    call.state.dkim_selectors[name] = selector
    request: JsonObject = {"key_size": key_size, "dkim_selector": selector, "domains": name}
    call.say("success", "dkim_added", name, log=["dkim", "add", request])


def _drop_aliases_of(state: State, domain: str) -> None:
    for row in [row for row in state.aliases.values() if fold(row.domain) == domain]:
        state.remove_alias(row)


def _alias_domain_refusal(state: State, name: str, target: str) -> tuple[str, ...] | None:
    if not is_domain_name(name):
        raise UncaughtError('Undefined constant "alias_domain"')
    if name == target:
        return ("aliasd_targetd_identical", shown(target))
    row = state.domains.get(target)
    if row is None:
        return ("targetd_not_found", shown(target))
    if row.backupmx == 1:
        return ("targetd_relay_domain", shown(target))
    if name in state.alias_domains or name in state.domains:
        return ("alias_domain_invalid", name)
    return None
