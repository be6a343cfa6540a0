import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from idp.access.service import How
from idp.credentials import password
from idp.events import IdpEvent
from idp.protocol import acr
from idp.sessions import service as sessions
from kernel import clock
from tenants.audit import ledger, person_chain
from tenants.database import db
from tests.idp.access.test_service import give
from tests.idp.provider import a_query, an_app
from tests.idp.visitor import NEW_PASSWORD, PASSWORD, Visitor, a_person
from tests.statements import asked_of

ANNA = "anna@example.com"
LIFE = timedelta(hours=72)
MASKS = (
    (r'name="csrf_token" value="[^"]+"', "csrf"),
    (r"flow(=|%3D)[0-9a-f-]{36}", "flow"),
    (r"[0-9a-f]{16}", "request"),
    (r"\w+@example\.com", "address"),
)


@pytest.fixture
def person_id(identity_app):
    return a_person(password_=None)


@pytest.fixture
def temporary(person_id):
    secret, _ = give(person_id, How.TEMPORARY_PASSWORD, clock.now())
    return secret


@pytest.fixture
def link(person_id, mailroom):
    give(person_id, How.WELCOME_LINK, clock.now())
    return mailroom.link_to(ANNA)


@pytest.fixture
def too_late():
    """The time after all that is given now has ended."""
    with time_machine.travel(datetime.now(UTC) + LIFE):
        yield


def session_of(visitor):
    with db.reading() as session:
        return sessions.find_by_secret(session, visitor.cookie(sessions.COOKIE), now=clock.now())


def query(app, **changes):
    return "&".join(f"{name}={value}" for name, value in a_query(app, **changes).items())


@pytest.mark.product("ID-9")
@pytest.mark.security("4.5")
def test_the_first_sign_in_forces_an_own_password(visitor, temporary):
    visitor.sign_in(ANNA, temporary)

    assert visitor.path.startswith("/sign-in/new-password?flow=")
    assert "Set your own password" in visitor.words
    assert not visitor.is_signed_in()
    assert visitor.cookie(sessions.COOKIE) is None


@pytest.mark.product("ID-9")
def test_with_an_own_password_one_is_in_and_the_temporary_one_is_dead(
    identity_app, visitor, temporary
):
    visitor.sign_in(ANNA, temporary).submit("/sign-in/new-password", new_password=PASSWORD)

    assert visitor.path == "/account"
    assert visitor.is_signed_in()
    again = Visitor(identity_app).sign_in(ANNA, temporary)
    assert again.status == 422
    assert Visitor(identity_app).sign_in(ANNA, PASSWORD).path.startswith("/sign-in/code")


@pytest.mark.product("ID-9")
@pytest.mark.security("2.7")
@pytest.mark.parametrize("page", ["/authorize", "/sign-in/code", "/reset/password"])
def test_every_other_page_of_the_flow_leads_back_to_the_own_password(visitor, temporary, page):
    visitor.sign_in(ANNA, temporary)
    flow = visitor.flow

    visitor.get(f"{page}?flow={flow}")

    if page == "/reset/password":
        assert visitor.path == f"/reset?flow={flow}"
        visitor.get(f"/authorize?flow={flow}")
    assert visitor.path == f"/sign-in/new-password?flow={flow}"
    assert not visitor.is_signed_in()


@pytest.mark.product("ID-9")
def test_no_application_gets_a_code_before_the_own_password_is_set(visitor, temporary):
    app = an_app(first_party=True)
    visitor.get(f"/authorize?{query(app)}")
    visitor.submit("/sign-in", email=ANNA).submit("/sign-in/password", password=temporary)
    assert visitor.path.startswith("/sign-in/new-password")

    silently = visitor.client.get(f"/authorize?{query(app, prompt='none')}")
    visitor.submit("/sign-in/new-password", new_password=PASSWORD)

    assert "error=login_required" in silently.headers["Location"]
    assert visitor.status == 200
    assert "https://app.example/callback?code=" in visitor.text


@pytest.mark.product("ID-9")
@pytest.mark.security("4.9")
def test_one_enters_with_a_single_factor_and_without_a_code_by_mail(visitor, temporary, mailroom):
    mailroom.deliver()

    visitor.sign_in(ANNA, temporary).submit("/sign-in/new-password", new_password=PASSWORD)

    assert session_of(visitor).acr == acr.SINGLE_FACTOR
    assert session_of(visitor).amr == (acr.PASSWORD,)
    # A plain word of what happened; no alarm, no code.
    assert [mail.subject for mail in mailroom.deliver()] == ["Your password is set"]


