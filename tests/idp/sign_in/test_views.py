import re
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
import time_machine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from idp.credentials.hashing import Hashing
from idp.protocol import acr
from idp.sessions import devices
from idp.sessions import service as sessions
from kernel.errors import Overloaded
from tenants.database import db
from tenants.people.models import Person
from tests.idp.provider import CALLBACK, a_query, an_app, tokens_for
from tests.idp.security_key import SecurityKey, a_passkey
from tests.idp.strangers import answer_of, people_of_all_kinds
from tests.idp.visitor import PASSWORD, Visitor, a_person, a_sheet, an_authenticator
from tests.statements import asked_of

ANNA = "anna@example.com"


@pytest.mark.product("ID-5")
@pytest.mark.product("ID-6")
def test_address_then_password_then_a_code_from_the_mail(visitor, mailroom):
    a_person()

    visitor.get("/account")
    assert visitor.path.startswith("/sign-in?")
    visitor.submit("/sign-in", email=ANNA)
    assert visitor.path.startswith("/sign-in/password?")
    visitor.submit("/sign-in/password", password=PASSWORD)
    assert visitor.path.startswith("/sign-in/code?")
    assert not visitor.is_signed_in()
    visitor.submit("/sign-in/code", code=mailroom.code_to(ANNA))

    assert visitor.path == "/account"
    assert visitor.is_signed_in()


@pytest.mark.product("ID-6")
def test_address_then_password_then_a_code_from_the_app(visitor):
    app = an_authenticator(a_person(), now=datetime.now(UTC))

    visitor.sign_in(ANNA)
    assert "six digits" in visitor.words
    visitor.submit("/sign-in/code", code=app.now())

    assert visitor.is_signed_in()


@pytest.mark.product("ID-6")
def test_a_recovery_code_has_a_page_of_its_own(visitor):
    person_id = a_person()
    an_authenticator(person_id, now=datetime.now(UTC))
    code = a_sheet(person_id, now=datetime.now(UTC))[0]

    visitor.sign_in(ANNA)
    visitor.get(f"/sign-in/code?flow={visitor.flow}&way=recovery")
    assert "Enter a recovery code" in visitor.words
    visitor.submit("/sign-in/code", code=code)

    assert visitor.is_signed_in()


@pytest.mark.product("ID-5")
def test_a_password_manager_may_send_address_and_password_together(visitor):
    a_person()

    visitor.get("/account")
    visitor.submit("/sign-in", email=ANNA, password=PASSWORD)

    assert visitor.path.startswith("/sign-in/code?")


@pytest.mark.product("ID-6")
def test_a_remembered_device_is_not_asked_for_a_code_for_thirty_days(
    identity_app, visitor, mailroom
):
    a_person()
    visitor.sign_in(ANNA)
    visitor.submit("/sign-in/code", code=mailroom.code_to(ANNA), remember="y")
    visitor.get("/account").submit("/sign-out")
    assert not visitor.is_signed_in()

    visitor.sign_in(ANNA)
    assert visitor.is_signed_in()

    with time_machine.travel(datetime.now(UTC) + timedelta(days=31)):
        visitor.sign_in(ANNA)
        assert visitor.path.startswith("/sign-in/code")


@pytest.mark.product("ID-6")
def test_a_device_that_is_not_to_be_remembered_is_asked_every_time(visitor, mailroom):
    a_person()
    visitor.sign_in(ANNA)
    visitor.submit("/sign-in/code", code=mailroom.code_to(ANNA))
    visitor.get("/account").submit("/sign-out")

    visitor.sign_in(ANNA)

    assert visitor.path.startswith("/sign-in/code")


def test_a_mistake_is_said_at_the_field_and_the_address_stays(visitor):
    a_person()

    visitor.sign_in(ANNA, "wrong")

    assert visitor.status == 422
    assert ANNA in visitor.words
    assert "Address and password do not match" in visitor.words
    assert 'aria-invalid="true"' in visitor.text
    assert "wrong" not in re.findall(r'value="([^"]*)"', visitor.text)


def test_not_you_leads_back_to_the_address(visitor):
    a_person()
    visitor.get("/account").submit("/sign-in", email="other@example.com")

    visitor.get(f"/sign-in?flow={visitor.flow}").submit("/sign-in", email=ANNA)
    visitor.submit("/sign-in/password", password=PASSWORD)

    assert visitor.path.startswith("/sign-in/code")


