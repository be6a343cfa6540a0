import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from idp.credentials import lost_factors, passkeys, totp
from idp.credentials.lost_factors import State
from idp.lost_factors import decisions
from idp.protocol import acr
from idp.sessions import service as sessions
from tenants.database import db
from tests.idp.security_key import a_passkey
from tests.idp.visitor import NEW_PASSWORD, PASSWORD, Visitor, a_person, an_authenticator

ANNA = "anna@example.com"


def now():
    return datetime.now(UTC)


def anna():
    person_id = a_person()
    return person_id, an_authenticator(person_id, now=now())


def lost(visitor, typed=PASSWORD):
    """To the code page, and from there «I have none of these»."""
    visitor.sign_in(ANNA, typed)
    return visitor.get(f"/lost-factors?flow={visitor.flow}")


def proves_the_mailbox(visitor, mailroom):
    visitor.submit("/lost-factors/code/send")
    return visitor.submit("/lost-factors/code", code=mailroom.code_to(ANNA))


def asks(visitor, mailroom, **said):
    proves_the_mailbox(lost(visitor), mailroom)
    said = {"contact": "+48 600 700 800", "note": "My phone is gone.", **said}
    return visitor.submit("/lost-factors/request", **said)


def approved(hours=0):
    [case] = decisions.cases(now=now())
    decisions.approve(case.request.id, proof="Identity card", by="Jan Nowak", now=now())
    return time_machine.travel(now() + timedelta(hours=hours))


def state_of(person_id):
    with db.reading() as session:
        return lost_factors.latest(session, person_id=person_id).state(now())


@pytest.mark.product("ID-6")
@pytest.mark.security("3.6")
@pytest.mark.security("4.5")
def test_from_the_code_page_to_a_request_without_a_session(visitor, mailroom):
    anna()
    visitor.sign_in(ANNA)
    assert "I have none of these" in visitor.words

    asks(visitor, mailroom)

    assert "Your request is being looked at" in visitor.words
    assert not visitor.is_signed_in()
    [case] = decisions.cases(now=now())
    assert (case.request.contact, case.request.note) == ("+48 600 700 800", "My phone is gone.")


@pytest.mark.product("ID-6")
@pytest.mark.security("3.6")
@pytest.mark.security("5.3")
def test_after_the_waiting_time_one_gets_in_and_is_led_to_a_new_factor(
    identity_app, visitor, mailroom
):
    person_id, _ = anna()
    asks(visitor, mailroom)

    with approved(hours=73):
        later = Visitor(identity_app)
        later.sign_in(ANNA)
        assert "The waiting time is over" in later.words
        lost(later)
        proves_the_mailbox(later, mailroom)
        assert "Remove your factors?" in later.words
        later.submit("/lost-factors/finish")

        assert "Your factors are removed" in later.words
        assert "/account/authenticator" in later.text
        assert later.is_signed_in()
        with db.reading() as session:
            me = sessions.find_by_secret(session, later.cookie(sessions.COOKIE) or "", now=now())
            assert not totp.is_enrolled(session, person_id=person_id)
        assert me.acr == acr.MAIL_CODE
        assert state_of(person_id) is State.USED


@pytest.mark.product("ID-6")
@pytest.mark.security("3.6")
def test_while_it_waits_the_page_says_until_when_and_offers_nothing(visitor, mailroom):
    anna()
    asks(visitor, mailroom)

    with approved(hours=1):
        visitor.sign_in(ANNA)
        assert "The waiting time runs" in visitor.words
        lost(visitor)

        assert "The waiting time runs" in visitor.words
        assert "/lost-factors/code/send" not in visitor.text
        refused = visitor.post(f"/lost-factors/finish?flow={visitor.flow}")
        assert refused.headers["Location"].startswith("/lost-factors?")
        assert not visitor.is_signed_in()


@pytest.mark.product("ID-6")
def test_a_refusal_is_shown_with_its_reason_and_one_may_ask_again(visitor, mailroom):
    anna()
    asks(visitor, mailroom)
    [case] = decisions.cases(now=now())
    decisions.refuse(case.request.id, reason="Nobody picked up.", by="Jan", now=now())

    visitor.sign_in(ANNA)
    assert "Nobody picked up." in visitor.words
    lost(visitor)

    assert "Nobody picked up." in visitor.words
    assert visitor.form("/lost-factors/code/send")


