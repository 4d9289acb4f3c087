"""Letters, handed to a real mail server on loopback, and to servers that behave badly."""

import asyncio
import ssl
import subprocess
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

import msgspec
import pytest
from structlog.testing import capture_logs

from schemas.outcome import Deferred, Delivered, Undeliverable
from streams.delivering.delivery import Courier
from streams.delivering.mailing import _stuffed
from streams.delivering.secrets import environment
from tests.fakes import BODY, NOW, page, update
from tests.fakes_smtp import LOGIN, Post

SUBJECT = "CRITICAL: retail: 35 of 35 sessions fail"
REFERENCE = f"<pag-1@example.com> {SUBJECT}"


@pytest.fixture(scope="session", name="certificate")
def _certificate(tmp_path_factory):
    """A certificate for the loopback address, and its key, in one file."""
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    made = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=mail",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "-", "-out", "-"],
        capture_output=True, check=True,
    )  # fmt: skip
    path.write_bytes(made.stdout)
    return path


@pytest.fixture(name="shown")
def _shown(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.fixture(name="trust")
def _trust(certificate):
    return ssl.create_default_context(cafile=certificate)


@asynccontextmanager
async def courier(server: str, trust=None, bound=timedelta(seconds=10), **more: str):
    variables = {"SMTP_SERVER": server, "SMTP_FROM": "oversight@example.com"} | more
    one = Courier(environment(variables), print, bound=bound, trust=trust)
    try:
        yield one
    finally:
        await one.close()


def mail(**changes):
    return page("email", "ana@example.com, bo@example.com", **changes)


async def test_a_page_and_its_resolution_form_a_thread(shown, trust):
    async with Post().running(shown) as post, courier(post.server, trust) as one:
        delivered = await one.attempt(mail(), NOW)
        assert delivered == Delivered(reference=REFERENCE)
        assert await one.attempt(update(mail(), reference=delivered.reference), NOW) == delivered
        first, second = post.mails
        assert post.recipients == [["ana@example.com", "bo@example.com"]] * 2
        assert first["Subject"] == SUBJECT
        assert second["Subject"] == f"Re: {SUBJECT}"
        assert second["In-Reply-To"] == first["Message-ID"]
        assert BODY in first.get_body(("plain",)).get_content().replace("\r\n", "\n")


@pytest.mark.parametrize("offered", ["PLAIN", "LOGIN"])
async def test_it_signs_in_by_what_the_server_offers(shown, trust, offered):
    login = {"SMTP_USERNAME": LOGIN[0], "SMTP_PASSWORD": LOGIN[1]}
    without = {"auth_exclude_mechanism": {"PLAIN", "LOGIN"} - {offered}, "auth_required": True}
    async with Post().running(shown, **without) as post, courier(post.server, trust, **login) as one:
        assert isinstance(await one.attempt(mail(), NOW), Delivered)
        assert post.signed_in == [offered]


async def test_a_wrong_password_is_final_and_not_repeated_in_any_word(shown, trust, caplog):
    login = {"SMTP_USERNAME": LOGIN[0], "SMTP_PASSWORD": "WRONG-PASSWORD"}
    with capture_logs() as logs:
        async with Post().running(shown) as post, courier(post.server, trust, **login) as one:
            outcome = await one.attempt(mail(), NOW)
    assert isinstance(outcome, Undeliverable)
    assert outcome.reason.startswith("SMTP 535")
    assert "WRONG-PASSWORD" not in str(outcome) + str(logs) + caplog.text


async def test_a_server_without_a_known_way_to_sign_in_is_refused(shown, trust):
    without = {"auth_exclude_mechanism": {"PLAIN", "LOGIN"}}
    async with (
        Post().running(shown, **without) as post,
        courier(post.server, trust, SMTP_USERNAME=LOGIN[0], SMTP_PASSWORD=LOGIN[1]) as one,
    ):
        outcome = await one.attempt(mail(), NOW)
    assert outcome == Undeliverable(reason="SMTP 554 the server offers no way to sign in that is known here")


async def test_tls_from_the_first_byte_on(shown, trust):
    async with Post().running(at_once=shown) as post, courier(post.server, trust, SMTP_SECURITY="tls") as one:
        assert isinstance(await one.attempt(mail(), NOW), Delivered)


async def test_without_starttls_nothing_is_sent(trust):
    async with Post().running() as post, courier(post.server, trust) as one:
        outcome = await one.attempt(mail(), NOW)
        assert outcome == Undeliverable(reason="SMTP 554 the server offers no STARTTLS")
        assert post.mails == []


async def test_no_password_goes_out_without_tls():
    login = {"SMTP_USERNAME": LOGIN[0], "SMTP_PASSWORD": LOGIN[1]}
    async with courier("mail.example", SMTP_SECURITY="none", **login) as one:
        outcome = await one.attempt(mail(), NOW)
    assert outcome == Undeliverable(reason="SMTP 554 a password is not sent without TLS")


async def test_a_certificate_that_nobody_trusts_is_told(shown):
    async with Post().running(shown) as post, courier(post.server) as one:
        outcome = await one.attempt(mail(), NOW)
        assert outcome == Deferred(reason="TLS: certificate verify failed")
        assert post.mails == []


async def test_a_greylisting_server_takes_the_same_letter_later():
    post = Post(at_data=["451 4.7.1 later", "452 full"])
    async with post.running() as post, courier(post.server, SMTP_SECURITY="none") as one:
        outcomes = [await one.attempt(msgspec.structs.replace(mail(), attempt=n), NOW) for n in (1, 2, 3)]
        assert outcomes == [
            Deferred(reason="SMTP 451 4.7.1 later"),
            Deferred(reason="SMTP 452 full"),
            Delivered(reference=REFERENCE),
        ]
        assert [each["Message-ID"] for each in post.mails] == ["<pag-1@example.com>"]


@pytest.mark.parametrize(
    ("replies", "outcome"),
    [
        (["550 who?", "250 OK"], Delivered(reference=REFERENCE)),
        (["550 who?", "550 who?"], Undeliverable(reason="SMTP 550 who?")),
        (["550 who?", "450 busy"], Deferred(reason="SMTP 450 busy")),
    ],
)
async def test_one_recipient_that_is_taken_is_enough(replies, outcome):
    async with Post(at_rcpt=replies).running() as post, courier(post.server, SMTP_SECURITY="none") as one:
        assert await one.attempt(mail(), NOW) == outcome


@asynccontextmanager
async def talking(*lines: bytes, hang: str = ""):
    """A server that says these lines, one for each that it hears, and ends."""

    async def serve(reader, writer):
        writers.append(writer)
        with suppress(ConnectionError):
            for line in lines:
                writer.write(line)
                await writer.drain()
                await reader.read(1000)
            if hang:
                await over.wait()
        writer.close()

    writers, over = [], asyncio.Event()
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        over.set()
        for writer in writers:
            writer.close()
        await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ((b"421 closing\r\n",), Deferred(reason="SMTP 421 closing")),
        ((b"220 hello\r\n",), Deferred(reason="IncompleteReadError")),
        ((b"hello there\r\n",), Deferred(reason="ValueError")),
        ((b"220 " + b"x" * 100_000,), Deferred(reason="LimitOverrunError")),
        ((b"220-x\r\n" * 200,), Undeliverable(reason="SMTP 554 x x")),
        ((b"220 hello\r\n", b"250 ok\r\n", b"354 go on\r\n"), Undeliverable(reason="SMTP 554 go on")),
    ],
    ids=[
        "closes",
        "hangs up",
        "talks nonsense",
        "never ends a line",
        "never ends a reply",
        "answers out of turn",
    ],
)
async def test_a_server_that_behaves_badly(lines, reason):
    async with talking(*lines) as server, courier(server, SMTP_SECURITY="none") as one:
        outcome = await one.attempt(mail(), NOW)
        assert type(outcome) is type(reason)
        assert outcome.reason.startswith(reason.reason)


async def test_a_server_that_hangs_ends_with_the_attempt():
    async with (
        talking(b"220 hello\r\n", hang="yes") as server,
        courier(server, SMTP_SECURITY="none", bound=timedelta(milliseconds=300)) as one,
    ):
        assert await one.attempt(mail(), NOW) == Deferred(reason="timed out")


async def test_a_server_that_is_not_there():
    async with talking() as server:
        pass
    async with courier(server, SMTP_SECURITY="none") as one:
        assert await one.attempt(mail(), NOW) == Deferred(reason="cannot connect")


def test_a_dot_alone_ends_no_letter():
    assert _stuffed(b".a\r\n.\r\nb.\r\n..") == b"..a\r\n..\r\nb.\r\n...\r\n"
    assert _stuffed(b"a\r\n") == b"a\r\n"
