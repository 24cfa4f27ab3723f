"""The table of password schemes: what isn't certain to be verified by mailcow never reaches it."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from ldap2mailcow.desired import NOBODY, SCHEMES, choose_password

# All of "rasmuslerdorf", as crypt(3) makes them.
DES = "rl.3StKT.4T8M"
MD5_CRYPT = "$1$rasmusle$rISCgZzpwk3UhDidwXvin0"
BCRYPT_A = "$2a$07$usesomesillystringfore2uDLvp1Ii2e./U9C8sBjqp8I90dH6hi"
BCRYPT_B = "$2b$04$usesomesillystringforeSZ3saLXGnQtLrpxgqydzBYMhY/4iDpG"
BCRYPT_Y = "$2y$04$usesomesillystringforeSZ3saLXGnQtLrpxgqydzBYMhY/4iDpG"
SHA256_CRYPT = "$5$usesomesillystri$KqJWpanXZHKq2BOB43TSaYhEWsQ1Lr5QNyPCDH/Tp.6"
SHA512_CRYPT = (
    "$6$usesomesillystri$D4IrlXatmP7rx3P3InaxBeoomnAihCKRVQP22JZ6EY47Wc6BkroIuUUBOov1i.S5KPgErtP/EN5mcO.ChWQW21"
)
YESCRYPT = "$y$j9T$usesomesillystri$PYsk6LHAU4TK9OA5a5eQkK2ujatHqWwrn0XZ9EWLxaB"
GOST_YESCRYPT = "$gy$j9T$usesomesillystri$ZggymlmhbgNhE3p8GKRMHAvfGAiVM6cr7TGbBXHyOF/"
SCRYPT = "$7$CU..../....usesomesillystri$iR2nsQEH1YaP9EbJNPf2mqHLZNZxa0l99M2Co3DV7OA"
# "password", from the reference implementation's own tests.
ARGON2I = "$argon2i$v=19$m=65536,t=2,p=1$c29tc2FsdA$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA"
ARGON2ID = "$argon2id$v=19$m=65536,t=2,p=1$c29tc2FsdA$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"

SALT = b"\x00salt\xff!"


def digest(algorithm: str, salt: bytes = b"") -> str:
    """Return what slapd writes after the scheme: base64 of digest and salt."""
    made = hashlib.new(algorithm, b"secret" + salt, usedforsecurity=False).digest()
    return base64.b64encode(made + salt).decode("ascii")


def chosen(*values: str, allow_clear_text: bool = False) -> str | None:
    password = choose_password(values, allow_clear_text=allow_clear_text).password
    return password.get_secret_value() if password else None


def refused(*values: str) -> tuple[str, ...]:
    """Return the names of the schemes for which nothing can be sent, not even where clear text may be."""
    choice = choose_password(values, allow_clear_text=True)
    assert choice.password is None
    assert not choice.clear_text
    return choice.schemes


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(f"{{SSHA}}{digest('sha1', SALT)}", id="SSHA"),
        pytest.param(f"{{SSHA}}{digest('sha1', SALT * 4)}", id="SSHA with a long salt"),
        pytest.param(f"{{SHA}}{digest('sha1')}", id="SHA"),
        pytest.param(f"{{SMD5}}{digest('md5', SALT)}", id="SMD5"),
        pytest.param(f"{{SSHA256}}{digest('sha256', SALT)}", id="SSHA256"),
        pytest.param(f"{{SSHA512}}{digest('sha512', SALT)}", id="SSHA512"),
        pytest.param(f"{{SHA256}}{digest('sha256')}", id="SHA256"),
        pytest.param(f"{{SHA512}}{digest('sha512')}", id="SHA512"),
        pytest.param(f"{{LDAP-MD5}}{digest('md5')}", id="LDAP-MD5"),
        pytest.param(f"{{PLAIN-MD5}}{hashlib.md5(b'secret', usedforsecurity=False).hexdigest()}", id="PLAIN-MD5"),
        pytest.param(f"{{CRYPT}}{DES}", id="CRYPT, DES"),
        pytest.param(f"{{CRYPT}}{MD5_CRYPT}", id="CRYPT, MD5"),
        pytest.param(f"{{CRYPT}}{BCRYPT_A}", id="CRYPT, bcrypt a"),
        pytest.param(f"{{CRYPT}}{BCRYPT_B}", id="CRYPT, bcrypt b"),
        pytest.param(f"{{CRYPT}}{BCRYPT_Y}", id="CRYPT, bcrypt y"),
        pytest.param(f"{{CRYPT}}{SHA256_CRYPT}", id="CRYPT, SHA-256"),
        pytest.param(f"{{CRYPT}}{SHA256_CRYPT.replace('$5$', '$5$rounds=5000$')}", id="CRYPT, SHA-256 with rounds"),
        pytest.param(f"{{CRYPT}}{SHA512_CRYPT}", id="CRYPT, SHA-512"),
        pytest.param(f"{{CRYPT}}{SHA512_CRYPT.replace('$6$', '$6$rounds=5000$')}", id="CRYPT, SHA-512 with rounds"),
        pytest.param(f"{{DES-CRYPT}}{DES}", id="DES-CRYPT"),
        pytest.param(f"{{MD5-CRYPT}}{MD5_CRYPT}", id="MD5-CRYPT"),
        pytest.param(f"{{SHA256-CRYPT}}{SHA256_CRYPT}", id="SHA256-CRYPT"),
        pytest.param(f"{{SHA512-CRYPT}}{SHA512_CRYPT}", id="SHA512-CRYPT"),
        pytest.param(f"{{BLF-CRYPT}}{BCRYPT_Y}", id="BLF-CRYPT"),
        pytest.param(f"{{ARGON2I}}{ARGON2I}", id="ARGON2I"),
        pytest.param(f"{{ARGON2ID}}{ARGON2ID}", id="ARGON2ID"),
    ],
)
def test_a_hash_that_mailcow_verifies_is_sent_as_it_is(value: str) -> None:
    assert chosen(value) == value


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        pytest.param(
            f"{{MD5}}{digest('md5')}", f"{{LDAP-MD5}}{digest('md5')}", id="MD5, which is MD5-CRYPT in mailcow"
        ),
        pytest.param(f"{{MD5}}{MD5_CRYPT}", f"{{MD5-CRYPT}}{MD5_CRYPT}", id="Dovecot's MD5"),
        pytest.param(f"{{SHA1}}{digest('sha1')}", f"{{SHA}}{digest('sha1')}", id="SHA1"),
        pytest.param(f"{{BCRYPT}}{BCRYPT_Y}", f"{{BLF-CRYPT}}{BCRYPT_Y}", id="BCRYPT"),
        pytest.param(f"{{ARGON2}}{ARGON2I}", f"{{ARGON2I}}{ARGON2I}", id="slapd's ARGON2, i"),
        pytest.param(f"{{ARGON2}}{ARGON2ID}", f"{{ARGON2ID}}{ARGON2ID}", id="slapd's ARGON2, id"),
        pytest.param(f"{{ssha}}{digest('sha1', SALT)}", f"{{SSHA}}{digest('sha1', SALT)}", id="small letters"),
        pytest.param(f"{{crypt}}{SHA512_CRYPT}", f"{{CRYPT}}{SHA512_CRYPT}", id="crypt in small letters"),
        pytest.param(MD5_CRYPT, f"{{CRYPT}}{MD5_CRYPT}", id="without a prefix, MD5"),
        pytest.param(BCRYPT_A, f"{{CRYPT}}{BCRYPT_A}", id="without a prefix, bcrypt a"),
        pytest.param(BCRYPT_B, f"{{CRYPT}}{BCRYPT_B}", id="without a prefix, bcrypt b"),
        pytest.param(BCRYPT_Y, f"{{CRYPT}}{BCRYPT_Y}", id="without a prefix, bcrypt y"),
        pytest.param(SHA256_CRYPT, f"{{CRYPT}}{SHA256_CRYPT}", id="without a prefix, SHA-256"),
        pytest.param(SHA512_CRYPT, f"{{CRYPT}}{SHA512_CRYPT}", id="without a prefix, SHA-512"),
        pytest.param(
            f" {{SHA}}{digest('sha1')}\n", f"{{SHA}}{digest('sha1')}", id="blanks around a hash, which are a slip"
        ),
        pytest.param(f"\t{SHA512_CRYPT} ", f"{{CRYPT}}{SHA512_CRYPT}", id="blanks around a hash without a prefix"),
    ],
)
def test_a_hash_that_mailcow_calls_otherwise_is_sent_by_that_name(value: str, sent: str) -> None:
    assert chosen(value) == sent


@pytest.mark.parametrize(
    ("value", "told"),
    [
        pytest.param("{PBKDF2}10000$c2FsdA$a2V5", "{PBKDF2}", id="PBKDF2, which crashes mailcow's login"),
        pytest.param("{PBKDF2-SHA1}10000$c2FsdA$a2V5", "{PBKDF2-SHA1}", id="PBKDF2-SHA1"),
        pytest.param("{PBKDF2-SHA256}10000$c2FsdA$a2V5", "{PBKDF2-SHA256}", id="PBKDF2-SHA256"),
        pytest.param("{PBKDF2-SHA512}10000$c2FsdA==$a2V5", "{PBKDF2-SHA512}", id="PBKDF2-SHA512, 389-ds by default"),
        pytest.param("{PBKDF2_SHA256}AAAgAMTAwMDA", "{PBKDF2_SHA256}", id="PBKDF2_SHA256"),
        pytest.param("{SASL}ann@EXAMPLE.ORG", "{SASL}", id="SASL, which is no hash"),
        pytest.param("{KERBEROS}ann@EXAMPLE.ORG", "{KERBEROS}", id="KERBEROS, which is no hash"),
        pytest.param("{NS-MTA-MD5}" + "0f" * 32, "{NS-MTA-MD5}", id="NS-MTA-MD5"),
        pytest.param(f"{{SHA384}}{digest('sha384')}", "{SHA384}", id="SHA384"),
        pytest.param(f"{{SSHA384}}{digest('sha384', SALT)}", "{SSHA384}", id="SSHA384"),
        pytest.param("{APR1}MTIzNDU2Nzg5MDEyMzQ1Ng==", "{APR1}", id="APR1"),
        pytest.param("{BSDMD5}MTIzNDU2Nzg5MDEyMzQ1Ng==", "{BSDMD5}", id="BSDMD5"),
        pytest.param(f"{{CRYPT}}{YESCRYPT}", "{CRYPT}$y$", id="yescrypt"),
        pytest.param(f"{{CRYPT}}{GOST_YESCRYPT}", "{CRYPT}$gy$", id="gost-yescrypt"),
        pytest.param(f"{{GOST_YESCRYPT}}{GOST_YESCRYPT}", "{GOST_YESCRYPT}", id="gost-yescrypt of 389-ds"),
        pytest.param(f"{{CRYPT}}{SCRYPT}", "{CRYPT}$7$", id="scrypt"),
        pytest.param(YESCRYPT, "{CRYPT}$y$", id="yescrypt without a prefix"),
        pytest.param("{NT}8846F7EAEE8FB117AD06BDD830B7586C", "{NT}", id="NT hash"),
        pytest.param("{CRYPT}!", "{CRYPT}", id="locked"),
        pytest.param(f"{{CRYPT}}!{SHA512_CRYPT}", "{CRYPT}", id="locked, hash kept"),
        pytest.param("{CRYPT}*", "{CRYPT}", id="never had a password"),
        pytest.param("{CRYPT}", "{CRYPT}", id="CRYPT of nothing"),
        pytest.param("{SSHA}", "{SSHA}", id="SSHA of nothing"),
        pytest.param(f"{{SSHA}}{digest('sha1')}", "{SSHA}", id="SSHA without salt"),
        pytest.param(f"{{SSHA256}}{digest('sha1', SALT)}", "{SSHA256}", id="SSHA256 that is too short"),
        pytest.param(f"{{SSHA512}}{digest('sha256', SALT)}", "{SSHA512}", id="SSHA512 that is too short"),
        pytest.param(f"{{SHA}}{digest('sha256')}", "{SHA}", id="SHA that is too long"),
        pytest.param(f"{{SHA256}}{digest('sha1')}", "{SHA256}", id="SHA256 that is too short"),
        pytest.param(f"{{SHA512}}{digest('sha512', SALT)}", "{SHA512}", id="SHA512 with something behind it"),
        pytest.param(f"{{SMD5}}{digest('md5')}", "{SMD5}", id="SMD5 without salt"),
        pytest.param(f"{{MD5}}{digest('sha1')}", "{MD5}", id="MD5 that is too long"),
        pytest.param("{PLAIN-MD5}0123", "{PLAIN-MD5}", id="PLAIN-MD5 that is too short"),
        pytest.param(f"{{SSHA}}{digest('sha1', b'12345')[:-1]}", "{SSHA}", id="base64 with too little padding"),
        pytest.param("{SSHA}not*base64*at*all*but*long*enough*", "{SSHA}", id="no base64"),
        pytest.param(f"{{SSHA}} {digest('sha1', SALT)}", "{SSHA}", id="base64 with a blank in front"),
        pytest.param("{SHA}ünïcode", "{SHA}", id="base64 outside ASCII"),
        pytest.param(f"{{CRYPT}}{SHA512_CRYPT[:-1]}", "{CRYPT}$6$", id="CRYPT cut short"),
        pytest.param(f"{{CRYPT}}{SHA512_CRYPT}x", "{CRYPT}$6$", id="CRYPT with something behind it"),
        pytest.param(f"{{CRYPT}}{BCRYPT_B[:-1]}", "{CRYPT}$2b$", id="bcrypt cut short"),
        pytest.param("{CRYPT}$2$04$usesomesillystring", "{CRYPT}$2$", id="a bcrypt that nobody makes any more"),
        pytest.param(f"{{SHA512-CRYPT}}{SHA256_CRYPT}", "{SHA512-CRYPT}", id="another method than the name says"),
        pytest.param(f"{{ARGON2I}}{ARGON2ID}", "{ARGON2I}", id="another argon2 than the name says"),
        pytest.param("{ARGON2}$argon2d$v=19$m=1,t=1,p=1$c29t$c29t", "{ARGON2}", id="argon2d"),
        pytest.param(f"{{CRYPT}}{ARGON2ID}", "{CRYPT}$argon2id$", id="argon2 as CRYPT, which crypt(3) doesn't know"),
        pytest.param(f"{{BLF-CRYPT}}{SHA512_CRYPT}", "{BLF-CRYPT}", id="bcrypt that is none"),
        pytest.param(f"{{PLAIN}}{{SSHA}}{digest('sha1', SALT)}", "{CLEARTEXT}", id="a hash called clear text"),
        pytest.param(f"{{CLEARTEXT}}{SHA512_CRYPT}", "{CLEARTEXT}", id="crypt called clear text"),
        pytest.param("{CLEAR}", "{CLEARTEXT}", id="clear text of nothing"),
        pytest.param("{SSHA", "{CRYPT}", id="a brace that isn't closed"),
        pytest.param("{}x", "{CRYPT}", id="no name"),
        pytest.param("$", "{CRYPT}", id="only a dollar"),
        pytest.param(f"{{XYZ}}{digest('sha1')}", "an unknown scheme", id="a name nobody knows"),
        pytest.param("{{SSHA}}x", "{CRYPT}", id="doubled braces"),
    ],
)
def test_what_mailcow_would_not_verify_is_refused_by_its_name(value: str, told: str) -> None:
    """mailcow takes an unknown scheme for clear text, so the hash itself would become the password."""
    assert refused(value) == (told,)


def test_an_unusable_value_is_told_once() -> None:
    assert refused("{SASL}ann@EXAMPLE.ORG", "{SASL}ann@EXAMPLE.COM", "{APR1}x") == ("{APR1}", "{SASL}")


@pytest.mark.parametrize("value", ["{hunter2}hunter2", "$hunter2$hunter2", "{crypt}$hunter2$x", "{hunter2", "$hunter2"])
def test_a_password_that_looks_like_a_hash_is_not_shown(value: str) -> None:
    """Passwords may begin with a brace or a dollar; the finding goes into cron's mail."""
    assert "hunter2" not in repr(refused(value)).lower()


