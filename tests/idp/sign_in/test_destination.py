from idp.flows.service import Flow
from idp.sign_in.destination import destination_of
from tests.idp.provider import an_app


def test_the_page_names_the_application_that_one_goes_to(identity_app):
    app = an_app(name="Portal")

    assert destination_of(Flow(request={"client_id": app.id})) == "Portal"


def test_a_page_of_ours_is_no_destination(identity_app):
    assert destination_of(Flow(request=None)) is None
    assert destination_of(Flow(request={"client_id": "gone"})) is None
