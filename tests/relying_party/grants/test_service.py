import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from kernel import clock
from kernel.ids import new_id
from portal.database import db
from portal.sessions.models import AccessToken, ApplicationSession, Grant
from relying_party.errors import IdentityUnreachable, SessionOver
from relying_party.grants.service import Grants
from relying_party.install import relying_party_of
from tests.relying_party.browsers import Browser

CRM = "http://localhost:9002"


@pytest.fixture
def session_id(browser: Browser):
    """A session whose access token has just run out."""
    browser.sign_in()
    run_out()
    with db.reading() as session:
        return session.scalars(select(ApplicationSession.id)).one()


def run_out() -> None:
    """Let all access tokens be over, and with them the provider's word for the session."""
    past = clock.now() - timedelta(seconds=1)
    with db.transaction() as session:
        session.execute(update(AccessToken).values(expires_at=past))
        session.execute(update(ApplicationSession).values(vouched_until=past))


def grant() -> Grant:
    with db.reading() as session:
        return session.scalars(select(Grant)).one()


def refreshes(provider) -> list[dict[str, str]]:
    return [asked for asked in provider.token_requests if asked["grant_type"] == "refresh_token"]


def at_once(app, count, act):
    """Let `count` threads act at the same moment, each with a context of its own."""
    barrier = threading.Barrier(count)

    def run(_):
        with app.app_context():
            barrier.wait(120)
            return act()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def test_a_token_that_is_good_is_used_as_it_is(party, browser, provider):
    browser.sign_in()
    with db.reading() as session:
        session_id = session.scalars(select(ApplicationSession.id)).one()

    token = party.grants.access_token(session_id, audience=provider.issuer)

    assert token in provider.access_tokens
    assert refreshes(provider) == []


def test_a_token_that_ran_out_is_renewed_and_the_session_vouched_for(party, session_id, provider):
    token = party.grants.access_token(session_id, audience=provider.issuer)

    assert provider.access_tokens[token] == provider.issuer
    with db.reading() as session:
        vouched_until = session.scalars(select(ApplicationSession.vouched_until)).one()
    assert vouched_until > clock.now()


def test_each_audience_gets_a_token_of_its_own(party, session_id, provider):
    tokens = {
        audience: party.grants.access_token(session_id, audience=audience)
        for audience in (provider.issuer, CRM, f"{provider.issuer}/api")
    }

    assert {audience: provider.access_tokens[token] for audience, token in tokens.items()} == {
        audience: audience for audience in tokens
    }
    assert party.grants.access_token(session_id, audience=CRM) == tokens[CRM]


@pytest.mark.security("15.2", "20.5")
def test_fifty_at_once_with_a_token_that_ran_out_cause_one_renewal(
    app, party, session_id, provider
):
    provider.token_delay = 0.3

    tokens = at_once(
        app, 50, lambda: party.grants.access_token(session_id, audience=provider.issuer)
    )

    assert len(set(tokens)) == 1
    assert len(refreshes(provider)) == 1


@pytest.mark.security("15.2", "20.5")
def test_fifty_requests_of_one_browser_cause_one_renewal(app, browser, session_id, provider):
    """Through the whole application, as tabs that are opened together do."""
    provider.token_delay = 0.3
    cookie = browser.client.get_cookie("klucznik_portal_session", domain="localhost").value

    def open_a_page():
        tab = Browser(app, provider)
        tab.client.set_cookie("klucznik_portal_session", cookie, domain="localhost")
        return tab.get("/applications").status_code

    statuses = at_once(app, 50, open_a_page)

    assert set(statuses) == {200}
    assert len(refreshes(provider)) == 1


@pytest.mark.security("15.2", "18.4")
def test_two_nodes_renew_once_between_them(app, party, session_id, provider):
    """What decides is the database: the second node shares nothing else with the first."""
    provider.token_delay = 0.3
    other = a_second_node(party)
    nodes = [party.grants, other] * 10

    tokens = at_once(
        app, 20, lambda: nodes.pop().access_token(session_id, audience=provider.issuer)
    )

    assert len(set(tokens)) == 1
    assert len(refreshes(provider)) == 1


def a_second_node(party) -> Grants:
    return Grants(
        db,
        Grant,
        AccessToken,
        sessions=party.sessions,
        token_endpoint=party.token_endpoint,
        ask_userinfo=party._ask_userinfo,
        main_audience=party.client.main_audience,
        vault=party._settings.vault(),
    )


