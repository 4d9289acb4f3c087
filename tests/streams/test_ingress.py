"""What people do comes in over HTTP and Slack's Socket Mode: proved, written, then answered."""

import asyncio
import hashlib
import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from urllib.parse import urlencode

import httpx
import msgspec
import pytest
from aiohttp import web
from slack_sdk.signature import SignatureVerifier

from routing.content import built_in
from routing.words.blocks import blocks
from schemas.wire import decode_cause, encode
from streams.hosting.topics import CAUSES
from streams.ingress.access import Access
from streams.ingress.board import Board
from streams.ingress.desk import Desk
from streams.ingress.server import LARGEST, Server
from streams.ingress.socket_mode import listen
from tests.fakes_http import LOOPBACK
from tests.memory_log import Act, Disk, MemoryLog
from tests.routing.callbacks.presses import hook, press
from tests.routing.scenario import ESCALATED, MINUTE, START, Scenario

SIGNING, HOOKS, TOKEN = "slack-signing", "pagerduty-hooks", "a-token-of-the-api"
SECRETS = Access(slack=(SIGNING,), pagerduty=(HOOKS,), socket="xapp-1")
PING = timedelta(seconds=0.2)
STAMP = str(int(START.timestamp()))


class Place:
    """A server on loopback over a log in memory, and an incident of a scenario that it knows."""

    def __init__(self, access: Access, acts=()) -> None:
        self.t = Scenario(ESCALATED)
        self.t.signal()
        self.disk = Disk()
        self.desk = Desk(MemoryLog(self.disk, list(acts)), Board(), access, lambda: START)
        self.desk.board.take(encode(self.t.incident))
        self.url = ""

    @property
    def incident(self) -> str:
        return self.t.incident.id

    @property
    def causes(self):
        return [decode_cause(record.value) for record in self.disk.records(CAUSES)]

    def follow(self) -> None:
        """The router takes what was written."""
        for cause in self.causes:
            self.t.write(cause)

    async def post(self, path, body=b"{}", **headers):
        known = {"content-type": "application/json"} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        content = body if isinstance(body, bytes) else msgspec.json.encode(body)
        async with httpx.AsyncClient() as client:
            return await client.post(self.url + path, content=content, headers=known)

    async def get(self, path, **headers):
        async with httpx.AsyncClient() as client:
            return await client.get(self.url + path, headers=headers)

    async def slack(self, payload: bytes, key: str = SIGNING, stamp: str = STAMP):
        body = urlencode({"payload": payload.decode()}).encode()
        signature = SignatureVerifier(key).generate_signature(timestamp=stamp, body=body)
        return await self.post(
            "/slack/interactions",
            body,
            content_type="application/x-www-form-urlencoded",
            X_Slack_Request_Timestamp=stamp,
            X_Slack_Signature=signature,
        )

    async def pagerduty(self, body: bytes, key: str = HOOKS):
        signature = "v1=" + hmac.new(key.encode(), body, hashlib.sha256).hexdigest()
        return await self.post("/pagerduty/webhooks", body, X_PagerDuty_Signature=signature)


@asynccontextmanager
async def place(access: Access = SECRETS, acts=()) -> AsyncIterator[Place]:
    here = Place(access, acts)
    runner = web.AppRunner(Server(here.desk).application(), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, LOOPBACK, 0).start()
    here.url = f"http://{LOOPBACK}:{runner.addresses[0][1]}"
    try:
        yield here
    finally:
        await runner.cleanup()


async def test_a_button_of_a_page_stops_the_climb_and_pressed_again_changes_nothing():
    async with place() as here:
        sent = here.t.pages[0]
        button = blocks(sent, built_in(sent))[-1]["elements"][0]
        payload = press(button["action_id"], button["value"])
        for _ in range(2):
            answer = await here.slack(payload)
            assert (answer.status_code, answer.content) == (200, b"")
        here.follow()
        here.t.fast_forward(20 * MINUTE)
        assert here.t.told == [(0, "ana", "opened")]
        assert here.t.incident.acknowledged_by == "ana"
        assert here.t.router.counts == {"words repeated": 1}


async def test_a_forged_press_is_refused_and_counted():
    async with place() as here:
        payload = press("oversight.acknowledge", here.incident)
        assert (await here.slack(payload, key="another")).status_code == 401
        assert (await here.slack(payload, stamp=str(int(STAMP) - 301))).status_code == 401
        assert (await here.post("/slack/interactions", b"payload=")).status_code == 401
        assert here.causes == []
        assert here.desk.counts == {"slack forged": 3}


async def test_what_slack_sends_beside_is_answered_and_changes_nothing():
    async with place() as here:
        assert (await here.slack(press("theirs.button", "x"))).status_code == 200
        assert (await here.slack(b"{")).status_code == 400
        assert (here.causes, here.desk.counts) == ([], {"slack ignored": 1, "slack refused": 1})


async def test_what_cannot_be_written_is_told_as_failed():
    async with place(acts=[Act.FAIL]) as here:
        assert (await here.slack(press("oversight.acknowledge", here.incident))).status_code == 503
        assert here.desk.counts == {"slack failed": 1}


