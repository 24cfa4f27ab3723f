"""Mailboxes: how they are shown, made, changed and deleted (mailcow API facts §3 to §6)."""

import re
from dataclasses import replace
from typing import cast

from .call import Call, End
from .containers import move_mail
from .domains import LAST_TAG_INDEX, domain_details
from .passwords import is_password_taken, stored
from .ratelimits import edit_mailbox_limit, limit_of
from .sender_rights import edit_external_senders, edit_senders
from .state import ACL_NAMES, MIB, PROTOCOLS, Alias, Mailbox, State, by_name
from .templates import mailbox_template
from .values import (
    Json,
    JsonObject,
    UncaughtError,
    flag,
    fold,
    given,
    integer,
    is_address,
    is_domain_name,
    is_empty,
    listed,
    order,
    shown,
    text,
    to_ascii,
)

QUARANTINE_NOTIFICATIONS = ("never", "hourly", "daily", "weekly")
QUARANTINE_CATEGORIES = ("add_header", "reject", "all")
PROVIDERS = ("keycloak", "generic-oidc", "ldap")
LONGEST_NAME = 255
LONGEST_TAG = 255
_SWITCHES = ("force_pw_update", "force_tfa", "tls_enforce_in", "tls_enforce_out", "sogo_access")
_ACCESS = tuple(f"{protocol}_access" for protocol in PROTOCOLS)
_EDITABLE = ("force_pw_update", "force_tfa", "sogo_access", *_ACCESS, "relayhost")


def mailbox_details(state: State, username: str, *, reduced: bool = False) -> JsonObject | None:
    """A mailbox as it is shown, quotas in bytes; never its password. A half-deleted one is a row of nulls."""
    row = state.accessible_mailbox(username)
    if row is None:
        return None
    details = _nothing_left() if row.half_deleted else _details(row)
    if not reduced:
        details |= _more_details(state, row)
    if row.tags:
        details["tags"] = cast("list[Json]", sorted(row.tags, key=order))
    return details


def get_mailbox(call: Call) -> Json:
    """``get/mailbox/all``, ``…/reduced`` (of domains) or one; an unknown domain there gives every mailbox."""
    if call.object not in {"all", "reduced"}:
        return mailbox_details(call.state, call.object)
    domains = call.extra.split(",") if call.extra else sorted(call.state.domains, key=order)
    reduced = call.object == "reduced"
    return [
        mailbox_details(call.state, row.username, reduced=reduced)
        for domain in domains
        for row in _chosen(call.state, domain, call.tags)
        if call.state.hosts(row.domain)
    ]


def get_mailboxes_by_tag(call: Call) -> Json:
    """``get/mailbox/{domain}?tags=``."""
    return [mailbox_details(call.state, row.username) for row in _chosen(call.state, call.object, call.tags)]


def add_mailbox(call: Call) -> End:
    """``add/mailbox``; the quota in MiB, what is missing comes from a template."""
    state, data = call.state, call.data
    local_part = text(data.get("local_part")).strip().lower()
    domain = to_ascii(text(data.get("domain")).strip())
    username = f"{local_part}@{domain}"
    authsource = _authsource(state, data) or "mailcow"
    if not is_address(username) or is_empty(data.get("local_part")):
        call.danger("mailbox_invalid")
        return End.GIVEN_UP
    name = _without_brackets(text(data.get("name")))
    defaults = mailbox_template(state, data.get("template"))
    _spread_protocols(data)
    quota_mib = integer(data["quota"]) if given(data, "quota") else integer(defaults["quota"]) // MIB
    category = text(
        data["quarantine_category"] if given(data, "quarantine_category") else defaults["quarantine_category"]
    )
    refusal: tuple[Json, ...] | None = None
    if category not in QUARANTINE_CATEGORIES:
        refusal = ("quarantine_category_invalid",)
    else:
        refusal = _address_refusal(state, local_part, domain)
    if refusal is not None:
        call.danger(*refusal)
        return End.GIVEN_UP
    if authsource == "mailcow" and not is_password_taken(call, data.get("password"), data.get("password2")):
        return End.GIVEN_UP
    refusal = _room_refusal(state, domain, quota_mib)
    if refusal is not None:
        call.danger(*refusal)
        return End.GIVEN_UP
    active = flag(data["active"] if given(data, "active") else defaults["active"])
    now = state.clock.now()
    row = Mailbox(
        username=username,
        local_part=local_part,
        domain=domain,
        name=_fitting(name),
        password=stored(text(data["password"])) if authsource == "mailcow" else "",
        quota=quota_mib * MIB,
        active=active,
        authsource=authsource,
        attributes=_new_attributes(data, defaults, authsource, category, now),
        created=now,
        modified=now,
        acl=_new_acl(data, defaults),
    )
    state.insert_mailbox(row)
    if given(data, "tagged_mail_handler"):
        _set_delimiter_action(call, row.username)
    tags = data["tags"] if given(data, "tags") else defaults["tags"]
    _add_tags(call, row, tags if isinstance(tags, list) else [])
    state.insert_alias(Alias(state.take_alias_id(), username, username, domain, now, active=active))
    value = data["rl_value"] if given(data, "rl_value") else defaults["rl_value"]
    frame = data["rl_frame"] if given(data, "rl_frame") else defaults["rl_frame"]
    if value is not None and frame is not None:
        edit_mailbox_limit(call, [username], value, frame, {"object": username, "rl_frame": frame, "rl_value": value})
    call.touched.append(username)
    call.success("mailbox_added", shown(username))
    return End.REACHED


