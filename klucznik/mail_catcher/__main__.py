"""`python -m klucznik.mail_catcher` is `klucznik mail-catcher`."""

from klucznik.mail_catcher.command import mail_catcher

if __name__ == "__main__":
    mail_catcher()
