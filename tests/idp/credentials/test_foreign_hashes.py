import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.credentials import foreign_hashes
from idp.credentials.foreign_hashes import DearHash, MalformedHash, UnknownHash, adopt, read
from tests.idp.credentials.vectors import (
    BCRYPT,
    HASHES,
    KEYCLOAK,
    KEYCLOAK_ARGON2,
    THEIRS,
)

_SALT = "c2FsdHNhbHQ"
_DIGEST = "A" * 43


@pytest.mark.product("ID-8")
@pytest.mark.parametrize(("kind", "stored"), HASHES)
def test_a_hash_of_another_system_proves_its_password_and_no_other(kind, stored):
    foreign = read(stored)

    assert foreign.kind == kind
    assert foreign.proves(THEIRS.encode())
    assert not foreign.proves(b"another one")
    assert not foreign.proves(b"")


@pytest.mark.parametrize(
    ("kind", "stored", "milliseconds"),
    [
        ("bcrypt", "$2b$12$" + "." * 53, 221),
        ("pbkdf2-sha256", f"pbkdf2_sha256$600000$salt${_DIGEST}=", 120),
        ("pbkdf2-sha512", f"$pbkdf2-sha512$210000${_SALT}${'A' * 86}", 88),
        ("scrypt", f"scrypt:32768:8:1$salt${'0' * 128}", 73),
        ("argon2id", f"$argon2id$v=19$m=65536,t=3,p=4${_SALT}${_DIGEST}", 94),
        ("sha512-crypt", f"$6$rounds=656000$salt${'.' * 86}", 394),
    ],
)
def test_what_verifying_costs_is_known_before_it_is_done(kind, stored, milliseconds):
    foreign = read(stored)

    assert (foreign.kind, round(foreign.milliseconds)) == (kind, milliseconds)


@pytest.mark.security("1.6")
@pytest.mark.parametrize(
    "stored",
    [
        "$2b$15$" + "." * 53,
        "$2b$31$" + "." * 53,
        f"pbkdf2_sha256$999999999$salt${_DIGEST}=",
        f"$scrypt$ln=17,r=8,p=1${_SALT}${_DIGEST}",
        f"$scrypt$ln=16,r=8,p=16${_SALT}${_DIGEST}",
        f"$argon2id$v=19$m=102400,t=2,p=8${_SALT}${_DIGEST}",
        f"$argon2id$v=19$m=65536,t=99,p=1${_SALT}${_DIGEST}",
        f"$5$rounds=999999999$salt${_DIGEST}",
    ],
)
def test_a_hash_that_would_take_too_long_or_too_much_memory_is_refused(stored):
    with pytest.raises(DearHash):
        read(stored)


@pytest.mark.parametrize(
    "stored",
    [
        "$2b$03$" + "." * 53,
        "$2b$04$" + "." * 52,
        "$2x$04$" + "." * 53,
        "$2",
        "$6$",
        f"$6$rounds=999$salt${'.' * 86}",
        f"$5$seventeen-letters${_DIGEST}",
        f"pbkdf2_sha256$0$salt${_DIGEST}=",
        f"pbkdf2_md5$1000$salt${_DIGEST}=",
        "pbkdf2_sha256$1000$salt$AAAA",
        "pbkdf2:sha256:1000$salt$abc",
        f"$scrypt$ln=0,r=8,p=1${_SALT}${_DIGEST}",
        f"scrypt$1023$salt$8$1${_DIGEST}=",
        f"scrypt$1024$salt$0$1${_DIGEST}=",
        f"$argon2id$v=19$m=4,t=1,p=1${_SALT}${_DIGEST}",
        f"$argon2id$v=19$m=1024,t=0,p=1${_SALT}${_DIGEST}",
        f"$argon2id$v=19$m=1024,t=1,p=1${_SALT}$AAAAA",
        f"$pbkdf2-sha256$1000$A${_DIGEST}",
        f"pbkdf2_sha256$1000${'s' * 300}${_DIGEST}=",
        f"pbkdf2_sha256$1000$s\0lt${_DIGEST}=",
        f"pbkdf2_sha256$1000$sól${_DIGEST}=",
    ],
)
def test_a_text_that_only_begins_like_a_hash_is_malformed(stored):
    with pytest.raises(MalformedHash):
        read(stored)


