import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from kernel.outgoing import Outgoing, OutgoingFailed, OutgoingRefused
from kernel.settings import Settings
from tests.kernel.outgoing.servers import Answer, Server, certificate, says

StartServer = Callable[..., Server]


@pytest.fixture
def server() -> Iterator[StartServer]:
    """`server(answer)`: a server on loopback for the length of the test."""
    started: list[Server] = []

    def start(answer: Answer | bytes, tls: Any = None) -> Server:
        started.append(Server(answer, tls))
        return started[-1]

    yield start
    for one in started:
        one.close()


@pytest.fixture
def outgoing() -> Iterator[Callable[..., Outgoing]]:
    """`outgoing("localhost:9000")`: a client for which these hosts are allowed."""
    made: list[Outgoing] = []

    def make(*allowed: str, **options: Any) -> Outgoing:
        settings = Settings(outgoing_allowed_hosts=",".join(allowed), **options)
        made.append(Outgoing(settings))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def ask(server: StartServer, outgoing: Callable[..., Outgoing]) -> Callable[..., Any]:
    """`ask(answer)`: what our client makes of a server's answer."""

    def ask(answer: Answer | bytes, **options: Any) -> Any:
        one = server(answer)
        return outgoing(f"localhost:{one.port}").get(f"http://localhost:{one.port}/", **options)

    return ask


def test_an_answer_has_its_status_headers_and_body(ask):
    response = ask(says(b'{"a":1}', status="404 Not Found", headers="X-Test: one\r\nx-test: 2\r\n"))

    assert (response.status, response.body, response.headers["x-test"]) == (404, b'{"a":1}', "one")
    assert response.json() == {"a": 1}


def test_what_is_not_json_is_said_to_be_none(ask):
    with pytest.raises(OutgoingFailed):
        ask(says(b"<html>")).json()


def test_a_form_is_posted(server, outgoing):
    one = server(says())

    outgoing(f"localhost:{one.port}").post(
        f"http://localhost:{one.port}/token?x=1",
        data={"grant_type": "refresh_token", "token": "a&b=ż"},
        auth=("client", "s3cret"),
        headers={"Accept": "application/json"},
    )

    head, _, body = one.requests[0].decode().partition("\r\n\r\n")
    assert head.startswith("POST /token?x=1 HTTP/1.1\r\n")
    assert f"Host: localhost:{one.port}" in head
    assert "Authorization: Basic Y2xpZW50OnMzY3JldA==" in head
    assert "Content-Type: application/x-www-form-urlencoded" in head
    assert "Accept: application/json" in head
    assert body == "grant_type=refresh_token&token=a%26b%3D%C5%BC"


def test_json_and_bytes_are_posted(server, outgoing):
    one = server(says())
    client = outgoing(f"localhost:{one.port}")

    client.post(f"http://localhost:{one.port}/", json={"a": [1]})
    client.post(f"http://localhost:{one.port}/", data=b"raw", headers={"Content-Type": "text/x"})

    assert one.requests[0].endswith(b'{"a":[1]}')
    assert b"Content-Type: application/json" in one.requests[0]
    assert one.requests[1].endswith(b"raw")


@pytest.mark.security("16.1")
def test_a_private_address_is_not_asked(server, outgoing):
    one = server(says())

    for url in (
        f"https://127.0.0.1:{one.port}/",
        f"http://localhost:{one.port}/",
        "https://localhost/",
        "https://localhost:8443/",
        "https://[::1]/",
        "https://127.1/",
        "https://2130706433/",
    ):
        with pytest.raises(OutgoingRefused):
            outgoing().get(url)

    assert one.connections == 0


@pytest.mark.security("16.1")
def test_the_address_that_was_checked_is_the_one_that_is_asked(
    server, outgoing, monkeypatch, tmp_path
):
    """A name server that answers twice, first well and then badly, gains nothing."""
    context, trusted = certificate(tmp_path, "app.example")
    one = server(says(), context)
    answers = iter([["127.0.0.1"], ["10.0.0.1"]])
    asked = []

    def look_up(host: str, _port: int) -> list[str]:
        asked.append(host)
        return next(answers)

    monkeypatch.setattr("kernel.outgoing.resolution._ask_system", look_up)

    client = outgoing(f"app.example:{one.port}", outgoing_ca_file=trusted)
    response = client.get(f"https://app.example:{one.port}/")

    assert response.status == 200
    assert asked == ["app.example"]


@pytest.mark.security("16.1")
def test_tls_and_the_host_header_keep_the_name(server, outgoing, tmp_path):
    context, trusted = certificate(tmp_path, "id.example")
    one = server(says(), context)

    outgoing(
        f"id.example:{one.port}", outgoing_ca_file=trusted, outgoing_resolve="id.example=127.0.0.1"
    ).get(f"https://id.example:{one.port}/")

    assert one.names == ["id.example"]
    assert f"Host: id.example:{one.port}".encode() in one.requests[0]


