"""Mail: written in the reader's language as text and HTML, sent by SMTP to exactly one mailbox.

    subject, text, html = render_mail("registration/link", locale, link=link)
    send_mail(settings, Mail(to=…, subject=subject, text=text, html=html, message_id=message.id))

A mail's templates are `mail/<name>.subject.txt`, `mail/<name>.txt` and `mail/<name>.html`, in any
package; the last two extend `kernel/mail/layout.txt` and `kernel/mail/layout.html`. Sending waits
for a server, so it is for the outbox's worker and never for a request or a transaction.
"""

from kernel.mail.message import Mail, NotOneMailbox
from kernel.mail.rendering import RenderedMail, render_mail
from kernel.mail.smtp import MailRefused, mail_server, send_mail

__all__ = [
    "Mail",
    "MailRefused",
    "NotOneMailbox",
    "RenderedMail",
    "mail_server",
    "render_mail",
    "send_mail",
]
