import json
from datetime import timedelta

import pytest
from sqlalchemy import event, update

from idp.credentials import passkeys
from idp.events import IdpEvent
from idp.flows.service import FlowExpired
from idp.not_me import locks
from idp.not_me.locks import Locked
from idp.protocol import acr
from idp.sessions import service as sessions
from idp.sign_in import code as second_factor
from idp.sign_in import passkey, throttle
from idp.sign_in.outcomes import Exhausted, Proved, Throttled, Wrong
from idp.sign_in.prover import NothingToProve
from kernel.ledger import INSTALLATION
from tenants.audit import ledger, person_chain
from tenants.database import db
from tenants.people.models import Person
from tests.idp.race import all_at_once
from tests.idp.security_key import SYNCABLE, VERIFIED, SecurityKey, a_passkey
from tests.idp.sign_in.test_code import prove as prove_code
from tests.idp.sign_in.test_code import signed_in
from tests.idp.sign_in.test_password import a_browser, a_flow, load
from tests.idp.sign_in.test_password import prove as prove_password
from tests.idp.visitor import PASSWORD, a_person, a_sheet, an_authenticator

pytestmark = pytest.mark.usefixtures("identity_app")


def alone(flow_id, key, now, *, browser=None, **bent):
    browser = browser or a_browser()
    options = passkey.ask_alone(flow_id, browser=browser, now=now)
    return passkey.prove_alone(flow_id, text=key.show(options, **bent), browser=browser, now=now)


def second(flow_id, key, now, *, browser=None, remember=False, **bent):
    browser = browser or a_browser()
    options = passkey.ask_second(flow_id, browser=browser, now=now)
    return passkey.prove_second(
        flow_id, text=key.show(options, **bent), remember=remember, browser=browser, now=now
    )


def half_way(now):
    flow_id = a_flow(now)
    assert prove_password(flow_id, PASSWORD, now) == Proved(cookies=None)
    return flow_id


def events_of(chain):
    with db.reading() as session:
        return [row.event for row in ledger.history(session, chain=chain)]


def known(person_id):
    with db.reading() as session:
        return passkeys.of_person(session, person_id=person_id)[0]


@pytest.mark.product("ID-5")
@pytest.mark.parametrize(("synced", "word"), [(False, acr.HARDWARE_KEY), (True, acr.SOFTWARE_KEY)])
def test_a_passkey_alone_signs_in_and_is_two_factors(now, synced, word):
    person_id = a_person(password_=None)
    key = a_passkey(person_id, key=SecurityKey(is_synced=synced), now=now)

    me = signed_in(alone(a_flow(now, None), key, now), now)

    assert (me.person_id, me.acr) == (person_id, acr.TWO_FACTOR)
    assert me.amr == (word, acr.USER_PRESENCE, acr.SEVERAL_FACTORS)
    assert known(person_id).last_used_at == now


@pytest.mark.product("ID-6")
@pytest.mark.parametrize("verifies", [True, False])
def test_a_passkey_or_security_key_is_a_second_factor(now, verifies):
    key = a_passkey(a_person(), key=SecurityKey(verifies=verifies), now=now)

    me = signed_in(second(half_way(now), key, now), now)

    assert me.acr == acr.TWO_FACTOR
    assert me.amr == (
        acr.PASSWORD,
        acr.HARDWARE_KEY,
        acr.USER_PRESENCE,
        acr.SEVERAL_FACTORS,
    )


@pytest.mark.product("ID-6")
@pytest.mark.security("4.8")
def test_a_security_key_that_checks_nobody_does_not_count_alone(now):
    key = a_passkey(a_person(), key=SecurityKey(verifies=False), now=now)
    flow_id = a_flow(now, None)

    assert alone(flow_id, key, now) == Wrong()
    # Whoever finds such a key can set a PIN on it.
    assert alone(flow_id, key, now, with_flags=VERIFIED) == Wrong()


@pytest.mark.product("ID-6")
def test_a_key_that_got_a_pin_counts_alone_once_it_was_used_beside_the_password(now):
    key = a_passkey(a_person(), key=SecurityKey(verifies=False), now=now)
    key.verifies = True

    assert isinstance(second(half_way(now), key, now), Proved)

    assert isinstance(alone(a_flow(now, None), key, now), Proved)


