import pytest

from kernel.web.forward import forward, forward_form
from tests.kernel.web.a_program import a_program, token_of

AWAY = "https://application.example/callback?code=1&amp;state=%22%27%3Cb%3E"


def onward(client):
    return client.post("/onward", data={"csrf_token": token_of(client.get("/form").text)})


@pytest.mark.product("OP-1")
def test_going_on_is_a_page_with_a_link_a_refresh_and_a_script():
    response = onward(a_program().test_client())

    assert response.status_code == 200
    assert f'href="{AWAY}"' in response.text
    assert (
        f'<noscript><meta http-equiv="refresh" content="0;url={AWAY}"></noscript>' in response.text
    )
    assert "forward.js" in response.text
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "data:text/html,hello",
        "vbscript:x",
        "file:///etc/passwd",
        "/own/path",
        "https://a.example/\r\nLocation: x",
        "https://a.example/ b",
        "",
    ],
)
def test_nobody_is_sent_to_what_is_no_plain_address(url):
    with a_program().test_request_context(), pytest.raises(ValueError, match="may be sent to"):
        forward(url)


def test_an_application_on_a_phone_has_an_address_too():
    with a_program().test_request_context():
        assert "com.example.app:/callback?code=1" in str(
            forward("com.example.app:/callback?code=1").data
        )


@pytest.mark.security("6.3")
def test_a_posted_answer_is_escaped_and_allowed_to_go_to_that_origin_alone():
    app = a_program()
    with app.test_request_context():
        response = forward_form("https://application.example/cb", [("state", '"><script>')])
        response = app.process_response(response)

    assert 'value="&#34;&gt;&lt;script&gt;"' in response.get_data(as_text=True)
    policy = response.headers["Content-Security-Policy"]
    assert "form-action 'self' https://application.example;" in policy