BEST_FIRST = [
    f"{{ARGON2ID}}{ARGON2ID}",
    f"{{ARGON2I}}{ARGON2I}",
    f"{{CRYPT}}{BCRYPT_B}",
    f"{{CRYPT}}{SHA512_CRYPT}",
    f"{{CRYPT}}{SHA256_CRYPT}",
    f"{{SSHA512}}{digest('sha512', SALT)}",
    f"{{SSHA256}}{digest('sha256', SALT)}",
    f"{{SHA512}}{digest('sha512')}",
    f"{{SHA256}}{digest('sha256')}",
    f"{{SSHA}}{digest('sha1', SALT)}",
    f"{{SHA}}{digest('sha1')}",
    f"{{CRYPT}}{MD5_CRYPT}",
    f"{{SMD5}}{digest('md5', SALT)}",
    f"{{LDAP-MD5}}{digest('md5')}",
    f"{{CRYPT}}{DES}",
]


@settings(derandomize=True, deadline=None)
@given(st.sets(st.integers(0, len(BEST_FIRST) - 1), min_size=1).flatmap(lambda rows: st.permutations(sorted(rows))))
def test_of_several_values_the_best_scheme_is_taken_in_whatever_order_they_come(rows: list[int]) -> None:
    assert chosen(*(BEST_FIRST[row] for row in rows)) == BEST_FIRST[min(rows)]


