from datetime import timedelta

import pytest

from idp.credentials import passkeys
from idp.credentials.ceremonies import PasskeyRefused, Shown
from idp.credentials.models import PasskeyChallenge
from idp.credentials.passkeys import (
    MOST,
    AlreadyKnown,
    Ceremony,
    Challenge,
    Kind,
    TooMany,
    WentBack,
)
from idp.flows import service as flows
from tenants.database import db
from tests.idp.race import all_at_once
from tests.idp.security_key import SecurityKey, a_passkey
from tests.idp.visitor import a_person

pytestmark = pytest.mark.usefixtures("identity_app")
HERE, ELSEWHERE = b"b" * 32, b"e" * 32


def a_challenge(now, **about):
    with db.transaction() as session:
        return passkeys.issue_challenge(
            session, **{"ceremony": Ceremony.SIGN_IN, "browser_hash": HERE, "now": now, **about}
        )


def spend(challenge, now, **about):
    with db.transaction() as session:
        return passkeys.spend_challenge(
            session,
            challenge,
            **{"ceremony": Ceremony.SIGN_IN, "browser_hash": HERE, "now": now, **about},
        )


def use(passkey_id, count, now, *, is_verified=True, **more):
    shown = Shown(sign_count=count, is_verified=is_verified, is_synced=False)
    with db.transaction() as session:
        passkeys.note_use(session, passkey_id, shown, now=now, **more)


def stored(person_id):
    with db.reading() as session:
        return passkeys.of_person(session, person_id=person_id)


@pytest.mark.security("4.8")
def test_a_challenge_is_32_random_bytes_and_counts_once(now):
    challenge = a_challenge(now)

    assert len(challenge) == 32
    assert a_challenge(now) != challenge
    assert spend(challenge, now) == Challenge(person_id=None, user_handle=None)
    assert spend(challenge, now) is None


@pytest.mark.security("4.8")
@pytest.mark.parametrize(
    "other",
    [{"browser_hash": ELSEWHERE}, {"ceremony": Ceremony.SECOND_FACTOR}, {"flow_id": "another"}],
)
def test_a_challenge_counts_for_one_browser_one_ceremony_and_one_flow(now, other):
    with db.transaction() as session:
        first, second = (flows.start(session, browser_hash=HERE, now=now).id for _ in range(2))
    challenge = a_challenge(now, flow_id=first)
    if other.get("flow_id"):
        other = {"flow_id": second}

    assert spend(challenge, now, **{"flow_id": first, **other}) is None
    assert spend(challenge, now) is None
    assert spend(challenge, now, flow_id=first) is not None


@pytest.mark.product("ID-6")
@pytest.mark.security("4.8")
def test_a_challenge_is_over_after_five_minutes(now):
    challenge = a_challenge(now)

    assert spend(challenge, now + timedelta(minutes=5)) is None
    assert spend(challenge, now + timedelta(minutes=5, seconds=-1)) is not None


@pytest.mark.product("ID-6")
@pytest.mark.security("4.8")
@pytest.mark.security("15.2")
def test_of_fifty_with_one_challenge_at_once_one_gets_through(identity_app, now):
    challenge = a_challenge(now)

    answers = all_at_once(identity_app, 50, lambda: spend(challenge, now))

    assert sum(isinstance(answer, Challenge) for answer in answers) == 1
    assert answers.count(None) == 49


@pytest.mark.security("4.8")
def test_a_credential_id_is_unique_in_the_installation(now):
    key = a_passkey(a_person(), now=now)

    with pytest.raises(AlreadyKnown):
        a_passkey(a_person("bert@example.com"), key=key, now=now)


def test_a_person_has_twenty_passkeys_at_most(now):
    person_id = a_person()
    for _ in range(MOST):
        a_passkey(person_id, now=now)

    with pytest.raises(TooMany):
        a_passkey(person_id, now=now)


@pytest.mark.security("4.8")
@pytest.mark.parametrize(
    ("before", "now_says", "grew"),
    [(0, 0, True), (0, 1, True), (5, 6, True), (5, 5, False), (5, 4, False), (5, 0, False)],
)
def test_a_counter_has_to_grow_unless_the_key_does_not_count(now, before, now_says, grew):
    person_id = a_person()
    a_passkey(person_id, key=SecurityKey(counter=before or None), now=now)
    passkey_id = stored(person_id)[0].id

    if grew:
        use(passkey_id, now_says, now)
    else:
        with pytest.raises(WentBack):
            use(passkey_id, now_says, now)

    assert stored(person_id)[0].sign_count == (now_says if grew else before)
    assert stored(person_id)[0].last_used_at == (now if grew else None)