def edit_mailbox(call: Call) -> End:
    """``edit/mailbox``: missing and empty fields keep; tags are only added; attribute_hash is lost when not sent."""
    _spread_protocols(call.data)
    for item in call.items:
        if not is_address(item):
            call.danger("username_invalid", item)
            continue
        row = call.state.accessible_mailbox(text(item))
        if row is None or row.half_deleted:
            call.danger("access_denied")
            continue
        if not _edit_one(call, row, text(item)):
            return End.GIVEN_UP
    return End.REACHED


def delete_mailbox(call: Call) -> End:
    """``delete/mailbox``: its row, its aliases, its place in lists (where written in the same case), its rights."""
    state = call.state
    for item in call.items:
        row = state.accessible_mailbox(text(item)) if is_address(item) else None
        if row is None:
            call.danger("access_denied")
            continue
        username = text(item)
        if row.half_deleted:
            stays: str | None = "variables local_part and/or domain empty"
        else:
            stays = move_mail(state, f"{row.local_part}@{row.domain}", None)
        if stays is not None:
            call.say("warning", f"Could not move maildir to garbage collector: {stays}")
        for alias in [alias for alias in state.aliases.values() if fold(alias.goto) == fold(username)]:
            state.remove_alias(alias)
        if call.dies_at(username):
            row.half_deleted = True
            raise UncaughtError("Serialization failure: 1213 Deadlock found when trying to get lock", 1213)
        state.remove_mailbox(username)
        state.drop_rows_where(mailbox=username, send_as=username)
        _cut_from_lists(state, username)
        state.rate_limits.pop(username, None)
        call.success("mailbox_removed", shown(username))
        call.touched.append(username)
    return End.REACHED


def delete_mailbox_tags(call: Call) -> End:
    """``delete/mailbox/tag/{address}``; tags that are not there are deleted with success."""
    if not is_address(call.extra):
        call.danger("email invalid")
        return End.GIVEN_UP
    row = call.state.accessible_mailbox(call.extra)
    if row is None or row.half_deleted:
        call.danger("access_denied")
        return End.GIVEN_UP
    if not call.items:
        return End.GIVEN_UP
    gone = {fold(text(tag)) for tag in call.items}
    row.tags = [tag for tag in row.tags if fold(tag) not in gone]
    call.success("mailbox_modified", call.extra)
    return End.REACHED


def edit_tls_policy(call: Call) -> End:
    """``edit/tls_policy``: whether mail in and out must be encrypted."""
    for item in call.items:
        row = _accessible(call, item)
        if row is not None:
            wanted: dict[str, str | None] = {
                name: str(integer(call.data[name]))
                for name in ("tls_enforce_in", "tls_enforce_out")
                if given(call.data, name)
            }
            _set_attributes(call.state, row, wanted)
            call.success("mailbox_modified", item)
    return End.REACHED


def edit_quarantine_notification(call: Call) -> End:
    """``edit/quarantine_notification``: how often a mailbox hears of what was held back."""
    return _edit_choice(call, "quarantine_notification", QUARANTINE_NOTIFICATIONS)


def edit_quarantine_category(call: Call) -> End:
    """``edit/quarantine_category``: what of it."""
    return _edit_choice(call, "quarantine_category", QUARANTINE_CATEGORIES)


