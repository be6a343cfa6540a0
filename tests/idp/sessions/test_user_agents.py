import pytest

from idp.sessions.user_agents import device_name, is_mobile

ANDROID = "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/130.0 Mobile Safari/537.36"
EDGE = "Mozilla/5.0 (Windows NT 10.0; Win64) AppleWebKit/537.36 Chrome/130.0 Safari/537.36 Edg/130"


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [(ANDROID, "Chrome, Android"), (EDGE, "Edge, Windows"), ("curl/8.5.0", "curl"), ("", "")],
)
def test_a_browser_has_a_short_name(user_agent, name):
    assert device_name(user_agent) == name


def test_a_phone_is_told_from_a_computer():
    assert is_mobile(ANDROID)
    assert not is_mobile(EDGE)
