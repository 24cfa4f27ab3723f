"""Findings: what is odd in a directory, in mailcow or in the config, as data.

A finding never stops a run. Its code is what `accept` in the config names, its level decides the exit code.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from .text import shortened

_WHERE = 400  # characters; DNs of people have a hundred
_SENTENCE = 1500


class Level(StrEnum):
    """How much a finding matters."""

    ERROR = "error"  # somebody isn't served as the directory wants; exit code 3
    WARNING = "warning"  # worth a look; printed, the exit code stays
    INFO = "info"  # shown with -v


class Code(StrEnum):
    """Every finding there is; the comment beside each group says where it is raised."""

    # entries that can't be read as a mailbox (desired/)
    NO_MAIL = "no_mail"
    SEVERAL_MAILS = "several_mails"
    BAD_ADDRESS = "bad_address"
    DOMAIN_NOT_HOSTED = "domain_not_hosted"
    DOMAIN_NOT_OURS = "domain_not_ours"
    RESERVED_ADDRESS = "reserved_address"
    DUPLICATE_ADDRESS = "duplicate_address"
    NOT_UTF8 = "not_utf8"
    VALUE_TOO_LONG = "value_too_long"
    TOO_MANY_ALIASES = "too_many_aliases"
    NAME_OF_ANOTHER = "name_of_another"
    NOT_LOOKED_UP = "not_looked_up"
    NAME_INVALID = "name_invalid"
    QUOTA_INVALID = "quota_invalid"
    ACTIVE_INVALID = "active_invalid"
    TLS_INVALID = "tls_invalid"
    NO_PASSWORD = "no_password"  # noqa: S105 - the name of a finding
    PASSWORD_UNUSABLE = "password_unusable"  # noqa: S105 - the name of a finding
    CLEAR_TEXT_PASSWORD = "clear_text_password"  # noqa: S105 - the name of a finding
    # entries that can't be read as an alias or a list (desired/)
    LIST_WITHOUT_MAIL = "list_without_mail"
    LIST_LOOP = "list_loop"
    MEMBER_NOT_FOUND = "member_not_found"
    FOREIGN_GOTO = "foreign_goto"
    FLAG_INVALID = "flag_invalid"
    COMMENT_INVALID = "comment_invalid"
    FORWARD_BESIDE_MAILBOX = "forward_beside_mailbox"
    SEND_AS_NOT_FOUND = "send_as_not_found"
    # what an alias can't have (plan/)
    ALIAS_IS_MAILBOX = "alias_is_mailbox"
    ALIAS_WITHOUT_MAILBOX = "alias_without_mailbox"
    ALIAS_NOT_OURS = "alias_not_ours"
    ALIAS_DISABLED_BY_HAND = "alias_disabled_by_hand"
    NO_ROOM_FOR_ALIAS = "no_room_for_alias"
    MEMBER_UNREACHABLE = "member_unreachable"
    LIST_EMPTY = "list_empty"
    LIST_TOO_LONG = "list_too_long"
    # what a mailbox can't have (plan/)
    PASSWORD_VANISHED = "password_vanished"  # noqa: S105 - the name of a finding
    PASSWORD_DRIFT = "password_drift"  # noqa: S105 - the name of a finding
    RENAMED = "renamed"
    ADDRESS_EXCHANGE = "address_exchange"
    ADDRESS_WAITS = "address_waits"
    FORMER_ADDRESS = "former_address"
    INACTIVE_NEW = "inactive_new"
    ADDRESS_LOST = "address_lost"
    STATUS_UNTOLD = "status_untold"
    IDS_REPLACED = "ids_replaced"
    ADDRESS_REUSED = "address_reused"
    ADDRESS_IS_ALIAS = "address_is_alias"
    ADOPTION_REFUSED = "adoption_refused"
    DISABLED_BY_HAND = "disabled_by_hand"
    PROTECTED = "protected"
    RELEASED = "released"
    OTHER_INSTALLATION = "other_installation"
    NO_ROOM_FOR_MAILBOX = "no_room_for_mailbox"
    NO_ROOM_FOR_QUOTA = "no_room_for_quota"
    QUOTA_OVER_LIMIT = "quota_over_limit"
    PROVIDER_NOT_SET_UP = "provider_not_set_up"
    NOT_IN_DIRECTORY = "not_in_directory"
    HALF_DELETED = "half_deleted"
    # why an answer of the directory is not believed to be whole (directory/, plan/knowledge)
    ANSWER_CUT_SHORT = "answer_cut_short"
    NO_USERS = "no_users"
    CANARY_MISSING = "canary_missing"
    ID_MISSING = "id_missing"
    ATTRIBUTE_VANISHED = "attribute_vanished"
    # the installation itself (config/, run)
    DIRECTORY_NOT_READ = "directory_not_read"
    DIRECTORY_UNKNOWN = "directory_unknown"
    LDAP_NOT_ENCRYPTED = "ldap_not_encrypted"
    NOT_VERIFIED = "not_verified"
    SECRET_READABLE = "secret_readable"  # noqa: S105 - the name of a finding
    DIGEST_KEY_LOST = "digest_key_lost"
    ANCESTOR_STATE = "ancestor_state"


LEVELS: dict[Code, Level] = {
    Code.NO_MAIL: Level.WARNING,
    Code.SEVERAL_MAILS: Level.ERROR,
    Code.BAD_ADDRESS: Level.ERROR,
    Code.DOMAIN_NOT_HOSTED: Level.WARNING,
    Code.DOMAIN_NOT_OURS: Level.INFO,
    Code.RESERVED_ADDRESS: Level.ERROR,
    Code.DUPLICATE_ADDRESS: Level.ERROR,
    Code.NOT_UTF8: Level.ERROR,
    Code.VALUE_TOO_LONG: Level.ERROR,
    Code.TOO_MANY_ALIASES: Level.ERROR,
    Code.NAME_OF_ANOTHER: Level.ERROR,
    Code.NOT_LOOKED_UP: Level.ERROR,
    Code.NAME_INVALID: Level.ERROR,
    Code.QUOTA_INVALID: Level.ERROR,
    Code.ACTIVE_INVALID: Level.ERROR,
    Code.TLS_INVALID: Level.ERROR,
    Code.NO_PASSWORD: Level.ERROR,
    Code.PASSWORD_UNUSABLE: Level.ERROR,
    Code.CLEAR_TEXT_PASSWORD: Level.ERROR,
    Code.LIST_WITHOUT_MAIL: Level.INFO,
    Code.LIST_LOOP: Level.WARNING,
    Code.MEMBER_NOT_FOUND: Level.WARNING,
    Code.FOREIGN_GOTO: Level.ERROR,
    Code.FLAG_INVALID: Level.ERROR,
    Code.COMMENT_INVALID: Level.WARNING,
    Code.FORWARD_BESIDE_MAILBOX: Level.WARNING,
    Code.SEND_AS_NOT_FOUND: Level.WARNING,
    Code.ALIAS_IS_MAILBOX: Level.ERROR,
    Code.ALIAS_WITHOUT_MAILBOX: Level.WARNING,
    Code.ALIAS_NOT_OURS: Level.ERROR,
    Code.ALIAS_DISABLED_BY_HAND: Level.WARNING,
    Code.NO_ROOM_FOR_ALIAS: Level.ERROR,
    Code.MEMBER_UNREACHABLE: Level.WARNING,
    Code.LIST_EMPTY: Level.INFO,
    Code.LIST_TOO_LONG: Level.ERROR,
    Code.PASSWORD_VANISHED: Level.ERROR,
    Code.PASSWORD_DRIFT: Level.WARNING,
    Code.RENAMED: Level.ERROR,
    Code.ADDRESS_EXCHANGE: Level.ERROR,
    Code.ADDRESS_WAITS: Level.INFO,
    Code.FORMER_ADDRESS: Level.ERROR,
    Code.INACTIVE_NEW: Level.INFO,
    Code.ADDRESS_LOST: Level.ERROR,
    Code.STATUS_UNTOLD: Level.WARNING,
    Code.IDS_REPLACED: Level.WARNING,
    Code.ADDRESS_REUSED: Level.ERROR,
    Code.ADDRESS_IS_ALIAS: Level.ERROR,
    Code.ADOPTION_REFUSED: Level.ERROR,
    Code.DISABLED_BY_HAND: Level.WARNING,
    Code.PROTECTED: Level.INFO,
    Code.RELEASED: Level.INFO,
    Code.OTHER_INSTALLATION: Level.ERROR,
    Code.NO_ROOM_FOR_MAILBOX: Level.ERROR,
    Code.NO_ROOM_FOR_QUOTA: Level.ERROR,
    Code.QUOTA_OVER_LIMIT: Level.ERROR,
    Code.PROVIDER_NOT_SET_UP: Level.ERROR,
    Code.NOT_IN_DIRECTORY: Level.ERROR,
    Code.HALF_DELETED: Level.WARNING,
    Code.ANSWER_CUT_SHORT: Level.ERROR,
    Code.NO_USERS: Level.ERROR,
    Code.CANARY_MISSING: Level.ERROR,
    Code.ID_MISSING: Level.ERROR,
    Code.ATTRIBUTE_VANISHED: Level.ERROR,
    Code.DIRECTORY_NOT_READ: Level.ERROR,
    Code.DIRECTORY_UNKNOWN: Level.WARNING,
    Code.LDAP_NOT_ENCRYPTED: Level.WARNING,
    Code.NOT_VERIFIED: Level.WARNING,
    Code.SECRET_READABLE: Level.WARNING,
    Code.DIGEST_KEY_LOST: Level.WARNING,
    Code.ANCESTOR_STATE: Level.WARNING,
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One odd thing: what, where, and what to do about it.

    `where` is the DN of an entry, an address, a file or a config path; with the code it identifies the finding from
    run to run. `sentence` is whole, and holds no secret. `directory` is told where there are several. Place and
    sentence are shortened where what they quote is long: they go into mails, logs and the state file.
    """

    code: Code
    where: str
    sentence: str
    directory: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "where", shortened(self.where, _WHERE))
        object.__setattr__(self, "sentence", shortened(self.sentence, _SENTENCE))

    @property
    def place(self) -> str:
        """Where it is: a DN alone may be in several directories."""
        return f"{self.where} of {self.directory}" if self.directory else self.where

    @property
    def level(self) -> Level:
        """How much it matters."""
        return LEVELS[self.code]
