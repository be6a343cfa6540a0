import json

import pytest

from idp.credentials import ceremonies
from idp.credentials.ceremonies import Descriptor, PasskeyRefused, RelyingParty
from tests.idp.security_key import (
    EDDSA,
    ES256,
    ES384,
    MADE,
    PRESENT,
    RS256,
    SYNCABLE,
    SYNCED,
    VERIFIED,
    SecurityKey,
)
from tests.programs import ISSUER

HERE = RelyingParty(domain="localhost", origin=ISSUER)
CHALLENGE = b"c" * 32
TO_MAKE = ceremonies.ask_to_make(
    HERE, challenge=CHALLENGE, user_handle=b"h" * 32, email="anna@example.com"
)
TO_SHOW = ceremonies.ask_to_show(HERE, challenge=CHALLENGE, must_stand_alone=True)


def made(text, *, must_stand_alone=False):
    return ceremonies.check_made(
        ceremonies.read(text), HERE, challenge=CHALLENGE, must_stand_alone=must_stand_alone
    )


def shown(key, text, *, must_stand_alone=True):
    return ceremonies.check_shown(
        ceremonies.read(text),
        HERE,
        challenge=CHALLENGE,
        public_key=key.as_made().public_key,
        is_syncable=key.is_synced,
        must_stand_alone=must_stand_alone,
    )


@pytest.mark.product("ID-6")
@pytest.mark.security("4.8")
@pytest.mark.parametrize("algorithm", [ES256, EDDSA, RS256])
def test_a_passkey_of_each_allowed_algorithm_is_made_and_shown(algorithm):
    key = SecurityKey(algorithm)

    passkey = made(key.make(TO_MAKE), must_stand_alone=True)

    assert passkey.credential_id == key.credential_id
    assert passkey.is_verified
    assert shown(key, key.show(TO_SHOW)).is_verified


@pytest.mark.security("4.8")
@pytest.mark.parametrize(
    ("bent", "why"),
    [
        ({"type": "webauthn.get"}, "type"),
        ({"challenge": "b3RoZXI"}, "challenge"),
        ({"origin": "https://evil.example"}, "origin"),
        ({"origin": f"{ISSUER}.evil.example"}, "origin"),
        ({"origin": "https://localhost:9000"}, "origin"),
        ({"domain": "evil.example"}, "RP ID hash"),
        ({"without_flags": PRESENT}, "presence"),
        ({"without_flags": MADE}, "attested credential data|AttributeError|malformed"),
        ({"with_flags": SYNCED}, "backed up|backup"),
        ({"id": "bm90IGl0"}, "not equivalent"),
        ({"raw_id": b"another id of it"}, "not equivalent"),
        ({"signed_id": b"another id of it"}, "not the one that the authenticator signed"),
        ({"credential_type": "password"}, "."),
        ({"public_key": SecurityKey(ES384)._cose()}, "alg"),
        ({"public_key": b"\xa0"}, "."),
        ({"attestation": "none", "statement": {"sig": b"x"}}, "attestation statement"),
        ({"attestation": "fido-u2f"}, "."),
        ({"attestation": "made-up"}, "."),
        ({"said": {"crossOrigin": True}}, "another site"),
        ({"said": {"topOrigin": "https://evil.example"}}, "another site"),
    ],
)
def test_a_passkey_is_not_kept_when(bent, why):
    with pytest.raises(PasskeyRefused, match=why):
        made(SecurityKey().make(TO_MAKE, **bent))


@pytest.mark.security("4.8")
def test_a_passkey_that_must_stand_alone_has_to_check_its_holder():
    key = SecurityKey(verifies=False)

    with pytest.raises(PasskeyRefused, match="verification"):
        made(key.make(TO_MAKE), must_stand_alone=True)

    assert not made(key.make(TO_MAKE)).is_verified


@pytest.mark.security("8.7")
def test_a_short_rsa_key_is_refused():
    with pytest.raises(PasskeyRefused, match="too short"):
        made(SecurityKey(RS256, rsa_bits=1024).make(TO_MAKE))


@pytest.mark.security("4.8")
def test_a_point_that_is_not_on_the_curve_is_refused():
    key = SecurityKey()
    bad = key._cose()[:-32] + bytes(31) + b"\x01"

    with pytest.raises(PasskeyRefused):
        made(key.make(TO_MAKE, public_key=bad))


@pytest.mark.security("4.8")
@pytest.mark.parametrize(
    ("bent", "why"),
    [
        ({"type": "webauthn.create"}, "type"),
        ({"challenge": "b3RoZXI"}, "challenge"),
        ({"origin": "https://evil.example"}, "origin"),
        ({"domain": "evil.example"}, "RP ID hash"),
        ({"without_flags": PRESENT}, "present"),
        ({"without_flags": VERIFIED}, "verif"),
        ({"with_flags": SYNCED}, "backed up|backup"),
        ({"with_flags": SYNCABLE}, "can't change"),
        ({"id": "bm90IGl0"}, "not equivalent"),
        ({"raw_id": b"another id of it"}, "not equivalent"),
        ({"credential_type": "password"}, "."),
        ({"signature": b"not a signature"}, "signature"),
        ({"said": {"crossOrigin": True}}, "another site"),
        ({"said": {"topOrigin": "https://evil.example"}}, "another site"),
    ],
)
def test_a_passkey_proves_nothing_when(bent, why):
    key = SecurityKey()

    with pytest.raises(PasskeyRefused, match=why):
        shown(key, key.show(TO_SHOW, **bent))