@pytest.mark.parametrize("together", [False, True])
def test_who_types_another_address_than_is_signed_in_means_another_id(visitor, mailroom, together):
    a_person()
    a_person("bert@example.com")
    visitor.get("/sign-in")
    page = visitor.path
    Visitor.sign_in(visitor, ANNA).submit("/sign-in/code", code=mailroom.code_to(ANNA))

    visitor.get(page)
    if together:
        visitor.submit("/sign-in", email="bert@example.com", password=PASSWORD)
    else:
        visitor.submit("/sign-in", email="bert@example.com")
        visitor.submit("/sign-in/password", password=PASSWORD)
    visitor.submit("/sign-in/code", code=mailroom.code_to("bert@example.com"))

    assert visitor.path == "/account"
    assert "bert@example.com" in visitor.words
    assert ANNA not in visitor.words


def test_a_bookmark_of_the_sign_in_page_leads_on_who_is_signed_in(visitor, mailroom):
    a_person()
    visitor.sign_in(ANNA).submit("/sign-in/code", code=mailroom.code_to(ANNA))

    visitor.get("/sign-in")

    assert visitor.path == "/account"


def test_without_cookies_a_page_says_so(identity_app):
    client = identity_app.test_client(use_cookies=False)
    first = client.get("/sign-in", headers={"Accept-Language": "en"})

    page = client.get(first.headers["Location"], headers={"Accept-Language": "en"})

    assert page.status_code == 400
    assert "keeps no cookies" in page.get_data(as_text=True)


@pytest.mark.product("OP-1")
@pytest.mark.parametrize(
    ("who", "answer"), [("bert@example.com", "?code="), (ANNA, "?error=login_required")]
)
def test_a_hint_is_answered_by_its_person_or_by_a_refusal(visitor, mailroom, who, answer):
    """OpenID Connect Core §3.1.2.1: whoever signs in as somebody else is not asked for ever."""
    a_person()
    bert, app = a_person("bert@example.com"), an_app(first_party=True)
    hint = tokens_for(visitor.client, app, person_id=bert)["id_token"]
    visitor.sign_in(ANNA).submit("/sign-in/code", code=mailroom.code_to(ANNA))

    visitor.get(f"/authorize?{urlencode(a_query(app, id_token_hint=hint))}")
    assert visitor.path.startswith("/sign-in?")
    visitor.submit("/sign-in", email=who).submit("/sign-in/password", password=PASSWORD)
    visitor.submit("/sign-in/code", code=mailroom.code_to(who))

    assert f"{CALLBACK}{answer}" in visitor.text


@pytest.mark.parametrize("email", ["", "anna", "a@example.com,b@example.com"])
def test_what_is_no_address_is_told_at_the_field(visitor, email):
    visitor.get("/account").submit("/sign-in", email=email)

    assert visitor.status == 422
    assert "This is not an e-mail address" in visitor.words


@pytest.mark.security("3.4")
def test_of_a_repeated_address_none_but_one_counts(visitor):
    visitor.get("/account")
    url = visitor.form().action

    visitor.client.post(
        url,
        data={"csrf_token": visitor.token, "email": ["anna@example.com", "bert@example.com"]},
    )

    assert "bert@example.com" not in visitor.get(f"/sign-in/password?flow={visitor.flow}").words


@pytest.mark.security("2.6")
@pytest.mark.parametrize("path", ["/sign-in", "/register", "/reset"])
def test_forms_carry_a_token_of_the_pre_session(visitor, path):
    visitor.get(path)
    fields = {"email": ANNA}

    assert visitor.client.post(visitor.form().action, data=fields).status_code == 400
    assert (
        visitor.client.post(
            visitor.form().action, data=fields | {"csrf_token": "made up"}
        ).status_code
        == 400
    )


@pytest.mark.security("2.6")
@pytest.mark.security("5.3")
def test_the_session_id_is_new_after_every_authentication(visitor, mailroom):
    a_person()
    visitor.sign_in(ANNA)
    assert visitor.cookie(sessions.COOKIE) is None
    visitor.submit("/sign-in/code", code=mailroom.code_to(ANNA), remember="y")
    first = visitor.cookie(sessions.COOKIE)

    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=6)):
        visitor.get("/account/authenticator")
        assert visitor.path.startswith("/sign-in/password")
        visitor.submit("/sign-in/password", password=PASSWORD)
        assert visitor.path == "/account/authenticator"
        second = visitor.cookie(sessions.COOKIE)

        assert first != second
        visitor.client.set_cookie(sessions.COOKIE, first)
        assert not visitor.is_signed_in()


@pytest.mark.security("2.7")
@pytest.mark.security("6.11")
def test_a_link_to_a_half_finished_sign_in_is_useless_elsewhere(identity_app, visitor, mailroom):
    a_person()
    visitor.sign_in(ANNA)
    thief = Visitor(identity_app)

    thief.get(visitor.path)

    assert thief.status == 400
    assert "This sign-in is over" in thief.words
    assert ANNA not in thief.words


