"""Places are read from a file of MaxMind's format; these tests write a tiny one themselves."""

import os
import struct
from ipaddress import IPv6Network, ip_network

import pytest

from idp.places import place_of

_METADATA = b"\xab\xcd\xefMaxMind.com"
KRAKOW = {
    "city": {"names": {"en": "Krakow", "pl": "Kraków"}},
    "country": {"names": {"en": "Poland", "pl": "Polska"}},
}
OSLO = {"city": {"names": {"en": "Oslo"}}, "country": {"names": {"en": "Norway"}}}
NOWHERE = {"country": {"names": {"en": "Germany", "pl": 7}}, "city": "Berlin"}


def write(path, places):
    """A database of places by network (MaxMind DB 2.0): a tree of bits, then the records."""
    data = b""
    offsets: dict[str, int] = {}
    for network, record in places.items():
        offsets[network] = len(data)
        data += _packed(record)
    nodes: list[list[tuple[str, int] | None]] = [[None, None]]
    for text, offset in offsets.items():
        network = ip_network(text)
        prefix, length = int(network.network_address), network.prefixlen
        if not isinstance(network, IPv6Network):
            length += 96
        node = 0
        for depth in range(length):
            bit = prefix >> (127 - depth) & 1
            if depth == length - 1:
                nodes[node][bit] = ("data", offset)
                break
            below = nodes[node][bit]
            if below is None:
                nodes.append([None, None])
                nodes[node][bit] = below = ("node", len(nodes) - 1)
            node = below[1]
    count = len(nodes)
    tree = b"".join(_record(left, count) + _record(right, count) for left, right in nodes)
    about = {
        "binary_format_major_version": 2,
        "binary_format_minor_version": 0,
        "build_epoch": 1,
        "database_type": "Test-City",
        "description": {"en": "Test"},
        "ip_version": 6,
        "languages": ["en", "pl"],
        "node_count": count,
        "record_size": 32,
    }
    path.write_bytes(tree + bytes(16) + data + _METADATA + _packed(about))


def _record(where, count):
    if where is None:
        return struct.pack(">I", count)
    kind, value = where
    return struct.pack(">I", value if kind == "node" else value + count + 16)


def _packed(value):
    if isinstance(value, dict):
        pairs = b"".join(_packed(key) + _packed(item) for key, item in value.items())
        return _head(7, len(value)) + pairs
    if isinstance(value, list):
        return _head(11, len(value)) + b"".join(map(_packed, value))
    if isinstance(value, str):
        text = value.encode()
        return _head(2, len(text)) + text
    digits = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return _head(6, len(digits)) + digits


def _head(kind, size):
    assert size < 29
    return bytes([kind << 5 | size]) if kind < 8 else bytes([size, kind - 7])


@pytest.fixture
def places(identity_app, tmp_path, monkeypatch):
    path = tmp_path / "places.mmdb"
    write(
        path,
        {
            "192.0.2.0/24": KRAKOW,
            "198.51.100.0/24": OSLO,
            "203.0.113.7/32": NOWHERE,
            "2001:db8::/32": KRAKOW,
        },
    )
    settings = identity_app.extensions["klucznik.settings"]
    monkeypatch.setitem(
        identity_app.extensions,
        "klucznik.settings",
        settings.model_copy(update={"places_database": path}),
    )
    return path


@pytest.mark.product("ID-7")
@pytest.mark.parametrize(
    ("address", "language", "place"),
    [
        ("192.0.2.7", "pl", "Kraków, Polska"),
        ("192.0.2.7", "en", "Krakow, Poland"),
        ("2001:db8::1", "pl", "Kraków, Polska"),
        ("198.51.100.1", "pl", "Oslo, Norway"),
        ("203.0.113.7", "en", "Germany"),
        ("203.0.113.7", "pl", None),
        ("203.0.113.8", "en", None),
        ("127.0.0.1", "en", None),
        ("nonsense", "en", None),
        (None, "en", None),
    ],
)
def test_a_place_is_town_and_country_in_the_readers_language(places, address, language, place):
    assert place_of(address, language) == place


def test_without_a_file_nobody_knows(identity_app):
    assert place_of("192.0.2.7", "en") is None


def test_a_new_file_is_taken_without_a_restart(places):
    assert place_of("192.0.2.7", "en") == "Krakow, Poland"
    newer = places.with_suffix(".new")
    write(newer, {"192.0.2.0/24": OSLO})
    os.replace(newer, places)

    assert place_of("192.0.2.7", "en") == "Oslo, Norway"


@pytest.mark.parametrize("content", [b"", b"not a database", _METADATA])
def test_a_file_that_is_none_is_no_reason_to_fail(places, content):
    places.write_bytes(content)

    assert place_of("192.0.2.7", "en") is None


def test_a_file_that_is_gone_is_no_reason_to_fail(places):
    places.unlink()

    assert place_of("192.0.2.7", "en") is None
