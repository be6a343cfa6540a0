import pytest

from kernel.observability.health import Health


@pytest.mark.security("18.9")
def test_only_the_checks_that_fail_are_named():
    health = Health()
    health.add("database", lambda: True)
    health.add("disk", lambda: False)

    assert health.failing() == ["disk"]


def test_a_check_that_breaks_has_failed(capsys):
    def breaks() -> bool:
        raise ConnectionError("password=s3cret")

    health = Health()
    health.add("database", breaks)

    assert health.failing() == ["database"]
    assert "s3cret" not in capsys.readouterr().out


def test_draining_can_not_be_taken_back():
    health = Health()
    assert not health.draining

    health.drain()

    assert health.draining