@pytest.mark.product("ID-6")
@pytest.mark.security("4.4")
def test_who_has_a_passkey_is_never_asked_by_mail(now, mailroom):
    a_passkey(a_person(), now=now)
    flow_id = half_way(now)

    second_factor.send(flow_id, browser=a_browser(), now=now)

    question = second_factor.ask(flow_id, browser=a_browser(), now=now)
    assert mailroom.deliver() == []
    assert (question.by_mail, question.has_passkey, question.has_authenticator) == (
        False,
        True,
        False,
    )


@pytest.mark.product("ID-6")
def test_who_has_a_passkey_and_an_app_may_use_either_or_the_sheet(now):
    person_id = a_person()
    app = an_authenticator(person_id, now=now)
    key = a_passkey(person_id, now=now)
    paper = a_sheet(person_id, now=now)[0]

    assert isinstance(prove_code(half_way(now), app.at(now), now), Proved)
    assert isinstance(second(half_way(now), key, now), Proved)
    assert isinstance(prove_code(half_way(now), paper, now), Proved)


@pytest.mark.product("ID-6")
def test_the_sheet_stands_in_for_a_lost_passkey(now):
    person_id = a_person()
    a_passkey(person_id, now=now)
    paper = a_sheet(person_id, now=now)[0]

    assert prove_code(half_way(now), "123456", now) == Wrong()
    assert isinstance(prove_code(half_way(now), paper, now), Proved)


@pytest.mark.security("4.8")
@pytest.mark.parametrize(
    "bent",
    [
        {"type": "webauthn.create"},
        {"challenge": "b3RoZXI"},
        {"origin": "https://evil.example"},
        {"domain": "evil.example"},
        {"without_flags": 0x01},
        {"without_flags": VERIFIED},
        {"with_flags": SYNCABLE},
        {"signature": b"forged"},
        {"user_handle": b"somebody else"},
        {"user_handle": None},
        {"id": "b3RoZXI"},
    ],
)
def test_nobody_gets_in_alone_when(now, bent):
    key = a_passkey(a_person(), now=now)
    flow_id = a_flow(now, None)

    assert alone(flow_id, key, now, **bent) == Wrong()
    assert isinstance(alone(flow_id, key, now), Proved)


@pytest.mark.security("4.8")
@pytest.mark.parametrize(
    "bent",
    [
        {"type": "webauthn.create"},
        {"challenge": "b3RoZXI"},
        {"origin": "https://evil.example"},
        {"signature": b"forged"},
        {"user_handle": b"somebody else"},
    ],
)
def test_a_second_factor_is_refused_when(now, bent):
    key = a_passkey(a_person(), now=now)
    flow_id = half_way(now)

    assert second(flow_id, key, now, **bent) == Wrong()
    assert isinstance(second(flow_id, key, now, user_handle=None), Proved)


@pytest.mark.security("4.8")
def test_a_passkey_that_nobody_has_proves_nothing(now):
    a_person()

    assert alone(a_flow(now), SecurityKey(), now) == Wrong()


@pytest.mark.security("4.8")
def test_a_second_factor_is_the_persons_own(now):
    a_passkey(a_person(), now=now)
    other = a_passkey(a_person("bert@example.com"), now=now)

    assert second(half_way(now), other, now) == Wrong()


@pytest.mark.product("ID-6")
@pytest.mark.security("4.8")
def test_what_was_shown_once_is_not_shown_twice(now):
    key = a_passkey(a_person(), now=now)
    flow_id, browser = a_flow(now, None), a_browser()
    text = key.show(passkey.ask_alone(flow_id, browser=browser, now=now))

    first = passkey.prove_alone(flow_id, text=text, browser=browser, now=now)

    assert isinstance(first, Proved)
    assert passkey.prove_alone(flow_id, text=text, browser=browser, now=now) == Wrong()


@pytest.mark.security("4.8")
def test_a_failed_check_uses_the_challenge_up(now):
    key = a_passkey(a_person(), now=now)
    flow_id, browser = a_flow(now, None), a_browser()
    options = passkey.ask_alone(flow_id, browser=browser, now=now)

    forged, right = key.show(options, signature=b"forged"), key.show(options)

    assert passkey.prove_alone(flow_id, text=forged, browser=browser, now=now) == Wrong()
    assert passkey.prove_alone(flow_id, text=right, browser=browser, now=now) == Wrong()


