"""A real mail server on loopback (aiosmtpd); failures are data.

`at_rcpt` and `at_data` are replies in order, such as `"451 later"`; when they have run out all is taken.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest

from tests.conftest import IN_CI

try:
    from aiosmtpd.smtp import SMTP, AuthResult
except ImportError:
    if IN_CI:
        raise
    pytest.skip(
        "MAIL SERVER ABSENT: install agent-oversight[dev]; this was NOT tested", allow_module_level=True
    )

LOOPBACK = "127.0.0.1"
LOGIN = ("oversight", "smtp-pass-word")


class Post:
    """A mail server that keeps what it takes."""

    def __init__(self, *, at_rcpt: Sequence[str] = (), at_data: Sequence[str] = ()) -> None:
        self.at_rcpt = list(at_rcpt)
        self.at_data = list(at_data)
        self.mails: list[EmailMessage] = []
        self.recipients: list[list[str]] = []
        self.signed_in: list[str] = []
        self.server = ""

    @asynccontextmanager
    async def running(
        self, tls: ssl.SSLContext | None = None, *, at_once: ssl.SSLContext | None = None, **options: Any
    ) -> AsyncIterator["Post"]:
        """`tls`: for STARTTLS; `at_once`: from the first byte on. `options`: of aiosmtpd's SMTP."""
        options |= {"tls_context": tls, "authenticator": self._sign_in, "hostname": "mail.example"}
        talks: list[SMTP] = []

        def protocol() -> SMTP:
            talks.append(SMTP(self, loop=asyncio.get_running_loop(), **options))
            return talks[-1]

        make = asyncio.get_running_loop().create_server
        listening = await make(protocol, LOOPBACK, 0, ssl=at_once)
        self.server = f"{LOOPBACK}:{listening.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            listening.close()
            for talk in talks:
                if talk.transport is not None:
                    talk.transport.abort()
            await asyncio.sleep(0.01)

    def _sign_in(self, server, session, envelope, mechanism, data) -> AuthResult:
        del server, session, envelope
        well = (data.login.decode(), data.password.decode()) == LOGIN
        self.signed_in += [mechanism] if well else []
        return AuthResult(success=well, handled=False)

    async def handle_RCPT(self, server, session, envelope, address, rcpt_options) -> str:  # noqa: N802 - its name
        del server, session, rcpt_options
        reply = self.at_rcpt.pop(0) if self.at_rcpt else "250 OK"
        if reply.startswith("2"):
            envelope.rcpt_tos.append(address)
        return reply

    async def handle_DATA(self, server, session, envelope) -> str:  # noqa: N802 - its name
        del server, session
        reply = self.at_data.pop(0) if self.at_data else "250 OK"
        if reply.startswith("2"):
            self.mails.append(message_from_bytes(envelope.content, policy=default))
            self.recipients.append(envelope.rcpt_tos)
        return reply
