"""A notice reaches real servers: HTTP, SMTP over TLS, a command; what fails tells no secret."""

import json
import socket
import ssl
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope

from tests.certificates import Authority
from tests.unit.backup.sample import APP, policy
from underway.model.backup import MailPolicy, NotifyPolicy, SensitiveSource, SourceKind
from underway.model.notice import Notice, NoticeKind
from underway.wiring.notifying import Notices
from underway.wiring.options import SessionOptions

NOTICE = Notice(APP, NoticeKind.FAILED, "the disk is full", "2026-12-01T03:00:00Z", "backup-x")
TOKEN, PASSWORD = "sesame-token", "sesame-word"


def source(name: str) -> SensitiveSource:
    return SensitiveSource(SourceKind.VARIABLE, (name,))


def told(said: NotifyPolicy, **environ: str) -> tuple[str, ...]:
    made = policy()
    made = type(made)(made.repository, made.password, notify=said)
    return Notices(made, SessionOptions(environ=environ))(NOTICE)


@contextmanager
def hook(status: int) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A server that answers `status`; its URL, and the documents that came."""
    came: list[dict[str, Any]] = []

    class Taker(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            came.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(status)
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Taker)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/{TOKEN}", came
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("status", [200, 204])
def test_a_webhook_gets_the_notice(status: int) -> None:
    with hook(status) as (url, came):
        assert told(NotifyPolicy(webhook=source("URL")), URL=url) == ()
    (document,) = came
    assert document["event"] == "failed"
    assert (document["app"], document["code"], document["version"]) == (APP, "backup-x", 1)
    assert "the disk is full" in document["text"]


@pytest.mark.parametrize("status", [302, 404, 500])
def test_a_webhook_that_does_not_take_it_is_told_without_its_url(status: int) -> None:
    with hook(status) as (url, came):
        (why,) = told(NotifyPolicy(webhook=source("URL")), URL=url)
    assert len(came) == 1, "a redirect is not followed"
    assert str(status) in why
    assert TOKEN not in why
    (why,) = told(NotifyPolicy(webhook=source("URL")), URL=url)
    assert "not reached" in why
    assert TOKEN not in why


@dataclass
class Post:
    """Takes mails from whoever knows the password."""

    envelopes: list[Envelope] = field(default_factory=list)

    async def handle_DATA(self, server: SMTP, session: object, envelope: Envelope) -> str:  # noqa: N802
        del server, session
        self.envelopes.append(envelope)
        return "250 taken"

    def knows(self, *given: Any) -> AuthResult:
        return AuthResult(success=given[-1].password == PASSWORD.encode(), handled=False)


def free_port() -> int:
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        return int(asked.getsockname()[1])


@contextmanager
def post_office(trust: ssl.SSLContext, *, from_start: bool) -> Iterator[tuple[int, Post]]:
    taker = Post()
    tls = {"ssl_context": trust} if from_start else {"tls_context": trust, "require_starttls": True}
    office = Controller(
        taker,
        hostname="127.0.0.1",
        port=free_port(),
        authenticator=taker.knows,
        auth_required=True,
        auth_require_tls=not from_start,
        **tls,
    )
    office.start()
    try:
        yield office.port, taker
    finally:
        office.stop()


@pytest.mark.parametrize("from_start", [True, False])
def test_a_mail_goes_over_tls_to_a_server_that_is_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, from_start: bool
) -> None:
    authority = Authority.made(tmp_path / "authority")
    shown = authority.vouches(tmp_path / "server", "serverAuth", "IP:127.0.0.1")
    trust = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trust.load_cert_chain(shown / "cert.pem", shown / "key.pem")
    with post_office(trust, from_start=from_start) as (port, taker):
        sender, to = "underway@example.com", ("team@example.com",)
        mail = MailPolicy(
            to, sender, "127.0.0.1", port, from_start, "underway", source("WORD")
        )  # fmt: skip
        (why,) = told(NotifyPolicy(mail=mail), WORD=PASSWORD)
        assert "SSLCertVerificationError" in why, "a server that nobody vouches for"
        monkeypatch.setenv("SSL_CERT_FILE", str(shown / "ca.pem"))
        assert told(NotifyPolicy(mail=mail), WORD=PASSWORD) == ()
        (why,) = told(NotifyPolicy(mail=mail), WORD="wrong")
        assert "SMTPAuthenticationError" in why
    (envelope,) = taker.envelopes
    assert (envelope.mail_from, envelope.rcpt_tos) == (sender, list(to))
    content = envelope.content
    assert isinstance(content, bytes)
    assert b"Subject: backups of libra: failed" in content
    assert b"the disk is full" in content


def test_a_command_gets_the_notice_and_one_that_fails_is_told(tmp_path: Path) -> None:
    out = tmp_path / "told"
    script = "import sys, os; open(sys.argv[1], 'wb').write(sys.stdin.buffer.read())"
    assert told(NotifyPolicy((sys.executable, "-c", script, str(out)))) == ()
    assert json.loads(out.read_text())["event"] == "failed"
    failing = (sys.executable, "-c", "raise SystemExit(3)")
    missing = ("/no/such/program",)
    assert "ended with 3" in told(NotifyPolicy(failing))[0]
    assert told(NotifyPolicy(missing))


def test_one_way_that_fails_keeps_no_other_from_working() -> None:
    with hook(200) as (url, came):
        said = NotifyPolicy(("/no/such/program",), source("URL"))
        assert len(told(said, URL=url)) == 1
        assert len(told(said)) == 2, "a URL that is not set is told, too"
    assert len(came) == 1
