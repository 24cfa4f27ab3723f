"""Templates of mailboxes and domains (mailcow API facts §8)."""

from dataclasses import asdict
from typing import cast

from .call import Call, End
from .state import ACL_NAMES, MIB, PROTOCOLS, State, Template
from .values import Json, JsonObject, given, integer, is_empty, listed, text

_CATEGORIES = ("add_header", "reject", "all")
_SWITCHES = {
    "force_pw_update": 0,
    "force_tfa": 0,
    "sogo_access": 1,
    "active": 1,
    "tls_enforce_in": 0,
    "tls_enforce_out": 0,
}
_DOMAIN_NUMBERS = {
    "max_num_aliases_for_domain": 400, "max_num_mboxes_for_domain": 10, "def_quota_for_mbox": 3072,
    "max_quota_for_mbox": 10240, "max_quota_for_domain": 10240,
}  # fmt: skip
_DOMAIN_FLAGS = {"active": 1, "gal": 1, "backupmx": 0, "relay_all_recipients": 0, "relay_unknown_only": 0}


def mailbox_template(state: State, wanted: Json) -> JsonObject:
    """The attributes of the template with this number; those of the first one when there is none such."""
    rows = [row for _, row in sorted(state.templates.items()) if row.type == "mailbox"]
    chosen = [] if is_empty(wanted) else [row for row in rows if row.id == integer(wanted)]
    defaults = cast("JsonObject", {"quota": 0, "tags": [], "rl_value": "", "rl_frame": "s", **_SWITCHES})
    defaults |= {f"{protocol}_access": 1 for protocol in PROTOCOLS}
    defaults |= {"quarantine_notification": "hourly", "quarantine_category": "reject"}
    return defaults | (chosen or rows)[0].attributes


def get_mailbox_templates(call: Call) -> Json:
    """``get/mailbox/template/all`` or one."""
    return _shown(call, "mailbox")


def get_domain_templates(call: Call) -> Json:
    """``get/domain/template/all`` or one."""
    return _shown(call, "domain")


def add_mailbox_template(call: Call) -> End:
    """``add/mailbox/template``; the quota in MiB."""
    refusal = _name_refusal(call, "mailbox")
    category = "reject" if is_empty(call.data.get("quarantine_category")) else call.data["quarantine_category"]
    if refusal is None and category not in _CATEGORIES:
        refusal = ("quarantine_category_invalid",)
    if refusal is not None:
        call.danger(*refusal)
        return End.GIVEN_UP
    data = call.data
    attributes: JsonObject = {
        "quota": integer(data.get("quota")) * MIB,
        "tags": data["tags"] if given(data, "tags") else [],
        "tagged_mail_handler": _or(data, "tagged_mail_handler", "none"),
        "quarantine_notification": _or(data, "quarantine_notification", "hourly"),
        "quarantine_category": category,
        "rl_frame": _or(data, "rl_frame", "s"),
        "rl_value": _or(data, "rl_value", ""),
        **{name: integer(data[name]) if given(data, name) else default for name, default in _SWITCHES.items()},
        **_protocols(data),
        **_acl(data),
    }
    _store(call, "mailbox", attributes)
    return End.DONE


def add_domain_template(call: Call) -> End:
    """``add/domain/template``; quotas in MiB."""
    refusal = _name_refusal(call, "domain")
    if refusal is not None:
        call.danger(*refusal)
        return End.GIVEN_UP
    data = call.data
    numbers = {
        name: integer(default if is_empty(data.get(name)) else data[name]) * (MIB if "quota" in name else 1)
        for name, default in _DOMAIN_NUMBERS.items()
    }
    flags = {name: integer(data[name]) if given(data, name) else default for name, default in _DOMAIN_FLAGS.items()}
    attributes: JsonObject = {
        "tags": data["tags"] if given(data, "tags") else [],
        **numbers,
        "rl_frame": _or(data, "rl_frame", "s"),
        "rl_value": _or(data, "rl_value", ""),
        **flags,
        "dkim_selector": data["dkim_selector"] if given(data, "dkim_selector") else "dkim",
        "key_size": integer(data["key_size"]) if given(data, "key_size") else 2048,
    }
    _store(call, "domain", attributes)
    return End.DONE


