import pytest

from tests.kernel.web.a_program import a_program, token_of


@pytest.fixture
def client():
    return a_program().test_client()


def choose(client, **fields):
    token = token_of(client.get("/form").text)
    return client.post("/preferences", data={"csrf_token": token, **fields})


def test_a_language_once_chosen_stays(client):
    assert '<html lang="pl"' in client.get("/form").text

    choose(client, language="en")

    assert '<html lang="en"' in client.get("/form").text


def test_a_theme_once_chosen_stays_and_the_system_can_decide_again(client):
    choose(client, theme="dark")
    assert 'data-bs-theme="dark"' in client.get("/form").text

    choose(client, theme="auto")
    assert "data-bs-theme" not in client.get("/form").text


def test_choosing_leads_back_to_the_page(client):
    response = choose(client, language="en", next="/form?a=b")

    assert (response.status_code, response.location) == (303, "/form?a=b")


@pytest.mark.security("11.3")
def test_choosing_leads_nowhere_else(client):
    assert choose(client, language="en", next="//evil.example").location == "/"


@pytest.mark.security("14.3")
def test_nobody_else_chooses(client):
    response = client.post("/preferences", data={"language": "en"})

    assert response.status_code == 400
    assert "Set-Cookie" not in response.headers or "language" not in response.headers["Set-Cookie"]


@pytest.mark.parametrize("fields", [{"language": "xx"}, {"theme": "pink"}, {"sidebar": "gone"}, {}])
def test_what_is_not_on_offer_changes_nothing(client, fields):
    cookies = choose(client, **fields).headers.getlist("Set-Cookie")

    assert not [cookie for cookie in cookies if "browser" not in cookie]


def test_the_folded_sidebar_is_remembered(client):
    assert "klucznik_sidebar=folded" in str(choose(client, sidebar="folded").headers)


def test_a_person_who_is_signed_in_keeps_the_language_everywhere():
    saved: list[str] = []
    client = a_program(
        person_language=lambda: saved[-1] if saved else None, save_person_language=saved.append
    ).test_client()

    choose(client, language="en")

    assert saved == ["en"]
    client.delete_cookie("klucznik_language")
    assert '<html lang="en"' in client.get("/form").text
