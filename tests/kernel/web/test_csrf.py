import pytest
from itsdangerous import URLSafeTimedSerializer

from kernel.web.csrf import comes_from_our_own_page
from tests.kernel.web.a_program import HERE, a_program, token_of


@pytest.fixture
def client():
    return a_program().test_client()


def answers(token: str) -> dict[str, str]:
    return {"csrf_token": token, "email": "anna@example.pl", "password": "correct horse battery"}


@pytest.mark.security("2.6", "14.3")
def test_a_post_with_the_token_of_this_browser_passes(client):
    token = token_of(client.get("/form").text)

    assert client.post("/form", data=answers(token)).text == "taken"


@pytest.mark.security("2.6", "14.3")
def test_a_post_without_a_token_is_refused(client):
    client.get("/form")

    response = client.post("/form", data=answers(""))

    assert response.status_code == 400
    assert 'data-code="page_expired"' in response.text


@pytest.mark.security("2.6", "14.3")
def test_a_token_of_another_browser_is_refused(client):
    token_of(client.get("/form").text)
    anothers = token_of(client.application.test_client().get("/form").text)

    assert client.post("/form", data=answers(anothers)).status_code == 400


@pytest.mark.security("2.6", "14.3")
def test_only_the_secret_of_this_browser_signed_by_us_is_a_token(client):
    token = token_of(client.get("/form").text)
    with client.session_transaction() as session:
        secret = session["csrf_token"]
    signed, _, signature = token.rpartition(".")
    others = URLSafeTimedSerializer("another secret", salt="wtf-csrf-token").dumps(secret)

    for forged in (secret, others, signed, f"{signed}.{signature[::-1]}", f"{token}x", ".", "ż"):
        assert client.post("/form", data=answers(forged)).status_code == 400, forged
    with client.session_transaction() as session:
        del session["csrf_token"]
    assert client.post("/form", data=answers(token)).status_code == 400


def test_an_expired_page_leads_back_to_itself(client):
    response = client.post("/form?flow=7", data=answers("old"), headers={"Accept-Language": "pl"})

    assert 'href="/form?flow=7"' in response.text
    assert "Otwórz stronę ponownie" in response.text


def test_a_page_that_only_takes_posts_leads_to_the_beginning(client):
    response = client.post("/onward")

    assert 'class="btn btn-primary" href="/"' in response.text


@pytest.mark.security("5.8")
def test_a_token_outlives_the_rotation_of_the_secret():
    old = "old secret, long enough for a test of it"
    new = "new secret, long enough for a test of it"
    before = a_program(settings_={"secret_keys": old}).test_client()
    token = token_of(before.get("/form").text)
    cookie = before.get_cookie("klucznik_kernel_browser")
    assert cookie

    after = a_program(settings_={"secret_keys": f"{new},{old}"}).test_client()
    after.set_cookie("klucznik_kernel_browser", cookie.value, domain="localhost:9000")

    assert after.post("/form", data=answers(token)).text == "taken"


@pytest.mark.security("14.3")
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": HERE, "Sec-Fetch-Site": "same-origin"}, 200),
        ({"Origin": "null", "Sec-Fetch-Site": "same-origin"}, 200),
        ({}, 200),
        ({"Origin": "http://localhost:9001", "Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}, 403),
        ({"Origin": "null", "Sec-Fetch-Site": "cross-site"}, 403),
        ({"Origin": "https://evil.example"}, 403),
    ],
)
def test_a_post_from_another_site_is_refused_even_with_the_token(client, headers, status):
    token = token_of(client.get("/form").text)

    assert client.post("/form", data=answers(token), headers=headers).status_code == status


def test_a_view_for_programs_takes_posts_from_anywhere(client):
    response = client.post("/machine", json={}, headers={"Origin": "https://evil.example"})

    assert response.status_code == 200


@pytest.mark.parametrize(
    ("site", "origin", "ours"),
    [
        (None, None, True),
        ("none", None, True),
        ("same-origin", "https://id.example", True),
        (None, "null", True),
        ("same-site", "null", False),
        ("cross-site", None, False),
        ("same-origin", "https://id.example.evil.example", False),
        (None, "http://id.example", False),
        ("nonsense", None, False),
    ],
)
def test_where_a_post_comes_from(site, origin, ours):
    assert comes_from_our_own_page(site=site, origin=origin, own="https://id.example") is ours
