import json
import socket
from urllib.request import urlopen
from uuid import UUID

import pytest

from kernel.mail import Mail, send_mail
from kernel.settings import Settings
from klucznik.mail_catcher import serve

MAIL = Mail(
    to="anna@example.com",
    subject="Zażółć gęślą jaźń",
    text="Cześć!\n",
    html="<p>Cześć!</p>\n",
    message_id=UUID(int=7),
)


@pytest.mark.product("OPS-1")
def test_what_our_programs_send_is_read_on_the_page():
    with serve(smtp_port=0, http_port=0) as catcher:
        send_mail(Settings(smtp_port=catcher.smtp_port), MAIL)

        address = f"http://localhost:{catcher.http_port}/messages.json?to=anna@example.com"
        with urlopen(address, timeout=60) as answer:
            (mail,) = json.load(answer)

    assert mail["to"] == "anna@example.com"
    assert mail["subject"] == MAIL.subject
    assert (mail["text"], mail["html"]) == (MAIL.text, MAIL.html)
    assert mail["message_id"] == "<00000000-0000-0000-0000-000000000007@klucznik.localhost>"


def test_both_ports_are_free_again_afterwards():
    catcher = serve(smtp_port=0, http_port=0)
    ports = catcher.smtp_port, catcher.http_port

    catcher.stop()

    again = serve(*ports)
    again.stop()


def test_a_taken_port_stops_the_start_and_leaves_nothing_behind():
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(OSError, match="in use"):
        serve(smtp_port=0, http_port=other.getsockname()[1])