def edit_delimiter_action(call: Call) -> End:
    """``edit/delimiter_action``: what becomes of mail to ``name+tag``."""
    for item in call.items:
        if is_address(item) and call.state.accessible_mailbox(text(item)) is not None:
            _save_delimiter_action(call.state, text(item), call.data.get("tagged_mail_handler"))
            call.success("mailbox_modified", item)
        else:
            call.danger("access_denied")
    return End.REACHED


def edit_custom_attributes(call: Call) -> End:
    """``edit/mailbox/custom-attribute``: replaces them all; keys lose their blanks."""
    names = [text(name).replace(" ", "") for name in listed(call.data.get("attribute"))]
    values = listed(call.data.get("value"))
    if len(names) != len(values):
        raise UncaughtError("array_combine(): both arguments must have the same number of elements")
    attributes = dict(zip(names, values, strict=True))
    for item in call.items:
        if not is_address(item):
            call.danger("username_invalid", item)
            continue
        row = call.state.accessible_mailbox(text(item))
        if row is None or row.half_deleted:
            call.danger("access_denied")
            continue
        call.state.touch(row, lambda row=row: setattr(row, "custom_attributes", attributes))  # type: ignore[misc]
        call.success("mailbox_modified", item)
    return End.DONE


def edit_user_acl(call: Call) -> End:
    """``edit/user-acl``: what the user may change; names that are not sent become 0."""
    names = {text(name) for name in listed(call.data.get("user_acl"))}
    for item in call.items:
        row = call.state.accessible_mailbox(text(item))
        if row is None:
            call.danger("access_denied")
            continue
        row.acl = {name: int(name in names) for name in ACL_NAMES}
        call.success("acl_saved", item)
    return End.REACHED


def _nothing_left() -> JsonObject:
    details: JsonObject = dict.fromkeys(
        ("username", "active", "active_int", "domain", "name", "local_part", "quota", "messages", "attributes")
    )
    details |= {
        "custom_attributes": None, "quota_used": 0, "percent_in_use": "- ", "created": None, "modified": None,
        "authsource": "mailcow", "percent_class": "info",
    }  # fmt: skip
    return details | _last_logins()


def _details(row: Mailbox) -> JsonObject:
    percent: int | None = None if row.quota == 0 else round(row.bytes_used / row.quota * 100)
    return {
        "username": row.username,
        "active": row.active,
        "active_int": row.active,
        "domain": row.domain,
        "name": row.name,
        "local_part": row.local_part,
        "quota": row.quota,
        "messages": row.messages,
        "attributes": dict(row.attributes),
        "custom_attributes": row.custom_attributes or [],
        "quota_used": row.bytes_used,
        "percent_in_use": "- " if percent is None else percent,
        "created": row.created,
        "modified": row.modified,
        "authsource": row.authsource,
        "percent_class": _percent_class(percent),
        **_last_logins(),
    }


def _percent_class(percent: int | None) -> str:
    if percent is None:
        return "info"
    return next((name for limit, name in ((90, "danger"), (75, "warning")) if percent >= limit), "success")


def _last_logins() -> JsonObject:
    return {f"last_{service}_login": 0 for service in ("imap", "smtp", "pop3", "sso")}


def _more_details(state: State, row: Mailbox) -> JsonObject:
    domain = state.domains.get(row.domain)
    if row.half_deleted or domain is None:
        largest, is_relayed, domain_limit = 0, None, None
    else:
        others = state.quota_used_in(row.domain) - row.quota
        largest = min(domain.quota * MIB - others, domain.maxquota * MIB)
        is_relayed, domain_limit = domain.backupmx, limit_of(state, row.domain)
    own_limit = limit_of(state, row.username)
    rights = [
        right.send_as for right in state.sender_acl if not right.external and fold(right.mailbox) == fold(row.username)
    ]
    return {
        "max_new_quota": largest,
        "spam_aliases": 0,
        "pushover_active": 0,
        "rl": own_limit or domain_limit or False,
        "rl_scope": "mailbox" if own_limit else "domain",
        "is_relayed": is_relayed,
        "sender_acl": cast("list[Json]", rights),
    }


def _chosen(state: State, domain: str, tags: list[str] | None) -> list[Mailbox]:
    if tags is not None:
        wanted = [fold(tag) for tag in tags]
        part = fold(domain)
        rows = [row for row in by_name(state.mailboxes) if part in fold(row.username)]
        return [row for row in rows if any(tag in fold(there) for tag in wanted for there in row.tags)]
    return by_name(state.mailboxes_in(domain) if state.hosts(domain) else state.mailboxes)


def _authsource(state: State, data: JsonObject) -> str | None:
    wanted = data.get("authsource")
    if wanted == "mailcow" or (wanted in PROVIDERS and wanted == state.identity_provider.get("authsource")):
        return text(wanted)
    return None