async def test_slack_is_answered_within_three_seconds_though_the_log_stands_still():
    async with place(acts=[Act.PAUSE]) as here:
        begun = asyncio.get_running_loop().time()
        answer = await here.slack(press("oversight.acknowledge", here.incident))
        assert answer.status_code == 503
        assert asyncio.get_running_loop().time() - begun < 3


async def test_pagerduty_s_webhook_stops_the_climb():
    async with place() as here:
        assert (await here.pagerduty(hook(key=here.incident))).status_code == 200
        assert (await here.pagerduty(hook("pagey.ping"))).status_code == 200
        assert (await here.pagerduty(hook(key=here.incident), key="another")).status_code == 401
        here.follow()
        here.t.fast_forward(20 * MINUTE)
        assert here.t.told == [(0, "ana", "opened")]
        assert here.desk.counts == {"pagerduty taken": 1, "pagerduty ignored": 1, "pagerduty forged": 1}


@pytest.mark.parametrize("path", ["/slack/interactions", "/pagerduty/webhooks", "/nowhere"])
async def test_what_no_secret_opens_is_not_there(path):
    async with place(Access()) as here:
        answer = await here.post(path)
        assert (answer.status_code, answer.json()) == (404, {"error": {"message": "Not Found"}})


@pytest.mark.parametrize(
    ("action", "body", "status"),
    [
        ("acknowledge", {"by": "ana"}, "acknowledged"),
        ("snooze", {"by": "ana", "for": "2h"}, "acknowledged"),
        ("silence", {"by": "ana"}, "triggered"),
        ("reassign", {"by": "ana", "user": "bo"}, "triggered"),
        ("comment", {"by": "ana", "text": "looking"}, "triggered"),
        ("feedback", {"by": "ana", "verdict": "false_alarm"}, "triggered"),
        ("resolve", {"by": "ana"}, "resolved"),
    ],
)
async def test_the_api_does_what_a_person_does(action, body, status):
    async with place() as here:
        answer = await here.post(f"/api/incidents/{here.incident}/{action}", body)
        assert answer.status_code == 202
        (cause,) = here.causes
        assert answer.json() == {"id": cause.id, "incident": here.incident, "action": action}
        here.follow()
        assert here.t.incident.status == status
        (deed,) = here.t.incident.deeds
        assert (deed.by, deed.via) == ("ana", "api")


async def test_an_idempotency_key_makes_a_repeated_call_harmless():
    async with place() as here:
        for _ in range(2):
            await here.post(
                f"/api/incidents/{here.incident}/comment", {"by": "ana", "text": "x"}, Idempotency_Key="k"
            )
        here.follow()
        assert len(here.t.incident.deeds) == 1


async def test_incidents_are_listed_shown_and_found_by_the_beginning_of_their_id():
    async with place() as here:
        (listed,) = (await here.get("/api/incidents")).json()["incidents"]
        assert listed["id"] == here.incident
        short = here.incident.removeprefix("inc-")[:6]
        assert (await here.get(f"/api/incidents/{short}")).json() == listed
        assert (await here.get("/api/incidents?status=all")).json()["incidents"] == [listed]
        assert (await here.get("/api/incidents?status=some")).json()["error"]["at"] == "?status"
        assert (await here.get("/api/incidents/inc-none")).status_code == 404
        assert (await here.get("/api/counts")).json() == {"api refused": 1}


async def test_a_silence_by_matchers_needs_no_incident():
    async with place() as here:
        assert (await here.post("/api/silences", {"by": "ana", "matchers": ['agent="x"']})).status_code == 202
        assert here.causes[0].matchers == ('agent="x"',)


@pytest.mark.parametrize(
    ("path", "body", "headers", "status", "fault"),
    [
        ("{}/acknowledge", b"{}", {}, 400, {"message": "expected who does this", "at": "$.by"}),
        ("{}/explode", b"{}", {}, 404, "there is no action 'explode'"),
        ("inc-x/acknowledge", b"{}", {}, 404, "there is no incident 'inc-x'"),
        ("{}/acknowledge", b"{}", {"content_type": "text/plain"}, 415, "expected application/json"),
        ("{}/acknowledge", b" " * 70_000, {}, 413, "expected at most 65,536 bytes"),
        ("{}/acknowledge", b" " * (LARGEST + 1), {}, 413, "Request Entity Too Large"),
    ],
)
async def test_faults_are_told_with_their_place(path, body, headers, status, fault):
    async with place() as here:
        answer = await here.post("/api/incidents/" + path.format(here.incident), body, **headers)
        assert answer.status_code == status
        told = answer.json()["error"]
        assert told == fault if isinstance(fault, dict) else told["message"].startswith(fault)
        assert here.causes == []


async def test_what_is_over_can_be_commented_and_no_longer_taken():
    async with place() as here:
        here.t.recover()
        here.desk.board.take(encode(here.t.incident))
        path = f"/api/incidents/{here.incident}/"
        assert (await here.post(path + "acknowledge", {"by": "ana"})).status_code == 409
        assert (await here.post(path + "comment", {"by": "ana", "text": "x"})).status_code == 202