@pytest.mark.security("4.8")
def test_a_signature_of_another_key_proves_nothing():
    key, other = SecurityKey(), SecurityKey()

    with pytest.raises(PasskeyRefused, match="signature"):
        shown(key, other.show(TO_SHOW))


@pytest.mark.security("4.8")
def test_a_key_that_may_be_synced_stays_one():
    key = SecurityKey(is_synced=True)

    with pytest.raises(PasskeyRefused, match="can't change"):
        shown(key, key.show(TO_SHOW, without_flags=SYNCABLE | SYNCED))

    assert shown(key, key.show(TO_SHOW)).is_synced
    assert not shown(key, key.show(TO_SHOW, without_flags=SYNCED)).is_synced


@pytest.mark.product("ID-6")
def test_as_a_second_factor_a_touch_is_enough():
    key = SecurityKey(verifies=False)

    assert not shown(key, key.show(TO_SHOW), must_stand_alone=False).is_verified


@pytest.mark.security("15.1")
@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{}",
        "{",
        "[" * 15_000,
        '{"rawId": "AA", "response": {}}',
        '{"rawId": "AA", "response": {"clientDataJSON": "bm8"}}',
        '{"rawId": "%", "response": {"clientDataJSON": "e30"}}',
        '{"rawId": 1, "response": {"clientDataJSON": 1}}',
        '{"rawId": "ą", "response": []}',
        "x" * 16_001,
    ],
)
def test_what_no_browser_sends_is_refused(text):
    with pytest.raises(PasskeyRefused):
        ceremonies.read(text)


@pytest.mark.security("4.8")
@pytest.mark.parametrize("length", [0, 1024])
def test_a_credential_id_has_a_length_that_one_may_have(length):
    fields = json.loads(SecurityKey().show(TO_SHOW))
    fields["rawId"] = "A" * (length * 4 // 3)

    with pytest.raises(PasskeyRefused):
        ceremonies.read(json.dumps(fields))


@pytest.mark.security("17.2")
def test_what_a_stranger_wrote_stays_out_of_the_log():
    key = SecurityKey()
    fields = json.loads(key.show(TO_SHOW))
    fields["response"]["signature"] = {"canary": "canary"}

    with pytest.raises(PasskeyRefused) as refused:
        shown(key, json.dumps(fields))

    assert "canary" not in refused.value.detail


@pytest.mark.security("2.4")
def test_the_options_for_a_passkey_alone_name_nobody():
    assert TO_SHOW["allowCredentials"] == []
    assert TO_SHOW["userVerification"] == "required"


def test_whoever_may_be_asked_is_named_with_how_to_reach_the_key():
    options = ceremonies.ask_to_show(
        HERE,
        challenge=CHALLENGE,
        known=[Descriptor(b"id", ("usb",))],
        must_stand_alone=False,
    )

    assert options["allowCredentials"] == [
        {"type": "public-key", "id": "aWQ", "transports": ["usb"]}
    ]
    assert options["userVerification"] == "discouraged"


def test_no_attestation_is_asked_for_and_a_known_device_is_left_out():
    options = ceremonies.ask_to_make(
        HERE,
        challenge=CHALLENGE,
        user_handle=b"h" * 32,
        email="anna@example.com",
        known=[Descriptor(b"id", ())],
    )

    assert options["attestation"] == "none"
    assert [one["id"] for one in options["excludeCredentials"]] == ["aWQ"]
    assert [one["alg"] for one in options["pubKeyCredParams"]] == [EDDSA, ES256, RS256]


@pytest.mark.parametrize(("alone", "strength"), [(True, "required"), (False, "preferred")])
def test_a_passkey_that_must_stand_alone_has_to_be_found_without_a_name(alone, strength):
    options = ceremonies.ask_to_make(
        HERE,
        challenge=CHALLENGE,
        user_handle=b"h" * 32,
        email="anna@example.com",
        must_stand_alone=alone,
    )

    chosen = options["authenticatorSelection"]
    assert (chosen["residentKey"], chosen["userVerification"]) == (strength, strength)


@pytest.mark.security("3.3")
def test_who_we_are_is_configured(identity_app):
    with identity_app.test_request_context(headers={"Host": "evil.example"}):
        assert ceremonies.relying_party() == HERE


@pytest.mark.security("15.1")
@pytest.mark.parametrize("transports", [[["usb"]], [{}], {"usb": 1}, "usb", [None, 1e999]])
def test_transports_that_no_browser_would_name_are_passed_over(transports):
    assert set(made(SecurityKey().make(TO_MAKE, transports=transports)).transports) <= {"usb"}


def test_transports_are_kept_as_far_as_they_are_known():
    passkey = made(SecurityKey().make(TO_MAKE, transports=["usb", "telepathy", "nfc", "usb"]))

    assert passkey.transports == ("nfc", "usb")