def _spread_protocols(data: JsonObject) -> None:
    if given(data, "protocol_access"):
        allowed = listed(data["protocol_access"])
        for protocol in PROTOCOLS:
            data[f"{protocol}_access"] = int(protocol in allowed)


def _address_refusal(state: State, local_part: str, domain: str) -> tuple[Json, ...] | None:
    username = f"{local_part}@{domain}"
    if not is_domain_name(domain):
        return ("domain_invalid",)
    if not state.hosts(domain):
        return ("access_denied",)
    if state.mailbox(username) is not None:
        return ("object_exists", shown(username))
    if state.alias_at(username) is not None:
        return ("is_alias", shown(username))
    if domain not in state.domains:
        return ("domain_not_found", shown(domain))
    return None


def _room_refusal(state: State, domain: str, quota_mib: int) -> tuple[Json, ...] | None:
    limits = state.domains[domain]
    count, used_mib = len(state.mailboxes_in(domain)), state.quota_used_in(domain) // MIB
    if count >= limits.mailboxes:
        return ("max_mailbox_exceeded", count, limits.mailboxes)
    if quota_mib > limits.maxquota:
        return ("mailbox_quota_exceeded", limits.maxquota)
    if used_mib + quota_mib > limits.quota:
        return ("mailbox_quota_left_exceeded", limits.quota - used_mib)
    return None


def _fitting(name: str) -> str:
    if len(name) > LONGEST_NAME:
        raise UncaughtError("Data too long for column 'name' at row 1", 1406)
    return name


def _without_brackets(name: str) -> str:
    return name.rstrip(">").lstrip("<")


def _new_attributes(
    data: JsonObject, defaults: JsonObject, authsource: str, category: str, now: str
) -> dict[str, str | None]:
    def chosen(name: str) -> Json:
        return data[name] if given(data, name) else defaults[name]

    attributes: dict[str, str | None] = {name: str(integer(chosen(name))) for name in (*_SWITCHES, *_ACCESS)}
    if authsource != "mailcow":
        attributes["force_pw_update"] = "0"
    if authsource == "generic-oidc":
        attributes["force_tfa"] = "0"
    return attributes | {
        "relayhost": str(integer(data.get("relayhost"))),
        "passwd_update": now,
        "mailbox_format": "maildir:",
        "quarantine_notification": text(chosen("quarantine_notification")),
        "quarantine_category": category,
        "attribute_hash": "" if is_empty(data.get("attribute_hash")) else text(data["attribute_hash"]),
    }


def _new_acl(data: JsonObject, defaults: JsonObject) -> dict[str, int]:
    if given(data, "acl"):
        allowed = listed(data["acl"])
        return {name: int(name in allowed) for name in ACL_NAMES}
    return {name: integer(defaults.get(f"acl_{name}")) for name in ACL_NAMES}


def _edit_one(call: Call, row: Mailbox, username: str) -> bool:
    """Change one mailbox; False when a database error ends the whole call."""
    state, data = call.state, call.data
    wanted = _edited(state, row, data)
    limits = domain_details(state, row.domain)
    largest = integer(_more_details(state, row)["max_new_quota"])
    if wanted.quota > largest:
        call.danger("mailbox_quota_left_exceeded", _in_mib(largest))
        return True
    if limits is not None and wanted.quota // MIB > integer(limits["max_quota_for_mbox"]):
        call.danger("mailbox_quota_exceeded", limits["max_quota_for_mbox"])
        return True
    if given(data, "extended_sender_acl"):
        edit_external_senders(call, username)
    if given(data, "sender_acl"):
        edit_senders(call, username)
    if not is_empty(data.get("password")):
        if not is_password_taken(call, data["password"], data.get("password2")):
            return True
        if row.authsource == "mailcow":
            _set_password(state, row, text(data["password"]))
    _save_activity_of_self_row(state, row.username, flag(wanted.active))
    error = call.database_error(username)
    if error is None and len(wanted.name) > LONGEST_NAME:
        error = "SQLSTATE[22001]: String data, right truncated: 1406 Data too long for column 'name' at row 1"
    if error is not None:
        call.danger(error)
        return False
    wanted = replace(wanted, attributes=row.attributes | _edited_attributes(row, wanted.authsource, data))
    state.touch(row, lambda: _copy_settings(wanted, row))
    if given(data, "tagged_mail_handler"):
        _set_delimiter_action(call, username)
    tags = data.get("tags")
    _add_tags(call, row, tags if isinstance(tags, list) else [])
    call.success("mailbox_modified", username)
    call.touched.append(username)
    return True


