"""Mail servers that take mails, refuse them, or say nothing."""

import asyncio
import ssl
import threading
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


class MailServer:
    """A real SMTP server on loopback. `refuse` is what it says to a recipient."""

    def __init__(
        self,
        *,
        refuse: str = "",
        tls: ssl.SSLContext | None = None,
        starttls: ssl.SSLContext | None = None,
        login: tuple[str, str] | None = None,
    ) -> None:
        self.mails: list[Envelope] = []
        self.logins: list[tuple[bytes, bytes]] = []
        self._refuse = refuse
        self._login = login
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        options: dict[str, Any] = {"tls_context": starttls}
        if login is not None:
            options |= {"auth_require_tls": False, "authenticator": self._check}
        self._server = self._run(
            self._loop.create_server(
                lambda: SMTP(self, loop=self._loop, **options), "127.0.0.1", 0, ssl=tls
            )
        )
        self.port: int = self._server.sockets[0].getsockname()[1]

    async def handle_RCPT(  # noqa: N802 (aiosmtpd's name)
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        _options: list[str],
    ) -> str:
        if self._refuse:
            return self._refuse
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 (aiosmtpd's name)
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        self.mails.append(envelope)
        return "250 OK"

    def _check(self, _server: SMTP, _s: Session, _e: Envelope, _m: str, given: Any) -> AuthResult:
        assert isinstance(given, LoginPassword)
        self.logins.append((given.login, given.password))
        expected = tuple(word.encode() for word in self._login or ())
        return AuthResult(success=(given.login, given.password) == expected)

    def _run(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    async def _end(self) -> None:
        self._server.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def close(self) -> None:
        self._run(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