@pytest.mark.product("ID-5")
@pytest.mark.security("4.8")
@pytest.mark.security("15.2")
def test_of_fifty_with_one_answer_at_once_one_signs_in(identity_app, now):
    key = a_passkey(a_person(), now=now)
    flow_id, browser = a_flow(now, None), a_browser()
    text = key.show(passkey.ask_alone(flow_id, browser=browser, now=now))

    answers = all_at_once(
        identity_app,
        50,
        lambda: passkey.prove_alone(flow_id, text=text, browser=browser, now=now),
    )

    assert sum(isinstance(answer, Proved) for answer in answers) == 1


@pytest.mark.security("2.7")
@pytest.mark.security("4.8")
def test_an_answer_for_one_flow_or_ceremony_is_worthless_in_another(now):
    key = a_passkey(a_person(), now=now)
    browser, flow_id, other = a_browser(), half_way(now), half_way(now)
    for_second = passkey.ask_second(flow_id, browser=browser, now=now)
    for_alone = passkey.ask_alone(flow_id, browser=browser, now=now)

    def prove_second(text, at):
        return passkey.prove_second(at, text=text, remember=False, browser=browser, now=now)

    assert prove_second(key.show(for_alone), flow_id) == Wrong()
    assert prove_second(key.show(for_second), other) == Wrong()
    assert (
        passkey.prove_alone(flow_id, text=key.show(for_second), browser=browser, now=now) == Wrong()
    )


@pytest.mark.security("2.7")
@pytest.mark.security("6.11")
def test_a_flow_of_another_browser_is_unknown(now):
    with pytest.raises(FlowExpired):
        passkey.ask_alone(a_flow(now), browser=a_browser(id_hash=b"o" * 32), now=now)


@pytest.mark.security("4.5")
def test_a_second_factor_without_a_first_proves_nothing(now):
    a_passkey(a_person(), now=now)

    with pytest.raises(NothingToProve):
        passkey.ask_second(a_flow(now), browser=a_browser(), now=now)


@pytest.mark.security("2.5")
@pytest.mark.product("ID-11")
def test_a_blocked_person_gets_in_neither_way(now):
    person_id = a_person()
    key = a_passkey(person_id, now=now)
    flow_id, browser = half_way(now), a_browser()
    options = passkey.ask_second(flow_id, browser=browser, now=now)
    with db.transaction() as session:
        session.execute(update(Person).where(Person.id == person_id).values(status="blocked"))

    assert alone(a_flow(now, None), key, now) == Wrong()
    with pytest.raises(NothingToProve):
        passkey.prove_second(
            flow_id, text=key.show(options), remember=False, browser=browser, now=now
        )


@pytest.mark.security("2.5")
def test_a_locked_id_lets_nobody_in(now):
    person_id = a_person()
    key = a_passkey(person_id, now=now)
    with db.transaction() as session:
        locks.lock(session, person_id=person_id, reason=locks.Reason.NOT_ME, now=now)

    with pytest.raises(Locked):
        alone(a_flow(now, None), key, now)
    assert known(person_id).last_used_at is None


@pytest.mark.security("2.2")
def test_a_passkey_goes_on_working_while_strangers_guess(now):
    person_id = a_person()
    key = a_passkey(person_id, now=now)
    flow_id = half_way(now)
    with db.transaction() as session:
        for _ in range(105):
            throttle.take(
                session, throttle.code_tries(person_id=person_id, device_id=None), now=now
            )

    assert isinstance(prove_code(flow_id, "123456", now), Throttled)
    assert isinstance(second(flow_id, key, now), Proved)
    assert isinstance(alone(a_flow(now), key, now), Proved)


@pytest.mark.security("2.1")
def test_one_browser_does_not_try_for_ever(now):
    key = a_passkey(a_person(), now=now)
    flow_id = a_flow(now, None)

    answers = [alone(flow_id, SecurityKey(), now) for _ in range(31)]

    assert answers[:30] == [Wrong()] * 30
    assert isinstance(answers[30], Throttled)
    assert isinstance(alone(flow_id, key, now), Throttled)
    assert events_of(INSTALLATION).count(IdpEvent.SIGN_IN_PASSKEY_THROTTLED) == 1