def _edited(state: State, row: Mailbox, data: JsonObject) -> Mailbox:
    has_quota = given(data, "quota") and data["quota"] is not False and data["quota"] != ""
    return replace(
        row,
        active=integer(data["active"]) if given(data, "active") else row.active,
        quota=integer(data["quota"]) * MIB if has_quota else row.quota,
        name=row.name if is_empty(data.get("name")) else _without_brackets(text(data["name"])),
        authsource=_authsource(state, data) or row.authsource,
    )


def _edited_attributes(row: Mailbox, authsource: str, data: JsonObject) -> dict[str, str | None]:
    attributes: dict[str, str | None] = {
        name: str(integer(data[name] if given(data, name) else row.attributes.get(name))) for name in _EDITABLE
    }
    if authsource != "mailcow":
        attributes["force_pw_update"] = "0"
    if authsource == "generic-oidc":
        attributes["force_tfa"] = "0"
    recovery = row.attributes.get("recovery_email")
    if given(data, "pw_recovery_email") and authsource == "mailcow":
        recovery = text(data["pw_recovery_email"])
    attributes["recovery_email"] = recovery
    attributes["attribute_hash"] = "" if is_empty(data.get("attribute_hash")) else text(data["attribute_hash"])
    return attributes


def _in_mib(size: int) -> Json:
    return size // MIB if size % MIB == 0 else size / MIB


def _copy_settings(source: Mailbox, target: Mailbox) -> None:
    for name in ("active", "quota", "name", "authsource", "attributes"):
        setattr(target, name, getattr(source, name))


def _set_password(state: State, row: Mailbox, password: str) -> None:
    def change() -> None:
        row.password = stored(password)
        row.attributes = row.attributes | {"passwd_update": state.clock.now()}

    state.touch(row, change)


def _save_activity_of_self_row(state: State, username: str, active: int) -> None:
    alias = state.alias_at(username)
    if alias is not None:
        state.touch(alias, lambda: setattr(alias, "active", active))


def _set_attributes(state: State, row: Mailbox, wanted: dict[str, str | None]) -> None:
    def change() -> None:
        row.attributes = row.attributes | wanted

    state.touch(row, change)


def _accessible(call: Call, item: Json) -> Mailbox | None:
    row = call.state.accessible_mailbox(text(item))
    if row is None:
        call.danger("access_denied")
    return row


def _edit_choice(call: Call, name: str, choices: tuple[str, ...]) -> End:
    for item in call.items:
        row = _accessible(call, item)
        if row is None:
            continue
        if not given(call.data, name):
            raise UncaughtError("Cannot access offset of type string on string")
        if call.data[name] not in choices:
            call.danger("access_denied")
            continue
        _set_attributes(call.state, row, {name: text(call.data[name])})
        call.success("mailbox_modified", item)
    return End.REACHED


def _set_delimiter_action(call: Call, username: str) -> None:
    handler = call.data["tagged_mail_handler"]
    _save_delimiter_action(call.state, username, handler)
    inner = call.nested(("mailbox", "edit", "delimiter_action"), {"username": username, "tagged_mail_handler": handler})
    inner.success("mailbox_modified", username)


def _save_delimiter_action(state: State, username: str, handler: Json) -> None:
    if handler in {"subject", "subfolder"}:
        state.delimiter_actions[fold(username)] = text(handler)
    else:
        state.delimiter_actions.pop(fold(username), None)


def _add_tags(call: Call, row: Mailbox, tags: list[Json]) -> None:
    for index, tag in enumerate(tags):
        if is_empty(tag):
            continue
        if index > LAST_TAG_INDEX:
            call.say("warning", "tag_limit_exceeded", f"limit {LAST_TAG_INDEX}")
            return
        if len(text(tag)) <= LONGEST_TAG and fold(text(tag)) not in {fold(there) for there in row.tags}:
            row.tags.append(text(tag))


def _cut_from_lists(state: State, username: str) -> None:
    member = re.compile(rf"(^|,){re.escape(username)}($|,)", re.IGNORECASE)
    for alias in [alias for alias in state.aliases.values() if member.search(alias.goto)]:
        gotos = alias.goto.split(",")
        if username in gotos:
            gotos.remove(username)
        state.touch(alias, lambda alias=alias, gotos=gotos: setattr(alias, "goto", ",".join(gotos)))  # type: ignore[misc]