@pytest.mark.parametrize(
    "stored",
    ["", "password", "5f4dcc3b5aa765d61d8327deb882cf99", "{SSHA}abc", "$1$salt$" + "." * 22],
)
def test_a_kind_that_is_too_weak_or_unknown_is_not_taken(stored):
    with pytest.raises(UnknownHash):
        read(stored)


@pytest.mark.security("1.3")
def test_bcrypt_never_takes_the_first_72_bytes_for_the_whole():
    foreign = read(BCRYPT)
    long = THEIRS.encode() + b"\0" + b"x" * 80

    assert not foreign.proves(long)
    assert not foreign.proves(THEIRS.encode() + b"\0")
    assert not foreign.proves(b"x" * 73)


@pytest.mark.security("1.3")
def test_a_zero_byte_does_not_end_a_password_for_sha_crypt():
    foreign = read(next(stored for kind, stored in HASHES if kind == "sha512-crypt"))

    assert not foreign.proves(THEIRS.encode() + b"\0more")


@pytest.mark.parametrize(
    ("exported", "kept"),
    [
        (f"bcrypt${BCRYPT}", BCRYPT),
        (f" {BCRYPT}\n", BCRYPT),
        (f"{{CRYPT}}{BCRYPT}", BCRYPT),
        (f"{{crypt}}{BCRYPT}", BCRYPT),
        (f"{{bcrypt}}{BCRYPT}", BCRYPT),
        (f"argon2{HASHES[2][1]}", HASHES[2][1]),
        (HASHES[7][1], HASHES[7][1]),
    ],
)
def test_what_others_wrap_around_a_hash_is_taken_off(exported, kept):
    assert adopt(exported) == kept


@pytest.mark.product("ID-8")
@pytest.mark.parametrize("exported", [KEYCLOAK, KEYCLOAK_ARGON2])
def test_a_credential_of_keycloak_becomes_one_line(exported):
    assert read(adopt(exported)).proves(THEIRS.encode())


@pytest.mark.parametrize(
    "change",
    [
        {"secretData": None},
        {"secretData": "{"},
        {"secretData": {"value": "no base 64!", "salt": ""}},
        {"credentialData": []},
        {"credentialData": {"hashIterations": "many", "algorithm": "pbkdf2"}},
        {"credentialData": {"hashIterations": 1, "algorithm": "argon2"}},
        {"credentialData": {"hashIterations": 1, "algorithm": "md5"}},
    ],
)
def test_a_broken_credential_of_keycloak_is_refused(change):
    with pytest.raises(UnknownHash):
        adopt(json.dumps({**json.loads(KEYCLOAK), **change}))


@pytest.mark.security("1.5")
def test_a_refusal_never_quotes_the_hash():
    with pytest.raises(UnknownHash) as refused:
        read("$2b$31$" + "k" * 53)

    assert "kkk" not in refused.value.detail


_BEGINNINGS = st.sampled_from(
    [*foreign_hashes._BEGINNINGS, "{CRYPT}", '{"secretData":', "$argon2id$v=19$m=8,t=1,p=1$", ""]
)
_TAILS = st.text(max_size=60) | st.text('$=,0123456789abmtp./:{}"', max_size=60)


@given(_BEGINNINGS, _TAILS)
def test_no_text_makes_the_reader_stumble(beginning, tail):
    try:
        foreign = read(adopt(beginning + tail))
    except UnknownHash:
        return
    assert foreign.milliseconds <= foreign_hashes.DEAREST_MILLISECONDS
    assert foreign.kib <= foreign_hashes.LARGEST_KIB


@given(st.sampled_from([stored for _, stored in HASHES]), st.data())
def test_a_hash_in_which_a_letter_was_changed_is_refused_or_proves_nothing_wrongly(stored, data):
    place = data.draw(st.integers(0, len(stored) - 1))
    letter = data.draw(st.characters(max_codepoint=127))
    try:
        foreign = read(stored[:place] + letter + stored[place + 1 :])
    except UnknownHash:
        return
    if foreign.milliseconds < 5:
        assert foreign.proves(b"another one") is False


@given(st.recursive(st.none() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["secretData", "credentialData", "value", "salt", "algorithm", "hashIterations"]), inner)))  # fmt: skip
def test_no_json_makes_the_reader_of_keycloak_stumble(thing):
    with pytest.raises(UnknownHash):
        adopt(json.dumps({"secretData": thing, "credentialData": thing}))
