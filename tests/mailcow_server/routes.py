"""Which path is answered by which function: one table for reading, one for writing."""

from collections.abc import Callable
from dataclasses import dataclass

from .aliases import add_alias, delete_alias, edit_alias, get_alias
from .call import Call, End
from .domains import (
    add_alias_domain,
    add_domain,
    delete_alias_domain,
    delete_domain,
    delete_domain_tags,
    edit_alias_domain,
    edit_domain,
    get_alias_domain,
    get_domain,
)
from .identity_provider import (
    check_identity_provider,
    delete_identity_provider,
    edit_identity_provider,
    get_identity_provider,
)
from .mailboxes import (
    add_mailbox,
    delete_mailbox,
    delete_mailbox_tags,
    edit_custom_attributes,
    edit_delimiter_action,
    edit_mailbox,
    edit_quarantine_category,
    edit_quarantine_notification,
    edit_tls_policy,
    edit_user_acl,
    get_mailbox,
)
from .ratelimits import edit_rl_domain, edit_rl_mbox, get_rl_domain, get_rl_mbox
from .renaming import rename_mailbox
from .status import get_password_policy, get_status
from .templates import (
    add_domain_template,
    add_mailbox_template,
    delete_domain_templates,
    delete_mailbox_templates,
    edit_mailbox_template,
    get_domain_templates,
    get_mailbox_templates,
)
from .values import Json


@dataclass(frozen=True)
class Route:
    """A write.

    Attributes:
        handler: does it.
        echo: the beginning of each entry's ``log``: the server's function, its action, its type.
        items_as: the field under which the items of an edit or delete stand in the data.
    """

    handler: Callable[[Call], End]
    echo: tuple[str, ...]
    items_as: str = ""


READS: dict[str, Callable[[Call], Json]] = {
    "alias": get_alias,
    "alias-domain": get_alias_domain,
    "domain": get_domain,
    "domain/template": get_domain_templates,
    "identity-provider": get_identity_provider,
    "mailbox": get_mailbox,
    "mailbox/template": get_mailbox_templates,
    "passwordpolicy": get_password_policy,
    "rl-domain": get_rl_domain,
    "rl-mbox": get_rl_mbox,
    "status": get_status,
}

WRITES: dict[str, Route] = {
    "add/alias": Route(add_alias, ("mailbox", "add", "alias")),
    "add/alias-domain": Route(add_alias_domain, ("mailbox", "add", "alias_domain")),
    "add/domain": Route(add_domain, ("mailbox", "add", "domain")),
    "add/domain/template": Route(add_domain_template, ("mailbox", "add", "domain_templates")),
    "add/mailbox": Route(add_mailbox, ("mailbox", "add", "mailbox")),
    "add/mailbox/template": Route(add_mailbox_template, ("mailbox", "add", "mailbox_templates")),
    "delete/alias": Route(delete_alias, ("mailbox", "delete", "alias"), "id"),
    "delete/alias-domain": Route(delete_alias_domain, ("mailbox", "delete", "alias_domain"), "alias_domain"),
    "delete/domain": Route(delete_domain, ("mailbox", "delete", "domain"), "domain"),
    "delete/domain/tag": Route(delete_domain_tags, ("mailbox", "delete", "tags_domain"), "tags"),
    "delete/domain/template": Route(delete_domain_templates, ("mailbox", "delete", "domain_templates"), "ids"),
    "delete/identity-provider": Route(delete_identity_provider, ("identity_provider", "delete")),
    "delete/mailbox": Route(delete_mailbox, ("mailbox", "delete", "mailbox"), "username"),
    "delete/mailbox/tag": Route(delete_mailbox_tags, ("mailbox", "delete", "tags_mailbox"), "tags"),
    "delete/mailbox/template": Route(delete_mailbox_templates, ("mailbox", "delete", "mailbox_templates"), "ids"),
    "edit/alias": Route(edit_alias, ("mailbox", "edit", "alias"), "id"),
    "edit/alias-domain": Route(edit_alias_domain, ("mailbox", "edit", "alias_domain"), "alias_domain"),
    "edit/delimiter_action": Route(edit_delimiter_action, ("mailbox", "edit", "delimiter_action"), "username"),
    "edit/domain": Route(edit_domain, ("mailbox", "edit", "domain"), "domain"),
    "edit/identity-provider": Route(edit_identity_provider, ("identity_provider", "edit")),
    "edit/identity-provider-test": Route(check_identity_provider, ("identity_provider", "test")),
    "edit/mailbox": Route(edit_mailbox, ("mailbox", "edit", "mailbox"), "username"),
    "edit/mailbox/custom-attribute": Route(
        edit_custom_attributes, ("mailbox", "edit", "mailbox_custom_attribute"), "mailboxes"
    ),
    "edit/mailbox/template": Route(edit_mailbox_template, ("mailbox", "edit", "mailbox_templates"), "ids"),
    "edit/quarantine_category": Route(edit_quarantine_category, ("mailbox", "edit", "quarantine_category"), "username"),
    "edit/quarantine_notification": Route(
        edit_quarantine_notification, ("mailbox", "edit", "quarantine_notification"), "username"
    ),
    "edit/rename-mbox": Route(rename_mailbox, ("mailbox", "edit", "mailbox_rename"), "mailbox"),
    "edit/rl-domain": Route(edit_rl_domain, ("ratelimit", "edit", "domain"), "object"),
    "edit/rl-mbox": Route(edit_rl_mbox, ("ratelimit", "edit", "mailbox"), "object"),
    "edit/tls_policy": Route(edit_tls_policy, ("mailbox", "edit", "tls_policy"), "username"),
    "edit/user-acl": Route(edit_user_acl, ("acl", "edit", "user"), "username"),
}


def read_at(category: str, obj: str) -> Callable[[Call], Json] | None:
    """The function that answers ``get/{category}/{object}``."""
    return READS.get(f"{category}/{obj}") or READS.get(category)


def write_at(action: str, category: str, obj: str) -> Route | None:
    """The write behind a path; a third part that means nothing is ignored."""
    return WRITES.get(f"{action}/{category}/{obj}") or WRITES.get(f"{action}/{category}")
