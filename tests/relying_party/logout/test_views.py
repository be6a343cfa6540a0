import re
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc.jwk import ECKey
from sqlalchemy import select

from portal.database import db
from portal.sessions.models import ApplicationSession, Grant
from tests.relying_party.browsers import Browser
from tests.relying_party.strict_provider import EVENT


def session_rows() -> list[ApplicationSession]:
    with db.reading() as session:
        return list(session.scalars(select(ApplicationSession)))


def forwarded_to(response) -> str:
    found = re.search(r'href="([^"]+)"[^>]*data-forward', response.text)
    assert found, response.text
    return found[1].replace("&amp;", "&")


class TestByHand:
    @pytest.mark.security("5.6")
    def test_every_page_offers_to_sign_out(self, browser):
        browser.sign_in()

        for path in ("/", "/applications"):
            assert 'action="/logout"' in browser.get(path).text

    @pytest.mark.security("14.3")
    def test_opening_the_address_only_asks(self, browser):
        browser.sign_in()

        page = browser.get("/logout")

        assert "Wylogować się?" in page.text
        assert "Anna Nowak" in page.text
        assert browser.is_signed_in()

    @pytest.mark.product("OP-1")
    @pytest.mark.security("5.5", "9.1")
    def test_signing_out_ends_the_session_here_and_goes_on_to_the_provider(self, browser, provider):
        browser.sign_in()

        response = browser.submit(browser.get("/logout"), "/logout")

        target = urlsplit(forwarded_to(response))
        asked = parse_qs(target.query)
        assert response.status_code == 200
        assert f"{target.scheme}://{target.netloc}{target.path}" == f"{provider.issuer}/end-session"
        assert asked["client_id"] == ["portal"]
        assert asked["post_logout_redirect_uri"] == ["http://localhost:9001/signed-out"]
        assert asked["id_token_hint"][0].count(".") == 2
        assert not browser.is_signed_in()

    @pytest.mark.security("5.5")
    def test_a_copied_cookie_is_dead_after_signing_out(self, browser, provider):
        browser.sign_in()
        cookie = browser.client.get_cookie("klucznik_portal_session", domain="localhost").value
        browser.submit(browser.get("/"), "/logout")
        thief = Browser(browser.app, provider)
        thief.client.set_cookie("klucznik_portal_session", cookie, domain="localhost")

        assert not thief.is_signed_in()
        with db.reading() as session:
            assert session.scalars(select(Grant.id)).all() == []

    @pytest.mark.security("5.7")
    def test_traces_in_the_browser_go_but_not_the_neighbours_cookies(self, browser):
        browser.sign_in()

        response = browser.submit(browser.get("/logout"), "/logout")

        assert response.headers["Clear-Site-Data"] == '"cache", "storage"'
        assert browser.client.get_cookie("klucznik_portal_session", domain="localhost") is None

    @pytest.mark.security("14.3")
    def test_another_site_can_not_sign_anybody_out(self, browser):
        browser.sign_in()

        without_token = browser.post("/logout")
        foreign = browser.post("/logout", headers={"Sec-Fetch-Site": "cross-site"})

        assert without_token.status_code == 400
        assert foreign.status_code == 403
        assert browser.is_signed_in()

    def test_who_is_not_signed_in_is_told_so(self, browser):
        by_address = browser.get("/logout")
        page = browser.get(by_address.location)
        by_form = browser.submit(page, "/logout")

        assert by_address.location == by_form.location == "/signed-out"
        assert "Wylogowano" in page.text

    def test_without_the_provider_one_can_still_leave(self, browser, provider):
        browser.sign_in()
        page = browser.get("/logout")
        browser.app.extensions["klucznik.relying_party"].provider._copy = None
        provider.stop()

        response = browser.submit(page, "/logout")

        assert response.status_code == 200
        assert "inne aplikacje mogą być nadal otwarte" in response.text
        assert session_rows()[0].end_reason == "signed-out"

    def test_a_provider_without_end_of_session_is_left_alone(self, browser, provider):
        provider.change_metadata = lambda described: described.pop("end_session_endpoint")
        browser.sign_in()

        response = browser.submit(browser.get("/logout"), "/logout")

        assert "inne aplikacje" in response.text


