from kernel.web.policy import allow_form_action, no_referrer
from kernel.web.requests import current_request
from tests.kernel.web.a_program import a_program


def test_a_form_may_post_to_the_origin_of_an_address_and_not_to_the_whole_of_it():
    with a_program().test_request_context():
        allow_form_action("https://application.example/callback?code=1")

        written = current_request().notes.policy.content_security_policy()
    assert "form-action 'self' https://application.example; " in written


def test_a_layout_may_ask_for_no_referrer_without_showing_anything():
    with a_program().test_request_context():
        assert no_referrer() == ""
        assert current_request().notes.policy.referrer == "no-referrer"
