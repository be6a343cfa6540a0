import pytest
from webauthn.helpers import bytes_to_base64url

from idp.account import passkeys as own_passkeys
from idp.account.passkeys import Added
from idp.credentials import passkeys
from idp.credentials.ceremonies import PasskeyRefused
from idp.credentials.models import RecoveryCode
from idp.credentials.passkeys import MOST, TooMany
from kernel.errors import NotFound
from tenants.database import db
from tests.idp.race import all_at_once
from tests.idp.security_key import SecurityKey, a_passkey
from tests.idp.sign_in.test_password import a_browser
from tests.idp.visitor import a_person

pytestmark = pytest.mark.usefixtures("identity_app")


def options(me, now):
    return own_passkeys.ask_to_add(me, browser=a_browser(signed_in=me), now=now)


def add(me, text, now, **browser):
    return own_passkeys.add(
        me, text, "Laptop", browser=a_browser(**{"signed_in": me, **browser}), now=now
    )


def stored(person_id):
    with db.reading() as session:
        return passkeys.of_person(session, person_id=person_id)


@pytest.mark.security("4.8")
def test_what_is_known_already_is_left_out(me, now):
    key = a_passkey(me.person_id, now=now)

    asked = options(me, now)

    assert len(asked["excludeCredentials"]) == 1
    assert asked["user"]["name"] == me.email
    add(me, SecurityKey().make(asked), now)
    assert {passkey.user_handle for passkey in stored(me.person_id)} == {key.user_handle}


@pytest.mark.security("4.8")
@pytest.mark.security("15.2")
def test_of_fifty_with_one_challenge_at_once_one_adds_a_passkey(identity_app, me, now):
    asked = options(me, now)
    a_passkey(me.person_id, now=now)
    texts = [SecurityKey().make(asked) for _ in range(50)]

    answers = all_at_once(identity_app, 50, lambda: add(me, texts.pop(), now))

    assert sum(isinstance(answer, Added) for answer in answers) == 1
    assert sum(isinstance(answer, PasskeyRefused) for answer in answers) == 49
    assert len(stored(me.person_id)) == 2


@pytest.mark.security("4.3")
@pytest.mark.security("15.2")
def test_of_two_first_passkeys_at_once_one_brings_the_sheet(identity_app, me, now):
    texts = [SecurityKey().make(options(me, now)) for _ in range(2)]

    answers = all_at_once(identity_app, 2, lambda: add(me, texts.pop(), now))

    assert sorted(len(answer.codes) for answer in answers) == [0, 10]
    with db.reading() as session:
        assert session.query(RecoveryCode).count() == 10


@pytest.mark.security("4.8")
def test_a_challenge_of_another_browser_adds_nothing(me, now):
    text = SecurityKey().make(options(me, now))

    with pytest.raises(PasskeyRefused):
        add(me, text, now, id_hash=b"o" * 32)


@pytest.mark.security("4.8")
def test_a_challenge_of_another_person_adds_nothing(me, now):
    with db.transaction() as session:
        challenge = passkeys.issue_challenge(
            session,
            ceremony=passkeys.Ceremony.ADDING,
            browser_hash=b"b" * 32,
            person_id=a_person("bert@example.com"),
            user_handle=b"h" * 32,
            now=now,
        )
    asked = {**options(me, now), "challenge": bytes_to_base64url(challenge)}

    with pytest.raises(PasskeyRefused):
        add(me, SecurityKey().make(asked), now)


def test_there_is_an_end_to_adding(me, now):
    for _ in range(MOST):
        a_passkey(me.person_id, now=now)

    with pytest.raises(TooMany):
        add(me, SecurityKey().make(options(me, now)), now)


def test_what_is_not_there_is_neither_renamed_nor_removed(me, now):
    a_passkey(a_person("bert@example.com"), now=now)
    passkey_id = me.session_id

    with pytest.raises(NotFound):
        own_passkeys.rename(me, passkey_id, "Mine", browser=a_browser(), now=now)
    with pytest.raises(NotFound):
        own_passkeys.remove(me, passkey_id, browser=a_browser(), now=now)
