"""The steps of signing in, each by either of two browsers, in its own flow or in the other's."""

import contextlib
import re
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, TypeVar
from urllib.parse import urlencode

import pyotp

from idp.access import service as access
from idp.access.service import How
from idp.credentials.lost_factors import State
from idp.lost_factors import decisions
from idp.protocol import acr
from tenants.database import db
from tests.idp.provider import a_query
from tests.properties.browsing import Browsing
from tests.properties.record import (
    CHALLENGE_LIVES,
    PASSWORDS,
    Act,
    Browser,
    Flow,
    Mailed,
    Offer,
    Somebody,
)

EITHER, ANY, YES_OR_NO = range(2), range(1000), (True, False)
_WITH_APP, _FIRST, _NEW, _WITH_KEY = 3, 7, 9, 10

Acting = TypeVar("Acting", bound=Callable[..., None])
Choices = dict[str, Sequence[Any]]
_actions: list[tuple[str, int, Choices]] = []


def action(*, often: int = 1, **choices: Sequence[Any]) -> Callable[[Acting], Acting]:
    """What may happen next, `often` as likely as anything else, with one of each of the choices."""

    def note(act: Acting) -> Acting:
        _actions.append((act.__name__, often, choices))
        return act

    return note


class Signing(Browsing):
    """Two browsers at work: what each may do next, by chance."""

    def act(self) -> None:
        """Do something, by chance."""
        name, _, choices = self.random.choices(_actions, [often for _, often, _ in _actions])[0]
        chosen = {word: self.random.choice(values) for word, values in choices.items()}
        self.history.append(f"{name} {chosen}")
        getattr(self, name)(**chosen)
        self._pass(timedelta(seconds=1))

    @action(minutes=[1, 1, 4, 6, 11, 16, 61, 24 * 60, 73 * 60])
    def wait(self, minutes: int) -> None:
        self._pass(timedelta(minutes=minutes))

    @action(
        who=EITHER,
        page=["", "/password", "/authenticator", "/sessions", "/security"],
    )
    def open_own_page(self, who: int, page: str) -> None:
        self._do(Act(self._browser(who)), "GET", f"/account{page}")

    @action(
        who=EITHER,
        wanted=[(), (acr.MAIL_CODE,), (acr.TWO_FACTOR,)],
        more=[{}, {"prompt": "login"}, {"max_age": "60"}],
    )
    def enter_application(self, who: int, wanted: tuple[str, ...], more: dict[str, str]) -> None:
        query = a_query(self.application, acr_values=" ".join(wanted) or None, **more)
        act = Act(self._browser(who), wants=wanted)
        self._do(act, "GET", f"/authorize?{urlencode(query)}")

    @action(often=2, who=EITHER, which=range(3), more=[{}, {"prompt": "none"}])
    def enter_account(self, who: int, which: int, more: dict[str, str]) -> None:
        """One that asks for a strong sign-in, one for a fresh one, and one where nobody belongs."""
        company = self.record.companies[which]
        wants = (acr.TWO_FACTOR,) if which == 0 else ()
        query = a_query(self.application, account=company.id, **more)
        act = Act(self._browser(who), wants=wants, account=company)
        self._do(act, "GET", f"/authorize?{urlencode(query)}")

    @action(who=EITHER, which=ANY)
    def go_on(self, who: int, which: int) -> None:
        flow = self._flow(who, which)
        self._do(Act(self._browser(who), flow), "GET", f"/authorize?flow={flow.id}")

    @action(who=EITHER, which=ANY, person=ANY)
    def give_address(self, who: int, which: int, person: int) -> None:
        flow = self._flow(who, which)
        somebody = self._person(person)
        if flow.is_open_to(self._browser(who), self.record.now):
            flow.take_address(somebody.email)
        act = Act(self._browser(who), flow)
        self._do(act, "POST", f"/sign-in?flow={flow.id}", email=somebody.email)

    @action(
        who=EITHER,
        which=ANY,
        person=ANY,
        typed=["right", "right", "right", *PASSWORDS],
        at_once=YES_OR_NO,
    )
    def give_password(self, who: int, which: int, person: int, typed: str, at_once: bool) -> None:
        flow = self._flow(who, which)
        about = self._person(person, flow) if at_once else self.record.who(flow.about)
        if typed == "right":
            known = (about.password or about.temporary) if about is not None else None
            typed = known or PASSWORDS[0]
        self._send_password(self._browser(who), flow, about, typed, at_once=at_once)

    @action(often=4, who=EITHER, which=ANY, person=ANY, remember=YES_OR_NO)
    def step_further(self, who: int, which: int, person: int, remember: bool) -> None:
        """What somebody would do who wants to get in, so that much else happens half-way."""
        flow = self._flow(who, which)
        somebody = flow.password_of
        if somebody is None:
            somebody = self._person(person, flow)
            typed = somebody.password or somebody.temporary or PASSWORDS[0]
            self._send_password(self._browser(who), flow, somebody, typed, at_once=True)
        elif somebody.app is not None:
            act = Act(self._browser(who), flow, remember=remember)
            self._show_code(act, somebody, "paper" if person % 3 == 0 else "app")
            self._send_code(act)
        elif self._letters("code"):
            self._send_mailed_code(self._browser(who), flow, self._letters("code")[-1], remember)

    @action(often=4, who=EITHER, person=ANY, remember=YES_OR_NO)
    def get_in(self, who: int, person: int, remember: bool) -> None:
        """All the way, in a flow of its own: what follows meets somebody who is signed in."""
        browser = self._browser(who)
        self._do(Act(browser), "POST", "/sign-out")
        self._do(Act(browser), "GET", "/account")
        for _ in range(2):
            self.step_further(who=who, which=2, person=person, remember=remember)

    @action(often=2, who=EITHER, person=ANY, new=PASSWORDS, by_link=YES_OR_NO)
    def reset(self, who: int, person: int, new: str, by_link: bool) -> None:
        """Forget a password, and set another one by mail."""
        self.ask_for_mail(who=who, which=0, person=person, way="reset", afresh=True)
        if by_link and self._letters("link", "reset"):
            self.prove_mailbox_by_link(who=who, letter=1)
        elif self._letters("code"):
            self.prove_mailbox_by_code(who=who, which=2, letter=1)
        self.set_password(who=who, which=2, new=new, way="reset")

    @action(
        who=EITHER,
        which=ANY,
        person=ANY,
        kind=["app", "app", "app-before", "app-old", "paper", "paper-used", "x"],
        remember=YES_OR_NO,
    )
    def give_code(self, who: int, which: int, person: int, kind: str, remember: bool) -> None:
        flow = self._flow(who, which)
        somebody = self._person(person, flow)
        act = Act(self._browser(who), flow, remember=remember)
        self._show_code(act, somebody, kind)
        self._send_code(act)

    @action(who=EITHER, which=ANY, letter=ANY, remember=YES_OR_NO)
    def give_mailed_code(self, who: int, which: int, letter: int, remember: bool) -> None:
        if not self._letters("code"):
            return
        mailed = self._letter(letter, "code")
        self._send_mailed_code(self._browser(who), self._flow(who, which), mailed, remember)

    @action(who=EITHER, which=ANY)
    def have_code_sent(self, who: int, which: int) -> None:
        flow = self._flow(who, which)
        self._do(Act(self._browser(who), flow), "POST", f"/sign-in/code/send?flow={flow.id}")

    @action(
        who=EITHER,
        which=ANY,
        person=ANY,
        way=["reset", "register"],
        afresh=YES_OR_NO,
    )
    def ask_for_mail(self, who: int, which: int, person: int, way: str, afresh: bool) -> None:
        somebody, browser = self._person(person), self._browser(who)
        flow = self._flow(who, which) if self.record.flows and not afresh else None
        if flow is not None and flow.is_open_to(browser, self.record.now):
            if flow.about != somebody.email:
                flow.mailbox_of = flow.mailbox_for = None
            flow.take_address(somebody.email)
        query = f"?flow={flow.id}" if flow is not None else ""
        act = Act(browser, flow, about=somebody.email)
        self._do(act, "POST", f"/{way}{query}", email=somebody.email)

    @action(who=EITHER, which=ANY, letter=ANY)
    def prove_mailbox_by_code(self, who: int, which: int, letter: int) -> None:
        if not self._letters("code"):
            return
        flow, mailed, browser = (
            self._flow(who, which),
            self._letter(letter, "code"),
            self._browser(who),
        )
        way = mailed.purpose if mailed.purpose in ("reset", "register") else "reset"
        is_open = flow.is_open_to(browser, self.record.now)
        is_right = flow.about == mailed.to and mailed.purpose == way
        if is_open and is_right and self.record.counts(mailed, flow=flow):
            flow.mailbox_of, flow.mailbox_for = mailed.to, way
        act = Act(browser, flow)
        self._do(act, "POST", f"/{way}/code?flow={flow.id}", code=mailed.secret)

    @action(who=EITHER, letter=ANY)
    def prove_mailbox_by_link(self, who: int, letter: int) -> None:
        if not self._letters("link", "reset", "register"):
            return
        mailed = self._letter(letter, "link", "reset", "register")
        browser = self._browser(who)
        somebody = self.record.who(mailed.to)
        assert somebody is not None
        counts = self.record.counts(mailed) and mailed.secret not in somebody.spent
        browser.open("GET", f"/{mailed.purpose}/confirm?token={mailed.secret}")
        _, url = self._do(Act(browser, about=mailed.to), "POST", f"/{mailed.purpose}/confirm")
        flow = self._known(url)
        if flow is not None:
            assert counts, "a link that no longer counts"
            somebody.spent.add(mailed.secret)
            flow.take_address(mailed.to)
            flow.mailbox_of, flow.mailbox_for = mailed.to, mailed.purpose

    @action(
        who=EITHER,
        which=ANY,
        new=PASSWORDS,
        way=["reset", "register"],
    )
    def set_password(self, who: int, which: int, new: str, way: str) -> None:
        flow = self._flow(who, which)
        act = Act(self._browser(who), flow, typed=new)
        self._do(act, "POST", f"/{way}/password?flow={flow.id}", new_password=new)

    @action(
        who=EITHER,
        current=["right", "right", *PASSWORDS],
        new=PASSWORDS,
        person=ANY,
        kind=["app", "app", "app-old", "paper", "x"],
    )
    def change_password(self, who: int, current: str, new: str, person: int, kind: str) -> None:
        browser = self._browser(who)
        held = self.record.session_of(browser)
        owner = next(
            (each for each in self.record.people if held and each.id == held.person_id), None
        )
        typed = (
            (owner.password if owner else None) or PASSWORDS[0] if current == "right" else current
        )
        act = Act(browser, typed=new)
        self._show_code(act, self._person(person), kind)
        if owner is not None and typed == owner.password:
            act.shown |= {"current-password"}
        self._do(
            act, "POST", "/account/password", password=typed, new_password=new, code=act.secret
        )  # fmt: skip

    @action(who=EITHER)
    def add_app(self, who: int) -> None:
        browser = self._browser(who)
        page, _ = self._do(Act(browser), "GET", "/account/authenticator")
        key = re.search(r"\b((?:[A-Z2-7]{4} ){7}[A-Z2-7]{4})\b", page.get_data(as_text=True))
        if key is None:
            return
        new_app = pyotp.TOTP(key[1].replace(" ", ""))
        step = int(self.record.now.timestamp()) // 30
        code = new_app.generate_otp(step)
        act = Act(browser, shown=frozenset({"new-app"}), secret=code, step=step, new_app=new_app)
        self._do(act, "POST", "/account/authenticator", code=code)

    @action(how=tuple(How))
    def give_first_access(self, how: How) -> None:
        """A program gives access, again and again, to somebody who may have none yet."""
        somebody = self.record.people[3]
        fresh = access.prepare(how)
        with contextlib.suppress(access.HasOwnAccess), db.transaction() as session:
            assert somebody.id is not None
            given = access.give(
                session, person_id=somebody.id, fresh=fresh, by="client:crm", now=self.record.now
            )
            if given.sent:
                somebody.temporary = fresh.secret or None
        self.record.accept_hashes()
        self._deliver(None, codes_are_for="nothing")

    @action(who=EITHER, which=ANY, new=PASSWORDS)
    def set_own_password(self, who: int, which: int, new: str) -> None:
        flow = self._flow(who, which)
        act = Act(self._browser(who), flow, typed=new)
        self._do(act, "POST", f"/sign-in/new-password?flow={flow.id}", new_password=new)

    @action(who=EITHER, letter=ANY, new=PASSWORDS)
    def use_welcome_link(self, who: int, letter: int, new: str) -> None:
        if not self._letters("link", "welcome"):
            return
        mailed, browser = self._letter(letter, "link", "welcome"), self._browser(who)
        act = Act(browser, whose=self.record.who(mailed.to), typed=new, secret=mailed.secret)
        if self.record.counts(mailed) and act.whose and mailed.secret not in act.whose.spent:
            act.shown = frozenset({"welcome"})
        browser.open("GET", f"/welcome?token={mailed.secret}")
        self._do(act, "POST", "/welcome", new_password=new)

    @action(who=EITHER, letter=ANY)
    def say_it_was_not_me(self, who: int, letter: int) -> None:
        if not self._letters("link", "not-me"):
            return
        mailed, browser = self._letter(letter, "link", "not-me"), self._browser(who)
        somebody = self.record.who(mailed.to)
        assert somebody is not None
        browser.open("GET", f"/not-me?token={mailed.secret}")
        act = Act(browser, whose=somebody, about=mailed.to)
        if self.record.counts(mailed) and mailed.secret not in somebody.spent:
            act.shown = frozenset({"not-me"})
            self.record.shut(somebody)
            somebody.spent.add(mailed.secret)
        _, url = self._do(act, "POST", "/not-me")
        flow = self._known(url)
        assert (flow is not None) == bool(act.shown)
        if flow is not None:
            flow.mailbox_of, flow.mailbox_for = mailed.to, "reset"

    @action(who=EITHER, which=ANY)
    def say_factors_are_lost(self, who: int, which: int) -> None:
        """As far as somebody gets who knows the password and reads the mail."""
        flow, browser = self._flow(who, which), self._browser(who)
        act = Act(browser, flow)
        self._do(act, "POST", f"/lost-factors/code/send?flow={flow.id}")
        for mailed in self._letters("code", "lost")[-1:]:
            is_open = flow.is_open_to(browser, self.record.now) and flow.password_of
            if is_open and self.record.counts(mailed, flow=flow):
                flow.mailbox_of, flow.mailbox_for = mailed.to, "lost"
            self._do(act, "POST", f"/lost-factors/code?flow={flow.id}", code=mailed.secret)
        self._do(act, "POST", f"/lost-factors/request?flow={flow.id}", contact="600 100 200")

    @action(is_good=YES_OR_NO)
    def decide(self, is_good: bool) -> None:
        """The operator saw a proof, or saw none."""
        if not any(case.request.state(self.record.now) is State.ASKED for case in self._cases()):
            return
        for case in self._cases():
            if case.request.state(self.record.now) is not State.ASKED:
                continue
            now = self.record.now
            if not is_good:
                decisions.refuse(case.request.id, reason="no proof", by="ola@office", now=now)
                continue
            decisions.approve(case.request.id, proof="identity card", by="ola@office", now=now)
            for somebody in self.record.people:
                if somebody.id == case.request.person_id:
                    somebody.approved_at = now

    @action(who=EITHER, which=ANY)
    def go_on_without_factors(self, who: int, which: int) -> None:
        flow = self._flow(who, which)
        act = Act(self._browser(who), flow, whose=flow.password_of, shown=frozenset({"lost"}))
        self._do(act, "POST", f"/lost-factors/finish?flow={flow.id}")

    @action(who=EITHER, new=PASSWORDS)
    def register(self, who: int, new: str) -> None:
        """All the way to an ID, the first time; later the mailbox is told that there is one."""
        self.ask_for_mail(who=who, which=0, person=_NEW, way="register", afresh=True)
        if self._letters("link", "register"):
            self.prove_mailbox_by_link(who=who, letter=1)
            self.set_password(who=who, which=2, new=new, way="register")

    @action(often=2, who=EITHER, which=ANY, alone=YES_OR_NO)
    def ask_for_passkey(self, who: int, which: int, alone: bool) -> None:
        """Have a page hand out a challenge."""
        flow = self._flow(who, which)
        url = "/sign-in/passkey/options" if alone else "/sign-in/code/passkey/options"
        response, _ = self._do(Act(self._browser(who), flow), "POST", f"{url}?flow={flow.id}")
        if response.status_code == 200 and response.is_json:
            offer = Offer(response.get_json(), flow, alone, self.record.now)
            self.record.offers.append(offer)

    @action(often=2, who=EITHER, which=ANY, offered=ANY, alone=YES_OR_NO, remember=YES_OR_NO)
    def show_passkey(self, who: int, which: int, offered: int, alone: bool, remember: bool) -> None:
        """Answer a challenge: mostly the newest, sometimes an old one, or one of the other's."""
        offers, somebody = self.record.offers, self._person(_WITH_KEY)
        if not offers or somebody.key is None:
            return
        flow, browser = self._flow(who, which), self._browser(who)
        offer = offers[-1] if offered % 4 else offers[offered % len(offers)]
        act = Act(browser, flow, whose=somebody, remember=remember, secret=offer.challenge)
        is_young = self.record.now < offer.at + CHALLENGE_LIVES
        if offer.flow is flow and offer.alone == alone and is_young:
            act.shown = frozenset({"passkey-alone" if alone else "passkey"})
        if flow.is_open_to(browser, self.record.now) and alone and act.shown:
            flow.take_address(somebody.email)
        url = "/sign-in/passkey" if alone else "/sign-in/code"
        fields = {"credential": somebody.key.show(offer.options)}
        fields |= {"remember": "y"} if remember else {}
        self._do(act, "POST", f"{url}?flow={flow.id}", **fields)

    @action(often=2, who=EITHER, alone=YES_OR_NO, remember=YES_OR_NO)
    def get_in_with_passkey(self, who: int, alone: bool, remember: bool) -> None:
        """All the way, with the passkey alone or after the password."""
        browser = self._browser(who)
        self._do(Act(browser), "POST", "/sign-out")
        self._do(Act(browser), "GET", "/account")
        flow, somebody = self._flow(who, 2), self._person(_WITH_KEY)
        if not alone:
            typed = somebody.password or PASSWORDS[0]
            self._send_password(browser, flow, somebody, typed, at_once=True)
        self.ask_for_passkey(who=who, which=2, alone=alone)
        self.show_passkey(who=who, which=2, offered=1, alone=alone, remember=remember)

    @action(often=2, who=EITHER, new=PASSWORDS, how=tuple(How))
    def start(self, who: int, new: str, how: How) -> None:
        """What the first mail of a program asks for."""
        self.give_first_access(how=how)
        if how is How.WELCOME_LINK and self._letters("link", "welcome"):
            self.use_welcome_link(who=who, letter=1, new=new)
            return
        flow, somebody = self._flow(who, 2), self._person(_FIRST)
        typed = somebody.temporary or PASSWORDS[0]
        self._send_password(self._browser(who), flow, somebody, typed, at_once=True)
        self.set_own_password(who=who, which=2, new=new)

    @action(often=2, who=EITHER)
    def step_up(self, who: int) -> None:
        """Enter an application that wants more than the session has."""
        wanted = (acr.MAIL_CODE,)
        self.enter_application(who=who, wanted=wanted, more={})
        self.have_code_sent(who=who, which=2)
        if self._letters("code"):
            self.give_mailed_code(who=who, which=2, letter=1, remember=False)

    @action(who=EITHER, is_patient=YES_OR_NO, is_good=YES_OR_NO)
    def lose_factors(self, who: int, is_patient: bool, is_good: bool) -> None:
        """Ask for the removal of an app, wait (long enough or not), and use it."""
        for _ in range(2):
            self._do(Act(self._browser(who)), "POST", "/sign-out")
            self._do(Act(self._browser(who)), "GET", "/account")
            flow, somebody = self._flow(who, 2), self._person(_WITH_APP)
            typed = somebody.password or PASSWORDS[0]
            self._send_password(self._browser(who), flow, somebody, typed, at_once=True)
            self.say_factors_are_lost(who=who, which=2)
            self.go_on_without_factors(who=who, which=2)
            self.decide(is_good=is_good)
            self.wait(73 * 60 if is_patient else 71 * 60)

    @action(
        who=EITHER,
        what=["/account/authenticator/remove", "/account/sessions/end-others", "/sign-out"],
    )
    def press(self, who: int, what: str) -> None:
        self._do(Act(self._browser(who)), "POST", what)

    def _send_password(
        self,
        browser: Browser,
        flow: Flow,
        somebody: Somebody | None,
        typed: str,
        *,
        at_once: bool,
    ) -> None:
        """The password alone, or at once with the address."""
        is_open = flow.is_open_to(browser, self.record.now)
        if at_once and is_open and somebody is not None:
            flow.take_address(somebody.email)
        if is_open and somebody is not None and somebody.password == typed:
            flow.password_of = somebody
        if is_open and somebody is not None and somebody.temporary == typed:
            flow.temporary_of = somebody
        act = Act(browser, flow)
        if at_once and somebody is not None:
            url = f"/sign-in?flow={flow.id}"
            self._do(act, "POST", url, email=somebody.email, password=typed)
        else:
            self._do(act, "POST", f"/sign-in/password?flow={flow.id}", password=typed)

    def _send_mailed_code(
        self, browser: Browser, flow: Flow, mailed: Mailed, remember: bool
    ) -> None:
        act = Act(browser, flow, remember=remember, secret=mailed.secret)
        act.whose = self.record.who(mailed.to)
        if mailed.purpose == "sign-in" and self.record.counts(mailed, flow=flow):
            act.shown = frozenset({"mail-code"})
        self._send_code(act)

    def _show_code(self, act: Act, somebody: Somebody, kind: str) -> None:
        act.whose, act.secret = somebody, "123456"
        if kind.startswith("app") and somebody.app is not None:
            now_step = int(self.record.now.timestamp()) // 30
            act.step = now_step - {"app": 0, "app-before": 1, "app-old": 3}[kind]
            act.secret = somebody.app.generate_otp(act.step)
            if act.step >= now_step - 1:
                act.shown = frozenset({"app-code"})
        if kind.startswith("paper"):
            left = [code for code in somebody.sheet if code not in somebody.spent]
            used = [code for code in somebody.sheet if code in somebody.spent]
            act.secret = next(iter(used if kind == "paper-used" else left), "AAAA-BBBB-CCCC-DDDD")
            if act.secret in left:
                act.shown = frozenset({"paper-code"})

    def _send_code(self, act: Act) -> None:
        assert act.flow is not None
        fields = {"code": act.secret} | ({"remember": "y"} if act.remember else {})
        self._do(act, "POST", f"/sign-in/code?flow={act.flow.id}", **fields)