@pytest.mark.security("2.7")
def test_an_expired_page_goes_on_where_it_stopped(visitor):
    a_person()
    visitor.get("/account/sessions").submit("/sign-in", email=ANNA)
    old = visitor.flow

    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=16)):
        visitor.submit("/sign-in/password", password=PASSWORD)

    assert visitor.path.startswith("/sign-in/password?")
    assert visitor.flow != old
    assert "The page was open too long" in visitor.words
    assert ANNA in visitor.words


@pytest.mark.security("2.7")
@pytest.mark.parametrize("path", ["/sign-in/code", "/register/password", "/reset/password"])
def test_later_pages_lead_back_to_the_missing_step(visitor, path):
    visitor.get("/account")

    visitor.get(f"{path}?flow={visitor.flow}")

    assert visitor.path.split("?")[0] in {"/sign-in", "/register", "/reset"}


@pytest.mark.security("2.1")
@pytest.mark.parametrize("email", [ANNA, "nobody@example.com"])
def test_who_guesses_too_often_is_told_to_wait(identity_app, email):
    a_person()
    for _ in range(5):
        Visitor(identity_app).sign_in(email, "wrong")

    visitor = Visitor(identity_app).sign_in(email)

    assert (visitor.status, visitor.response.headers["Retry-After"]) == (429, "30")
    assert "Try again in 1 minute" in visitor.words


@pytest.mark.security("2.2")
def test_whoever_is_signed_in_notices_nothing_of_the_guessing(identity_app, visitor, mailroom):
    a_person()
    visitor.sign_in(ANNA)
    visitor.submit("/sign-in/code", code=mailroom.code_to(ANNA))
    for _ in range(7):
        Visitor(identity_app).sign_in(ANNA, "wrong")

    assert visitor.is_signed_in()
    visitor.submit("/sign-out").sign_in(ANNA)
    assert visitor.path.startswith("/sign-in/code")


@pytest.mark.security("2.3")
def test_an_unknown_place_is_counted_and_not_passed_over(identity_app):
    a_person()
    for _ in range(5):
        Visitor(identity_app, address="not an address").sign_in(ANNA, "wrong")

    assert Visitor(identity_app, address="").sign_in(ANNA).status == 429


@pytest.mark.security("1.6")
def test_a_busy_program_says_when_to_come_back(visitor, monkeypatch):
    a_person()

    def busy(*_):
        raise Overloaded("busy")

    monkeypatch.setattr(Hashing, "verify", busy)
    visitor.sign_in(ANNA)

    assert (visitor.status, visitor.response.headers["Retry-After"]) == (503, "2")


@pytest.mark.product("ID-4")
@pytest.mark.security("2.4")
@pytest.mark.parametrize("tries", [1, 6])
def test_a_wrong_password_tells_nobody_who_has_an_id(identity_app, tries):
    answers = []
    for email in people_of_all_kinds():
        for _ in range(tries):
            visitor = Visitor(identity_app).sign_in(email, "wrong")
        answers.append(answer_of(visitor))

    assert all(answer == answers[0] for answer in answers)


@pytest.mark.product("ID-4")
@pytest.mark.security("2.4")
@pytest.mark.parametrize("path", ["/sign-in", "/register", "/reset"])
def test_known_and_unknown_addresses_cost_the_same_statements(identity_app, path):
    counts = []
    for email in people_of_all_kinds():
        visitor = Visitor(identity_app).get(path)
        typed = {"password": "wrong"} if path == "/sign-in" else {}
        with asked_of(db.engine) as asked:
            visitor.submit(path, email=email, **typed)
        counts.append(asked.kinds)

    assert all(statements == counts[0] for statements in counts)


def a_query_of(app):
    return urlencode(a_query(app))


STEPS = ("address", "other", "password", "wrong", "code", "stale", "send", "resume", "profile")