@pytest.mark.product("ID-9")
@pytest.mark.security("4.9")
@pytest.mark.parametrize(
    ("how", "wanted"),
    [
        (How.TEMPORARY_PASSWORD, acr.MAIL_CODE),
        (How.TEMPORARY_PASSWORD, acr.TWO_FACTOR),
        (How.WELCOME_LINK, acr.TWO_FACTOR),
    ],
)
def test_what_needs_more_forces_enrolment(visitor, person_id, mailroom, wanted, how):
    secret, _ = give(person_id, how, clock.now())
    app = an_app(first_party=True)
    visitor.get(f"/authorize?{query(app, acr_values=wanted)}")

    if how is How.TEMPORARY_PASSWORD:
        visitor.submit("/sign-in", email=ANNA).submit("/sign-in/password", password=secret)
        visitor.submit("/sign-in/new-password", new_password=PASSWORD)
    else:
        flow = visitor.flow
        visitor.get(mailroom.link_to(ANNA)).submit("/welcome", new_password=PASSWORD)
        visitor.get(f"/authorize?flow={flow}")

    assert visitor.path.startswith("/account/")


@pytest.mark.security("1.4")
@pytest.mark.parametrize("where", ["temporary", "link"])
def test_a_bad_password_is_told_why_and_one_tries_again(visitor, request, where):
    secret = request.getfixturevalue(where)
    if where == "temporary":
        visitor.sign_in(ANNA, secret)
    else:
        visitor.get(secret)

    visitor.submit("/", new_password="short")

    assert visitor.status == 422
    assert "This is too short" in visitor.words
    visitor.submit("/", new_password=PASSWORD)
    assert visitor.is_signed_in()


@pytest.mark.product("ID-9")
def test_a_newer_mail_closes_the_open_page_and_one_is_told(visitor, person_id, temporary):
    visitor.sign_in(ANNA, temporary)
    newer, _ = give(person_id, How.TEMPORARY_PASSWORD, clock.now())

    visitor.submit("/sign-in/new-password", new_password=PASSWORD)

    assert visitor.path.startswith("/sign-in/password")
    assert "a newer mail has replaced the temporary one" in visitor.words
    visitor.submit("/sign-in/password", password=newer)
    visitor.submit("/sign-in/new-password", new_password=PASSWORD)
    assert visitor.is_signed_in()


@pytest.mark.product("ID-9")
def test_the_temporary_password_is_not_taken_as_ones_own(visitor, temporary):
    visitor.sign_in(ANNA, temporary).submit("/sign-in/new-password", new_password=temporary)

    assert visitor.status == 422
    assert "This is the temporary password" in visitor.words


@pytest.mark.product("ID-9")
def test_too_late_one_is_told_so_and_led_to_a_reset(visitor, temporary, too_late, mailroom):
    visitor.sign_in(ANNA, temporary)

    assert "The temporary password has expired" in visitor.words
    assert not visitor.is_signed_in()
    assert (
        visitor.post(f"/sign-in/new-password?flow={visitor.flow}", new_password=PASSWORD)
        .headers["Location"]
        .startswith("/sign-in/new-password")
    )
    visitor.get(f"/reset?flow={visitor.flow}").submit("/reset", email=ANNA)
    visitor.submit("/reset/code", code=mailroom.code_to(ANNA))
    visitor.submit("/reset/password", new_password=PASSWORD)
    visitor.submit("/sign-in/password", password=PASSWORD)
    assert visitor.is_signed_in()


@pytest.mark.product("ID-9")
def test_too_late_access_is_sent_again(visitor, temporary, too_late, mailroom):
    visitor.sign_in(ANNA, temporary).submit("/sign-in/new-password/send")

    assert visitor.path.startswith("/sign-in/password")
    assert "A new temporary password is on its way" in visitor.words
    fresh = re.search(r"\w{3}(-\w{3}){4}", mailroom.to(ANNA).text)[0]
    assert fresh != temporary
    visitor.submit("/sign-in/password", password=fresh)
    visitor.submit("/sign-in/new-password", new_password=PASSWORD)
    assert visitor.is_signed_in()


