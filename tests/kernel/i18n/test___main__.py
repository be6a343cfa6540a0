import pytest

from kernel.i18n.__main__ import main


def test_what_is_missing_is_listed_and_fails(capsys):
    assert main(["missing", "kernel"]) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("arguments", [[], ["update"], ["forget", "kernel"]])
def test_without_a_task_and_a_package_the_usage_is_shown(arguments, capsys):
    assert main(arguments) == 2
    assert "usage" in capsys.readouterr().err
