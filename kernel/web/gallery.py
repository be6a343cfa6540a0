"""Every part of the look on a few pages, for those who build: `python -m kernel.web.gallery`.

No program of the product has these pages. What they show is made up.
"""

import sys
from dataclasses import dataclass

from flask import Blueprint, Flask, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from pydantic import SecretStr
from wtforms import (
    BooleanField,
    EmailField,
    PasswordField,
    RadioField,
    SelectField,
    StringField,
    TelField,
    TextAreaField,
)
from wtforms.validators import DataRequired, Email, Length

from kernel.crypto import new_token
from kernel.settings import Settings
from kernel.web.access import public
from kernel.web.app import create_app
from kernel.web.forward import forward
from kernel.web.shell import (
    Application,
    Column,
    MenuLink,
    NavigationItem,
    Page,
    PersonMenu,
    toast,
)

blueprint = Blueprint("gallery", __name__, url_prefix="/_gallery")

_PORT = 9999


@dataclass(frozen=True)
class Row:
    """A made-up line of a list."""

    id: str
    name: str
    email: str
    role: str
    state: str
    kind: str
    companies: int


_ROWS = [
    Row("1", "Anna Nowak", "anna.nowak@example.pl", "Administrator", "Aktywny", "success", 12),
    Row("2", "Piotr Wiśniewski", "p.wisniewski@example.pl", "Księgowość", "Aktywny", "success", 3),
    Row("3", "Żaneta Gęślą-Jaźń", "zaneta@example.pl", "Kadry", "Zaproszenie", "warning", 1),
    Row(
        "4",
        "Krzysztof Brzęczyszczykiewicz-Konstantynopolitańczykowianeczkowski",
        "krzysztof.brzeczyszczykiewicz.konstantynopolitanczykowianeczkowski@example.pl",
        "Podgląd",
        "Zablokowany",
        "danger",
        1204,
    ),
]


class EmailForm(FlaskForm):  # type: ignore[misc]
    """One question."""

    email = EmailField("Adres e-mail", validators=[DataRequired("Wpisz adres e-mail.")])


class PasswordForm(FlaskForm):  # type: ignore[misc]
    """The next question."""

    password = PasswordField("Hasło", validators=[DataRequired("Wpisz hasło.")])
    remember = BooleanField("Zapamiętaj to urządzenie na 30 dni")


class CodeForm(FlaskForm):  # type: ignore[misc]
    """A code by mail."""

    code = StringField("Kod z wiadomości", validators=[DataRequired("Wpisz kod z wiadomości.")])
    remember = BooleanField("Nie pytaj o kod na tym urządzeniu przez 30 dni")


class ProfileForm(FlaskForm):  # type: ignore[misc]
    """A longer form."""

    given_name = StringField("Imię", validators=[DataRequired("Wpisz imię.")])
    email = EmailField(
        "Adres e-mail", validators=[Email("Adres wygląda na niepełny: brakuje części po znaku @.")]
    )
    phone = TelField("Telefon", description="Z numerem kierunkowym, na przykład +48 600 100 200.")
    language = SelectField("Język", choices={"pl": "Polski", "en": "English"})
    kind = RadioField("Rodzaj konta", choices={"own": "Własne", "office": "Biuro rachunkowe"})
    about = TextAreaField("Uwagi", validators=[Length(max=500)])
    agreed = BooleanField("Wysyłaj powiadomienia o nowych urządzeniach")


@blueprint.get("/")
@public
def index() -> ResponseReturnValue:
    """The shell with cards and figures."""
    return render_template("kernel/gallery/index.html")


@blueprint.get("/list")
@public
def table() -> ResponseReturnValue:
    """A list with rows."""
    return render_template(
        "kernel/gallery/list.html",
        rows=_ROWS,
        page=Page(number=2, size=25, total=1204),
        columns=[
            Column("Osoba", sort="name"),
            Column("Rola", sort="role"),
            Column("Stan"),
            Column("Firmy", sort="companies", numeric=True),
        ],
        sort=request.args.get("sort", "name"),
        direction=request.args.get("direction", "asc"),
        menu=[
            MenuLink("Zmień uprawnienia", "#", "edit"),
            MenuLink("Zablokuj", "#", "user-off"),
        ],
    )


@blueprint.get("/empty")
@public
def empty() -> ResponseReturnValue:
    """Nothing yet, and nothing found."""
    return render_template("kernel/gallery/empty.html")


@blueprint.route("/form", methods=["GET", "POST"])
@public
def long_form() -> ResponseReturnValue:
    """A form of many fields; an empty post shows the mistakes."""
    form = ProfileForm()
    if form.validate_on_submit():
        toast("Zapisano profil.")
        return redirect(url_for("gallery.long_form"), code=303)
    return render_template("kernel/gallery/form.html", form=form)


@blueprint.route("/sign-in/<step>", methods=["GET", "POST"])
@public
def sign_in(step: str) -> ResponseReturnValue:
    """The pages of one question."""
    forms: dict[str, type[FlaskForm]] = {
        "email": EmailForm,
        "password": PasswordForm,
        "code": CodeForm,
        "new": PasswordForm,
    }
    form = forms.get(step, EmailForm)()
    form.validate_on_submit()
    return render_template("kernel/gallery/sign_in.html", form=form, step=step)


@blueprint.post("/forward")
@public
def onward() -> ResponseReturnValue:
    """Going on to another origin."""
    return forward("https://application.example/callback?code=made-up")


@blueprint.app_context_processor
def shell() -> dict[str, object]:
    """What the shell of a made-up program shows."""
    return {
        "application": Application(name="Portal", home="/_gallery/", help="/_gallery/empty"),
        "navigation": [
            NavigationItem("Pulpit", "/_gallery/", "layout-dashboard"),
            NavigationItem("Użytkownicy", "/_gallery/list", "users", count=1204),
            NavigationItem(
                "Konto firmy",
                items=[
                    NavigationItem("Profil", "/_gallery/form", "id"),
                    NavigationItem("Zgłoszenia", "/_gallery/empty", "message", count=3),
                    NavigationItem("Połączone aplikacje", "/_gallery/sign-in/email", "apps"),
                ],
            ),
        ],
        "person_menu": PersonMenu(
            name="Anna Nowak",
            email="anna.nowak@example.pl",
            sign_out="/_gallery/forward",
            links=[
                MenuLink("Profil", "/_gallery/form", "user-circle"),
                MenuLink("Bezpieczeństwo logowania", "/_gallery/list", "shield-lock"),
            ],
        ),
    }


def create_gallery(port: int = _PORT) -> Flask:
    """A program that has nothing but the gallery."""
    app = create_app(
        "kernel",
        settings=Settings(secret_keys=SecretStr(new_token())),
        public_url=f"http://localhost:{port}",
    )
    app.register_blueprint(blueprint)
    return app


if __name__ == "__main__":
    sys.stdout.write(f"http://localhost:{_PORT}/_gallery/\n")
    create_gallery().run(port=_PORT)
