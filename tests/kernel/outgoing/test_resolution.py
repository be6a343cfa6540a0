import socket
import threading

import pytest

from kernel.outgoing.addresses import Rules, check_url
from kernel.outgoing.errors import OutgoingFailed, OutgoingRefused
from kernel.outgoing.resolution import addresses_of

TARGET = check_url("https://app.example/", Rules())


@pytest.fixture
def dns(monkeypatch):
    """`dns("192.0.2.1", …)`: what every name leads to from now on."""

    def answer(*addresses: str) -> None:
        def look_up(_host, port, **_):
            return [
                (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))
                for address in addresses
            ]

        monkeypatch.setattr("kernel.outgoing.resolution.socket.getaddrinfo", look_up)

    return answer


def test_a_name_leads_to_all_its_addresses(dns):
    dns("93.184.215.14", "2606:4700::1111", "93.184.215.14")

    assert addresses_of(TARGET, Rules(), seconds=1) == ["93.184.215.14", "2606:4700::1111"]


@pytest.mark.security("16.1")
@pytest.mark.parametrize(
    "address", ["127.0.0.1", "169.254.169.254", "::ffff:10.0.0.1", "fe80::1%2"]
)
def test_a_name_that_leads_inside_is_refused(dns, address):
    dns(address)

    with pytest.raises(OutgoingRefused):
        addresses_of(TARGET, Rules(), seconds=1)


@pytest.mark.security("16.1")
def test_one_private_address_among_public_ones_is_enough_to_refuse(dns):
    dns("93.184.215.14", "10.0.0.1")

    with pytest.raises(OutgoingRefused):
        addresses_of(TARGET, Rules(), seconds=1)


def test_the_operator_s_own_hosts_may_be_inside(dns):
    dns("10.0.0.1")

    assert addresses_of(TARGET, Rules.read("app.example:443", ""), seconds=1) == ["10.0.0.1"]


def test_a_fixed_address_replaces_the_look_up():
    rules = Rules.read("app.example:443", "app.example=127.0.0.9")

    assert addresses_of(TARGET, rules, seconds=1) == ["127.0.0.9"]


@pytest.mark.security("16.1")
def test_a_fixed_address_alone_opens_nothing():
    with pytest.raises(OutgoingRefused):
        addresses_of(TARGET, Rules.read("", "app.example=127.0.0.9"), seconds=1)


def test_an_unknown_name_is_a_failure(monkeypatch):
    def unknown(*_, **__):
        raise socket.gaierror(-2, "unknown")

    monkeypatch.setattr("kernel.outgoing.resolution.socket.getaddrinfo", unknown)

    with pytest.raises(OutgoingFailed):
        addresses_of(TARGET, Rules(), seconds=1)


def test_a_name_without_addresses_is_a_failure(dns):
    dns()

    with pytest.raises(OutgoingFailed):
        addresses_of(TARGET, Rules(), seconds=1)


@pytest.mark.security("18.1")
def test_a_look_up_is_not_waited_for_longer_than_asked(monkeypatch):
    release, ended = threading.Event(), threading.Event()

    def think(*_, **__):
        release.wait(60)
        ended.set()
        return []

    monkeypatch.setattr("kernel.outgoing.resolution.socket.getaddrinfo", think)

    with pytest.raises(OutgoingFailed, match="in time"):
        addresses_of(TARGET, Rules(), seconds=0.1)
    still_thinking = not ended.is_set()
    release.set()

    assert still_thinking


@pytest.mark.security("18.1")
def test_only_so_many_names_are_looked_up_at_once(monkeypatch):
    monkeypatch.setattr("kernel.outgoing.resolution._lookups", threading.BoundedSemaphore(1))
    release = threading.Event()
    monkeypatch.setattr(
        "kernel.outgoing.resolution._ask_system", lambda *_: release.wait(60) and []
    )

    with pytest.raises(OutgoingFailed, match="in time"):
        addresses_of(TARGET, Rules(), seconds=0.05)
    with pytest.raises(OutgoingFailed, match="too many"):
        addresses_of(TARGET, Rules(), seconds=0.05)
    release.set()
