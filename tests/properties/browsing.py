"""Two browsers, what they open, and the record that judges each of their acts."""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import time_machine
from flask import Flask
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from idp.lost_factors import decisions
from idp.protocol import acr
from idp.worker import create_worker
from kernel.mail import Mail
from tenants.database import db
from tenants.outbox import outbox
from tests.idp.provider import CALLBACK, App, claims_of, trade_code
from tests.properties.record import Act, Browser, Company, Flow, Mailed, Record, Somebody, Way


class Browsing:
    """Does what it is told, notes the flows that come up, and asks the record about every answer."""

    def __init__(
        self,
        app: Flask,
        application: App,
        mails: list[Mail],
        *,
        random: Random,
        coordinates: time_machine.Traveller,
        now: datetime,
    ) -> None:
        self.app, self.application, self.mails = app, application, mails
        self.random, self.coordinates = random, coordinates
        self.worker = create_worker(app)
        self.record = Record(app, now)
        self.history: list[str] = []
        self.delivered: tuple[Any, ...] = ()
        self.mails.clear()
        for browser in self.record.browsers:
            self._do(Act(browser), "GET", "/account")

    def _pass(self, time: timedelta) -> None:
        self.coordinates.shift(time)
        self.record.now += time

    def _do(self, act: Act, method: str, url: str, **data: str) -> tuple[TestResponse, str]:
        held = self.record.session_of(act.browser)
        sent: dict[str, Any] = {"data": data} if method == "POST" else {}
        response, url = act.browser.follow(act.browser.open(method, url, **sent), url)
        assert response.status_code < 500
        flow = self._note(url, act, held)
        codes_are_for = "lost" if "/lost-factors/" in url else "sign-in"
        self._deliver(flow or act.flow, codes_are_for=codes_are_for)
        self.record.judge(act, held)
        if url.startswith(CALLBACK):
            self._judge_answer(act, url)
        return response, url

    def _deliver(self, flow: Flow | None, *, codes_are_for: str) -> None:
        """Let the worker send what is new, and read it."""
        with db.reading() as session:
            put = outbox.table.c.created_at
            there = tuple(session.execute(select(func.count(put), func.max(put))).one())
        if there == self.delivered:
            return
        self.delivered = there
        self.worker.run_once(self.record.now)
        self.record.take_mail(self.mails, flow, codes_are_for=codes_are_for)
        self.mails.clear()

    def _note(self, url: str, act: Act, held: Any) -> Flow | None:
        """The flow that the page is in, known from now on."""
        named = parse_qs(urlsplit(url).query).get("flow")
        if not named:
            return None
        known = self._known(url)
        if known is None:
            before = act.flow
            known = Flow(
                named[0],
                owner=act.browser,
                began=self.record.now,
                wants=before.wants if before is not None else act.wants,
                account=before.account if before is not None else act.account,
                about=act.about or (before.about if before is not None else None),
            )
            if known.about is None and held is not None:
                known.about = self.record.email_of(held)
            self.record.flows.append(known)
        return known

    def _judge_answer(self, act: Act, url: str) -> None:
        """An application got a code: what its tokens say is what was proved."""
        answer = parse_qs(urlsplit(url).query)
        if "code" not in answer:
            return
        response = trade_code(self.app.test_client(), self.application, answer["code"][0])
        assert response.status_code == 200, response.get_data(as_text=True)
        claims = claims_of(response.get_json()["id_token"])
        held = self.record.session_of(act.browser)
        assert held is not None, "tokens without a session"
        assert claims["sub"] == str(held.person_id)
        assert claims["acr"] == held.acr
        asked = act.flow if act.flow is not None else act
        assert acr.satisfies(claims["acr"], acr.acceptable(asked.wants)), "less than was asked for"
        self._judge_account(asked.account, claims)

    def _judge_account(self, company: Company | None, claims: dict[str, Any]) -> None:
        """Tokens are for the account that was asked for, and only for who may be there so."""
        assert claims.get("tenant_id") == (company.id if company is not None else None)
        if company is None:
            return
        assert UUID(claims["sub"]) in company.members, "in an account of others"
        age = self.record.now - datetime.fromtimestamp(claims["auth_time"], UTC)
        hours = company.sign_in_hours
        assert hours is None or age <= timedelta(hours=hours), "a sign-in too old for the account"
        self.record.ways.add(Way.ACCOUNT)

    def _known(self, url: str) -> Flow | None:
        named = parse_qs(urlsplit(url).query).get("flow", [""])[0]
        return next((flow for flow in self.record.flows if flow.id == named), None)

    def _cases(self) -> list[decisions.Case]:
        ours = {somebody.id for somebody in self.record.people}
        cases = decisions.cases(now=self.record.now)
        return [case for case in cases if case.request.person_id in ours]

    def _browser(self, number: int) -> Browser:
        return self.record.browsers[number]

    def _person(self, number: int, flow: Flow | None = None) -> Somebody:
        """Mostly whom the flow is about, else anybody."""
        about = self.record.who(flow.about) if flow is not None else None
        if about is not None and number % 3:
            return about
        # Those who can sign in more often than those who can't yet.
        weights = (0, 0, 0, 1, 1, 1, 2, 3, 3, 4, 5, 5)
        return self.record.people[weights[number % len(weights)]]

    def _flow(self, who: int, number: int) -> Flow:
        """Mostly the browser's own newest flow, sometimes the other's, sometimes any."""
        own = [flow for flow in self.record.flows if flow.owner is self._browser(who)]
        others = [flow for flow in self.record.flows if flow.owner is not self._browser(who)]
        mostly = others if number % 8 == 1 else own
        if mostly and number % 8:
            return mostly[-1]
        return self.record.flows[number % len(self.record.flows)]

    def _letters(self, kind: str, *purposes: str) -> list[Mailed]:
        return [
            each
            for each in self.record.mailed
            if each.kind == kind and (not purposes or each.purpose in purposes)
        ]

    def _letter(self, number: int, kind: str, *purposes: str) -> Mailed:
        """Mostly the newest, sometimes an older one."""
        letters = self._letters(kind, *purposes)
        return letters[-1] if number % 4 else letters[number % len(letters)]
