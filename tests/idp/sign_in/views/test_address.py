import re
from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest

from idp.protocol import acr
from tests.idp.provider import CALLBACK, a_query, an_app, tokens_for
from tests.idp.security_key import SecurityKey, a_passkey
from tests.idp.strangers import answer_of, people_of_all_kinds
from tests.idp.visitor import PASSWORD, Visitor, a_person

ANNA = "anna@example.com"


@pytest.mark.product("ID-5")
def test_a_password_manager_may_send_address_and_password_together(visitor):
    a_person()

    visitor.get("/account")
    visitor.submit("/sign-in", email=ANNA, password=PASSWORD)

    assert visitor.path.startswith("/sign-in/code?")


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


@pytest.mark.security("1.2")
@pytest.mark.product("OPS-5")
def test_password_managers_know_the_fields(visitor):
    visitor.get("/account")
    assert 'autocomplete="username webauthn"' in visitor.text
    visitor.submit("/sign-in", email=ANNA)

    assert 'autocomplete="current-password webauthn"' in visitor.text
    assert "onpaste" not in visitor.text


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


@pytest.mark.security("2.4")
def test_the_options_for_a_passkey_tell_nothing_of_anybody(identity_app):
    answers = []
    for email in people_of_all_kinds():
        visitor = Visitor(identity_app).get("/account").submit("/sign-in", email=email)
        visitor.response = visitor.post(f"/sign-in/passkey/options?flow={visitor.flow}")
        options = visitor.response.json or {}
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


@pytest.mark.security("14.1")
@pytest.mark.parametrize("language", ["pl", "en"])
@pytest.mark.parametrize("theme", ["auto", "dark"])
@pytest.mark.parametrize("hint", [None, ANNA, '"><script>alert(1)</script>@example.com'])
def test_the_printed_page_is_the_page(identity_app, language, theme, hint):
    """It is filled in where it was printed before; each time it reads as if it were rendered."""
    app = an_app(name="Books & <i>more</i>")
    asked = a_query(app, ui_locales=language, **({"login_hint": hint} if hint else {}))
    client = identity_app.test_client()
    client.set_cookie("klucznik_theme", theme)
    flow = client.get(f"/authorize?{urlencode(asked)}").headers["Location"]

    for page in (flow, client.get("/sign-in").headers["Location"]):
        read = []
        for reloads in (True, False, False):
            identity_app.jinja_env.auto_reload = reloads
            read.append(without_token(client.get(page).get_data(as_text=True)))

        assert len(identity_app.extensions["klucznik.printed"]) > 0
        assert read[1] == read[0]
        assert read[2] == read[0]
        assert "<script>alert" not in read[0]


def without_token(page):
    """Tokens hold the second in which they were signed."""
    return re.sub(r'name="csrf_token" value="[^"]{30,}"', "", page)
