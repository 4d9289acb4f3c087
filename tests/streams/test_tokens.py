"""Bearer tokens for the brokers, from a file or from a server on loopback."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from streams.hosting.tokens import BearerFile, ClientCredentials, Granted, NoToken
from streams.hosting.variables import Hidden

SECRET = "a word that nobody sees"  # noqa: S105 - it guards nothing


class Server:
    """Gives tokens as a schedule has it: bodies as they are, numbers as statuses."""

    def __init__(self, *schedule: object) -> None:
        self.asked = 0
        self._schedule = list(schedule)

    async def answer(self, request: web.Request) -> web.Response:
        self.asked += 1
        assert dict(await request.post())["grant_type"] == "client_credentials"
        step = self._schedule.pop(0) if len(self._schedule) > 1 else self._schedule[0]
        if isinstance(step, int):
            return web.Response(status=step, headers={"Location": "/elsewhere"})
        return web.json_response(step)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        app = web.Application()
        app.router.add_post("/token", self.answer)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        try:
            yield f"{site.name}/token"
        finally:
            await runner.cleanup()


async def test_a_file_is_read_anew_each_time(tmp_path):
    path = tmp_path / "token"
    for text in ("one\n", "two"):
        path.write_text(text)
        assert await BearerFile(str(path)).token() == text.strip()


async def test_a_file_without_a_token_is_told_by_its_name(tmp_path):
    path = tmp_path / "token"
    with pytest.raises(NoToken, match=f"^OVERSIGHT_KAFKA_OAUTH_TOKEN_FILE: {path} cannot be read: FileNot"):
        await BearerFile(str(path)).token()
    path.write_text(" ")
    with pytest.raises(NoToken, match=f"{path} is empty; expected a token"):
        await BearerFile(str(path)).token()


async def test_a_token_is_kept_for_most_of_its_life_and_then_replaced():
    server, now_s = Server({"access_token": "a", "expires_in": "100"}, {"access_token": "b"}), [0.0]
    async with server.running() as url:
        tokens = ClientCredentials(url, "us", Hidden(SECRET), "", lambda: now_s[0])
        for at_s, token, asked in (
            (0.0, "a", 1),
            (79.0, "a", 1),
            (80.0, "b", 2),
            (379.0, "b", 2),
            (380.0, "b", 3),
        ):
            now_s[0] = at_s
            assert (await tokens.token(), server.asked) == (token, asked)


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (403, "it answers 403"),
        (302, "it answers 302"),
        ({"error": SECRET}, "expected JSON with access_token"),
        ([SECRET], "expected JSON with access_token"),
        ({"access_token": "a", "expires_in": "inf"}, "expected JSON with access_token"),
        ({"access_token": ""}, "access_token is empty"),
    ],
)
async def test_no_token_is_one_sentence_without_what_was_sent_or_answered(step, said):
    async with Server(step).running() as url:
        with pytest.raises(NoToken) as caught:
            await ClientCredentials(url, "us", Hidden(SECRET), "", lambda: 0.0).token()
    assert str(caught.value) == f"no token from {url}: {said}"


async def test_a_server_that_is_away_is_no_token_and_what_its_address_asks_stays_hidden():
    with pytest.raises(NoToken) as caught:
        await ClientCredentials("http://127.0.0.1:1/?key=x", "us", Hidden(SECRET), "", lambda: 0.0).token()
    assert str(caught.value) == "no token from http://127.0.0.1:1/: ConnectError"


@pytest.mark.parametrize(
    "url",
    [
        *("http://login.example/", "ftp://127.0.0.1/", "login.example", "", "https://"),
        *("https://login.example:99999/", "https://login.example:a/", "https://[::1/", "https://a b/"),
        *("https://us:word@login.example/", "https://a..b/", "https://login.example/\n"),
    ],
)
def test_a_secret_is_sent_by_tls_only(url):
    with pytest.raises(ValueError, match="an https:// address without user and password"):
        ClientCredentials(url, "us", Hidden(SECRET), "", lambda: 0.0)


def test_what_was_granted_shows_no_token():
    assert repr(Granted(SECRET)) == "Granted(expires_in=375)"
