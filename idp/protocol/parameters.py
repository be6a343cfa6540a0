"""Parameters of a protocol request: each at most once, none longer than it needs to be."""

from collections.abc import Iterable, Iterator, Mapping

from idp.protocol.errors import InvalidRequest

# Where a parameter is missing here, `_LONGEST` is its limit.
_LONGEST = 2_000
_LIMITS = {
    "client_id": 64,
    "state": 2_000,
    "nonce": 500,
    "scope": 1_000,
    "login_hint": 320,
    "ui_locales": 200,
    "claims_locales": 200,
    "acr_values": 500,
    "prompt": 100,
    "max_age": 12,
    "response_type": 100,
    "response_mode": 50,
    "display": 50,
    "claims": 8_000,
    "request": 16_384,
    "id_token_hint": 16_384,
    "client_assertion": 16_384,
    "subject_token": 16_384,
    "token": 16_384,
    "access_token": 16_384,
    "code_verifier": 128,
    "code_challenge": 128,
}
_MOST = 60
# RFC 8707 §2 lets a request name several resources.
_MAY_REPEAT = frozenset({"resource"})


class Parameters(Mapping[str, str]):
    """The parameters of one request. An empty value counts as absent (RFC 6749 §3.1)."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._values: dict[str, str] = {}
        self._resources: list[str] = []
        self.repeated: str | None = None
        self.too_long: str | None = None
        self._count = 0
        for name, value in pairs:
            self._take(name, value)

    def _take(self, name: str, value: str) -> None:
        self._count += 1
        if name in _MAY_REPEAT:
            if value:
                self._resources.append(value)
                self._values.setdefault(name, value)
        elif name in self._values:
            self.repeated = self.repeated or name
        else:
            self._values[name] = value
        if len(value) > _LIMITS.get(name, _LONGEST):
            self.too_long = self.too_long or name

    def __getitem__(self, name: str) -> str:
        value = self._values[name]
        if not value:
            raise KeyError(name)
        return value

    def __iter__(self) -> Iterator[str]:
        return (name for name, value in self._values.items() if value)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    @property
    def resources(self) -> tuple[str, ...]:
        """All values of `resource`."""
        return tuple(self._resources)

    def why_refuse(self) -> str | None:
        """Say what is wrong with the request as a whole, or None when nothing is.

        >>> Parameters([("state", "a"), ("state", "a")]).why_refuse()
        'parameter state is repeated'
        >>> Parameters([("nonce", "n" * 501)]).why_refuse()
        'parameter nonce is too long'
        """
        if self._count > _MOST:
            return "too many parameters"
        if self.repeated:
            return f"parameter {self.repeated} is repeated"
        if self.too_long:
            return f"parameter {self.too_long} is too long"
        return None

    def check(self) -> None:
        """Raise InvalidRequest when something is wrong with the request as a whole."""
        refusal = self.why_refuse()
        if refusal:
            raise InvalidRequest(refusal)
