import socket

import pytest

from klucznik.mail_catcher.mailbox import Mailbox
from klucznik.mail_catcher.smtp import SmtpServer


def test_a_port_that_is_taken_is_said_and_nothing_is_left_behind():
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(OSError, match="in use"):
        SmtpServer(Mailbox(), host="127.0.0.1", port=other.getsockname()[1])


def test_stopping_hangs_up_on_whoever_is_talking():
    server = SmtpServer(Mailbox(), host="127.0.0.1", port=0)
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as client:
        assert client.recv(100).startswith(b"220")

        server.stop()

        assert client.recv(100) == b""
