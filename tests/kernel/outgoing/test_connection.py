import time

import pytest

from kernel.outgoing.addresses import Rules, check_url
from kernel.outgoing.connection import Connection, Deadline
from kernel.outgoing.errors import OutgoingFailed
from tests.kernel.outbox.messages import wait_until
from tests.kernel.outgoing.servers import Server, says


def test_a_deadline_counts_down_and_then_refuses():
    assert 0 < Deadline(60).left() <= 60

    deadline = Deadline(0.01)
    time.sleep(0.02)
    with pytest.raises(OutgoingFailed):
        deadline.left()


def test_a_connection_goes_to_its_address_whatever_the_name_says():
    server = Server(says(b"here"))
    rules = Rules.read(f"elsewhere.example:{server.port}", "")
    target = check_url(f"http://elsewhere.example:{server.port}/x", rules)

    connection = Connection(target, "127.0.0.1", deadline=Deadline(20), ca_file=None)
    status, _, body, reusable = connection.ask(
        "GET", target.path, body=None, headers={}, deadline=Deadline(20), most_bytes=100
    )
    connection.close()
    server.close()

    assert (status, body, reusable) == (200, b"here", True)


def test_a_closed_connection_is_not_alive():
    server = Server(lambda client, _: client.close())
    target = check_url(
        f"http://localhost:{server.port}/", Rules.read(f"localhost:{server.port}", "")
    )
    connection = Connection(target, "127.0.0.1", deadline=Deadline(20), ca_file=None)

    assert connection.is_alive()
    connection.send(b"GET / HTTP/1.1\r\n\r\n")

    wait_until(lambda: not connection.is_alive())
    connection.close()
    server.close()