class TestBackChannel:
    @pytest.mark.product("OP-1")
    @pytest.mark.security("9.3", "11.2")
    def test_the_provider_ends_the_session(self, browser, provider):
        browser.sign_in()

        response = browser.post("/backchannel-logout", {"logout_token": provider.logout_token()})

        assert (response.status_code, response.text) == (200, "")
        assert response.headers["Cache-Control"] == "no-store"
        assert not browser.is_signed_in()
        assert session_rows()[0].end_reason == "logged-out-by-provider"

    @pytest.mark.security("9.3")
    def test_only_the_sign_in_that_is_named_ends(self, browser, provider):
        browser.sign_in()
        provider.sid = "sid-2"
        other = Browser(browser.app, provider)
        other.sign_in()

        token = provider.logout_token(sub=None)
        response = browser.post("/backchannel-logout", {"logout_token": token})

        assert response.status_code == 200
        assert browser.is_signed_in()
        assert not other.is_signed_in()

    @pytest.mark.security("9.3")
    def test_a_token_for_the_person_ends_all_of_their_sessions_and_nobody_elses(
        self, browser, provider
    ):
        browser.sign_in()
        provider.sid = "sid-2"
        second = Browser(browser.app, provider)
        second.sign_in()
        token = provider.logout_token(sid=None)
        provider.person, provider.sid = provider.person | {"sub": "person-2"}, "sid-3"
        stranger = Browser(browser.app, provider)
        stranger.sign_in()

        browser.post("/backchannel-logout", {"logout_token": token})

        signed_in = [each.is_signed_in() for each in (browser, second, stranger)]
        assert signed_in == [False, False, True]

    @pytest.mark.security("9.3")
    def test_a_sid_with_another_persons_sub_ends_nothing(self, browser, provider):
        browser.sign_in()

        token = provider.logout_token(sub="person-2")
        response = browser.post("/backchannel-logout", {"logout_token": token})

        assert response.status_code == 200
        assert browser.is_signed_in()

    @pytest.mark.security("9.3", "8.1", "8.2", "8.3", "8.4")
    @pytest.mark.parametrize(
        "change",
        [
            {"iss": "http://another.example"},
            {"iss": None},
            {"aud": "crm"},
            {"aud": ["portal", "crm"]},
            {"aud": None},
            {"iat": None},
            {"iat": "now"},
            {"iat": int(time.time()) + 3600, "exp": int(time.time()) + 3660},
            {"exp": None},
            {"exp": 1},
            {"exp": int(time.time()) + 7200},
            {"exp": True},
            {"jti": None},
            {"jti": ""},
            {"jti": 7},
            {"jti": "x" * 300},
            {"events": None},
            {"events": []},
            {"events": {}},
            {"events": {EVENT: True}},
            {"events": {"http://schemas.openid.net/event/other": {}}},
            {"nonce": "n"},
            {"nonce": ""},
            {"sub": None, "sid": None},
            {"sub": ""},
            {"sid": 7},
            {"sub": ["person-1"]},
        ],
    )
    def test_a_token_with_a_wrong_claim_ends_nothing(self, browser, provider, change):
        browser.sign_in()

        token = provider.logout_token(**change)
        response = browser.post("/backchannel-logout", {"logout_token": token})

        assert response.status_code == 400
        assert response.get_json() == {"error": "invalid_request"}
        assert response.headers["Cache-Control"] == "no-store"
        assert browser.is_signed_in()

    @pytest.mark.security("9.3", "8.1", "8.2", "8.4")
    @pytest.mark.parametrize(
        "change",
        [
            {"typ": "JWT"},
            {"typ": "at+jwt"},
            {"alg": "none"},
            {"kid": "unknown"},
        ],
    )
    def test_a_token_with_a_wrong_header_ends_nothing(self, browser, provider, change):
        browser.sign_in()
        provider.change_header = lambda found: found.update(change)

        token = provider.logout_token()
        response = browser.post("/backchannel-logout", {"logout_token": token})

        assert response.status_code == 400
        assert browser.is_signed_in()

    @pytest.mark.security("9.3", "8.2")
    def test_a_token_signed_by_somebody_else_ends_nothing(self, browser, provider):
        browser.sign_in()
        provider.sign_with = ECKey.generate_key("P-256", {"kid": "key-1"})

        response = browser.post("/backchannel-logout", {"logout_token": provider.logout_token()})

        assert response.status_code == 400
        assert browser.is_signed_in()

    @pytest.mark.security("9.3", "8.4")
    def test_an_id_token_is_no_logout_token(self, browser, provider):
        browser.sign_in()
        token = provider.id_token(client_id="portal", nonce="n", access_token="a")

        response = browser.post("/backchannel-logout", {"logout_token": token})

        assert response.status_code == 400
        assert browser.is_signed_in()

    @pytest.mark.security("9.3")
    def test_a_token_has_its_effect_once(self, browser, provider):
        token = provider.logout_token(sid=None, iat=int(time.time()) - 5)
        first = browser.post("/backchannel-logout", {"logout_token": token})
        browser.sign_in()

        again = browser.post("/backchannel-logout", {"logout_token": token})

        assert (first.status_code, again.status_code) == (200, 400)
        assert browser.is_signed_in()

    @pytest.mark.security("9.3", "15.2")
    def test_of_many_deliveries_at_once_one_counts(self, browser, provider):
        browser.sign_in()
        token = provider.logout_token()

        def deliver(_):
            return (
                Browser(browser.app, provider)
                .post("/backchannel-logout", {"logout_token": token})
                .status_code
            )

        with ThreadPoolExecutor(20) as pool:
            statuses = list(pool.map(deliver, range(20)))

        assert sorted(statuses) == [200] + [400] * 19

    @pytest.mark.security("9.3")
    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"logout_token=",
            b"logout_token=a&logout_token=b",
            b"logout_token=%00",
            b"logout_token=a.b.c",
            b"logout_token=%ff%fe",
            b"token=x",
            b"logout_token=" + b"e30" * 20_000 + b".e30.x",
            b"logout_token=" + b"." * 2,
        ],
        ids=lambda body: body[:24].decode("ascii"),
    )
    def test_other_bytes_end_nothing(self, browser, body):
        response = browser.client.post(
            "/backchannel-logout",
            base_url=browser.base,
            data=body,
            content_type="application/x-www-form-urlencoded",
        )

        assert response.status_code == 400
        assert response.headers["Cache-Control"] == "no-store"

    @pytest.mark.security("9.3")
    def test_a_token_in_the_address_is_not_read(self, browser, provider):
        browser.sign_in()

        response = browser.post(f"/backchannel-logout?logout_token={provider.logout_token()}")

        assert response.status_code == 400
        assert browser.is_signed_in()

    @pytest.mark.security("9.3")
    def test_it_is_a_post_and_nothing_else(self, browser):
        assert browser.get("/backchannel-logout").status_code == 405

    @pytest.mark.security("9.3", "17.3")
    def test_without_the_providers_keys_it_is_asked_to_try_again(self, browser, provider):
        """A refusal would be final, and the session would go on."""
        token = provider.logout_token()
        provider.stop()

        response = browser.post("/backchannel-logout", {"logout_token": token})

        assert response.status_code == 503
        assert response.headers["Cache-Control"] == "no-store"