@pytest.mark.product("ID-6")
@pytest.mark.security("4.2")
@pytest.mark.security("2.8")
def test_five_wrong_passkeys_lead_back_to_the_password_and_the_person_is_told(now, mailroom):
    key = a_passkey(a_person(), now=now)
    flow_id = half_way(now)

    answers = [second(flow_id, key, now, signature=b"forged") for _ in range(5)]

    assert answers[:4] == [Wrong()] * 4
    assert isinstance(answers[4], Exhausted)
    assert mailroom.to("anna@example.com")
    assert load(str(answers[4].flow_id), now).first_factor_at is None


@pytest.mark.security("4.8")
def test_a_counter_that_goes_back_lets_nobody_in_and_the_person_is_told(now, mailroom):
    person_id = a_person()
    key = a_passkey(person_id, key=SecurityKey(counter=7), now=now)

    assert alone(a_flow(now, None), key, now, count=7) == Wrong()
    assert second(half_way(now), key, now, count=0) == Wrong()

    assert events_of(person_chain(person_id)).count(IdpEvent.PASSKEY_COUNTER_WENT_BACK) == 2
    assert "Firefox, Linux" in mailroom.to("anna@example.com").text
    assert isinstance(alone(a_flow(now, None), key, now, count=8), Proved)


@pytest.mark.product("ID-6")
def test_a_device_on_which_a_passkey_was_used_is_remembered_when_asked_to(now):
    key = a_passkey(a_person(), now=now)
    cookies = second(half_way(now), key, now, remember=True).cookies

    again = prove_password(a_flow(now), PASSWORD, now, device_secret=cookies.device)

    assert again.cookies is not None


@pytest.mark.security("4.9")
@pytest.mark.security("5.3")
def test_stepping_up_with_a_passkey_keeps_the_session_and_its_age(now):
    person_id = a_person()
    key = a_passkey(person_id, now=now)
    with db.transaction() as session:
        secret = sessions.start(
            session,
            person_id=person_id,
            amr=[acr.PASSWORD, acr.REMEMBERED_DEVICE],
            acr=acr.SINGLE_FACTOR,
            where=a_browser().where,
            now=now,
        )
        before = sessions.find_by_secret(session, secret, now=now)
    later = now + timedelta(minutes=10)

    browser = a_browser(signed_in=before)
    after = signed_in(second(a_flow(later, None), key, later, browser=browser), later)

    assert (after.session_id, after.auth_time) == (before.session_id, now)
    assert after.acr == acr.TWO_FACTOR
    assert after.amr == (
        acr.PASSWORD,
        acr.HARDWARE_KEY,
        acr.USER_PRESENCE,
        acr.SEVERAL_FACTORS,
    )


@pytest.mark.security("2.7")
def test_whoever_signs_in_with_a_passkey_is_whom_the_flow_is_about(now):
    a_person()
    key = a_passkey(a_person("bert@example.com"), now=now)
    flow_id = half_way(now)

    assert isinstance(alone(flow_id, key, now), Proved)

    flow = load(flow_id, now)
    assert (flow.email, flow.first_factor_at) == ("bert@example.com", None)


@pytest.mark.security("2.4")
def test_the_options_are_made_alike_whoever_was_typed(identity_app, now):
    a_passkey(a_person(), now=now)
    seen = []
    for email in ("anna@example.com", "nobody@example.com", None):
        flow_id = a_flow(now, email)
        statements: list[str] = []

        def note(_connection, _cursor, statement, *_, statements=statements):
            statements.append(statement)

        event.listen(db.engine, "before_cursor_execute", note)
        options = passkey.ask_alone(flow_id, browser=a_browser(), now=now)
        event.remove(db.engine, "before_cursor_execute", note)
        seen.append((statements, {**options, "challenge": len(options["challenge"])}))

    assert seen[0] == seen[1] == seen[2]
    assert not any("passkeys" in one.split("passkey_challenges")[0] for one in seen[0][0])


@pytest.mark.security("15.1")
def test_what_no_browser_sends_signs_nobody_in(now):
    flow_id = a_flow(now)

    for text in ("", "{}", json.dumps({"rawId": "AA"}), "x" * 17_000):
        assert passkey.prove_alone(flow_id, text=text, browser=a_browser(), now=now) == Wrong()
