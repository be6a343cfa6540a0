"""`klucznik mail-catcher`: catch mails until it is told to stop."""

import os
import signal
import threading
from types import FrameType

import click

from kernel.errors import Misconfigured
from klucznik.mail_catcher.server import serve
from klucznik.settings import StartSettings


@click.command()
@click.option("--until-stdin-closes", is_flag=True, hidden=True)
def mail_catcher(*, until_stdin_closes: bool) -> None:
    """Catch mails over SMTP and show them on a page. For demonstrations only."""
    start = StartSettings()
    if start.production:
        raise Misconfigured("the mail catcher sends nothing on; production needs a mail server")
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGINT, _end)
    with serve(start.smtp_port, start.mail_catcher_port, start.host) as catcher:
        if until_stdin_closes:
            threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()
        click.echo(f"Mails are read at http://localhost:{catcher.http_port}")
        catcher.wait()


def _end(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


def _end_with_parent() -> None:
    """Our parent holds the other end of our input, so it closes however the parent ends."""
    # Not by sys.stdin, whose lock this thread would hold while the interpreter ends.
    while os.read(0, 4_096):
        continue
    os.kill(os.getpid(), signal.SIGTERM)
