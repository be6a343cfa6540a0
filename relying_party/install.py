"""Makes a program a relying party: its services put together, its routes and its guard."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import cast

from flask import Flask, Response, current_app, request, url_for
from flask.typing import ResponseReturnValue

from kernel.database import Database
from kernel.i18n import lazy_gettext as lazy
from kernel.observability.logs import get_logger
from kernel.outgoing import Outgoing
from kernel.settings import split_list
from kernel.web import error_page
from kernel.web.origin import Origin
from relying_party.client import CALLBACK_PATH, Client
from relying_party.context_switch import views as context_views
from relying_party.contexts import context as contexts_in_paths
from relying_party.contexts.current import work_or_none
from relying_party.errors import (
    AttemptUnknown,
    ContextOver,
    IdentityUnreachable,
    MayNot,
    SessionOver,
    SignInDeclined,
    SignInFailed,
)
from relying_party.grants.api_client import ApiClient
from relying_party.grants.models import AccessTokenMixin, GrantMixin
from relying_party.grants.service import Grants
from relying_party.guard import Guard, to_sign_in
from relying_party.logout import views as logout_views
from relying_party.logout.service import Logout
from relying_party.provider import userinfo
from relying_party.provider.client_assertion import ClientKey
from relying_party.provider.published import Provider
from relying_party.provider.token_endpoint import TokenEndpoint
from relying_party.provider.userinfo import Userinfo
from relying_party.revocations.models import RevocationMixin, SeenTokenMixin
from relying_party.revocations.service import Revocations
from relying_party.security_events import views as security_event_views
from relying_party.security_events.feed import Feed
from relying_party.security_events.models import EventFeedMixin
from relying_party.security_events.service import SecurityEvents
from relying_party.sessions.models import SessionMixin
from relying_party.sessions.service import Sessions
from relying_party.settings import RelyingPartySettings
from relying_party.sign_in import views as sign_in_views
from relying_party.sign_in.attempts import Attempts
from relying_party.sign_in.models import SignInAttemptMixin
from relying_party.sign_in.service import OnEntry, SignIn

log = get_logger(__name__)

NEW_ACCOUNT_PATH = "/accounts/new"
"""Where the portal lets somebody create an account."""

_EXTENSION = "klucznik.relying_party"


@dataclass(frozen=True)
class Tables:
    """A program's own tables, made of our mixins."""

    session: type[SessionMixin]
    grant: type[GrantMixin]
    access_token: type[AccessTokenMixin]
    sign_in_attempt: type[SignInAttemptMixin]
    revocation: type[RevocationMixin]
    seen_token: type[SeenTokenMixin]
    event_feed: type[EventFeedMixin]


class RelyingParty:
    """The services of one application, each made once."""

    def __init__(
        self,
        *,
        db: Database,
        tables: Tables,
        settings: RelyingPartySettings,
        client: Client,
        on_entry: OnEntry | None = None,
    ) -> None:
        self._db = db
        self._tables = tables
        self._settings = settings
        self.portal_url = settings.portal_url
        self._on_entry = on_entry
        self._vault = settings.vault()
        self.client = client
        self.outgoing = Outgoing(_trusting_our_own(settings))
        self.provider = Provider(
            settings.issuer, algorithm=settings.id_token_algorithm, outgoing=self.outgoing
        )

    @cached_property
    def sessions(self) -> Sessions:
        return Sessions(
            self._db,
            self._tables.session,
            vault=self._vault,
            idle=self._settings.session_idle,
            absolute=self._settings.session_absolute,
        )

    @cached_property
    def revocations(self) -> Revocations:
        return Revocations(self._tables.revocation, self._tables.seen_token)

    @cached_property
    def token_endpoint(self) -> TokenEndpoint:
        key = ClientKey.from_text(self.client.client_id, self.client.key)
        return TokenEndpoint(self.provider, key, self.outgoing)

    @cached_property
    def grants(self) -> Grants:
        return Grants(
            self._db,
            self._tables.grant,
            self._tables.access_token,
            sessions=self.sessions,
            token_endpoint=self.token_endpoint,
            ask_userinfo=self._ask_userinfo,
            main_audience=self.client.main_audience,
            vault=self._vault,
        )

    def _ask_userinfo(self, access_token: str, now: datetime) -> Userinfo:
        return userinfo.ask(self.provider, self.outgoing, access_token=access_token, now=now)

    @cached_property
    def sign_in(self) -> SignIn:
        return SignIn(
            self._db,
            self.client,
            attempts=Attempts(self._tables.sign_in_attempt, vault=self._vault),
            provider=self.provider,
            token_endpoint=self.token_endpoint,
            outgoing=self.outgoing,
            sessions=self.sessions,
            grants=self.grants,
            revocations=self.revocations,
            on_entry=self._on_entry,
        )

    @cached_property
    def logout(self) -> Logout:
        return Logout(
            self._db,
            self.client,
            provider=self.provider,
            sessions=self.sessions,
            grants=self.grants,
            revocations=self.revocations,
        )

    @cached_property
    def feed(self) -> Feed:
        return Feed(
            self._db,
            self._tables.event_feed,
            issuer=self.provider.issuer,
            silence=timedelta(seconds=self._settings.feed_silence_seconds),
        )

    @cached_property
    def security_events(self) -> SecurityEvents:
        return SecurityEvents(
            self._db,
            self.client,
            provider=self.provider,
            sessions=self.sessions,
            grants=self.grants,
            revocations=self.revocations,
            feed=self.feed,
        )

    def api(self, audience: str) -> ApiClient:
        """A client for the API of an audience, with the signed-in person's own tokens."""
        return ApiClient(self.grants, self.outgoing, audience=audience)


