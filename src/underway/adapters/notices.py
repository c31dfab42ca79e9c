"""Ways of telling a notice: a webhook, a mail, a command. Nothing here raises a URL or a secret."""

import smtplib
import ssl
from collections.abc import Mapping
from email.message import EmailMessage
from typing import Final

import msgspec
import requests

from underway.adapters.program import run_program
from underway.errors import UnreachableError
from underway.model.backup import MailPolicy
from underway.model.notice import Notice

_PATIENCE_S: Final = 20.0
_COMMAND_S: Final = 60.0


class _Document(msgspec.Struct, frozen=True):
    """What a webhook and a command get. `text` is what chat services show."""

    app: str
    event: str
    text: str
    code: str
    time: str
    version: int = 1


def encoded(notice: Notice) -> bytes:
    """The notice as JSON."""
    text = f"{notice.title}\n{notice.text}"
    return msgspec.json.encode(
        _Document(notice.app, notice.kind.value, text, notice.code, notice.moment)
    )


def post(notice: Notice, url: str) -> None:
    """POST it as JSON; UnreachableError `notify-failed` without the URL."""
    try:
        answer = requests.post(
            url,
            data=encoded(notice),
            headers={"Content-Type": "application/json"},
            timeout=_PATIENCE_S,
            allow_redirects=False,
        )
    except (requests.RequestException, ValueError, UnicodeError) as error:
        # The cause would show the URL, which may be a secret.
        raise UnreachableError(
            "notify-failed", f"the webhook was not reached ({type(error).__name__})"
        ) from None
    if not answer.ok or answer.is_redirect:
        raise UnreachableError("notify-failed", f"the webhook answered {answer.status_code}")


def send_mail(notice: Notice, mail: MailPolicy, password: str) -> None:
    """Send it as a mail over TLS; UnreachableError `notify-failed`."""
    message = EmailMessage()
    message["Subject"] = notice.title
    message["From"] = mail.sender
    message["To"] = ", ".join(mail.to)
    message.set_content(f"{notice.text}\n\n{notice.moment} {notice.code}\n")
    trust = ssl.create_default_context()
    try:
        with _connected(mail, trust) as server:
            if mail.user:
                server.login(mail.user, password)
            server.send_message(message)
    except (OSError, smtplib.SMTPException) as error:
        raise UnreachableError(
            "notify-failed", f"no mail was sent by {mail.host}:{mail.port}: {type(error).__name__}"
        ) from None


def _connected(mail: MailPolicy, trust: ssl.SSLContext) -> smtplib.SMTP:
    if mail.is_tls_from_start:
        return smtplib.SMTP_SSL(mail.host, mail.port, timeout=_PATIENCE_S, context=trust)
    server = smtplib.SMTP(mail.host, mail.port, timeout=_PATIENCE_S)
    try:
        server.starttls(context=trust)
    except (OSError, smtplib.SMTPException):
        server.close()
        raise
    return server


def run_command(notice: Notice, command: tuple[str, ...], environ: Mapping[str, str]) -> None:
    """Run a command with the notice on its input; UnreachableError `notify-failed`."""
    env = {**environ, "UNDERWAY_NOTICE": notice.kind.value, "UNDERWAY_APP": notice.app}
    done = run_program(command, stdin=encoded(notice), env=env, timeout_s=_COMMAND_S)
    if done.exit_code:
        raise UnreachableError("notify-failed", f"`{command[0]}` ended with {done.exit_code}")