def test_of_two_values_in_one_scheme_always_the_same_is_taken() -> None:
    """LDAP gives values in no order; another one on each run would be a password change on each run."""
    first, second = f"{{SHA}}{digest('sha1')}", "{SHA}" + base64.b64encode(bytes(20)).decode()
    assert chosen(first, second) == chosen(second, first)


def test_a_usable_value_is_taken_beside_an_unusable_one() -> None:
    assert chosen("{SASL}ann@EXAMPLE.ORG", f"{{CRYPT}}{DES}") == f"{{CRYPT}}{DES}"


def test_a_hash_is_taken_before_clear_text() -> None:
    assert chosen("aaa", f"{{CRYPT}}{DES}", allow_clear_text=True) == f"{{CRYPT}}{DES}"


def test_no_value_is_no_password_and_nothing_to_tell() -> None:
    choice = choose_password([], allow_clear_text=True)
    assert (choice.password, choice.clear_text, choice.schemes) == (None, False, ())


def test_an_empty_value_is_no_clear_text_password() -> None:
    assert refused("") == ("{CLEARTEXT}",)


def test_clear_text_is_refused_unless_it_is_allowed() -> None:
    choice = choose_password(["secret"], allow_clear_text=False)
    assert choice.password is None
    assert choice.clear_text


