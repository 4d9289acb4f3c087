"""Hands one letter to a server: SMTP (RFC 5321) with STARTTLS (RFC 3207) and AUTH (RFC 4954).

On the event loop and not in a thread, because an attempt has a deadline and a thread cannot be ended.
"""

import asyncio
import socket
import ssl
from asyncio import StreamReader, StreamWriter
from base64 import b64encode
from collections.abc import Awaitable, Callable, Iterable

from routing.notifiers.notifier import Answer, Mail

READY = 220
DONE = 250
SIGNED_IN = 235
GO_ON = 334
SEND = 354
POSITIVE = range(200, 400)
LATER = range(400, 500)
REFUSED = 554
MOST_LINES = 100
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class Reply(Exception):  # noqa: N818 - what the server said, which ends the conversation
    """A reply that is not the one that was hoped for."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(code)
        self.answer = Answer(status=code, body=text.encode())


async def posted(mail: Mail, trust: ssl.SSLContext) -> Answer:
    """What the server said to the letter. `trust`: which certificates are believed."""
    return await _talked(mail, trust, _Conversation.hand_over)


async def greeted(mail: Mail, trust: ssl.SSLContext) -> Answer:
    """What the server says to us, as far as signing in; no letter is begun."""
    return await _talked(mail, trust, _Conversation.introduce)


async def _talked(mail: Mail, trust: ssl.SSLContext, talk: "Talk") -> Answer:
    if mail.username and mail.security == "none" and mail.server not in LOOPBACK:
        return Answer(status=REFUSED, body=b"a password is not sent without TLS")
    try:
        return await _connected(mail, trust, talk)
    except Reply as reply:
        return reply.answer
    except (OSError, EOFError, ValueError, asyncio.LimitOverrunError) as error:
        return Answer(status=0, fault=_fault(error))


async def _connected(mail: Mail, trust: ssl.SSLContext, talk: "Talk") -> Answer:
    at_once = trust if mail.security == "tls" else None
    reader, writer = await asyncio.open_connection(mail.server, mail.port, ssl=at_once)
    try:
        return await talk(_Conversation(reader, writer), mail, trust)
    finally:
        writer.transport.abort()


def _fault(error: Exception) -> str:
    """In words; of an error that is not known only the class, for its own words may hold anything."""
    if isinstance(error, ssl.SSLError):
        return f"TLS: {(error.reason or type(error).__name__).lower().replace('_', ' ')}"
    if isinstance(error, ConnectionRefusedError | socket.gaierror):
        return "cannot connect"
    return type(error).__name__


class _Conversation:
    def __init__(self, reader: StreamReader, writer: StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def introduce(self, mail: Mail, trust: ssl.SSLContext) -> Answer:
        """From the greeting to being signed in, if somebody is to be."""
        await self._expect({READY})
        name = mail.sender.rpartition("@")[2]
        offered = await self._ask(f"EHLO {name}", {DONE})
        if mail.security == "starttls":
            if "STARTTLS" not in _words(offered):
                raise Reply(REFUSED, "the server offers no STARTTLS")
            await self._ask("STARTTLS", {READY})
            await self._writer.start_tls(trust, server_hostname=mail.server)
            offered = await self._ask(f"EHLO {name}", {DONE})
        if mail.username:
            await self._sign_in(mail, _words(offered))
        return Answer(status=DONE)

    async def hand_over(self, mail: Mail, trust: ssl.SSLContext) -> Answer:
        """From the greeting to the end of the letter."""
        await self.introduce(mail, trust)
        await self._ask(f"MAIL FROM:<{mail.sender}>", {DONE})
        await self._address(mail.recipients)
        await self._ask("DATA", {SEND})
        self._writer.write(_stuffed(mail.content) + b".\r\n")
        text = await self._expect({DONE})
        self._writer.write(b"QUIT\r\n")
        return Answer(status=DONE, body=text.encode())

    async def _sign_in(self, mail: Mail, offered: frozenset[str]) -> None:
        if "PLAIN" in offered:
            await self._ask(
                f"AUTH PLAIN {_encoded(f'{chr(0)}{mail.username}{chr(0)}{mail.password}')}", {SIGNED_IN}
            )
        elif "LOGIN" in offered:
            await self._ask("AUTH LOGIN", {GO_ON})
            await self._ask(_encoded(mail.username), {GO_ON})
            await self._ask(_encoded(mail.password), {SIGNED_IN})
        else:
            raise Reply(REFUSED, "the server offers no way to sign in that is known here")

    async def _address(self, recipients: Iterable[str]) -> None:
        """One that is taken is enough; else a refusal that may pass goes before one that will not."""
        refusals: list[Reply] = []
        taken = 0
        for recipient in recipients:
            try:
                await self._ask(f"RCPT TO:<{recipient}>", {DONE, DONE + 1})
                taken += 1
            except Reply as refusal:
                refusals.append(refusal)
        if not taken:
            raise min(refusals, key=lambda each: each.answer.status not in LATER)

    async def _ask(self, command: str, hoped: set[int]) -> str:
        self._writer.write(f"{command}\r\n".encode())
        return await self._expect(hoped)

    async def _expect(self, hoped: set[int]) -> str:
        """The text of the next reply, whose lines all begin with its code.

        Raises:
            Reply: where it is another than was hoped for.
            ValueError, EOFError: where it is none.
        """
        lines: list[str] = []
        for _ in range(MOST_LINES):
            line = (await self._reader.readuntil(b"\n")).decode("utf-8", "replace").rstrip()
            lines.append(line[4:])
            if line[3:4] != "-":
                break
        code, text = int(line[:3]), "\n".join(lines)
        if code not in hoped:
            # A success where another one belongs cannot be trusted either.
            raise Reply(REFUSED if code in POSITIVE else code, text)
        return text


Talk = Callable[[_Conversation, Mail, ssl.SSLContext], Awaitable[Answer]]


def _words(offered: str) -> frozenset[str]:
    """Extensions and their parameters, in capitals; `AUTH=LOGIN` is an old way to write it."""
    return frozenset(offered.upper().replace("=", " ").split())


def _encoded(text: str) -> str:
    return b64encode(text.encode()).decode()


def _stuffed(content: bytes) -> bytes:
    """A line that begins with a dot gets another: a dot alone ends the letter."""
    stuffed = content.replace(b"\r\n.", b"\r\n..")
    return (
        (b"." if stuffed.startswith(b".") else b"")
        + stuffed
        + (b"" if stuffed.endswith(b"\r\n") else b"\r\n")
    )
