import json

import pytest

from relying_party.errors import IdentityUnreachable
from relying_party.provider import userinfo


def parse(**value: object) -> userinfo.Userinfo:
    return userinfo.parse(json.dumps(value).encode())


def test_what_can_be_shown_is_taken():
    found = parse(
        sub="p-1", email=" a@b.pl ", name="Zażółć Gęślą", locale="pl", zoneinfo="Europe/Warsaw"
    )

    assert found == userinfo.Userinfo("p-1", "a@b.pl", "Zażółć Gęślą", "pl", "Europe/Warsaw")


@pytest.mark.security("14.1", "15.1")
@pytest.mark.parametrize("name", [1, None, "", "  ", "a\nb", "a\x00b", "a‮b", ["a"], {"a": 1}])
def test_what_can_not_be_shown_is_left_out(name):
    assert parse(sub="p-1", name=name).name is None


def test_what_is_long_is_cut():
    assert len(parse(sub="p-1", name="a" * 1_000).name or "") == 300


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"null", b'{"sub":1}', b"[" * 100_000])
def test_an_answer_that_names_nobody_is_refused(body):
    with pytest.raises(IdentityUnreachable):
        userinfo.parse(body)


def test_a_refused_token_means_try_again(party, now):
    with pytest.raises(IdentityUnreachable):
        userinfo.ask(party.provider, party.outgoing, access_token="unknown", now=now)


def test_a_provider_that_is_gone_means_try_again(party, provider, now):
    party.provider.metadata(now)
    provider.stop()

    with pytest.raises(IdentityUnreachable):
        userinfo.ask(party.provider, party.outgoing, access_token="a", now=now)
