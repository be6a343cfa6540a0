"""Who gets hold of a copy of the database, and not of our keys, can sign in as nobody."""

from datetime import UTC, datetime
from urllib.parse import unquote

import pytest
from sqlalchemy import text

from idp.credentials.models import Totp
from kernel import clock
from tenants.database import Base, db
from tests.idp.provider import VERIFIER, a_code, an_app, tokens_for
from tests.idp.visitor import (
    PASSWORD,
    Mailroom,
    Visitor,
    a_person,
    a_sheet,
    an_authenticator,
)

ANNA = "anna@example.com"


def everything() -> bytes:
    """All rows of all tables, as bytes and as hexadecimal digits."""
    found = bytearray()
    with db.reading() as session:
        for table in Base.metadata.tables:
            for row in session.execute(text(f'SELECT * FROM "{table}"')):  # noqa: S608
                for value in row:
                    raw = value if isinstance(value, bytes | memoryview) else str(value).encode()
                    found += bytes(raw) + b"\n"
    return bytes(found)


@pytest.mark.security("5.1", "6.5", "7.1", "7.4")
@pytest.mark.security("3.1", "4.1", "4.3", "18.3")
@pytest.mark.security("8.5")
def test_no_secret_that_opens_anything_is_in_the_database(identity_app, monkeypatch):
    visitor, mailroom = Visitor(identity_app), Mailroom(identity_app, monkeypatch)
    person_id = a_person()
    visitor.sign_in(ANNA)
    waiting = everything()
    mailed = mailroom.code_to(ANNA)
    visitor.submit("/sign-in/code", code=mailed, remember="y")
    other = Visitor(identity_app).get("/reset").submit("/reset", email=ANNA)
    waiting += everything()
    link = mailroom.link_to(ANNA).partition("token=")[2]
    reset_code = mailroom.code_to(ANNA)
    app = an_authenticator(person_id, now=datetime.now(UTC))
    sheet = a_sheet(person_id, now=datetime.now(UTC))
    client = an_app()
    unspent = a_code(client, now=clock.now(), person_id=person_id)
    tokens = tokens_for(identity_app.test_client(), client, person_id=person_id)
    device = unquote(visitor.cookie("klucznik_device") or "")
    secrets = {
        "password": PASSWORD,
        "mailed code": mailed,
        "reset code": reset_code,
        "mailed link": link,
        "authenticator": app.secret,
        "recovery code": sheet[0],
        "recovery code without dashes": sheet[0].replace("-", ""),
        "session": visitor.cookie("klucznik_session"),
        "device": device.rpartition(".")[0],
        "pre-session": other.cookie("klucznik_idp_browser"),
        "client secret": client.secret,
        "code": unspent,
        "access token": tokens["access_token"],
        "refresh token": tokens["refresh_token"],
        "id token": tokens["id_token"],
        "verifier": VERIFIER,
        "signing key": "PRIVATE KEY",
    }
    assert all(secrets.values())

    copy = waiting + everything()

    assert [name for name, secret in secrets.items() if secret.encode() in copy] == []
    assert ANNA.encode() in copy


@pytest.mark.security("1.8")
def test_a_new_installation_knows_nobody(identity_app):
    with db.reading() as session:
        assert session.execute(text("SELECT count(*) FROM people")).scalar() == 0
        assert session.query(Totp).count() == 0
