import re

import pytest

from idp.mails import service as mails
from idp.mails.service import Recipient
from kernel.i18n.catalogs import package_folder
from tenants.database import db

LETTERS = sorted(
    str(path.relative_to(package_folder("idp") / "templates" / "mail")).removesuffix(".html")
    for path in (package_folder("idp") / "templates" / "mail").rglob("*.html")
)
CONTEXT = {
    "code": "12345678",
    "minutes": 10,
    "link": "http://localhost:9000/reset/confirm?token=x",
    "failures": 7,
    "remaining": 3,
    "passkey": "Laptop",
    "password": "kot-dom-las-sen-ryk",
    "return_to": "http://localhost:9001",
    "ready_at": "2026-06-04T12:00:00+00:00",
    "expires_at": "2026-06-18T12:00:00+00:00",
    "reason": "The proof was not enough.",
    "stop_token": "y",
    "invitation_token": "0123456789ab.x",
    "roles": ["Sprzedaż", "Podgląd (Budowa)"],
    "not_me_token": "z",
    "hours": 72,
    "account": "Zielony Dom",
    "companies": ["Budowa"],
    "is_client": False,
    "host": "hooks.example",
    "is_gone": True,
    "support": "biuro@example.com",
    "portal_url": "http://localhost:9001",
    "address": "192.0.2.7",
    "user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
}


@pytest.mark.product("OPS-4")
@pytest.mark.parametrize("language", ["pl", "en"])
@pytest.mark.parametrize("letter", LETTERS)
def test_every_letter_is_written_in_both_languages_as_text_and_html(
    identity_app, now, mailroom, letter, language
):
    with db.transaction() as session:
        mails.send(
            session, letter, to=Recipient("anna@example.com", language), context=CONTEXT, now=now
        )

    mail = mailroom.to("anna@example.com")
    assert mail.subject
    assert "{{" not in mail.text + mail.html
    assert f'lang="{language}"' in mail.html
    links = set(re.findall(r"http://localhost:9000/[^\s\"<]*", mail.text))
    assert links <= set(re.findall(r"http://localhost:9000/[^\s\"<]*", mail.html))


@pytest.mark.security("15.7")
def test_what_a_browser_says_of_itself_is_no_html_in_a_mail(identity_app, now, mailroom):
    with db.transaction() as session:
        mails.send(
            session,
            "notices/new_device",
            to=Recipient("anna@example.com", "en"),
            context=CONTEXT | {"address": "<b>", "user_agent": "<script>Firefox/</script>"},
            now=now,
        )

    html = mailroom.to("anna@example.com").html
    assert "<b>" not in html
    assert "<script>" not in html