@pytest.mark.product("ID-9")
@pytest.mark.parametrize("when", ["before", "during", "after"])
def test_forgot_password_works_at_any_time(
    identity_app, visitor, temporary, mailroom, request, when
):
    if when == "during":
        visitor.sign_in(ANNA, temporary).get(f"/reset?flow={visitor.flow}")
    elif when == "after":
        request.getfixturevalue("too_late")
        visitor.get("/reset")
    else:
        visitor.get("/reset")

    visitor.submit("/reset", email=ANNA).submit("/reset/code", code=mailroom.code_to(ANNA))
    visitor.submit("/reset/password", new_password=NEW_PASSWORD)

    assert Visitor(identity_app).sign_in(ANNA, temporary).status == 422
    visitor.submit("/sign-in/password", password=NEW_PASSWORD)
    assert visitor.is_signed_in()


@pytest.mark.product("ID-9")
@pytest.mark.security("3.8")
def test_the_first_proof_ends_whatever_there_was_before(identity_app, person_id, mailroom):
    now = clock.now()
    give(person_id, How.WELCOME_LINK, now)
    link = mailroom.link_to(ANNA)
    stranger = Visitor(identity_app)
    with db.transaction() as session:
        before = sessions.start(
            session,
            person_id=person_id,
            amr=[acr.PASSWORD],
            acr=acr.SINGLE_FACTOR,
            device_id=None,
            where=sessions.Whereabouts(),
            now=now,
        )
    stranger.get("/reset").submit("/reset", email=ANNA)
    reset_link = mailroom.link_to(ANNA)

    Visitor(identity_app).get(link).submit("/welcome", new_password=PASSWORD)

    with db.reading() as session:
        assert sessions.find_by_secret(session, before, now=now) is None
    assert stranger.get(reset_link).status == 400


@pytest.mark.product("ID-4")
@pytest.mark.security("2.4")
@pytest.mark.parametrize("tries", [1, 6])
def test_a_wrong_password_tells_nobody_who_was_given_what(identity_app, tries):
    answers, statements = [], []
    for email in people_of_all_kinds():
        for _ in range(tries):
            visitor = Visitor(identity_app).get("/account").submit("/sign-in", email=email)
            with asked_of(db.engine) as asked:
                visitor.submit("/sign-in/password", password="wrong")
        text = f"{visitor.status} {visitor.path} {visitor.text}"
        for pattern, word in MASKS:
            text = re.sub(pattern, word, text)
        answers.append(text)
        statements.append(asked.kinds)

    assert all(answer == answers[0] for answer in answers)
    assert all(each == statements[0] for each in statements)


def people_of_all_kinds():
    now = clock.now()
    a_person("known@example.com")
    give(a_person("given@example.com", password_=None), How.TEMPORARY_PASSWORD, now)
    give(a_person("overr@example.com", password_=None), How.TEMPORARY_PASSWORD, now - LIFE)
    give(a_person("links@example.com", password_=None), How.WELCOME_LINK, now)
    return [f"{name}@example.com" for name in ("known", "given", "overr", "links", "nobod")]


@pytest.mark.product("ID-10")
@pytest.mark.security("3.2")
def test_the_links_token_leaves_the_address_and_looking_spends_nothing(identity_app, visitor, link):
    scanner = Visitor(identity_app)
    assert scanner.client.head(link).status_code == 303
    scanner.get(link).get(link)

    visitor.get(link)

    assert visitor.path == "/welcome"
    assert visitor.response.headers["Referrer-Policy"] == "no-referrer"
    assert ANNA in visitor.words
    visitor.submit("/welcome", new_password=PASSWORD)
    assert visitor.is_signed_in()


@pytest.mark.product("ID-10")
def test_the_link_finishes_on_whatever_device_it_is_opened(identity_app, visitor, link):
    phone = Visitor(identity_app, address="198.51.100.7")

    phone.get(link).submit("/welcome", new_password=PASSWORD)

    assert phone.is_signed_in()
    assert session_of(phone).acr == acr.SINGLE_FACTOR
    assert not visitor.is_signed_in()


@pytest.mark.product("ID-10")
def test_after_the_password_one_goes_on_to_the_application(visitor, person_id, mailroom):
    an_app(redirect_uris=("https://crm.example/callback",))
    give(person_id, How.WELCOME_LINK, clock.now(), return_to="https://crm.example/panel")

    visitor.get(mailroom.link_to(ANNA)).submit("/welcome", new_password=PASSWORD)

    # A page that forwards: a redirect out of a form would be stopped by the browser.
    assert visitor.status == 200
    assert 'href="https://crm.example/panel"' in visitor.text


