"""The page on which somebody creates an account, and is its administrator from then on."""

from flask import Blueprint, current_app, make_response, render_template
from flask.typing import ResponseReturnValue

from kernel.crypto import new_token
from kernel.i18n import gettext as _
from kernel.web import forward, public_url, requires, toast
from portal.accounts import service
from portal.accounts.forms import NewAccountForm
from portal.accounts.service import Made, NotMade
from portal.settings import portal_settings_of
from relying_party.contexts.context import Context
from relying_party.install import NEW_ACCOUNT_PATH, relying_party_of
from relying_party.sessions.current import signed_in

blueprint = Blueprint("accounts", __name__)


@blueprint.get(NEW_ACCOUNT_PATH)
@requires("session")
def new() -> ResponseReturnValue:
    """Ask for the name of the company, and for its tax number where it has one."""
    return _form(NewAccountForm(formdata=None))


@blueprint.post(NEW_ACCOUNT_PATH)
@requires("session")
def create() -> ResponseReturnValue:
    """Create the account, and go there."""
    form = NewAccountForm()
    if not form.validate():
        return make_response(_form(form), 422)
    party = relying_party_of(current_app)
    wanted = {
        "name": form.name.data,
        "nip": form.nip.data or None,
        "is_accounting_office": form.is_accounting_office.data,
    }
    answer = service.create(
        party.grants,
        party.api(portal_settings_of(current_app).identity_api),
        signed_in().session_id,
        wanted,
        key=str(form.key.data),
    )
    if isinstance(answer, Made):
        toast(_("The account %(name)s is there. You are its administrator.", name=answer.name))
        # The sign-in for the account goes by the identity program: another origin, after a form.
        return forward(public_url("home.page_in_context", context=Context(answer.id)))
    return make_response(_form(form, answer), 422)


def _form(form: NewAccountForm, refused: NotMade | None = None) -> str:
    message = ""
    if refused is not None:
        message = _explain(form, refused)
    # What is sent from the page that is shown now is another request than the one before.
    form.key.data = new_token()
    return render_template("accounts/new.html", form=form, message=message)


def _explain(form: NewAccountForm, refused: NotMade) -> str:
    """Say at its field what the identity program does not take, or what it says of none."""
    if not refused.fields:
        return str(_("You have created many accounts in a short time. Try again later."))
    if "nip" in refused.fields:
        form.nip.errors = [
            _("This is not a tax number: check its ten digits, or leave the field empty.")
        ]
    if "name" in refused.fields:
        form.name.errors = [
            _("This name can't be used: it holds invisible signs. Type it by hand.")
        ]
    if refused.fields <= {"nip", "name"}:
        return ""
    return str(_("The account was not created. Check what you have entered."))
