"""What a browser submits while a mailbox is proved."""

from wtforms import StringField
from wtforms.validators import Length

from idp.forms import Form
from kernel.i18n import lazy_gettext as lazy


class AddressForm(Form):
    """The address, and nothing else."""

    email = StringField(lazy("E-mail address"), [Length(max=1000)])


class CodeForm(Form):
    """The code from the mail."""

    code = StringField(lazy("Code"), [Length(max=1000)])