@pytest.mark.product("ID-6")
def test_a_permission_that_was_not_used_in_time_is_said_to_have_lapsed(
    identity_app, visitor, mailroom
):
    anna()
    asks(visitor, mailroom)

    with approved(hours=72 + 14 * 24 + 1):
        words = Visitor(identity_app).sign_in(ANNA).words

    assert "has lapsed" in words


@pytest.mark.security("3.6")
def test_a_real_factor_ends_the_request(identity_app, visitor, mailroom):
    person_id, app = anna()
    asks(visitor, mailroom)

    owner = Visitor(identity_app).sign_in(ANNA)
    owner.submit("/sign-in/code", code=app.now())

    assert owner.is_signed_in()
    assert state_of(person_id) is State.FOUND


@pytest.mark.product("ID-8")
@pytest.mark.security("3.5")
def test_a_reset_comes_before_it_and_skips_nothing_of_it(identity_app, visitor, mailroom):
    anna()
    asks(visitor, mailroom)

    with approved(hours=73):
        later = Visitor(identity_app)
        later.get("/reset").submit("/reset", email=ANNA)
        later.submit("/reset/code", code=mailroom.code_to(ANNA))
        later.submit("/reset/password", new_password=NEW_PASSWORD)
        later.submit("/sign-in/password", password=NEW_PASSWORD)
        assert later.path.startswith("/sign-in/code")
        later.get(f"/lost-factors/request?flow={later.flow}")

        assert later.path.startswith("/lost-factors?")
        refused = later.post(f"/lost-factors/finish?flow={later.flow}")
        assert refused.headers["Location"].startswith("/lost-factors?")
        proves_the_mailbox(later, mailroom)
        later.submit("/lost-factors/finish")
        assert later.is_signed_in()


@pytest.mark.product("ID-5")
@pytest.mark.security("3.6")
def test_who_never_had_a_password_sets_one_by_mail_and_asks_then(identity_app, visitor, mailroom):
    person_id = a_person(password_=None)
    a_passkey(person_id, now=now())
    visitor.get("/reset").submit("/reset", email=ANNA)
    visitor.submit("/reset/code", code=mailroom.code_to(ANNA))
    visitor.submit("/reset/password", new_password=PASSWORD)
    asks(visitor, mailroom)

    with approved(hours=73):
        later = lost(Visitor(identity_app))
        proves_the_mailbox(later, mailroom)
        assert "1 passkey" in later.words
        later.submit("/lost-factors/finish")

        assert later.is_signed_in()
        with db.reading() as session:
            assert passkeys.count(session, person_id=person_id) == 0


@pytest.mark.product("ID-6")
def test_who_has_only_a_code_by_mail_is_not_offered_it(visitor):
    a_person()

    visitor.sign_in(ANNA)
    assert "I have none of these" not in visitor.words
    visitor.get(f"/lost-factors?flow={visitor.flow}")

    assert visitor.path.startswith("/sign-in/code")


@pytest.mark.security("2.7")
@pytest.mark.parametrize("path", ["", "/code", "/request"])
def test_without_the_password_every_page_leads_to_it(visitor, path):
    anna()
    visitor.get("/account").submit("/sign-in", email=ANNA)

    visitor.get(f"/lost-factors{path}?flow={visitor.flow}")

    assert visitor.path.startswith("/sign-in/password?")


@pytest.mark.security("2.7")
@pytest.mark.security("6.11")
def test_a_half_finished_request_is_useless_in_another_browser(identity_app, visitor):
    anna()
    lost(visitor)
    thief = Visitor(identity_app)

    thief.get(visitor.path)

    assert thief.status == 400
    assert ANNA not in thief.words


def test_who_signs_in_on_a_remembered_device_is_asked_for_the_password_once_more(
    identity_app, visitor, mailroom
):
    _, app = anna()
    visitor.sign_in(ANNA).submit("/sign-in/code", code=app.now(), remember="y")
    visitor.get("/account").submit("/sign-out")
    visitor.sign_in(ANNA)
    assert visitor.is_signed_in()

    with time_machine.travel(now() + timedelta(minutes=20)):
        visitor.get("/lost-factors")
        assert visitor.path.startswith("/sign-in/password?")
        visitor.submit("/sign-in/password", password=PASSWORD)

        assert visitor.path.startswith("/lost-factors?")
        assert "No access to the second factor" in visitor.words