@pytest.mark.parametrize("value", ["secret", "{CLEAR}secret", "{CLEARTEXT}secret", "{PLAIN}secret", "{plain}secret"])
def test_clear_text_is_sent_bare_so_that_mailcow_hashes_it(value: str) -> None:
    assert chosen(value, allow_clear_text=True) == "secret"


@pytest.mark.parametrize("value", [" secret ", "se{cr}et", "se$cr$et", "rl.3StKT.4T8M", "pässwörd"])
def test_clear_text_stays_as_it_is(value: str) -> None:
    assert chosen(value, allow_clear_text=True) == value


def test_of_several_clear_texts_always_the_same_is_taken() -> None:
    assert chosen("b", "a", allow_clear_text=True) == chosen("a", "b", allow_clear_text=True)


def test_a_chosen_password_is_not_in_any_text() -> None:
    choice = choose_password([f"{{CRYPT}}{SHA512_CRYPT}"], allow_clear_text=False)
    assert "usesomesilly" not in f"{choice} {choice!r}"


def test_nobody_s_password_is_one_that_mailcow_stores_and_crypt_never_makes() -> None:
    assert re.fullmatch(r"\{CRYPT\}![ -~]{8,}", NOBODY.get_secret_value())
    assert choose_password([NOBODY.get_secret_value()], allow_clear_text=True).password is None


