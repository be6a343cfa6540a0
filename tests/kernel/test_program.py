from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask

from kernel import program


def test_the_application_at_work_is_told_by_flask_or_by_who_goes_past_it():
    ours, other = Flask("ours"), Flask("other")

    with pytest.raises(RuntimeError):
        program.extensions()
    with other.app_context():
        assert program.extensions() is other.extensions
        with program.working_for(ours):
            assert program.extensions() is ours.extensions
        assert program.extensions() is other.extensions


def test_another_thread_works_for_nobody_until_it_says_so():
    with program.working_for(Flask("ours")), ThreadPoolExecutor(1) as pool:
        failure = pool.submit(program.extensions).exception()

    assert isinstance(failure, RuntimeError)
