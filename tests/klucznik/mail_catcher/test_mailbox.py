from datetime import timedelta
from email.message import EmailMessage

from klucznik.mail_catcher.mailbox import Mailbox
from tests.conftest import NOON

TWO_PARTS = EmailMessage()
TWO_PARTS["Subject"] = "Zażółć"
TWO_PARTS["Message-ID"] = "<7@id.example>"
TWO_PARTS.set_content("Cześć\n")
TWO_PARTS.add_alternative("<p>Cześć</p>\n", subtype="html")


def catch(mailbox: Mailbox, number: int = 0, content: bytes | None = None, to=("anna@b.example",)):
    mailbox.catch(
        TWO_PARTS.as_bytes() if content is None else content,
        sender="no-reply@id.example",
        recipients=to,
        now=NOON + timedelta(seconds=number),
    )


def test_a_mail_is_taken_apart():
    mailbox = Mailbox()

    catch(mailbox)

    (mail,) = mailbox.newest_first()
    assert (mail.to, mail.sender, mail.subject) == (
        "anna@b.example",
        "no-reply@id.example",
        "Zażółć",
    )
    assert (mail.text, mail.html) == ("Cześć\n", "<p>Cześć</p>\n")
    assert (mail.sent_at, mail.message_id) == (NOON, "<7@id.example>")


def test_a_mail_to_two_is_two_mails():
    mailbox = Mailbox()

    catch(mailbox, to=("anna@b.example", "bob@b.example"))

    assert [mail.to for mail in mailbox.newest_first()] == ["bob@b.example", "anna@b.example"]


def test_the_newest_mail_comes_first_and_addresses_pick():
    mailbox = Mailbox()
    for number in range(4):
        catch(mailbox, number, to=(f"{number % 2}@b.example",))

    times = [(mail.sent_at - NOON).seconds for mail in mailbox.newest_first()]
    picked = [(mail.sent_at - NOON).seconds for mail in mailbox.newest_first(" 1@B.example ")]

    assert times == [3, 2, 1, 0]
    assert picked == [3, 1]
    assert mailbox.newest_first("nobody@b.example") == []


def test_a_mail_is_found_by_its_number_until_it_is_forgotten():
    mailbox = Mailbox(most=2)
    for number in range(3):
        catch(mailbox, number)
    newest, older = mailbox.newest_first()

    assert mailbox.find(newest.number) == newest
    assert mailbox.find(older.number - 1) is None


def test_memory_is_bounded_by_bytes_too():
    mailbox = Mailbox(most_bytes=10_000)

    for number in range(20):
        catch(mailbox, number, content=b"Subject: x\r\n\r\n" + b"x" * 1_000)

    assert len(mailbox.newest_first()) == 6


def test_everything_can_be_forgotten():
    mailbox = Mailbox()
    catch(mailbox)

    mailbox.clear()

    assert mailbox.newest_first() == []


def test_a_mail_of_one_part_has_no_other():
    mailbox = Mailbox()

    catch(mailbox, content=b"Subject: x\r\nContent-Type: text/html\r\n\r\n<b>x</b>")

    assert [(mail.text, mail.html) for mail in mailbox.newest_first()] == [("", "<b>x</b>")]


def test_what_is_hardly_a_mail_is_kept_all_the_same():
    mailbox = Mailbox()

    for content in (
        b"",
        b"\xff\xfe\x00",
        b"Content-Type: text/plain; charset=klingon\r\n\r\n\xc5\xbc",
    ):
        catch(mailbox, content=content)

    assert mailbox.newest_first()[0].text == "ż"
    assert len(mailbox.newest_first()) == 3