# What mailcow stores as it is (docs/mailcow-api.md section 4), and our own idea of each form, apart from the table's.


def _decodes_to(low: int, high: int = 10_000) -> Callable[[str], bool]:
    def fits(text: str) -> bool:
        padded = re.fullmatch(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?", text)
        return padded is not None and low <= len(base64.b64decode(text)) <= high

    return fits


def _looks_like(*patterns: str) -> Callable[[str], bool]:
    return lambda text: any(re.fullmatch(pattern, text) for pattern in patterns)


CRYPT_FORMS = {
    "DES-CRYPT": r"[./0-9A-Za-z]{13}",
    "MD5-CRYPT": r"\$1\$[^$]{0,8}\$[./0-9A-Za-z]{22}",
    "BLF-CRYPT": r"\$2[aby]\$\d\d\$[./0-9A-Za-z]{53}",
    "SHA256-CRYPT": r"\$5\$(rounds=\d+\$)?[^$]{0,16}\$[./0-9A-Za-z]{43}",
    "SHA512-CRYPT": r"\$6\$(rounds=\d+\$)?[^$]{0,16}\$[./0-9A-Za-z]{86}",
}
STORED: dict[str, Callable[[str], bool]] = {
    **{name: _looks_like(pattern) for name, pattern in CRYPT_FORMS.items()},
    "CRYPT": _looks_like(*CRYPT_FORMS.values()),
    "ARGON2I": _looks_like(r"\$argon2i\$v=\d+\$m=\d+,t=\d+,p=\d+\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]+"),
    "ARGON2ID": _looks_like(r"\$argon2id\$v=\d+\$m=\d+,t=\d+,p=\d+\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]+"),
    "PLAIN-MD5": _looks_like(r"[0-9a-fA-F]{32}"),
    "LDAP-MD5": _decodes_to(16, 16),
    "SHA": _decodes_to(20, 20),
    "SHA256": _decodes_to(32, 32),
    "SHA512": _decodes_to(64, 64),
    "SMD5": _decodes_to(17),
    "SSHA": _decodes_to(21),
    "SSHA256": _decodes_to(33),
    "SSHA512": _decodes_to(65),
}

HASHES = [
    *(DES, MD5_CRYPT, BCRYPT_A, BCRYPT_Y, SHA256_CRYPT, SHA512_CRYPT, YESCRYPT, SCRYPT, ARGON2I, ARGON2ID),
    *(digest(name, salt) for name in ("md5", "sha1", "sha256", "sha384", "sha512") for salt in (b"", SALT)),
]
NAMES = [
    *sorted({name for scheme in SCHEMES for name in scheme.names}),
    "PLAIN",
    "CLEAR",
    "SASL",
    "PBKDF2",
    "NT",
    "XYZ",
]
CASES = st.sampled_from([str.upper, str.lower, str.title])
BLANKS = st.sampled_from(["", " ", "\n", "\u00a0"])
VALUES = st.one_of(
    st.text(),
    st.binary().map(lambda value: value.decode("latin-1")),
    st.tuples(
        BLANKS,
        st.builds(lambda name, case: f"{{{case(name)}}}", st.sampled_from(NAMES) | st.text(max_size=5), CASES),
        BLANKS,
        st.sampled_from(HASHES) | st.text(max_size=10) | st.from_regex(r"\A[$./A-Za-z0-9+=]{0,90}\Z"),
        BLANKS,
    ).map("".join),
    st.tuples(st.sampled_from(["", "$", "{", "{CRYPT}{"]), st.sampled_from(HASHES), st.text(max_size=2)).map("".join),
)


@settings(derandomize=True, deadline=None, max_examples=1500)
@given(values=st.lists(VALUES, max_size=4), allow_clear_text=st.booleans())
@example(values=["{PLAIN}{SSHA}x"], allow_clear_text=True)
@example(values=["\u00a0{XYZ}x"], allow_clear_text=True)
@example(values=["{"], allow_clear_text=True)
def test_whatever_comes_only_a_verifiable_hash_or_a_bare_password_is_sent(
    values: list[str],
    allow_clear_text: bool,  # noqa: FBT001 - given by name
) -> None:
    choice = choose_password(values, allow_clear_text=allow_clear_text)
    if choice.password is None:
        return
    sent = choice.password.get_secret_value()
    assert sent
    prefixed = re.fullmatch(r"\{([A-Z0-9-]+)\}(.+)", sent, re.DOTALL)
    if prefixed:
        assert STORED[prefixed[1]](prefixed[2])
    else:
        assert allow_clear_text
        assert not sent.startswith(("{", "$"))


@settings(derandomize=True, deadline=None, max_examples=300)
@given(value=VALUES)
def test_what_is_told_of_an_unusable_value_is_one_of_a_few_words(value: str) -> None:
    for told in choose_password([value], allow_clear_text=False).schemes:
        assert told == "an unknown scheme" or re.fullmatch(r"\{[A-Z0-9_-]+\}(\$[a-z0-9]+\$)?", told)


def test_every_row_of_the_table_is_sent_under_a_name_that_mailcow_stores() -> None:
    assert {scheme.send_as for scheme in SCHEMES} <= set(STORED)


def test_a_choice_holds_its_password_as_a_secret() -> None:
    assert isinstance(choose_password([DES], allow_clear_text=True).password, SecretStr)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("{CRYPT}" + BCRYPT_Y.replace("$04$", "$31$"), "{CRYPT}$2y$ is beyond what one login may cost: bcrypt's cost"),
        ("{BCRYPT}" + BCRYPT_Y.replace("$04$", "$15$"), "{BCRYPT} is beyond what one login may cost: bcrypt's cost"),
        ("{BLF-CRYPT}" + BCRYPT_Y.replace("$04$", "$03$"), "{BLF-CRYPT} is beyond"),
        (SHA512_CRYPT.replace("$6$", "$6$rounds=999999999$"), "{CRYPT}$6$ is beyond what one login may cost: rounds"),
        (SHA512_CRYPT.replace("$6$", f"$6$rounds={'9' * 100}$"), "{CRYPT}$6$ is beyond"),
        ("{SHA256-CRYPT}" + SHA256_CRYPT.replace("$5$", "$5$rounds=1000001$"), "{SHA256-CRYPT} is beyond"),
        (
            "{ARGON2}" + ARGON2ID.replace("m=65536", "m=4294967295"),
            "{ARGON2} is beyond what one login may cost: Argon2",
        ),
        ("{ARGON2}" + ARGON2I.replace("t=2", "t=4294967295"), "Argon2's passes must be from 1 to 10"),
        ("{ARGON2ID}" + ARGON2ID.replace("p=1", "p=1000"), "Argon2's lanes must be from 1 to 16"),
        (
            "{SSHA512}" + digest("sha512", b"x" * 6_000),
            "{SSHA512} is longer than the 255 characters that mailcow keeps",
        ),
        ("{ARGON2}" + ARGON2ID + "A" * 200, "{ARGON2} is longer than the 255 characters"),
    ],
)
def test_a_hash_that_costs_too_much_or_is_too_long_is_refused_with_the_reason(value: str, told: str) -> None:
    """mailcow checks a login with what is sent, at whatever cost, and keeps 255 characters."""
    choice = choose_password([value], allow_clear_text=True)
    assert (choice.password, choice.schemes, choice.clear_text) == (None, (), False)
    (reason,) = choice.refused
    assert told in reason
    assert value.rpartition("$")[2] not in reason


@pytest.mark.parametrize(
    "value",
    [
        BCRYPT_Y.replace("$04$", "$14$"),
        SHA512_CRYPT.replace("$6$", "$6$rounds=656000$"),
        "{ARGON2}" + ARGON2ID.replace("m=65536,t=2,p=1", "m=102400,t=2,p=8"),
    ],
)
def test_what_tools_set_by_themselves_is_sent(value: str) -> None:
    assert chosen(value) is not None


def test_a_hash_that_is_refused_does_not_stand_in_the_way_of_another() -> None:
    assert chosen("{CRYPT}" + BCRYPT_Y.replace("$04$", "$31$"), f"{{SSHA}}{digest('sha1', SALT)}") is not None


@pytest.mark.parametrize("salt", ["a:b", "a\nb", "a\0b", "é"])
def test_a_salt_that_crypt_refuses_is_no_form(salt: str) -> None:
    assert refused(SHA512_CRYPT.replace("usesomesillystri", salt)) == ("{CRYPT}$6$",)
