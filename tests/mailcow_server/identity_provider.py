"""The identity provider's settings (mailcow API facts §9)."""

from .call import Call, End
from .values import Json, JsonObject, given, integer, is_empty, listed, text

PROVIDERS = ("keycloak", "generic-oidc", "ldap")
_LDAP_SETTINGS = (
    "authsource", "host", "port", "basedn", "username_field", "filter", "attribute_field", "binddn", "bindpass",
    "periodic_sync", "import_users", "sync_interval", "use_ssl", "use_tls", "ignore_ssl_error", "login_provisioning",
)  # fmt: skip
_SHOWN_AS_BOOLEANS = ("use_ssl", "use_tls", "login_provisioning", "ignore_ssl_errors")


def get_identity_provider(call: Call) -> Json:
    """``get/identity-provider``; with the bind password in clear."""
    saved = call.state.identity_provider
    settings: JsonObject = {
        name: not is_empty(value) if name in _SHOWN_AS_BOOLEANS else value for name, value in sorted(saved.items())
    }
    settings.setdefault("login_provisioning", 1)
    if settings.get("authsource") == "ldap":
        settings.setdefault("ignore_ssl_errors", False)
    return settings


def edit_identity_provider(call: Call) -> End:
    """``edit/identity-provider``; of the three kinds only ``ldap`` is kept by this server."""
    data = dict(call.data)
    refusal: tuple[Json, ...] | None = None
    if not given(data, "authsource"):
        refusal = ("required_data_missing", "")
    elif text(data["authsource"]).lower() not in PROVIDERS:
        refusal = ("invalid_authsource", None)
    elif _is_in_use(call, text(data["authsource"]).lower()):
        refusal = ("authsource_in_use", None)
    if refusal is None:
        _complete(data)
        missing = next((name for name in _LDAP_SETTINGS if not given(data, name)), None)
        refusal = None if missing is None else ("required_data_missing", missing)
    if refusal is not None:
        _say(call, "danger", *refusal)
        return End.GIVEN_UP
    settings = {name: _as_stored(data[name]) for name in _LDAP_SETTINGS}
    call.state.identity_provider |= settings
    if given(data, "default_template"):
        call.state.identity_provider["default_template"] = text(data["default_template"])
    if given(data, "mappers") and given(data, "templates"):
        mappers, templates = (
            [part for part in listed(data[name]) if not is_empty(part)] for name in ("mappers", "templates")
        )
        if len(mappers) == len(templates):
            call.state.identity_provider |= {"mappers": mappers, "templates": templates}
    call.state.identity_provider["access_token"] = ""
    _say(call, "success", "object_modified", "")
    return End.DONE


def delete_identity_provider(call: Call) -> End:
    """``delete/identity-provider``; not while a mailbox needs it."""
    if _is_in_use(call, ""):
        _say(call, "danger", "authsource_in_use", None)
        return End.GIVEN_UP
    call.state.identity_provider.clear()
    _say(call, "success", "item_deleted", "")
    return End.DONE


def check_identity_provider(call: Call) -> End:
    """``edit/identity-provider-test``: complete settings pass; nothing is connected to."""
    needed = ("host", "port", "basedn", "binddn", "bindpass") if call.data.get("authsource") == "ldap" else ()
    return End.GIVEN_UP if any(is_empty(call.data.get(name)) for name in needed) else End.DONE


def _say(call: Call, kind: str, *message: Json) -> None:
    asked: Json = None if call.echo[1] == "delete" else dict(call.data) or []
    call.say(kind, *message, log=["identity_provider", call.echo[1], asked])


def _is_in_use(call: Call, allowed: str) -> bool:
    return any(row.authsource not in {"mailcow", allowed} for row in call.state.mailboxes.values())


def _complete(data: JsonObject) -> None:
    data["authsource"] = text(data["authsource"]).lower()
    data["host"] = text(data.get("host")).replace(" ", "")
    data["port"] = integer(data.get("port")) or 389
    data["username_field"] = text(data.get("username_field")).lower() or "mail"
    data["attribute_field"] = text(data.get("attribute_field")).lower()
    data["filter"] = text(data.get("filter"))
    for name in ("periodic_sync", "import_users"):
        data[name] = integer(data.get(name))
    data["sync_interval"] = max(1, integer(data.get("sync_interval")) or 15)
    data["use_tls"] = not is_empty(data.get("use_tls")) and is_empty(data.get("use_ssl"))
    for name in ("use_ssl", "ignore_ssl_error", "login_provisioning"):
        data[name] = not is_empty(data.get(name))


def _as_stored(value: Json) -> str:
    return text(value)
