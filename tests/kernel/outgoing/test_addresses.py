import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.errors import Misconfigured
from kernel.outgoing.addresses import Rules, check_url, is_public
from kernel.outgoing.errors import OutgoingRefused

STRICT = Rules()


@pytest.mark.security("16.1")
@pytest.mark.parametrize(
    "address",
    [
        # this network, this machine, private networks, carriers, links, the metadata of clouds
        *("0.0.0.0", "0.1.2.3", "127.0.0.1", "127.255.255.254", "10.0.0.1", "172.16.0.1"),  # noqa: S104 (nothing is bound)
        *("172.31.255.255", "192.168.0.1", "100.64.0.1", "100.127.255.255", "169.254.0.1"),
        *("169.254.169.254", "192.0.0.1", "192.0.0.170", "192.88.99.1", "198.18.0.1"),
        # documentation, multicast, reserved, broadcast
        *("192.0.2.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255"),
        *("240.0.0.1", "255.255.255.255"),
        # the same by IPv6
        *("::", "::1", "fe80::1", "fe80::1%2", "2606:4700::1%eth0", "fc00::1", "fd00:ec2::254"),
        *("fec0::1", "ff02::1", "2001:db8::1", "3fff::1", "100::1", "5f00::1", "2001::1"),
        # an IPv4 address inside: mapped, compatible, NAT64, 6to4, Teredo, ISATAP
        *("::ffff:127.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1", "64:ff9b::7f00:1"),
        *("64:ff9b:1::7f00:1", "64:ff9b::808:808", "2002:7f00:1::1", "2001:0:4136:e378::1"),
        # no address
        *("", "localhost", "127.1", "0x7f000001", "2130706433", "017700000001"),
    ],
)
def test_this_is_no_public_address(address):
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "93.184.215.14", "1.1.1.1", "2606:4700:4700::1111", "2a00:1450::1"]
)
def test_this_is_a_public_address(address):
    assert is_public(address)


@pytest.mark.security("16.1")
@given(st.ip_addresses())
def test_nothing_that_python_calls_private_is_public(address):
    if not address.is_global or address.is_multicast or address.is_loopback:
        assert not is_public(str(address))


@pytest.mark.security("16.1")
@given(st.ip_addresses(v=4), st.sampled_from(["::ffff:", "::", "64:ff9b::", "2002:"]))
def test_an_ipv4_address_inside_an_ipv6_address_is_never_public(inner, prefix):
    high, low = divmod(int(inner), 1 << 16)
    outer = f"{prefix}{high:x}:{low:x}" + ("::1" if prefix == "2002:" else "")

    assert ipaddress.ip_address(outer)
    assert not is_public(outer)


@pytest.mark.security("16.1")
@pytest.mark.parametrize(
    "url",
    [
        *("http://app.example/", "ftp://app.example/", "file:///etc/passwd", "gopher://a.example/"),
        *("javascript:alert(1)", "//app.example/", "/jwks", "", "https://", "https:///jwks"),
        *("https://app.example:80/", "https://app.example:22/", "https://app.example:0/"),
        *("https://app.example:99999/", "https://app.example:https/"),
        *("https://anna@app.example/", "https://anna:secret@app.example/", "https://@app.example/"),
        *("https://app.example\\@evil.example/", "https://app.example/\r\nHost: evil.example"),
        *("https://app.example/ ", "https://app.example/\t", "https://app.example/ż"),
        *("https://ex ample/", "https://żółw.example/", "https://-app.example/", "https://a..b_/%"),
        *("https://[::1", "https://[fe80::1%25eth0]/", "https://xn--a/", "https://%6cocalhost/"),
        "https://app.example/" + "a" * 2048,
    ],
)
def test_this_is_no_address_for_a_request(url):
    with pytest.raises(OutgoingRefused):
        check_url(url, STRICT)


@pytest.mark.parametrize(
    ("url", "authority", "path"),
    [
        ("https://app.example", "app.example", "/"),
        ("https://App.Example:443/jwks?a=b#c", "app.example", "/jwks?a=b"),
        ("https://app.example:8443/", "app.example:8443", "/"),
        ("https://[2606:4700::1111]/x", "[2606:4700::1111]", "/x"),
        ("HTTPS://xn--bcher-kva.example/", "xn--bcher-kva.example", "/"),
    ],
)
def test_a_url_is_taken_apart(url, authority, path):
    target = check_url(url, STRICT)

    assert (target.authority, target.path) == (authority, path)


@pytest.mark.security("16.1")
def test_what_the_operator_lists_may_be_plain_http_at_any_port():
    rules = Rules.read("localhost:9000, [::1]:9001", "")

    assert check_url("http://LOCALHOST:9000/jwks", rules).port == 9000
    assert check_url("http://[::1]:9001/", rules).authority == "[::1]:9001"
    with pytest.raises(OutgoingRefused):
        check_url("http://localhost:9001/", rules)


def test_addresses_can_be_fixed_for_hosts():
    assert Rules.read("", "id.example=127.0.0.1, App.example = ::1").resolve == {
        "id.example": "127.0.0.1",
        "app.example": "::1",
    }


@pytest.mark.parametrize("pairs", ["id.example", "id.example=localhost", "id.example="])
def test_a_host_without_an_address_is_a_mistake_of_the_operator(pairs):
    with pytest.raises(Misconfigured):
        Rules.read("", pairs)


@given(st.text())
def test_any_text_is_a_target_or_refused(text):
    try:
        target = check_url(text, STRICT)
    except OutgoingRefused:
        return
    assert target.scheme == "https"
    assert target.port in (443, 8443)