@pytest.mark.product("ID-5")
@pytest.mark.security("2.7")
@pytest.mark.security("20.7")
@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(st.sampled_from(STEPS), min_size=1, max_size=9))
def test_no_order_of_steps_signs_in_without_both_factors(identity_app, mailroom, steps):
    """Two people, one browser, any order: only a password and its own code lead inside."""
    known = {"anna@example.com", "bert@example.com"}
    with db.transaction() as session:
        session.query(Person).delete()
    for email in known:
        a_person(email)
    visitor = Visitor(identity_app).get("/account")
    proved: set[str] = set()
    flow, stale = visitor.flow, "00000000"
    current = None
    for step in steps:
        token = {"csrf_token": visitor.get(f"/register?flow={flow}").token}
        match step:
            case "address" | "other":
                now_at = ANNA if step == "address" else "bert@example.com"
                proved = proved if now_at == current else set()
                current = now_at
                visitor.client.post(f"/sign-in?flow={flow}", data={**token, "email": current})
            case "password" | "wrong":
                typed = PASSWORD if step == "password" else "wrong"
                visitor.client.post(
                    f"/sign-in/password?flow={flow}", data={**token, "password": typed}
                )
                if step == "password" and current:
                    proved.add("password")
                    stale = mailroom.code_to(current)
            case "code" | "stale":
                code = mailroom.code_to(current) if step == "code" and proved else stale
                mine = bool(mailroom.sent) and mailroom.sent[-1].to == current
                visitor.client.post(f"/sign-in/code?flow={flow}", data={**token, "code": code})
                if "password" in proved and mine:
                    proved.add("code")
            case "send":
                visitor.client.post(f"/sign-in/code/send?flow={flow}", data=token)
            case "resume":
                visitor.get(f"/authorize?flow={flow}")
            case "profile":
                pass
        if visitor.is_signed_in():
            assert "password" in proved
            assert "code" in proved
            return


@pytest.mark.security("6.9")
def test_after_a_password_comes_a_303_and_never_a_307(visitor):
    a_person()
    visitor.get("/account").submit("/sign-in", email=ANNA)

    response = visitor.post(visitor.form("/sign-in").action, password=PASSWORD)

    assert response.status_code == 303
    assert response.headers["Location"].startswith("/authorize?flow=")


@pytest.mark.security("6.10")
@pytest.mark.security("3.2")
@pytest.mark.parametrize("path", ["/sign-in", "/register", "/reset"])
def test_pages_of_signing_in_cannot_be_framed_and_send_no_referrer(visitor, path):
    headers = visitor.get(path).response.headers

    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-store"


@pytest.mark.security("5.2")
@pytest.mark.security("4.7")
def test_cookies_are_out_of_reach_of_scripts_and_other_sites(visitor, mailroom):
    a_person()
    visitor.sign_in(ANNA)
    form = visitor.form("/sign-in/code")

    response = visitor.client.post(form.action, data=form.values | {"code": mailroom.code_to(ANNA)})

    cookies = response.headers.getlist("Set-Cookie")
    given = [c for c in cookies if c.startswith((sessions.COOKIE, devices.COOKIE))]
    assert len(given) == 2
    assert all("HttpOnly" in cookie and "SameSite=Lax" in cookie for cookie in given)


@pytest.mark.security("1.2")
@pytest.mark.product("OPS-5")
def test_password_managers_know_the_fields(visitor):
    visitor.get("/account")
    assert 'autocomplete="username webauthn"' in visitor.text
    visitor.submit("/sign-in", email=ANNA)

    assert 'autocomplete="current-password webauthn"' in visitor.text
    assert "onpaste" not in visitor.text


@pytest.mark.product("OPS-4")
@pytest.mark.parametrize(
    ("language", "words"), [("pl", "Logowanie"), ("en", "Sign-in"), ("de", "Logowanie")]
)
def test_pages_speak_the_browsers_language_else_polish(identity_app, language, words):
    assert words in Visitor(identity_app, language=language).get("/sign-in").words


def test_the_page_says_where_one_is_going(visitor):
    app = an_app(name="Portal", first_party=True)

    visitor.get(f"/authorize?{a_query_of(app)}")

    assert "You are signing in to Portal" in visitor.words


@pytest.mark.security("2.7")
def test_who_is_blocked_between_the_factors_is_asked_from_the_beginning(visitor):
    person_id = a_person()
    visitor.sign_in(ANNA)
    with db.transaction() as session:
        session.execute(update(Person).where(Person.id == person_id).values(status="blocked"))

    visitor.submit("/sign-in/code", code="12345678")

    assert visitor.path.startswith("/sign-in/password")
    assert visitor.status == 200


@pytest.mark.product("ID-5")
@pytest.mark.security("4.9")
def test_a_passkey_alone_answers_an_application_that_asks_for_two_factors(visitor):
    key = a_passkey(a_person(), now=datetime.now(UTC))
    app = an_app()
    query = urlencode({**a_query(app), "acr_values": acr.TWO_FACTOR, "prompt": "login"})
    visitor.get(f"/authorize?{query}")
    options = visitor.post(f"/sign-in/passkey/options?flow={visitor.flow}").json

    visitor.submit("/sign-in/passkey", credential=key.show(options))

    assert visitor.path.startswith("/consent") or visitor.path.startswith(CALLBACK)


