"""Checking an authorization request: the client, the exact redirect URI, and only then the rest.

What is wrong before the redirect URI is known to be good is a page of ours (`CannotAnswer`); what
is wrong afterwards goes back to the application (`Refusal`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from idp.clients import redirect_uris
from idp.clients import service as clients
from idp.clients.service import AUTHORIZATION_CODE, REFRESH_TOKEN, RegisteredClient
from idp.contexts.choice import is_account, is_company
from idp.keys import service as keys
from idp.protocol import acr, jwt, pkce, prompts, scopes
from idp.protocol.errors import (
    InvalidRequest,
    InvalidScope,
    InvalidTarget,
    OAuthError,
    RequestNotSupported,
    RequestUriNotSupported,
    UnauthorizedClient,
    UnsupportedResponseType,
)
from idp.protocol.parameters import Parameters
from kernel.database import Reads

QUERY = "query"
FORM_POST = "form_post"
RESPONSE_MODES = (QUERY, FORM_POST)

_LONGEST_MAX_AGE = 10


@dataclass(frozen=True)
class ReturnAddress:
    """Where an answer goes, and what the application wants back with it."""

    client_id: str
    redirect_uri: str
    response_mode: str = QUERY
    state: str | None = None


class CannotAnswer(Exception):
    """Nobody may be redirected: the request is answered by a page that names the reason."""

    def __init__(self, parameter: str, detail: str) -> None:
        super().__init__(f"{parameter}: {detail}")
        self.parameter = parameter
        self.detail = detail


class Refusal(Exception):
    """The application is told that, and why, nothing comes of its request."""

    def __init__(self, to: ReturnAddress, error: OAuthError) -> None:
        super().__init__(str(error))
        self.to = to
        self.error = error


@dataclass(frozen=True)
class AuthorizationRequest:
    """A checked request. It survives in a flow as JSON, and nothing of it is checked again."""

    client_id: str
    redirect_uri: str
    response_mode: str
    state: str | None
    scopes: tuple[str, ...]
    nonce: str | None
    code_challenge: str | None
    prompts: tuple[str, ...]
    max_age: int | None
    acr_values: tuple[str, ...]
    login_hint: str | None
    ui_locales: tuple[str, ...]
    resources: tuple[str, ...]
    hinted_person: str | None
    """Whom `id_token_hint` names."""
    account: str | None = None
    """The context that was asked for."""
    company: str | None = None

    @property
    def to(self) -> ReturnAddress:
        return ReturnAddress(self.client_id, self.redirect_uri, self.response_mode, self.state)

    @property
    def wanted(self) -> acr.Wanted:
        """What the sign-in has to be like."""
        return acr.Wanted(
            acr=acr.acceptable(self.acr_values),
            max_age=self.max_age,
            prompt_login=prompts.LOGIN in self.prompts or prompts.SELECT_ACCOUNT in self.prompts,
            person_id=UUID(self.hinted_person) if self.hinted_person else None,
            login_hint=self.login_hint,
        )

    def as_json(self) -> dict[str, Any]:
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in vars(self).items()
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        values: dict[str, Any] = {
            name: tuple(stored[name]) if isinstance(stored[name], list) else stored[name]
            for name in cls.__dataclass_fields__
            # A flow that began before an upgrade knows nothing of what was added.
            if name in stored
        }
        return cls(**values)


@dataclass(frozen=True)
class _Asked:
    """What a check looks at."""

    parameters: Parameters
    client: RegisteredClient
    issuer: str


def read(at: Reads, parameters: Parameters, *, issuer: str, now: datetime) -> AuthorizationRequest:
    """The request, checked; raises CannotAnswer or Refusal."""
    client = _client(at, parameters)
    redirect_uri = _redirect_uri(client, parameters)
    to = ReturnAddress(client.id, redirect_uri, _response_mode(parameters), _state(parameters))
    asked = _Asked(parameters, client, issuer)
    try:
        for check in CHECKS:
            check(asked)
        hinted_person = _hinted_person(at, asked, now)
    except OAuthError as error:
        raise Refusal(to, error) from error
    return AuthorizationRequest(
        client_id=client.id,
        redirect_uri=redirect_uri,
        response_mode=to.response_mode,
        state=to.state,
        scopes=_granted_scopes(asked),
        nonce=parameters.get("nonce"),
        code_challenge=parameters.get("code_challenge"),
        prompts=_words(parameters, "prompt"),
        max_age=int(parameters["max_age"]) if "max_age" in parameters else None,
        acr_values=_words(parameters, "acr_values"),
        login_hint=parameters.get("login_hint"),
        ui_locales=_words(parameters, "ui_locales"),
        resources=tuple(dict.fromkeys(parameters.resources)),
        hinted_person=hinted_person,
        account=parameters.get("account"),
        company=parameters.get("company"),
    )


def _client(at: Reads, parameters: Parameters) -> RegisteredClient:
    if parameters.repeated == "client_id":
        raise CannotAnswer("client_id", "is repeated")
    client = clients.find(at, parameters.get("client_id"))
    if client is None:
        raise CannotAnswer("client_id", "is missing, unknown or switched off")
    return client


def _redirect_uri(client: RegisteredClient, parameters: Parameters) -> str:
    uri = parameters.get("redirect_uri")
    if uri is None or parameters.repeated == "redirect_uri":
        raise CannotAnswer("redirect_uri", "is missing or repeated")
    if not redirect_uris.is_registered(uri, client.redirect_uris, native=client.is_native):
        raise CannotAnswer("redirect_uri", "is not registered for this application")
    return uri


def _response_mode(parameters: Parameters) -> str:
    # A mode that we don't know is refused later; that answer goes the usual way.
    mode = parameters.get("response_mode", QUERY)
    return mode if mode in RESPONSE_MODES else QUERY


def _state(parameters: Parameters) -> str | None:
    is_one = parameters.repeated != "state" and parameters.too_long != "state"
    return parameters.get("state") if is_one else None


def check_form(asked: _Asked) -> None:
    """Each parameter once, none too long."""
    asked.parameters.check()


def check_no_request_object(asked: _Asked) -> None:
    """OpenID Connect Core §6: what we don't read we must not pass over."""
    if "request" in asked.parameters:
        raise RequestNotSupported("request objects are not supported")
    if "request_uri" in asked.parameters:
        raise RequestUriNotSupported("request_uri is not supported")