async def test_where_there_is_a_token_nobody_comes_in_without_it():
    async with place(Access(api=(TOKEN, "the-next-token-of-it"))) as here:
        assert (await here.get("/api/incidents")).status_code == 401
        assert (await here.get("/api/incidents", Authorization="Bearer wrong")).status_code == 401
        assert (await here.get("/api/incidents", Authorization=f"Bearer {TOKEN}")).status_code == 200
        assert here.desk.counts == {"api forged": 2}


async def test_without_a_token_only_the_loopback_address_is_answered():
    async with place() as here:
        assert (await here.get("/api/incidents", Host="attacker.example")).status_code == 401
        assert (await here.get("/api/incidents", Host="localhost:1")).status_code == 200
        assert (await here.get("/api/incidents", Host="[::1")).status_code == 401
        assert (await here.get("/api/incidents", Host="localhost:99999")).status_code == 401


async def test_health_tells_whether_the_incidents_are_read():
    async with place() as here:
        assert (await here.get("/health")).status_code == 503
        here.desk.board.caught_up.set()
        assert (await here.get("/health")).json() == {"status": "ok"}


class SocketMode:
    """Slack's side of Socket Mode: `apps.connections.open`, then envelopes over a web socket."""

    def __init__(self, *envelopes: dict, refusals: int = 0) -> None:
        self.envelopes = envelopes
        self.refusals = refusals
        self.acknowledged: list[str] = []
        self.url = ""
        self.done = asyncio.Event()

    @asynccontextmanager
    async def running(self) -> AsyncIterator["SocketMode"]:
        app = web.Application()
        app.router.add_post("/api/apps.connections.open", self._open)
        app.router.add_get("/link", self._link)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, LOOPBACK, 0).start()
        self.url = f"{LOOPBACK}:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            await runner.cleanup()

    async def _open(self, request: web.Request) -> web.Response:
        if self.refusals or request.headers["Authorization"] != "Bearer xapp-1":
            self.refusals -= 1
            return web.json_response({"ok": False, "error": "invalid_auth"})
        return web.json_response({"ok": True, "url": f"ws://{self.url}/link"})

    async def _link(self, request: web.Request) -> web.WebSocketResponse:
        link = web.WebSocketResponse()
        await link.prepare(request)
        await link.send_json({"type": "hello", "num_connections": 1})
        for envelope in self.envelopes:
            await link.send_json(envelope)
        async for message in link:
            self.acknowledged.append(msgspec.json.decode(message.data)["envelope_id"])
            if len(self.acknowledged) == len(self.envelopes):
                self.done.set()
        return link


def envelope(name: str, payload: bytes) -> dict:
    fields = {"type": "interactive", "envelope_id": name, "accepts_response_payload": True}
    return fields | {"payload": msgspec.json.decode(payload)}


async def listened(here: Place, slack: SocketMode, within_s: float = 10.0) -> None:
    """Listens until everything that Slack sent is acknowledged, or for so long."""
    listening = asyncio.create_task(listen(here.desk, f"http://{slack.url}/api/", ping=PING))
    try:
        await asyncio.wait_for(slack.done.wait(), within_s)
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)


async def test_what_is_pressed_comes_over_socket_mode_as_well():
    here = Place(SECRETS)
    pressed = press("oversight.acknowledge", here.incident)
    envelopes = (
        envelope("e1", pressed),
        envelope("e2", pressed),
        envelope("e3", press("theirs.button", "x")),
        envelope("e4", b'{"type": 1}'),
    )
    async with SocketMode(*envelopes, refusals=2).running() as slack:
        await listened(here, slack)
    assert sorted(slack.acknowledged) == ["e1", "e2", "e3", "e4"]
    assert here.desk.counts == {"slack taken": 2, "slack ignored": 1, "slack refused": 1}
    here.follow()
    here.t.fast_forward(20 * MINUTE)
    assert here.t.told == [(0, "ana", "opened")]


async def test_an_envelope_that_could_not_be_written_is_not_acknowledged():
    here = Place(SECRETS, [Act.FAIL])
    async with SocketMode(envelope("e1", press("oversight.acknowledge", here.incident))).running() as slack:
        with pytest.raises(TimeoutError):
            await listened(here, slack, within_s=0.5)
    assert (slack.acknowledged, here.desk.counts) == ([], {"slack failed": 1})


def test_what_is_over_can_be_answered_while_its_page_speaks_for_others():
    t = Scenario(ESCALATED)
    for number in range(4):
        t.signal(f"s{number}", agent=f"a{number}")
    t.fast_forward(MINUTE)
    lead = t.pages[-1].incident
    t.recover(next(f"s{number}" for number, each in enumerate(t.incidents) if each.id == lead))

    def is_over(action):
        board = Board()
        for each in t.incidents:
            board.take(encode(each))
        return board.is_over(board.find(lead), action)

    assert [is_over(action) for action in ("acknowledge", "resolve", "snooze", "silence")] == [False] * 3 + [
        True
    ]
    t.acknowledge(lead)
    assert is_over("acknowledge")
