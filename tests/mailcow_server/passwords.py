"""Which passwords are taken, and what is stored for them (mailcow API facts §4)."""

import hashlib
import re

from .call import Call
from .values import Json, is_empty, text

_PRE_HASHED = re.compile(
    r"\{(ARGON2I|ARGON2ID|BLF-CRYPT|CLEAR|CLEARTEXT|CRYPT|DES-CRYPT|LDAP-MD5|MD5|MD5-CRYPT|PBKDF2|PLAIN|PLAIN-MD4"
    r"|PLAIN-MD5|PLAIN-TRUNC|SHA|SHA1|SHA256|SHA256-CRYPT|SHA512|SHA512-CRYPT|SMD5|SSHA|SSHA256|SSHA512)\}",
    re.IGNORECASE,
)
HASHED_HERE = "{BLF-CRYPT}"


def is_password_taken(call: Call, password: Json, again: Json) -> bool:
    """Whether both passwords are there, equal and good enough; says why not otherwise.

    The policy looks at the literal text, also when that is a hash.
    """
    refusal = None
    if is_empty(password) or is_empty(again):
        refusal = "password_complexity"
    elif text(password) != text(again):
        refusal = "password_mismatch"
    elif not _is_good_enough(text(password), call.state.password_policy):
        refusal = "password_complexity"
    if refusal is not None:
        call.say("danger", refusal, log=["password_check", None, None])
    return refusal is None


def stored(password: str) -> str:
    """What the database holds for it: a hash of a known scheme as it is, anything else hashed as clear text.

    The hash made here is not a real one: it starts as the server's does and tells the clear text it came from.
    """
    if _PRE_HASHED.match(password):
        return password
    return HASHED_HERE + hashlib.sha256(password.encode()).hexdigest()


def _is_good_enough(password: str, policy: dict[str, str]) -> bool:
    needs = {
        "special_chars": re.search(r"[^a-zA-Z\d]", password) is not None,
        "chars": re.search(r"[a-zA-Z]", password) is not None,
        "numbers": re.search(r"\d", password) is not None,
        "lowerupper": re.search(r"[a-z]", password) is not None and re.search(r"[A-Z]", password) is not None,
    }
    long_enough = len(password.encode()) >= int(policy["length"])
    return long_enough and all(met or policy[name] != "1" for name, met in needs.items())