def edit_mailbox_template(call: Call) -> End:
    """``edit/mailbox/template``: not a patch; what is not sent is lost.

    Without protocols or acl the old row is written into its own attributes.
    """
    data = call.data
    for item in call.items:
        row = call.state.templates.get(integer(item))
        if row is None or row.type != "mailbox":
            call.danger("template_id_invalid")
            continue
        if row.name == "Default" or not given(data, "template"):
            data["template"] = row.name
        category = data.get("quarantine_category")
        if category not in _CATEGORIES:
            call.danger("quarantine_category_invalid")
            continue
        attributes: JsonObject = {
            "quota": integer(data.get("quota")) * MIB,
            **{name: data.get(name) for name in ("tags", "tagged_mail_handler", "quarantine_notification")},
            "quarantine_category": category,
            **{name: data.get(name) for name in ("rl_frame", "rl_value")},
            **{name: integer(data[name]) if given(data, name) else None for name in _SWITCHES},
        }
        whole = _row(row)
        attributes |= _protocols(data) if given(data, "protocol_access") else whole
        attributes |= _acl(data) if given(data, "acl") else whole
        row.name, row.attributes, row.modified = text(data["template"]), attributes, call.state.clock.now()
    call.success("template_modified", data.get("template"))
    return End.DONE


def delete_mailbox_templates(call: Call) -> End:
    """``delete/mailbox/template``: any number is deleted with success, "Default" never goes."""
    for item in call.items:
        _remove(call.state, item, "mailbox")
    call.success("template_removed")
    return End.DONE


def delete_domain_templates(call: Call) -> End:
    """``delete/domain/template``: only the first number is looked at."""
    for item in call.items[:1]:
        _remove(call.state, item, "domain")
        call.success("template_removed", str(item))
    return End.DONE


def _shown(call: Call, kind: str) -> Json:
    rows = [row for _, row in sorted(call.state.templates.items()) if row.type == kind]
    if call.extra in {"", "all"}:
        return [_row(row) for row in rows]
    return next((_row(row) for row in rows if row.id == integer(call.extra)), None)


def _row(row: Template) -> JsonObject:
    plain = cast("JsonObject", asdict(row))
    plain["template"] = plain.pop("name")
    return plain


def _name_refusal(call: Call, kind: str) -> tuple[str, ...] | None:
    name = call.data.get("template")
    if is_empty(name):
        return ("template_name_invalid",)
    if any(row.type == kind and row.name == name for row in call.state.templates.values()):
        return ("template_exists", text(name))
    return None


def _or(data: JsonObject, name: str, default: str) -> Json:
    return default if is_empty(data.get(name)) else data[name]


def _protocols(data: JsonObject) -> JsonObject:
    allowed = listed(data["protocol_access"]) if given(data, "protocol_access") else list(PROTOCOLS)
    return {f"{protocol}_access": int(protocol in allowed) for protocol in PROTOCOLS}


def _acl(data: JsonObject) -> JsonObject:
    allowed = listed(data.get("acl"))
    names = ACL_NAMES if given(data, "acl") else [name for name in ACL_NAMES if name != "pw_reset"]
    return {f"acl_{name}": int(name in allowed) for name in names}


def _store(call: Call, kind: str, attributes: JsonObject) -> None:
    number = call.state.next_template_id
    call.state.next_template_id += 1
    name = text(call.data["template"])
    call.state.templates[number] = Template(number, name, kind, attributes, call.state.clock.now())
    call.success("template_added", name)


def _remove(state: State, item: Json, kind: str) -> None:
    row = state.templates.get(integer(item))
    if row is not None and row.type == kind and row.name != "Default":
        del state.templates[row.id]