@pytest.mark.product("ID-10")
@pytest.mark.security("3.1")
@pytest.mark.parametrize("reason", ["used", "superseded", "over"])
def test_a_link_that_works_no_more_offers_a_new_one(
    identity_app, visitor, person_id, link, mailroom, request, reason
):
    if reason == "used":
        Visitor(identity_app).get(link).submit("/welcome", new_password=PASSWORD)
    elif reason == "superseded":
        give(person_id, How.WELCOME_LINK, clock.now())
    else:
        request.getfixturevalue("too_late")
    mailroom.deliver()

    visitor.get(link)

    assert visitor.status == 400
    assert "This link does not work any more" in visitor.words
    visitor.submit("/welcome/send")
    assert visitor.path == "/welcome/sent"
    sent = mailroom.deliver()
    if reason == "used":
        assert sent == []
    else:
        visitor.get(mailroom.link_to(ANNA)).submit("/welcome", new_password=PASSWORD)
        assert visitor.is_signed_in()


@pytest.mark.product("ID-10")
def test_forgot_password_works_beside_the_link_and_ends_it(visitor, link, mailroom):
    visitor.get("/reset").submit("/reset", email=ANNA)
    visitor.submit("/reset/code", code=mailroom.code_to(ANNA))
    visitor.submit("/reset/password", new_password=NEW_PASSWORD)

    assert visitor.get(link).status == 400


@pytest.mark.security("2.4")
def test_a_link_of_nobody_is_answered_like_any_that_works_no_more(visitor, mailroom):
    visitor.get("/welcome?token=" + "x" * 43)

    assert visitor.status == 400
    visitor.submit("/welcome/send")
    assert visitor.path == "/welcome/sent"
    assert mailroom.deliver() == []


@pytest.mark.security("5.3")
def test_who_was_signed_in_in_the_browser_is_signed_out(identity_app, visitor, link, mailroom):
    a_person("bob@example.com")
    visitor.sign_in("bob@example.com")
    visitor.submit("/sign-in/code", code=mailroom.code_to("bob@example.com"))
    bobs = visitor.cookie(sessions.COOKIE)

    visitor.get(link).submit("/welcome", new_password=PASSWORD)

    with db.reading() as session:
        assert sessions.find_by_secret(session, bobs, now=clock.now()) is None
    assert session_of(visitor).email == ANNA


@pytest.mark.security("17.1")
@pytest.mark.parametrize("how", How)
def test_the_ledger_tells_what_was_given_and_used(visitor, person_id, mailroom, how):
    secret, _ = give(person_id, how, clock.now())
    if how is How.TEMPORARY_PASSWORD:
        visitor.sign_in(ANNA, secret).submit("/sign-in/new-password", new_password=PASSWORD)
    else:
        visitor.get(mailroom.link_to(ANNA)).submit("/welcome", new_password=PASSWORD)

    with db.reading() as session:
        rows = ledger.history(session, chain=person_chain(person_id))
    assert {row.event for row in rows} == {
        IdpEvent.ACCESS_GIVEN,
        IdpEvent.ACCESS_USED,
        IdpEvent.SIGN_IN_SUCCEEDED,
    }


@pytest.mark.security("2.7")
@pytest.mark.parametrize("page", ["", "/send"])
def test_out_of_order_posts_set_nothing(visitor, person_id, mailroom, page):
    visitor.get("/account").submit("/sign-in", email=ANNA)

    answer = visitor.post(f"/sign-in/new-password{page}?flow={visitor.flow}", new_password=PASSWORD)

    assert answer.headers["Location"] == f"/authorize?flow={visitor.flow}"
    with db.reading() as session:
        assert password.stored_hash(session, person_id=person_id) is None
    assert mailroom.deliver() == []


@pytest.mark.product("ID-10")
def test_a_page_that_was_open_too_long_leads_back_to_the_mail(visitor, link):
    visitor.get(link)
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=90)):
        assert visitor.get("/welcome").status == 200
    visitor.client.delete_cookie("klucznik_link")

    visitor.submit("/welcome", new_password=PASSWORD)

    assert visitor.status == 400
    assert "Open the link from the mail" in visitor.words
    assert "/welcome/send" not in visitor.text
    visitor.get(link).submit("/welcome", new_password=PASSWORD)
    assert visitor.is_signed_in()
