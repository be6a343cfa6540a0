from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
import time_machine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tenants.database import db
from tenants.people.models import Person
from tests.idp.provider import a_query, an_app
from tests.idp.visitor import PASSWORD, Visitor, a_person

ANNA = "anna@example.com"


def a_query_of(app):
    return urlencode(a_query(app))


def test_without_cookies_a_page_says_so(identity_app):
    client = identity_app.test_client(use_cookies=False)
    first = client.get("/sign-in", headers={"Accept-Language": "en"})

    page = client.get(first.headers["Location"], headers={"Accept-Language": "en"})

    assert page.status_code == 400
    assert "keeps no cookies" in page.get_data(as_text=True)


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


@pytest.mark.security("6.10")
@pytest.mark.security("3.2")
@pytest.mark.parametrize("path", ["/sign-in", "/register", "/reset"])
def test_pages_of_signing_in_cannot_be_framed_and_send_no_referrer(visitor, path):
    headers = visitor.get(path).response.headers

    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-store"


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