@pytest.mark.security("15.1")
@pytest.mark.parametrize(
    ("contact", "complaint"),
    [
        ("", "Say how we can reach you"),
        ("   ", "Say how we can reach you"),
        ("x" * 201, "This is too long"),
        ("a\x07b", "Use letters and digits"),
    ],
)
def test_a_request_says_how_to_reach_one_in_one_line(visitor, mailroom, contact, complaint):
    anna()

    asks(visitor, mailroom, contact=contact)

    assert visitor.status == 422
    assert complaint in visitor.words
    assert decisions.cases(now=now()) == []


@pytest.mark.security("15.1")
def test_a_note_is_text_and_not_longer_than_a_page(visitor, mailroom):
    anna()

    asks(visitor, mailroom, note="x" * 1001)
    assert visitor.status == 422
    visitor.submit("/lost-factors/request", contact="me", note="<b>bold</b>\nand more")

    [case] = decisions.cases(now=now())
    assert case.request.note.splitlines() == ["<b>bold</b>", "and more"]


@pytest.mark.security("4.2")
def test_a_wrong_code_is_said_at_the_field(visitor, mailroom):
    anna()
    lost(visitor).submit("/lost-factors/code/send")

    visitor.submit("/lost-factors/code", code="0000 0000")

    assert visitor.status == 422
    assert "This code is not right" in visitor.words


@pytest.mark.security("4.2")
def test_after_five_wrong_codes_the_password_is_asked_for(visitor):
    anna()
    lost(visitor).submit("/lost-factors/code/send")
    for _ in range(5):
        visitor.submit("/lost-factors/code", code="0000 0000")

    assert visitor.path.startswith("/sign-in/password")
    assert "Too many wrong codes" in visitor.words


@pytest.mark.security("3.11")
def test_after_five_mails_the_page_says_how_long_to_wait(visitor, mailroom):
    anna()
    lost(visitor)
    visitor.submit("/lost-factors/code/send")
    for _ in range(4):
        visitor.submit("/lost-factors/code/send")

    assert "Another one can go in 60 minutes" in visitor.words
    assert visitor.post(f"/lost-factors/code/send?flow={visitor.flow}").status_code == 303
    assert len(mailroom.deliver()) == 5


@pytest.mark.security("3.2")
@pytest.mark.security("3.6")
def test_the_mailed_link_asks_first_and_stops_by_a_button(identity_app, visitor, mailroom):
    person_id, _ = anna()
    asks(visitor, mailroom)
    link = mailroom.link_to(ANNA)
    owner = Visitor(identity_app)

    owner.get(link)
    assert owner.path == "/lost-factors/stop"
    assert owner.response.headers["Referrer-Policy"] == "no-referrer"
    assert state_of(person_id) is State.ASKED
    owner.submit("/lost-factors/stop")

    assert "The request is stopped" in owner.words
    assert state_of(person_id) is State.STOPPED
    assert mailroom.to(ANNA).subject == "The request to remove your factors was stopped"
    assert owner.get(link).status == 400
    assert "was stopped" in Visitor(identity_app).sign_in(ANNA).words


@pytest.mark.security("3.2")
def test_a_scanner_that_asks_for_the_head_of_the_link_stops_nothing(visitor, mailroom):
    person_id, _ = anna()
    asks(visitor, mailroom)

    visitor.client.head(mailroom.link_to(ANNA), follow_redirects=True)

    assert state_of(person_id) is State.ASKED


@pytest.mark.security("3.1")
def test_the_link_of_the_approval_takes_the_place_of_the_first(identity_app, visitor, mailroom):
    person_id, _ = anna()
    asks(visitor, mailroom)
    first = mailroom.link_to(ANNA)
    with approved():
        second = mailroom.link_to(ANNA)

        assert Visitor(identity_app).get(first).status == 400
        Visitor(identity_app).get(second).submit("/lost-factors/stop")

        assert state_of(person_id) is State.STOPPED


@pytest.mark.security("3.3")
def test_the_link_is_of_our_own_address_whatever_the_request_says(visitor, mailroom):
    anna()
    proves_the_mailbox(lost(visitor), mailroom)
    form = visitor.form("/lost-factors/request")
    visitor.client.post(
        form.action,
        data=form.values | {"contact": "me"},
        headers={"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"},
    )

    text = mailroom.to(ANNA).text
    assert set(re.findall(r"https?://[^/\s]+", text)) == {"http://localhost:9000"}


@pytest.mark.product("OPS-4")
@pytest.mark.parametrize(("language", "words"), [("pl", "Brak dostępu"), ("en", "No access")])
def test_the_pages_speak_both_languages(identity_app, language, words):
    anna()

    assert words in lost(Visitor(identity_app, language=language)).words