@pytest.mark.product("ID-5")
@pytest.mark.security("4.9")
@pytest.mark.parametrize("asked", [{"prompt": "login"}, {"max_age": "0"}])
def test_a_passkey_is_shown_again_where_an_application_asks_for_a_fresh_sign_in(visitor, asked):
    key = a_passkey(a_person(), now=datetime.now(UTC))
    visitor.get("/account")
    options = visitor.post(f"/sign-in/passkey/options?flow={visitor.flow}").json
    visitor.submit("/sign-in/passkey", credential=key.show(options))
    assert visitor.is_signed_in()

    visitor.get(f"/authorize?{urlencode({**a_query(an_app()), **asked})}")

    assert visitor.path.startswith("/sign-in?flow=")
    options = visitor.post(f"/sign-in/passkey/options?flow={visitor.flow}").json
    visitor.submit("/sign-in/passkey", credential=key.show(options))
    assert visitor.path.startswith("/consent") or visitor.path.startswith(CALLBACK)


@pytest.mark.product("ID-6")
def test_the_code_page_offers_every_factor_that_was_added_and_no_mail(visitor, mailroom):
    person_id = a_person()
    an_authenticator(person_id, now=datetime.now(UTC))
    a_passkey(person_id, now=datetime.now(UTC))

    visitor.sign_in(ANNA)

    page = visitor.text
    assert page.index("data-passkey=") < page.index('name="code"') < page.index("way=recovery")
    assert "/sign-in/code/send" not in page
    assert mailroom.deliver() == []


@pytest.mark.product("ID-6")
def test_who_has_a_passkey_alone_is_told_what_it_needs_and_is_shown_the_way_without(visitor):
    a_passkey(a_person(), now=datetime.now(UTC))

    visitor.sign_in(ANNA)

    assert "A passkey needs a browser with scripts" in visitor.words
    assert 'name="code"' not in visitor.text
    assert "way=recovery" in visitor.text


@pytest.mark.security("2.4")
def test_the_options_for_a_passkey_tell_nothing_of_anybody(identity_app):
    answers = []
    for email in people_of_all_kinds():
        visitor = Visitor(identity_app).get("/account").submit("/sign-in", email=email)
        visitor.response = visitor.post(f"/sign-in/passkey/options?flow={visitor.flow}")
        options = visitor.response.json
        status, _, headers, cookies, _ = answer_of(visitor)
        answers.append(
            (status, headers, cookies, {**options, "challenge": len(options["challenge"])})
        )

    assert all(answer == answers[0] for answer in answers)
    assert answers[0][3]["allowCredentials"] == []


@pytest.mark.security("2.4")
def test_pages_offer_a_passkey_to_everybody_alike(identity_app):
    a_passkey(a_person(), now=datetime.now(UTC))
    answers = [
        answer_of(Visitor(identity_app).get("/account").submit("/sign-in", email=email))
        for email in (ANNA, *people_of_all_kinds())
    ]

    assert all(answer == answers[0] for answer in answers)


@pytest.mark.security("2.1")
def test_too_many_tries_with_a_passkey_are_told_to_wait(visitor):
    visitor.get("/account")
    key, flow = SecurityKey(), visitor.flow
    for _ in range(31):
        options = visitor.post(f"/sign-in/passkey/options?flow={flow}").json
        visitor.submit("/sign-in/passkey", credential=key.show(options))

    assert visitor.status == 429
    assert int(visitor.response.headers["Retry-After"]) > 0
    assert "Too many tries with a passkey" in visitor.words


@pytest.mark.security("14.3")
@pytest.mark.parametrize("path", ["/sign-in/passkey/options", "/sign-in/passkey"])
def test_another_sites_page_uses_no_passkey(visitor, path):
    visitor.get("/account")

    response = visitor.client.post(f"{path}?flow={visitor.flow}")

    assert response.status_code == 400


@pytest.mark.security("4.8")
def test_a_refused_second_passkey_is_said_at_the_button_and_another_way_stays(visitor):
    person_id = a_person()
    app = an_authenticator(person_id, now=datetime.now(UTC))
    key = a_passkey(person_id, now=datetime.now(UTC))
    visitor.sign_in(ANNA)
    options = visitor.post(f"/sign-in/code/passkey/options?flow={visitor.flow}").json
    visitor.submit("/sign-in/code", credential=key.show(options, signature=b"forged"))
    assert visitor.status == 422
    assert "This passkey can&#39;t be used here" in visitor.text

    visitor.submit("/sign-in/code", code=app.now())

    assert visitor.is_signed_in()