@pytest.mark.security("16.1")
@pytest.mark.parametrize(
    ("names", "is_trusted"), [(["other.example"], True), (["id.example"], False)]
)
def test_a_certificate_that_is_wrong_or_not_trusted_ends_it(
    server, outgoing, tmp_path, names, is_trusted
):
    context, trusted = certificate(tmp_path, *names)
    one = server(says(), context)
    options = {"outgoing_ca_file": trusted} if is_trusted else {}
    client = outgoing(f"id.example:{one.port}", outgoing_resolve="id.example=127.0.0.1", **options)

    with pytest.raises(OutgoingFailed):
        client.get(f"https://id.example:{one.port}/")

    assert one.requests == []


@pytest.mark.security("16.1")
@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 T", "308 P"])
def test_a_redirect_is_an_answer_and_not_followed(server, outgoing, status):
    other = server(says(b"inside"))
    location = f"Location: http://localhost:{other.port}/\r\n"
    one = server(says(b"", status=status, headers=location))

    client = outgoing(f"localhost:{one.port}", f"localhost:{other.port}")
    response = client.get(f"http://localhost:{one.port}/")

    assert response.status == int(status[:3])
    assert other.connections == 0


@pytest.mark.security("16.1")
def test_no_proxy_of_the_environment_is_used(ask, server, monkeypatch):
    proxy = server(says(b"from the proxy"))
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, f"http://localhost:{proxy.port}")

    assert ask(says(b"direct")).body == b"direct"
    assert proxy.connections == 0


@pytest.mark.security("16.1")
@pytest.mark.parametrize("extra", [0, 1])
def test_an_answer_may_be_as_large_as_agreed_and_no_larger(ask, extra):
    answer = says(b"x" * (65_536 + extra))

    if extra:
        with pytest.raises(OutgoingFailed, match="large"):
            ask(answer)
    else:
        assert len(ask(answer).body) == 65_536


def test_a_larger_bound_can_be_agreed(ask):
    assert len(ask(says(b"x" * 200_000), most_bytes=300_000).body) == 200_000


@pytest.mark.security("16.1")
def test_an_answer_without_an_end_is_left(ask):
    def pour(client: socket.socket, _: bytes) -> None:
        client.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            client.sendall(b"1000\r\n" + b"x" * 4096 + b"\r\n")

    with pytest.raises(OutgoingFailed, match="large"):
        ask(pour)


@pytest.mark.security("16.1")
def test_headers_without_an_end_are_left(ask):
    def pour(client: socket.socket, _: bytes) -> None:
        client.sendall(b"HTTP/1.1 200 OK\r\n")
        while True:
            client.sendall(b"X-Test: " + b"x" * 4096 + b"\r\n")

    with pytest.raises(OutgoingFailed):
        ask(pour)


def drip(first: bytes, drop: bytes) -> Answer:
    def answer(client: socket.socket, _: bytes) -> None:
        client.sendall(first)
        while True:
            time.sleep(0.05)
            client.sendall(drop)

    return answer


def silence(client: socket.socket, _: bytes) -> None:
    # Until the other side has gone.
    client.recv(1)


@pytest.mark.security("16.1", "18.1")
@pytest.mark.parametrize(
    "answer",
    [
        silence,
        drip(b"", b"H"),
        drip(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
        drip(b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n", b"x"),
    ],
    ids=["silent", "slow status", "slow headers", "slow body"],
)
def test_nobody_is_waited_for_longer_than_agreed_however_it_drips(ask, answer):
    # None of these servers ever comes to an end: without a limit, neither would this test.
    with pytest.raises(OutgoingFailed, match=r"(?i)time"):
        ask(answer, seconds=0.4)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello",
        b"\x00\xff" * 100,
    ],
)
def test_what_is_no_answer_is_a_failure(ask, answer):
    def reply(client: socket.socket, _: bytes) -> None:
        client.sendall(answer)
        client.shutdown(socket.SHUT_RDWR)

    with pytest.raises(OutgoingFailed):
        ask(reply)


def test_nobody_listening_is_a_failure(server, outgoing):
    one = server(says())
    one.close()

    with pytest.raises(OutgoingFailed):
        outgoing(f"localhost:{one.port}").get(f"http://localhost:{one.port}/")


@pytest.mark.parametrize("value", ["a\r\nX-Smuggled: 1", "a\nb", "ż\u2028"])
def test_nothing_is_smuggled_in_by_a_header(server, outgoing, value):
    one = server(says())

    with pytest.raises(OutgoingFailed):
        outgoing(f"localhost:{one.port}").get(
            f"http://localhost:{one.port}/", headers={"X-Test": value}
        )


