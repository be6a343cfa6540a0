"""The pages that prove a mailbox, for whoever needs it proved: address → mail → code or link.

Registration and reset have them under their own names and in their own words; what they do is the
same. Known and unknown addresses get the same answers.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from idp.flows import service as flows
from idp.flows.service import FlowState
from idp.mailbox import link_cookie
from idp.mailbox import service as mailbox
from idp.mailbox.forms import AddressForm, CodeForm
from idp.mailbox.service import LinkSpent, NoFlow, Purpose
from idp.sessions.browser import this_browser
from kernel import clock
from kernel.crypto import hash_token
from kernel.i18n import _
from kernel.web import browser_id, error_page, public, toast
from tenants.database import db
from tenants.people.address import NotAnAddress


@dataclass(frozen=True)
class MailboxPages:
    """What the mailbox is proved for, and in which words. `blueprint` has a view `password` next."""

    blueprint: Blueprint
    path: str
    purpose: Purpose
    address_page: str
    code_page: str
    confirm_page: str

    def add(self) -> None:
        """Give them to the blueprint."""
        for path, method, name, view in (
            ("", "GET", "address", self._address),
            ("", "POST", "submit_address", self._submit_address),
            ("/code", "GET", "code", self._code),
            ("/code", "POST", "submit_code", self._submit_code),
            ("/code/send", "POST", "send_again", self._send_again),
            ("/confirm", "GET", "open_link", self._open_link),
            ("/confirm", "POST", "confirm_link", self._confirm_link),
        ):
            rule = f"{self.path}{path}"
            self.blueprint.add_url_rule(rule, name, _publicly(view), methods=[method])

    def to(self, view: str, flow_id: object) -> Response:
        """Lead to one of these pages, or to the blueprint's own."""
        return make_response(redirect(url_for(f"{self.blueprint.name}.{view}", flow=flow_id), 303))

    def _address(self) -> ResponseReturnValue:
        """Ask for the address. Nothing else is needed to begin (ID-1)."""
        form = AddressForm()
        flow = _flow(clock.now())
        if flow is not None:
            form.email.data = flow.email
        return render_template(self.address_page, form=form, flow=flow)

    def _submit_address(self) -> ResponseReturnValue:
        """Have a mail sent. Known and unknown addresses get the same answer, at the same cost."""
        now = clock.now()
        form = AddressForm()
        try:
            return self.to("code", self._ask(form.email.data or "", now))
        except NotAnAddress:
            form.email.errors = [
                _("This is not an e-mail address. It looks like name@example.com.")
            ]
        return make_response(render_template(self.address_page, form=form, flow=_flow(now)), 422)

    def _code(self) -> ResponseReturnValue:
        """Say that a mail is on its way, and take its code."""
        flow = _load(clock.now())
        if flow.email is None:
            return self.to("address", flow.id)
        return self._code_form(CodeForm(), flow)

    def _submit_code(self) -> ResponseReturnValue:
        """Check the code."""
        now = clock.now()
        flow_id = request.args.get("flow")
        form = CodeForm()
        try:
            proved = mailbox.prove_by_code(
                flow_id,
                purpose=self.purpose,
                text=(form.code.data or "")[:100],
                browser=this_browser(now),
                now=now,
            )
        except NoFlow:
            return self.to("address", flow_id)
        if proved:
            return self.to("password", flow_id)
        form.code.errors = [
            _("This code is not right, or it has expired. Check it, or have a new one sent.")
        ]
        return make_response(self._code_form(form, _load(now)), 422)

    def _send_again(self) -> ResponseReturnValue:
        """Have another mail sent to the same address."""
        flow_id = request.args.get("flow")
        try:
            self._ask(None, clock.now())
        except NoFlow:
            return self.to("address", flow_id)
        toast(_("If a new code was needed, it is on its way."))
        return self.to("code", flow_id)

    def _open_link(self) -> ResponseReturnValue:
        """A mailed link: the token leaves the address, and nothing is spent by looking."""
        without_token = link_cookie.take_over(f"{self.blueprint.name}.open_link")
        if without_token is not None:
            return without_token
        if not mailbox.is_link_open(link_cookie.kept(), purpose=self.purpose, now=clock.now()):
            return self._link_spent()
        return render_template(self.confirm_page)

    def _confirm_link(self) -> ResponseReturnValue:
        """Spend the link."""
        now = clock.now()
        try:
            flow_id = mailbox.prove_by_link(
                link_cookie.kept(),
                purpose=self.purpose,
                browser=this_browser(now),
                return_to=url_for("account.profile"),
                now=now,
            )
        except LinkSpent:
            return self._link_spent()
        response = self.to("password", flow_id)
        link_cookie.drop(response)
        return response

    def _code_form(self, form: CodeForm, flow: FlowState) -> str:
        return render_template(self.code_page, form=form, flow=flow, steps=self.blueprint.name)

    def _ask(self, email: str | None, now: datetime) -> object:
        return mailbox.ask(
            request.args.get("flow"),
            purpose=self.purpose,
            email=email,
            browser=this_browser(now),
            return_to=url_for("account.profile"),
            now=now,
        ).flow_id

    def _link_spent(self) -> Response:
        return error_page(
            400,
            title=_("This link does not work any more"),
            reason=_("It was used already, an hour has passed, or a newer mail has replaced it."),
            way_out=_("Have a new mail sent."),
            link=url_for(f"{self.blueprint.name}.address"),
            link_text=_("Have a new mail sent"),
            code="link_spent",
        )


def _publicly(view: Callable[[], ResponseReturnValue]) -> Callable[[], ResponseReturnValue]:
    """A bound method takes no marks, a function does."""

    @public
    def open_to_all() -> ResponseReturnValue:
        return view()

    return open_to_all


def _flow(now: datetime) -> FlowState | None:
    return _load(now) if request.args.get("flow") else None


def _load(now: datetime) -> FlowState:
    with db.reading() as session:
        return flows.load(session, request.args.get("flow"), hash_token(browser_id()), now)
