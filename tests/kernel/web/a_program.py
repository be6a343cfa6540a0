"""A small program with one view of each kind."""

import sqlite3
from typing import Any

from flask import Flask, redirect, render_template_string, request
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from sqlalchemy.exc import OperationalError
from wtforms import EmailField, PasswordField, StringField
from wtforms.validators import DataRequired

from kernel.errors import NotFound, Overloaded, TooManyTries
from kernel.settings import Settings
from kernel.web import (
    browser_id,
    create_app,
    csrf_exempt,
    forward,
    public,
    request_facts,
    requires,
)

HERE = "http://localhost:9000"
SECURE = "https://id.example.pl"


class QuestionForm(FlaskForm):  # type: ignore[misc]
    """Three questions at once."""

    email = EmailField("Address", validators=[DataRequired("Type an address.")])
    password = PasswordField("Password", validators=[DataRequired("Type a password.")])
    code = StringField("Code")


FORM_PAGE = """\
{% extends "kernel/layout/bare.html" %}
{% import "kernel/forms.html" as forms with context %}
{% block title %}Questions{% endblock %}
{% block card %}
<h1>Questions</h1>
<form method="post" novalidate>
  {{ forms.csrf() }}{{ forms.summary(form) }}
  {{ forms.field(form.email, autocomplete="username webauthn", help="Your address") }}
  {{ forms.password(form.password, meter=true) }}
  {{ forms.code(form.code, digits=8) }}
  {{ forms.submit("Go") }}
</form>
{% endblock %}
"""


def a_program(public_url: str = HERE, **overrides: Any) -> Flask:
    """The program; `overrides` are arguments of `create_app` and, in `settings_`, settings."""
    values = {"secret_keys": "only for tests, and long enough for that", "metrics_port": 0}
    settings = Settings(**{**values, **overrides.pop("settings_", {})})
    app = create_app("kernel", settings=settings, public_url=public_url, **overrides)
    _add_views(app)
    return app


def _add_views(app: Flask) -> None:
    @app.get("/")
    @public
    def home() -> str:
        return "home"

    @app.route("/form", methods=["GET", "POST"])
    @public
    def form() -> str:
        form = QuestionForm()
        if form.validate_on_submit():
            return "taken"
        return render_template_string(FORM_PAGE, form=form)

    @app.post("/machine")
    @requires("client")
    @csrf_exempt
    def machine() -> dict[str, object]:
        return {"sent": request.get_json(silent=True) is not None}

    @app.post("/strict-json")
    @public
    @csrf_exempt
    def strict_json() -> dict[str, object]:
        return {"sent": request.get_json()}

    @app.get("/undeclared")
    def undeclared() -> str:
        return "secret"

    @app.get("/broken")
    @public
    def broken() -> str:
        raise RuntimeError("SELECT * FROM passwords WHERE hash = 's3cret'")

    @app.get("/busy")
    @public
    def busy() -> str:
        cause = sqlite3.OperationalError("database is locked")
        raise OperationalError("UPDATE passwords", {}, cause)

    @app.get("/missing")
    @public
    def missing() -> str:
        raise NotFound("row 7 belongs to account 12")

    @app.get("/limited")
    @public
    def limited() -> str:
        raise TooManyTries(retry_after=30)

    @app.get("/overloaded")
    @public
    def overloaded() -> str:
        raise Overloaded(retry_after=3)

    @app.get("/browser")
    @public
    def browser() -> str:
        return browser_id()

    @app.get("/facts")
    @public
    def facts() -> dict[str, object]:
        known = request_facts()
        return {"address": known.address, "user_agent": known.user_agent, "id": known.request_id}

    @app.post("/elsewhere")
    @public
    @csrf_exempt
    def elsewhere() -> ResponseReturnValue:
        return redirect("/", code=int(request.args["code"]))

    @app.post("/onward")
    @public
    def onward() -> ResponseReturnValue:
        return forward("https://application.example/callback?code=1&state=%22%27%3Cb%3E")

    @app.get("/api/v1/things")
    @public
    def things() -> str:
        raise NotFound


def token_of(page: str) -> str:
    """The form token in a page."""
    return page.partition('name="csrf_token" value="')[2].partition('"')[0]