def check_response_type(asked: _Asked) -> None:
    """Only the code flow (RFC 9700 §2.1.2)."""
    response_type = asked.parameters.get("response_type")
    if response_type is None:
        raise InvalidRequest("response_type is missing")
    if response_type != "code":
        raise UnsupportedResponseType("only response_type code is supported")
    if AUTHORIZATION_CODE not in asked.client.grant_types:
        raise UnauthorizedClient("the client may not use authorization codes")


def check_response_mode(asked: _Asked) -> None:
    mode = asked.parameters.get("response_mode", QUERY)
    if mode not in RESPONSE_MODES:
        raise InvalidRequest("only response_mode query and form_post are supported")


def check_pkce(asked: _Asked) -> None:
    """RFC 7636 with S256; a missing method would mean plain."""
    challenge = asked.parameters.get("code_challenge")
    method = asked.parameters.get("code_challenge_method")
    if challenge is None and method is None:
        if asked.client.profile.pkce_required:
            raise InvalidRequest("code_challenge is missing")
        return
    if method != "S256":
        raise InvalidRequest("code_challenge_method must be S256")
    if challenge is None or not pkce.is_challenge(challenge):
        raise InvalidRequest("code_challenge is malformed")


def check_scope(asked: _Asked) -> None:
    text = asked.parameters.get("scope", "")
    if not scopes.is_well_formed(text):
        raise InvalidScope("scope is malformed")
    if text and not _granted_scopes(asked):
        raise InvalidScope("the client may ask for none of these scopes")


def check_prompt(asked: _Asked) -> None:
    refusal = prompts.why_refuse(_words(asked.parameters, "prompt"))
    if refusal:
        raise InvalidRequest(refusal)


def check_max_age(asked: _Asked) -> None:
    text = asked.parameters.get("max_age", "0")
    if not (text.isascii() and text.isdecimal()) or len(text) > _LONGEST_MAX_AGE:
        raise InvalidRequest("max_age is not a number of seconds")


def check_resource(asked: _Asked) -> None:
    """RFC 8707 §2: only audiences that this client may ask for."""
    allowed = allowed_audiences(asked.client, asked.issuer)
    if any(resource not in allowed for resource in asked.parameters.resources):
        raise InvalidTarget("the client may not ask for this resource")


def check_context(asked: _Asked) -> None:
    """An account by its id, and perhaps a company of it by its key; of an application that has any."""
    account, company = asked.parameters.get("account"), asked.parameters.get("company")
    if account is None and company is None:
        return
    if asked.client.application is None:
        raise InvalidRequest("the client is of no application that knows accounts")
    if account is None:
        raise InvalidRequest("company without account")
    if not is_account(account) or not (company is None or is_company(company)):
        raise InvalidRequest("account or company is malformed")


CHECKS: tuple[Callable[[_Asked], None], ...] = (
    check_form,
    check_no_request_object,
    check_response_type,
    check_response_mode,
    check_pkce,
    check_scope,
    check_prompt,
    check_max_age,
    check_resource,
    check_context,
)


def allowed_audiences(client: RegisteredClient, issuer: str) -> frozenset[str]:
    """What a token for this client may be good for; the issuer itself means userinfo."""
    return frozenset((*client.audiences, issuer))


def _granted_scopes(asked: _Asked) -> tuple[str, ...]:
    """What was asked for and may be; what is unknown is passed over (OpenID Connect Core §3.1.2.1)."""
    may_refresh = REFRESH_TOKEN in asked.client.grant_types
    return tuple(
        scope
        for scope in scopes.parse(asked.parameters.get("scope"))
        if scope in asked.client.scopes and (may_refresh or scope != scopes.OFFLINE_ACCESS)
    )


def _words(parameters: Parameters, name: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(parameters.get(name, "").split()))


def _hinted_person(at: Reads, asked: _Asked, now: datetime) -> str | None:
    """Whom the hint names. It may have expired; it must be ours and this client's."""
    hint = asked.parameters.get("id_token_hint")
    if hint is None:
        return None
    try:
        claims = jwt.verify(
            hint,
            find_key=keys.ring(at).find,
            typ=(jwt.ID_TOKEN,),
            issuer=asked.issuer,
            audience=asked.client.id,
            now=now,
            expired_is_fine=True,
        )
        return str(UUID(str(claims.get("sub"))))
    except (jwt.NotBelieved, ValueError) as unproven:
        raise InvalidRequest("id_token_hint is not valid") from unproven
