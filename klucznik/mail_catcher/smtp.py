"""The SMTP side: takes every mail, for whomever."""

import asyncio
import logging
import threading

from aiosmtpd.smtp import SMTP, Envelope, Session

from kernel import clock
from klucznik.mail_catcher.mailbox import Mailbox

_LARGEST_MAIL = 1_000_000

# It would write down every command, addresses included.
logging.getLogger("mail.log").setLevel(logging.WARNING)


class SmtpServer:
    """An SMTP server in a thread of its own."""

    def __init__(self, mailbox: Mailbox, *, host: str, port: int) -> None:
        self._handler = _Catch(mailbox)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="smtp", daemon=True)
        self._thread.start()
        try:
            self._server = asyncio.run_coroutine_threadsafe(
                self._loop.create_server(self._protocol, host=host, port=port), self._loop
            ).result()
        except OSError:
            self._end_loop()
            raise

    @property
    def port(self) -> int:
        """Where mails are sent to."""
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    def stop(self) -> None:
        """Close everything."""
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._end_loop()

    def _protocol(self) -> SMTP:
        return SMTP(
            self._handler,
            hostname="localhost",
            loop=self._loop,
            data_size_limit=_LARGEST_MAIL,
            enable_SMTPUTF8=True,
        )

    async def _close(self) -> None:
        self._server.close()
        talking = asyncio.all_tasks() - {asyncio.current_task()}
        for task in talking:
            task.cancel()
        await asyncio.gather(*talking, return_exceptions=True)

    def _end_loop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class _Catch:
    """What becomes of a mail."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox

    async def handle_DATA(  # noqa: N802 (aiosmtpd's name)
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        """Keep it."""
        self._mailbox.catch(
            envelope.original_content or b"",
            sender=envelope.mail_from or "",
            recipients=envelope.rcpt_tos,
            now=clock.now(),
        )
        return "250 Caught"
