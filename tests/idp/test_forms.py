import pytest

from idp.credentials.password import Problem
from idp.forms import explain
from kernel.i18n import speaking


@pytest.mark.security("1.4")
@pytest.mark.product("OPS-4")
@pytest.mark.parametrize("problem", list(Problem))
def test_every_reason_is_put_into_words_in_both_languages(identity_app, problem):
    with identity_app.test_request_context():
        with speaking("en"):
            english = explain(problem)
        with speaking("pl"):
            polish = explain(problem)

    assert english
    assert polish
    assert english != polish
