from datetime import UTC, datetime, timedelta

import pyotp
import pytest

from idp.credentials import totp
from idp.credentials.models import Totp
from idp.credentials.totp import Enrolment, matching_step
from tenants.database import db
from tests.idp.race import all_at_once
from tests.idp.visitor import a_person, an_authenticator

pytestmark = pytest.mark.usefixtures("identity_app")

RFC_SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"


def accept(person_id, text, now):
    with db.transaction() as session:
        return totp.accept(session, person_id=person_id, text=text, now=now)


@pytest.mark.product("ID-6")
@pytest.mark.security("4.1")
@pytest.mark.parametrize(
    ("second", "code"),
    [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")],
)
def test_codes_are_those_of_the_standard(second, code):
    assert matching_step(RFC_SECRET, code, datetime.fromtimestamp(second, UTC)) == second // 30


@pytest.mark.security("4.1")
@pytest.mark.parametrize(
    ("steps", "good"), [(-2, False), (-1, True), (0, True), (1, False), (2, False)]
)
def test_the_current_code_and_the_one_before_are_accepted(now, steps, good):
    code = pyotp.TOTP(RFC_SECRET).at(now + timedelta(seconds=30 * steps))

    assert (matching_step(RFC_SECRET, code, now) is not None) is good


@pytest.mark.parametrize("text", ["", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "28708 2 2"])
def test_what_has_not_six_digits_is_no_code(now, text):
    assert matching_step(RFC_SECRET, text, now) is None


@pytest.mark.product("ID-6")
@pytest.mark.security("4.1")
def test_a_code_is_accepted_once(now):
    person_id = a_person()
    code = an_authenticator(person_id, now=now).at(now)

    assert [accept(person_id, code, now) for _ in range(2)] == [True, False]


@pytest.mark.security("4.1")
def test_after_a_code_an_earlier_one_is_refused_though_its_time_is_not_over(now):
    person_id = a_person()
    app = an_authenticator(person_id, now=now)
    earlier, current = app.at(now - timedelta(seconds=30)), app.at(now)

    assert accept(person_id, current, now)
    assert not accept(person_id, earlier, now)


@pytest.mark.product("ID-6")
@pytest.mark.security("15.2")
def test_of_fifty_with_one_code_at_once_one_gets_through(identity_app, now):
    person_id = a_person()
    code = an_authenticator(person_id, now=now).at(now)

    answers = all_at_once(identity_app, 50, lambda: accept(person_id, code, now))

    assert answers.count(True) == 1
    assert answers.count(False) == 49


@pytest.mark.security("4.1")
def test_the_secret_has_160_bits_and_is_stored_encrypted(now):
    person_id = a_person()
    with db.transaction() as session:
        secret = totp.begin(session, person_id=person_id, now=now)
        row = session.query(Totp).one()

        assert len(secret) == 32
        assert secret.encode() not in row.sealed_secret
        assert totp.unfinished_secret(session, person_id=person_id, since=now) == secret


@pytest.mark.security("4.1")
def test_a_secret_that_was_copied_to_another_row_does_not_open(now):
    anna, bert = a_person(), a_person("bert@example.com")
    app = an_authenticator(anna, now=now)
    an_authenticator(bert, now=now)

    with db.transaction() as session:
        of_anna = session.query(Totp).filter_by(person_id=anna).one()
        session.query(Totp).filter_by(person_id=bert).one().sealed_secret = of_anna.sealed_secret

    with pytest.raises(Exception, match="totp"):
        accept(bert, app.at(now), now)


def test_an_app_counts_only_once_it_has_shown_a_code(now):
    person_id = a_person()
    with db.transaction() as session:
        secret = totp.begin(session, person_id=person_id, now=now)
        wrong = totp.confirm(session, person_id=person_id, text="000000", now=now)
        enrolled = totp.is_enrolled(session, person_id=person_id)

    assert (wrong, enrolled) == (False, False)
    assert not accept(person_id, pyotp.TOTP(secret).at(now), now)


def test_a_new_app_takes_the_place_of_the_old_one(now):
    person_id = a_person()
    old = an_authenticator(person_id, now=now)
    new = an_authenticator(person_id, now=now)

    assert not accept(person_id, old.at(now), now)
    assert accept(person_id, new.at(now), now)


def test_the_code_that_confirmed_an_app_signs_nobody_in(now):
    person_id = a_person()
    with db.transaction() as session:
        code = pyotp.TOTP(totp.begin(session, person_id=person_id, now=now)).at(now)
        totp.confirm(session, person_id=person_id, text=code, now=now)

    assert not accept(person_id, code, now)


def test_a_removed_app_is_gone(now):
    person_id = a_person()
    app = an_authenticator(person_id, now=now)

    with db.transaction() as session:
        removed = [totp.remove(session, person_id=person_id) for _ in range(2)]

    assert removed == [True, False]
    assert not accept(person_id, app.at(now), now)


@pytest.mark.product("ID-6")
def test_the_qr_code_and_the_key_in_text_say_the_same():
    enrolment = Enrolment(secret=RFC_SECRET, address="anna@example.com", issuer="Klucznik")

    assert enrolment.key.replace(" ", "") == RFC_SECRET
    assert enrolment.uri() == (
        f"otpauth://totp/Klucznik:anna%40example.com?secret={RFC_SECRET}&issuer=Klucznik"
    )
    assert enrolment.picture().startswith("data:image/svg+xml")


def test_a_secret_may_be_given_for_demo_people(now):
    person_id = a_person()
    with db.transaction() as session:
        assert totp.begin(session, person_id=person_id, secret=RFC_SECRET, now=now) == RFC_SECRET