@pytest.mark.security("11.2", "5.5")
def test_when_the_provider_has_ended_the_session_ours_ends(party, session_id, provider):
    provider.token_failure = (400, b'{"error":"invalid_grant"}')

    with pytest.raises(SessionOver):
        party.grants.access_token(session_id, audience=provider.issuer)

    with db.reading() as session:
        assert session.scalars(select(ApplicationSession.end_reason)).one() == "refused-by-provider"
        assert session.scalars(select(Grant.id)).all() == []
        assert session.scalars(select(AccessToken.id)).all() == []


@pytest.mark.security("11.2")
def test_without_a_refresh_token_the_session_ends_with_its_access_token(party, browser, provider):
    provider.gives_refresh_tokens = False
    browser.sign_in()
    run_out()
    with db.reading() as session:
        session_id = session.scalars(select(ApplicationSession.id)).one()

    with pytest.raises(SessionOver):
        party.grants.access_token(session_id, audience=provider.issuer)

    assert refreshes(provider) == []


def test_those_who_wait_share_the_failure_and_do_not_ask_again(app, party, session_id, provider):
    provider.token_delay = 0.3
    provider.token_failure = (500, b"")

    def try_it():
        with pytest.raises(IdentityUnreachable):
            party.grants.access_token(session_id, audience=provider.issuer)

    at_once(app, 20, try_it)

    assert provider.asked["/token"] == 2  # the sign-in's own, and one renewal


def test_after_a_failure_the_session_lives_on(party, session_id, provider):
    provider.token_failure = (503, b"")
    with pytest.raises(IdentityUnreachable):
        party.grants.access_token(session_id, audience=provider.issuer)

    provider.token_failure = None
    with db.transaction() as session:
        session.execute(update(Grant).values(failed_at=clock.now() - timedelta(seconds=5)))

    assert party.grants.access_token(session_id, audience=provider.issuer)


def test_an_error_that_says_nothing_of_the_session_does_not_end_it(party, session_id, provider):
    provider.token_failure = (401, b'{"error":"invalid_client"}')

    with pytest.raises(IdentityUnreachable):
        party.grants.access_token(session_id, audience=provider.issuer)

    assert grant().lease_id is None
    with db.reading() as session:
        assert session.scalars(select(ApplicationSession.ended_at)).one() is None


@pytest.mark.security("18.4")
def test_a_node_that_died_while_renewing_holds_nobody_up_for_long(party, session_id, provider):
    # Before the row is written: however long that takes, the lease ends after this.
    began = time.monotonic()
    with db.transaction() as session:
        session.execute(
            update(Grant).values(
                lease_id=new_id(), lease_until=clock.now() + timedelta(seconds=0.2)
            )
        )

    token = party.grants.access_token(session_id, audience=provider.issuer)

    assert token in provider.access_tokens
    assert time.monotonic() - began >= 0.15


def test_nobody_waits_for_ever(party, session_id, provider):
    """A lease that is renewed again and again by somebody who never finishes."""
    moments = iter(clock.now() + timedelta(seconds=second) for second in range(60))
    patient = a_second_node(party)
    patient._now = lambda: next(moments)
    patient._sleep = lambda _: None
    with db.transaction() as session:
        session.execute(
            update(Grant).values(lease_id=new_id(), lease_until=clock.now() + timedelta(hours=1))
        )

    with pytest.raises(IdentityUnreachable):
        patient.access_token(session_id, audience=provider.issuer)


def test_who_loses_the_lease_does_not_overwrite_the_winner(party, session_id, provider):
    slow, seen = party.grants, []
    refresh = party.token_endpoint.refresh

    def taken_over_meanwhile(refresh_token, *, resource, now):
        tokens = refresh(refresh_token, resource=resource, now=now)
        with db.transaction() as session:
            session.execute(update(Grant).values(lease_id=new_id()))
        seen.append(tokens)
        return tokens

    party.token_endpoint.refresh = taken_over_meanwhile
    before = grant()

    token = slow.access_token(session_id, audience=provider.issuer)

    assert token == seen[0].access_token
    assert grant().refresh_token == before.refresh_token
    assert grant().generation == before.generation


def test_a_token_that_its_audience_refused_is_replaced(party, session_id, provider):
    first = party.grants.access_token(session_id, audience=CRM)

    party.grants.discard(session_id, audience=CRM, token=first)
    party.grants.discard(session_id, audience=CRM, token=first)
    second = party.grants.access_token(session_id, audience=CRM)
    party.grants.discard(session_id, audience=CRM, token=first)

    assert second != first
    assert party.grants.access_token(session_id, audience=CRM) == second


def test_a_session_without_a_grant_is_over(party, app):
    with pytest.raises(SessionOver):
        relying_party_of(app).grants.access_token(new_id(), audience=CRM)
