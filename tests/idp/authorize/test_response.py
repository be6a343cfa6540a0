"""How an answer is written."""

from flask import Flask

from idp.authorize import response
from idp.authorize.request import ReturnAddress
from idp.protocol.errors import AccessDenied
from tests.idp.provider import CALLBACK, ISSUER


def test_an_answer_after_our_pages_is_a_page_that_forwards(identity_app: Flask):
    with identity_app.test_request_context():
        direct = response.with_code(
            ReturnAddress("app", CALLBACK), "c", issuer=ISSUER, after_pages=False
        )
        after = response.with_code(
            ReturnAddress("app", CALLBACK), "c", issuer=ISSUER, after_pages=True
        )

    assert (direct.status_code, after.status_code) == (303, 200)
    assert "code=c" in after.get_data(as_text=True)


def test_an_error_carries_no_code(identity_app: Flask):
    with identity_app.test_request_context():
        answer = response.with_error(
            ReturnAddress("app", CALLBACK, state="s"),
            AccessDenied("the person refused"),
            issuer=ISSUER,
            after_pages=False,
        )

    location = answer.headers["Location"]
    assert location == (
        f"{CALLBACK}?error=access_denied&error_description=the%20person%20refused"
        "&iss=http%3A%2F%2Flocalhost%3A9000&state=s"
    )