@pytest.mark.security("17.2")
def test_what_came_back_is_not_in_the_name_of_an_answer(ask):
    assert "canary" not in repr(ask(says(b"canary", headers="Set-Cookie: canary\r\n")))


def test_an_address_that_swallows_everything_leaves_time_for_the_next(
    server, outgoing, monkeypatch
):
    one = server(says())
    connect = socket.create_connection
    granted: list[float] = []

    def swallow(address: tuple[str, int], timeout: float) -> socket.socket:
        if address[0] == "127.0.0.2":
            granted.append(timeout)
            raise TimeoutError
        return connect(address, timeout=timeout)

    monkeypatch.setattr("kernel.outgoing.connection.socket.create_connection", swallow)
    monkeypatch.setattr(
        "kernel.outgoing.resolution._ask_system", lambda *_: ["127.0.0.2", "127.0.0.1"]
    )

    client = outgoing(f"app.example:{one.port}")
    response = client.get(f"http://app.example:{one.port}/", seconds=60)

    assert response.status == 200
    assert len(granted) == 1
    assert granted[0] <= 30


def test_a_url_can_be_checked_without_asking(outgoing):
    outgoing().check("https://app.example/jwks")

    with pytest.raises(OutgoingRefused):
        outgoing().check("http://app.example/jwks")


# Connections that are used again


def test_a_connection_to_an_allowed_host_is_used_again(server, outgoing):
    one = server(says())
    client = outgoing(f"localhost:{one.port}")

    for number in range(5):
        client.post(f"http://localhost:{one.port}/{number}", data={"a": "b"})

    assert one.connections == 1
    assert len(one.requests) == 5


def test_a_connection_is_not_used_again_after_the_server_said_so(server, outgoing):
    one = server(says(headers="Connection: close\r\n"))
    client = outgoing(f"localhost:{one.port}")

    client.get(f"http://localhost:{one.port}/")
    client.get(f"http://localhost:{one.port}/")

    assert one.connections == 2


def test_a_connection_that_was_closed_meanwhile_is_replaced(server, outgoing):
    closed = threading.Semaphore(0)

    def once(client: socket.socket, _: bytes) -> None:
        client.sendall(says())
        client.shutdown(socket.SHUT_RDWR)
        closed.release()

    one = server(once)
    client = outgoing(f"localhost:{one.port}")

    for _ in range(3):
        client.post(f"http://localhost:{one.port}/")
        closed.acquire()

    assert one.connections == 3


def test_what_a_server_says_unasked_is_never_an_answer(server, outgoing):
    """Else the answer to one request could be read as the answer to the next."""

    def talk(client: socket.socket, request: bytes) -> None:
        client.sendall(says(request.split()[1]) + says(b"smuggled"))

    one = server(talk)
    client = outgoing(f"localhost:{one.port}")

    bodies = []
    for path in ("/1", "/2", "/3"):
        bodies.append(client.get(f"http://localhost:{one.port}{path}").body)
        time.sleep(0.05)

    assert bodies == [b"/1", b"/2", b"/3"]


def hang_up_on_the_second(requests: list[bytes]) -> Answer:
    def answer(client: socket.socket, request: bytes) -> None:
        requests.append(request)
        if len(requests) == 2:
            client.shutdown(socket.SHUT_RDWR)
        else:
            client.sendall(says())

    return answer


def test_reading_is_repeated_when_a_kept_connection_breaks(server, outgoing):
    requests: list[bytes] = []
    one = server(hang_up_on_the_second(requests))
    client = outgoing(f"localhost:{one.port}")

    client.get(f"http://localhost:{one.port}/")
    response = client.get(f"http://localhost:{one.port}/")

    assert response.status == 200
    assert len(requests) == 3


def test_what_may_have_changed_something_is_never_repeated(server, outgoing):
    requests: list[bytes] = []
    one = server(hang_up_on_the_second(requests))
    client = outgoing(f"localhost:{one.port}")

    client.post(f"http://localhost:{one.port}/")
    with pytest.raises(OutgoingFailed):
        client.post(f"http://localhost:{one.port}/")

    assert len(requests) == 2


def test_threads_share_a_client_without_mixing_answers_up(server, outgoing):
    def echo(client: socket.socket, request: bytes) -> None:
        client.sendall(says(request.split()[1]))

    one = server(echo)
    client = outgoing(f"localhost:{one.port}")

    def get(number: int) -> bool:
        path = f"/{number}"
        body: bytes = client.get(f"http://localhost:{one.port}{path}").body
        return body == path.encode()

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(get, range(200)))
    assert one.connections <= 8 + 8