def install(app: Flask, party: RelyingParty, *, identity_api: str, home: str) -> None:
    """Give the program its sign-in, sign-out, its contexts and the guard before its views.

    `home` is the endpoint at which work in an account begins.
    """
    contexts_in_paths.set_up(app)
    app.extensions[context_views.EXTENSION] = context_views.Contexts(
        grants=party.grants,
        api=party.api(identity_api),
        application=party.client.application,
        waiting_url=f"{party.provider.issuer}/account/invitations",
        new_account_url=f"{party.portal_url}{NEW_ACCOUNT_PATH}",
        home=home,
    )
    app.register_blueprint(context_views.blueprint)
    app.context_processor(context_views.shell)
    app.extensions[_EXTENSION] = party
    app.extensions[sign_in_views.EXTENSION] = party.sign_in
    app.extensions[logout_views.EXTENSION] = party.logout
    app.extensions[security_event_views.EXTENSION] = party.security_events
    app.register_blueprint(sign_in_views.blueprint)
    app.register_blueprint(logout_views.blueprint)
    app.register_blueprint(security_event_views.blueprint)
    app.register_error_handler(IdentityUnreachable, _say_unreachable)
    app.register_error_handler(SignInFailed, _say_failed)
    app.register_error_handler(ContextOver, _say_context_over)
    app.register_error_handler(MayNot, _say_may_not)
    app.register_error_handler(SessionOver, _sign_in_again)
    Guard(party.sessions, party.grants, party.feed, program=app.name).watch(app)


def _trusting_our_own(settings: RelyingPartySettings) -> RelyingPartySettings:
    """The programs that the operator named may be on this machine, or in a private network."""
    own = [Origin.of(url) for url in (settings.issuer, settings.portal_url, settings.crm_url)]
    names = [f"{origin.host}:{origin.port}" for origin in own]
    listed = split_list(settings.outgoing_allowed_hosts)
    return settings.model_copy(update={"outgoing_allowed_hosts": ",".join([*listed, *names])})


def relying_party_of(app: Flask) -> RelyingParty:
    """What `install` put together."""
    return cast(RelyingParty, app.extensions[_EXTENSION])


def _say_unreachable(error: IdentityUnreachable) -> Response:
    """A page that says what is the matter; it never leads back here by itself."""
    log.warning("identity_unreachable", detail=error.detail)
    response = error_page(
        error.status,
        title=lazy("We can't check who you are right now"),
        reason=lazy("The program that signs people in is not answering, so this page can't open."),
        way_out=lazy("Nothing was lost. Try again in a moment."),
        link=_try_again(),
        link_text=lazy("Try again"),
        code=error.reason,
    )
    response.headers["Retry-After"] = str(error.retry_after)
    return response


def _say_context_over(error: ContextOver) -> Response:
    log.info("context_over", detail=error.detail)
    return error_page(
        error.status,
        title=lazy("You have no access to this account"),
        reason=lazy("Perhaps it was ended or blocked by an administrator of the account."),
        way_out=lazy("Ask them if you need it. Your ID and your other accounts are as before."),
        link=url_for("contexts.page"),
        link_text=lazy("Choose an account"),
        code=error.reason,
    )


def _sign_in_again(error: SessionOver) -> ResponseReturnValue:
    """The session ended while its request was being answered."""
    log.info("session_over", detail=error.detail)
    return to_sign_in()


def _say_may_not(error: MayNot) -> Response:
    log.info("permission_missing", detail=error.detail)
    work = work_or_none()
    return error_page(
        error.status,
        title=lazy("Your role here does not include this"),
        reason=lazy("The page is there for people with another permission."),
        way_out=lazy("An administrator of the account can change your role."),
        link=context_views.address(work.context) if work else "/",
        link_text=lazy("Back to the start"),
        code=error.reason,
    )


def _say_failed(error: SignInFailed) -> Response:
    log.warning("sign_in_failed", reason=error.reason, detail=error.detail)
    party = relying_party_of(current_app)
    if isinstance(error, SignInDeclined) and error.error == "access_denied" and error.in_account:
        return _say_context_over(ContextOver(error.detail))
    if isinstance(error, SignInDeclined) and error.error == "access_denied":
        if party.client.public_url != party.portal_url:
            return error_page(
                error.status,
                title=lazy("The application was not opened"),
                reason=lazy("No company account was chosen, or the sign-in was cancelled."),
                way_out=lazy("The portal shows your accounts, and what you can open in them."),
                link=f"{party.portal_url}{url_for('contexts.page')}",
                link_text=lazy("Go to the portal"),
                code=error.reason,
            )
        return error_page(
            error.status,
            title=lazy("You did not sign in"),
            reason=lazy("The sign-in was cancelled, so this application was not opened."),
            link="/login",
            link_text=lazy("Sign in"),
            code=error.reason,
        )
    if isinstance(error, AttemptUnknown):
        reason = lazy(
            "It took too long, was begun in another browser, or its page was opened twice."
        )
    else:
        reason = lazy("What came back from it could not be trusted, so nobody was signed in.")
    return error_page(
        error.status,
        title=lazy("The sign-in could not be finished"),
        reason=reason,
        way_out=lazy("Begin again; it takes only a moment."),
        link="/login",
        link_text=lazy("Sign in"),
        code=error.reason,
    )


def _try_again() -> str:
    if request.path == CALLBACK_PATH or request.method not in {"GET", "HEAD"}:
        return "/"
    return request.full_path.removesuffix("?")