def test_a_passkey_that_was_removed_meanwhile_is_no_copy(now):
    person_id = a_person()
    a_passkey(person_id, key=SecurityKey(counter=1), now=now)
    passkey_id = stored(person_id)[0].id
    with db.transaction() as session:
        passkeys.remove(session, passkey_id, person_id=person_id)

    with pytest.raises(PasskeyRefused) as refused:
        use(passkey_id, 2, now)

    assert not isinstance(refused.value, WentBack)


@pytest.mark.security("15.2")
def test_of_many_with_one_count_at_once_one_gets_through(identity_app, now):
    person_id = a_person()
    a_passkey(person_id, key=SecurityKey(counter=1), now=now)
    passkey_id = stored(person_id)[0].id

    answers = all_at_once(identity_app, 20, lambda: use(passkey_id, 2, now))

    assert answers.count(None) == 1
    assert sum(isinstance(answer, WentBack) for answer in answers) == 19


@pytest.mark.security("4.8")
def test_a_key_that_never_checked_its_holder_may_count_alone_only_after_something_else_did(now):
    person_id = a_person()
    a_passkey(person_id, key=SecurityKey(verifies=False), now=now)
    passkey_id = stored(person_id)[0].id

    use(passkey_id, 0, now)
    assert not stored(person_id)[0].is_verifying
    use(passkey_id, 0, now, may_verify=True, is_verified=False)
    assert not stored(person_id)[0].is_verifying
    use(passkey_id, 0, now, may_verify=True)
    assert stored(person_id)[0].is_verifying


@pytest.mark.product("ID-7")
@pytest.mark.parametrize(
    ("synced", "transports", "kind"),
    [
        (True, ("internal",), Kind.SYNCED),
        (False, ("internal",), Kind.DEVICE),
        (False, ("usb", "nfc"), Kind.SECURITY_KEY),
    ],
)
def test_where_a_passkey_lives_is_known_as_far_as_it_tells(now, synced, transports, kind):
    person_id = a_person()
    made = SecurityKey(is_synced=synced).as_made()
    with db.transaction() as session:
        passkeys.store(
            session,
            type(made)(**{**vars(made), "transports": transports}),
            person_id=person_id,
            user_handle=passkeys.new_user_handle(),
            name="Key",
            now=now,
        )

    assert stored(person_id)[0].kind is kind


@pytest.mark.security("12.2")
def test_a_passkey_of_somebody_else_is_neither_renamed_nor_removed(now):
    anna, bert = a_person(), a_person("bert@example.com")
    a_passkey(anna, now=now, name="Phone")
    passkey_id = stored(anna)[0].id

    with db.transaction() as session:
        assert not passkeys.rename(session, passkey_id, "Mine", person_id=bert)
        assert not passkeys.remove(session, passkey_id, person_id=bert)

    assert [passkey.name for passkey in stored(anna)] == ["Phone"]


def test_passkeys_of_a_person_are_filed_under_the_same_random_value(now):
    anna, bert = a_person(), a_person("bert@example.com")
    for person_id in (anna, anna, bert):
        a_passkey(person_id, now=now)

    first, second = stored(anna)
    assert first.user_handle == second.user_handle
    assert stored(bert)[0].user_handle != first.user_handle
    assert anna.bytes not in first.user_handle


@pytest.mark.security("3.11")
@pytest.mark.security("18.7")
def test_whoever_asks_again_and_again_leaves_ten_challenges_of_a_flow(now):
    with db.transaction() as session:
        first, second = (flows.start(session, browser_hash=HERE, now=now).id for _ in range(2))
    of_another = a_challenge(now, flow_id=second)

    asked = [a_challenge(now + timedelta(seconds=n), flow_id=first) for n in range(15)]

    with db.reading() as session:
        assert session.query(PasskeyChallenge).filter_by(flow_id=first).count() == 10
    assert spend(asked[4], now, flow_id=first) is None
    assert spend(asked[5], now, flow_id=first) is not None
    assert spend(of_another, now, flow_id=second) is not None


@pytest.mark.security("18.7")
def test_adding_passkeys_leaves_ten_challenges_of_a_person(now):
    anna, bert = a_person(), a_person("bert@example.com")
    of_bert = a_challenge(now, person_id=bert)

    asked = [a_challenge(now + timedelta(seconds=n), person_id=anna) for n in range(12)]

    assert spend(asked[1], now) is None
    assert spend(asked[2], now) is not None
    assert spend(of_bert, now) is not None
