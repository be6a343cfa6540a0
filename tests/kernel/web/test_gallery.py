import pytest

from kernel.web.gallery import create_gallery
from tests.kernel.web.a_program import token_of


@pytest.fixture(scope="module")
def client():
    return create_gallery().test_client()


@pytest.mark.parametrize(
    "path",
    [
        "",
        "list",
        "empty",
        "form",
        "sign-in/email",
        "sign-in/password",
        "sign-in/code",
        "sign-in/new",
    ],
)
@pytest.mark.parametrize("language", ["pl", "en"])
def test_every_part_of_the_look_can_be_drawn(client, path, language):
    page = client.get(f"/_gallery/{path}", headers={"Accept-Language": language})

    assert page.status_code == 200
    assert f'<html lang="{language}"' in page.text


def test_an_empty_form_shows_its_mistakes(client):
    token = token_of(client.get("/_gallery/form").text)

    page = client.post("/_gallery/form", data={"csrf_token": token, "language": "pl"})

    assert "data-summary" in page.text


def test_what_was_saved_is_said_on_the_next_page(client):
    token = token_of(client.get("/_gallery/form").text)
    fields = {"given_name": "Anna", "email": "anna@example.pl", "language": "pl", "kind": "own"}

    page = client.post(
        "/_gallery/form", data={"csrf_token": token, **fields}, follow_redirects=True
    )

    assert "data-toast" in page.text
