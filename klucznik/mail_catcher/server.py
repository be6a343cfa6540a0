"""Starting and stopping the catcher: an SMTP server and a small web server, in threads."""

import socket
import threading
from types import TracebackType
from typing import Any, Self

from flask import Flask
from pydantic import SecretStr
from werkzeug.serving import WSGIRequestHandler, make_server

from kernel.crypto import new_token
from kernel.settings import Settings
from kernel.web import create_app
from klucznik.mail_catcher import pages
from klucznik.mail_catcher.mailbox import Mailbox
from klucznik.mail_catcher.smtp import SmtpServer


class MailCatcher:
    """A running catcher. `stop()` it, or use it as a context."""

    def __init__(self, *, smtp_port: int, http_port: int, host: str) -> None:
        self.mailbox = Mailbox()
        self._smtp = SmtpServer(self.mailbox, host=host, port=smtp_port)
        try:
            with socket.create_server((host, http_port)) as listener:
                self.http_port: int = listener.getsockname()[1]
                self._web = make_server(
                    host,
                    self.http_port,
                    create_pages(self.mailbox, port=self.http_port),
                    threaded=True,
                    request_handler=_Quiet,
                    fd=listener.fileno(),
                )
        except BaseException:
            self._smtp.stop()
            raise
        self._thread = threading.Thread(target=self._web.serve_forever, name="mails", daemon=True)
        self._thread.start()

    @property
    def smtp_port(self) -> int:
        """Where mails are sent to."""
        return self._smtp.port

    def wait(self) -> None:
        """Stay until a signal ends it."""
        self._thread.join()

    def stop(self) -> None:
        """Take no more mails, and forget those that were caught."""
        self._smtp.stop()
        self._web.shutdown()
        self._thread.join()
        self._web.server_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _value: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.stop()


def serve(smtp_port: int = 9025, http_port: int = 9003, host: str = "127.0.0.1") -> MailCatcher:
    """Start catching mails; a port of 0 takes any that is free."""
    return MailCatcher(smtp_port=smtp_port, http_port=http_port, host=host)


def create_pages(mailbox: Mailbox, *, port: int) -> Flask:
    """The web side, as an application like our others."""
    # Nothing outlives the process, so its secrets need not either.
    settings = Settings().model_copy(update={"secret_keys": SecretStr(new_token())})
    app = create_app(
        "klucznik",
        settings=settings,
        public_url=f"http://localhost:{port}",
        known_hosts=[f"127.0.0.1:{port}", f"[::1]:{port}"],
    )
    app.extensions[pages.MAILBOX] = mailbox
    app.register_blueprint(pages.blueprint)
    return app


class _Quiet(WSGIRequestHandler):
    """Our own log line for each request is enough."""

    def log(self, type: str, message: str, *args: Any) -> None:
        """Write nothing."""
