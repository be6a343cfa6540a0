"""Programs are named by import string."""

import pytest

from kernel.errors import Misconfigured
from klucznik.programs import PROGRAMS, load


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=lambda one: one.name)
def test_everything_that_is_named_exists(program):
    names = (program.settings, program.app, program.worker, program.prepare, program.refusals)

    assert all(load(name) for name in names if name)


def test_settings_of_a_program_are_where_its_name_says():
    settings = load(PROGRAMS["crm"].settings)

    for name in ("crm_url", "crm_database_url"):
        assert name in settings.model_fields


def test_a_wrong_name_is_a_sentence():
    with pytest.raises(Misconfigured, match=r"kernel\.clock has no sundial"):
        load("kernel.clock:sundial")
