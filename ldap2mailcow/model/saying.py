"""Sayings: every sentence that a plan may say of something odd, in one table.

A saying has the code of its finding and a text with named places. What is put there may come from the directory or from
mailcow; it is escaped where it is shown.
"""

from __future__ import annotations

from enum import Enum

from .finding import Code, Finding
from .text import shortened

_LISTED = 500  # characters of what is put into a sentence; that may be several DNs


class Say(Enum):
    """All sayings: the code of the finding, and what, where, what to do."""

    # addresses that entries ask for
    SEVERAL_MAILBOXES = (
        Code.SEVERAL_MAILS,
        (
            "it has several values in {mail} ({values}), and only one can be the mailbox; {result}; leave one "
            "value in {mail}"
        ),
    )
    SEVERAL_LISTS = (
        Code.SEVERAL_MAILS,
        (
            "it has several values in {mail} ({values}), and only one can be the list; {result}; leave one value "
            "in {mail}, and put the others into an attribute of group_mapping.aliases"
        ),
    )
    NOT_OUR_DOMAIN = (
        Code.DOMAIN_NOT_OURS,
        "{address} is in none of the `domains` of the config and is left out",
    )
    NO_SUCH_DOMAIN = (
        Code.DOMAIN_NOT_HOSTED,
        "mailcow has no mail domain {domain} for {address}; add it there, or correct the address",
    )
    NOT_OUR_ALIAS_DOMAIN = (
        Code.DOMAIN_NOT_OURS,
        "it is none of the `domains` of the config, so {what} can't be an alias",
    )
    NO_SUCH_ALIAS_DOMAIN = (
        Code.DOMAIN_NOT_HOSTED,
        "mailcow has no such mail domain for {what}; add it there, or correct the directory",
    )
    NAMED_DOMAIN_MISSING = (
        Code.DOMAIN_NOT_HOSTED,
        "`domains` names {domain}, which mailcow doesn't have; add it there, or correct the config",
    )
    WANTED_TWICE = (
        Code.DUPLICATE_ADDRESS,
        "{names} want the same address; {result} until one of them has another in the directory",
    )
    TOO_MANY_ALIASES = (
        Code.TOO_MANY_ALIASES,
        (
            "it asks for {count} further addresses, and limits.entry_aliases is {most}; the others are left out; take "
            "some from the entry, or raise the limit"
        ),
    )
    FORWARD_IS_USER = (
        Code.FORWARD_BESIDE_MAILBOX,
        (
            "it is a user with the mailbox {address} and an entry that only forwards, and mailcow can't do both; "
            "narrow user_search_filter or alias_search_filter"
        ),
    )
    FORWARD_HAS_MAILBOX = (
        Code.FORWARD_BESIDE_MAILBOX,
        (
            "its {attribute} says where mail to {address} goes, and mailcow can't forward what has a mailbox; "
            "set a sieve filter in the mailbox, or remove the mailbox in mailcow"
        ),
    )
    ALIAS_IS_MAILBOX = (
        Code.ALIAS_IS_MAILBOX,
        (
            "{address} can't be an alias, for {box} is a mailbox, or is to be one; take the address from the entry, or "
            "move the mailbox away"
        ),
    )
    ALIAS_IS_ANOTHERS = (
        Code.ADDRESS_REUSED,
        ("it wants {address} as an alias, which {holder} has as far as is known; first that one must give it up"),
    )
    ALIAS_WAS_ANOTHERS = (
        Code.FORMER_ADDRESS,
        (
            "it wants {address} as an alias, the former address of {holder}, whose mail would go to it; delete "
            "that alias in mailcow first if that is meant"
        ),
    )
    # whose mailbox it is
    NO_ADDRESS = (
        Code.ADDRESS_LOST,
        (
            "it no longer has an address that can be used, so its mailbox stays {address}; correct the address "
            "in the directory"
        ),
    )
    HAS_ONE_ALREADY = (
        Code.ADDRESS_REUSED,
        (
            "it wants {address}, which is a mailbox already, and this entry has or had one of its own, {own}; "
            "rename or delete one of them in mailcow, or give the entry another address"
        ),
    )
    HOLDER_NOT_READ = (
        Code.ADDRESS_REUSED,
        (
            "it wants {address}, which is the mailbox of {holder} in the directory {other}; that can't be "
            "read now, and has to be first"
        ),
    )
    HOLDER_THERE = (
        Code.ADDRESS_REUSED,
        "it wants {address}, which is still the mailbox of {holder}; first that one must give it up",
    )
    HOLDER_GONE = (
        Code.ADDRESS_REUSED,
        (
            "it wants {address}, which is the mailbox of {holder}, whose entry is gone and may have been another "
            "user's; rename or delete the old mailbox in mailcow, or give the new entry another address"
        ),
    )
    # renames
    NOT_RENAMED = (
        Code.RENAMED,
        "its address changed from {former} to {address}, and its mailbox stays {former}: {reason}",
    )
    EXCHANGE = (
        Code.ADDRESS_EXCHANGE,
        (
            "its address changed from {former} to {address}, and its mailbox stays {former}: each waits for the "
            "address of the other; give one of them a free address first"
        ),
    )
    RENAME_WAITS = (
        Code.ADDRESS_WAITS,
        "its address changed from {former} to {address}, and its mailbox stays {former}: {reason}",
    )
    NEW_WAITS = (
        Code.ADDRESS_WAITS,
        "{address} is the old address of a mailbox that is renamed in this run, so its mailbox is made by the next one",
    )
    # knowledge
    NO_USERS = (
        Code.NO_USERS,
        (
            "the search below {base} with {filter} found nobody; correct the base, the filter or the rights of "
            "the bind DN"
        ),
    )
    WITHOUT_ID = (
        Code.ID_MISSING,
        (
            "{count} entries have no {attribute} of their own, to be known by, {dn} among them; let the bind DN "
            "read that attribute, or name one in user_mapping.id that is never shared"
        ),
    )
    VANISHED = (
        Code.ATTRIBUTE_VANISHED,
        (
            "{lost} of the {had} entries that had {attribute} no longer show it; let the bind DN read it again, "
            "or take it out of user_mapping.{key} if it is meant to be gone"
        ),
    )
    REPLACED = (
        Code.IDS_REPLACED,
        (
            "{count} of {had} users have another {attribute} and the same address, as on a new directory server, "
            "so none of them is followed; see that it is the right server, then run once with --approve "
            "{kind}:{count}"
        ),
    )
    # mailboxes
    INACTIVE_NEW = (Code.INACTIVE_NEW, "it is inactive, so {address} is made once it is active")
    ADDRESS_IS_ALIAS = (Code.ADDRESS_IS_ALIAS, "{address} is an alias in mailcow, so no mailbox can be made; {remedy}")
    PROVIDER_NOT_SET_UP = (
        Code.PROVIDER_NOT_SET_UP,
        (
            "its users shall log in through {wanted}, but mailcow's identity provider is {there}, so none of "
            "them is moved there or created; set it up in mailcow, or set user_mapping.authsource: mailcow"
        ),
    )
    NO_PASSWORD = (
        Code.NO_PASSWORD,
        (
            "it shows no {attribute}, so {address} is not created; let the bind DN read it, or set "
            "missing_password: random for a mailbox that can't be logged in to yet"
        ),
    )
    NO_PASSWORD_TO_MOVE = (
        Code.NO_PASSWORD,
        ("{address} can't be moved from {login} to mailcow's own passwords without one; set one in the directory"),
    )
    ADOPTION_REFUSED = (
        Code.ADOPTION_REFUSED,
        (
            "{address} was in mailcow before and is left alone; set adopt_mailboxes to keep_password or "
            "overwrite to have it managed"
        ),
    )
    PASSWORD_DRIFT = (
        Code.PASSWORD_DRIFT,
        (
            "the password of {address} was changed in mailcow at {stamp} (its own time) and stays; set "
            "password_drift: overwrite to have the directory's back"
        ),
    )
    PASSWORD_VANISHED = (
        Code.PASSWORD_VANISHED,
        (
            "it no longer shows {attribute}; {address} keeps its old password in mailcow; let the bind DN read "
            "{attribute}, or set a password in the directory"
        ),
    )
    DISABLED_BY_HAND = (
        Code.DISABLED_BY_HAND,
        (
            "its entry is {entry}, but {address} was {how} in mailcow by hand and stays so; activate it in "
            "mailcow if that is no longer meant"
        ),
    )
    STATUS_UNTOLD = (
        Code.STATUS_UNTOLD,
        (
            "{address} was set inactive from here and stays so, because the entry shows no {attribute} now; let "
            "the bind DN read it or give it a value, or activate the mailbox in mailcow"
        ),
    )
    PROTECTED = (Code.PROTECTED, "{address} is protected by the config and left alone")
    MAILBOX_OF_ANOTHER = (
        Code.OTHER_INSTALLATION,
        (
            "{address} carries {marks} of another installation, {whose}, and is left alone; take it out of one "
            "of the two directories or, if that installation is no more, delete the tag {words} in mailcow"
        ),
    )
    ALIAS_OF_ANOTHER = (
        Code.OTHER_INSTALLATION,
        (
            '{address} is left alone, for its private comment "{words}" is the mark of another installation; '
            "take it out of one of the two directories or, if that installation is no more, clear that comment "
            "in mailcow"
        ),
    )
    MAILBOX_RELEASED = (
        Code.RELEASED,
        "{address} was released and is left alone; delete the tag {tag} in mailcow to have it managed again",
    )
    ALIAS_RELEASED = (
        Code.RELEASED,
        ("{address} was released and is left alone; clear its private comment in mailcow to have it managed again"),
    )
    # aliases and rights
    FOREIGN_GOTO = (
        Code.FOREIGN_GOTO,
        (
            "{beginning} {foreign}, which mailcow doesn't host; take that out of the directory, or set "
            "external_goto.{whose}: allow"
        ),
    )
    LIST_LOOP = (
        Code.LIST_LOOP,
        "it is in itself: {way}; all of them get the same members until one is taken out of another",
    )
    ALIAS_BY_HAND = (
        Code.ALIAS_NOT_OURS,
        (
            "it was in mailcow before and {reason}, so it is left alone; delete it in mailcow, or set "
            "adopt_aliases to {policy}"
        ),
    )
    ALIAS_DISABLED_BY_HAND = (
        Code.ALIAS_DISABLED_BY_HAND,
        ("it was set inactive in mailcow by hand, and so it stays; activate it in mailcow if that is no longer meant"),
    )
    UNREACHABLE = (
        Code.MEMBER_UNREACHABLE,
        "it should go to {addresses}, which mailcow doesn't have; correct the entry, or make the mailbox",
    )
    NO_MAILBOX = (
        Code.ALIAS_WITHOUT_MAILBOX,
        "{address} is not made, for {mailbox} has no mailbox in mailcow; make that first",
    )
    EMPTY_LIST = (
        Code.LIST_EMPTY,
        "nobody is on it who can be reached, so it takes no mail; add members to it in the directory",
    )
    EMPTY_FORWARD = (
        Code.MEMBER_UNREACHABLE,
        "{dn} says nowhere to go, so it takes no mail; give it a target, or take the entry away",
    )
    TOO_LONG = (
        Code.LIST_TOO_LONG,
        ("it has {size}, so it keeps the members that it had; split it into lists that aren't nested in one another"),
    )
    SENDER_NOT_FOUND = (
        Code.SEND_AS_NOT_FOUND,
        (
            "its user shall send as {senders}, which mailcow doesn't have; correct the entry, or make the "
            "mailbox or alias"
        ),
    )
    SENDERS_NOT_TOLD = (
        Code.SEND_AS_NOT_FOUND,
        ("mailcow doesn't tell whom its user may send as, so that is left as it is; mailcow tells it since 2026-07a"),
    )
    # capacity
    NO_ROOM_FOR_ALIAS = (
        Code.NO_ROOM_FOR_ALIAS,
        (
            "{address} is not made: {domain} has all of its {most} aliases; raise 'Max. possible aliases' of the "
            "domain in mailcow"
        ),
    )
    NO_ROOM_FOR_MAILBOX = (
        Code.NO_ROOM_FOR_MAILBOX,
        (
            "{address} is not created: {domain} has all of its {most} mailboxes; raise 'Max. possible mailboxes' "
            "of the domain in mailcow"
        ),
    )
    NO_QUOTA_FOR_MAILBOX = (
        Code.NO_ROOM_FOR_QUOTA,
        (
            "{address} is not created: it needs {quota} MiB and {domain} has {left} MiB of its {most} MiB left; "
            "raise 'Domain quota' of the domain in mailcow"
        ),
    )
    NO_ROOM_FOR_QUOTA = (
        Code.NO_ROOM_FOR_QUOTA,
        (
            "the quota of {address} stays at {before}: {domain} has {left} MiB left and {after} don't fit; raise "
            "'Domain quota' of the domain in mailcow"
        ),
    )
    QUOTA_BLOCKS_EDITS = (
        Code.NO_ROOM_FOR_QUOTA,
        (
            "mailcow refuses every change of {address} while its quota of {quota} MiB is above the {left} MiB "
            "that {domain} allows it; raise the domain's quotas in mailcow, or lower it"
        ),
    )
    QUOTA_OVER_LIMIT = (
        Code.QUOTA_OVER_LIMIT,
        (
            "{address} can't have {quota} MiB: {domain} allows a mailbox {most} MiB, so the directory's quota is "
            "left out; raise 'Max. quota per mailbox' of the domain in mailcow"
        ),
    )
    # the run
    NOT_IN_DIRECTORY = (
        Code.NOT_IN_DIRECTORY,
        "--only names {address}, which no entry of {names} has; correct it, or the filter",
    )
    KEY_LOST = (
        Code.DIGEST_KEY_LOST,
        (
            "the key of the state file is another one than before, so the digests of {count} passwords are taken "
            "afresh; run once with --reassert if passwords may have changed in the directory meanwhile"
        ),
    )
    HALF_DELETED = (
        Code.HALF_DELETED,
        ("mailcow lists {count} without any field, which a crashed deletion leaves; delete them again in mailcow"),
    )
    DIRECTORY_UNKNOWN = (
        Code.DIRECTORY_UNKNOWN,
        (
            "{count} mailboxes and aliases are of the directory {name}, which the config doesn't have or leaves "
            "out, and are left alone; put it back, or release them"
        ),
    )

    def at(self, where: str, directory: str = "", **values: object) -> Finding:
        """Return the finding at a place: a DN, an address, a name; `directory` where there are several."""
        code, text = self.value
        quoted = {name: shortened(str(value), _LISTED) for name, value in values.items()}
        return Finding(code, where, text.format(**quoted), directory)
