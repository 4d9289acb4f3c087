"""Whether the worker works, told from its hosts; the probes, the metrics, and the beat outside."""

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta

import httpx
import pytest
from aiohttp import web
from structlog.testing import capture_logs

from schemas.outcome import Deferred, Delivered
from streams.delivering.counting import Counting
from streams.hosting.condition import Condition
from streams.hosting.variables import Misconfigured
from streams.watching.beating import Progress, address, calling, touching
from streams.watching.figures import CONTENT_TYPE, exposition
from streams.watching.health import Health
from streams.watching.listening import Listening, read
from streams.watching.server import telling
from streams.watching.watched import ears, watched
from tests.fakes import Script, page
from tests.routing.scenario import Scenario
from tests.simulation.owners import HandClock
from tests.streams.folding import Site

TOKEN = "a token of some length"  # noqa: S105 - it guards nothing
HERE = Listening("127.0.0.1", 0)
EVERY = timedelta(milliseconds=1)


class FakeHost:
    """A host that stands as it is told to, with the owners it is given."""

    def __init__(self, topic: str = "in", owners=None, **how) -> None:
        self.topic = topic
        self.partitions = owners or {}
        self.how = {
            "turn_age_s": 0.0,
            "confirmed_age_s": 0.0,
            "joined": True,
            "owned": sorted(self.partitions) or [0],
            "restoring": [],
            "blocked": [],
            "reached": {0: 5},
            "lag": {0: 0},
        } | how

    def condition(self) -> Condition:
        return Condition(topic=self.topic, **self.how)


def health(*hosts: FakeHost) -> Health:
    made = Health(HandClock())
    made.works(hosts or [FakeHost()])
    return made


def test_a_worker_is_live_before_it_has_anything_to_do_and_not_ready():
    starting = Health(HandClock())
    assert (starting.is_live, starting.is_ready) == (True, False)
    assert starting.report.status == "live"


def test_all_is_well_until_it_stops():
    well = health(FakeHost(), FakeHost("other"))
    assert (well.is_live, well.is_ready, well.report.status) == (True, True, "ready")
    well.stops()
    assert (well.is_live, well.is_ready) == (True, False)


def test_who_owns_nothing_has_nothing_to_tell_the_broker():
    standby = FakeHost(confirmed_age_s=None, reached={}, lag={})
    assert health(standby).is_ready
    assert "oversight_confirmed_age_seconds" not in exposition(health(standby).samples())


def test_one_host_that_hangs_is_a_worker_that_hangs():
    hanging = health(FakeHost(), FakeHost("other", turn_age_s=301.0))
    assert (hanging.is_live, hanging.is_ready, hanging.report.status) == (False, False, "hangs")


@pytest.mark.parametrize(
    "how", [{"joined": False}, {"restoring": [1]}, {"blocked": [0]}, {"confirmed_age_s": 61.0}]
)
def test_what_is_not_restored_or_cannot_be_written_is_live_but_not_ready(how):
    waiting = health(FakeHost(**how))
    assert (waiting.is_live, waiting.is_ready) == (True, False)


async def test_metrics_are_told_of_hosts_folds_and_the_router():
    site, scenario = Site(), Scenario()
    scenario.signal("s1")
    scenario.router._state.count("causes repeated")
    site.put(("a", "out 1"), ("b", "x"))
    owner = site.owner()
    await owner.start()
    await owner.take(site.records())
    site.clock.at_s += 7
    router = site.owner()
    router.fold = scenario.router
    bridge = site.owner()
    bridge.fold.unusable, bridge.fold.early = 3, 2
    well = health(
        FakeHost("in", {0: owner}, lag={0: 4}), FakeHost("causes", {0: router, 1: bridge, 2: object()})
    )
    text = exposition(well.samples())
    for line in (
        'oversight_lag_records{topic="in",partition="0"} 4',
        'oversight_state_unsaved_seconds{topic="in",partition="0"} 7',
        'oversight_state_unsaved_seconds{topic="causes",partition="1"} 0',
        'oversight_partitions_owned{topic="in"} 1',
        'oversight_turn_age_seconds{topic="in"} 0',
        'oversight_confirmed_age_seconds{topic="in"} 0',
        "oversight_live 1",
        "oversight_ready 1",
        "oversight_open_incidents 1",
        'oversight_routing_counts{what="causes repeated"} 1',
        'oversight_bridge_unusable_spans{topic="causes",partition="1"} 3',
        'oversight_bridge_early_traces{topic="causes",partition="1"} 2',
    ):
        assert line in text.splitlines(), text
    await owner.hand_over()
    assert 'oversight_state_unsaved_seconds{topic="in",partition="0"} 0' in exposition(well.samples())


@asynccontextmanager
async def asking(well: Health, *tokens: str):
    async with (
        telling(well, Listening("127.0.0.1", 0, tokens)) as url,
        httpx.AsyncClient(base_url=url) as http,
    ):
        yield http


async def test_probes_answer_by_status_and_tell_this_machine_all():
    async with asking(health()) as http:
        for path in ("/healthz", "/readyz"):
            answer = await http.get(path)
            assert (answer.status_code, answer.json()["status"]) == (200, "ready")
        metrics = await http.get("/metrics")
        assert (metrics.status_code, metrics.headers["Content-Type"]) == (200, CONTENT_TYPE)
        assert "oversight_ready 1\n" in metrics.text
    async with asking(health(FakeHost(blocked=[0]))) as http:
        assert (await http.get("/healthz")).status_code == 200
        blocked = await http.get("/readyz")
        assert (blocked.status_code, blocked.json()["hosts"][0]["blocked"]) == (503, [0])
    async with asking(health(FakeHost(turn_age_s=1000))) as http:
        assert (await http.get("/healthz")).status_code == 503


async def test_with_a_token_others_hear_one_word_and_no_metrics():
    async with asking(health(), "another token, long enough", TOKEN) as http:
        for said in ({}, {"Authorization": f"Bearer {TOKEN}x"}, {"Authorization": "Bearer ü".encode()}):
            assert (await http.get("/readyz", headers=said)).json() == {"status": "ok"}
            assert (await http.get("/metrics", headers=said)).status_code == 401
        known = {"Authorization": f"Bearer {TOKEN}"}
        assert (await http.get("/readyz", headers=known)).json()["status"] == "ready"
        assert (await http.get("/metrics", headers=known)).status_code == 200
    async with asking(health(FakeHost(joined=False)), TOKEN) as http:
        assert (await http.get("/readyz")).json() == {"status": "not ok"}


async def test_without_a_token_a_page_in_a_browser_learns_nothing_by_a_name_of_its_own():
    async with asking(health()) as http:
        for name in ("evil.example", "[", "127.0.0.1.evil.example"):
            assert (await http.get("/metrics", headers={"Host": name})).status_code in {400, 401}


async def test_a_place_that_is_taken_is_told_by_its_variable():
    async with telling(health(), HERE) as url:
        taken = Listening("127.0.0.1", int(url.rpartition(":")[2]), (TOKEN,))
        with pytest.raises(Misconfigured, match="LISTEN: nobody can listen at") as caught:
            async with telling(health(), taken):
                pass
    assert TOKEN not in str(caught.value)


def test_where_to_listen():
    assert read({}) is None
    assert read({"OVERSIGHT_LISTEN": "9464"}) == Listening("127.0.0.1", 9464)
    assert read({"OVERSIGHT_LISTEN": "[::1]:1"}) == Listening("::1", 1)
    said = {"OVERSIGHT_LISTEN": "0.0.0.0:9464", "OVERSIGHT_METRICS_TOKEN": TOKEN}
    assert read(said) == Listening("0.0.0.0", 9464, (TOKEN,))  # noqa: S104 - with a token
    assert TOKEN not in repr(ears(said))


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"OVERSIGHT_LISTEN": "0.0.0.0:1"}, "which others reach, OVERSIGHT_METRICS_TOKEN must be set"),
        ({"OVERSIGHT_LISTEN": "here"}, "OVERSIGHT_LISTEN is 'here'; expected host:port, or a port"),
        ({"OVERSIGHT_LISTEN": ":80"}, "expected host:port"),
        ({"OVERSIGHT_LISTEN": "70000"}, "expected host:port"),
        ({"OVERSIGHT_LISTEN": "1", "OVERSIGHT_METRICS_TOKEN": "short"}, "at least 16 characters"),
        ({"OVERSIGHT_HEARTBEAT_URL": "beat"}, "OVERSIGHT_HEARTBEAT_URL is no address"),
        *(
            ({"OVERSIGHT_HEARTBEAT_URL": url}, "OVERSIGHT_HEARTBEAT_URL is no address; expected https://")
            for url in ("http://[/", "https://a:b/", "https://a:99999/", "https://a..b/", "http://a/\x00")
        ),
    ],
)
def test_what_cannot_be_is_told_by_its_variable(said, why):
    with pytest.raises(Misconfigured, match=why):
        ears(said)


class TestProgress:
    def test_is_all_well(self):
        progress = Progress(health())
        assert [progress.lacks() for _ in range(3)] == [""] * 3

    def test_is_not_where_a_partition_that_is_behind_stands_still(self):
        host = FakeHost(reached={0: 5, 1: 7}, lag={0: 3, 1: 0})
        progress = Progress(health(host))
        assert progress.lacks() == ""
        assert progress.lacks() == "in/0 stands still"
        host.how["reached"] = {0: 6, 1: 7}
        assert progress.lacks() == ""

    @pytest.mark.parametrize(
        ("how", "why"),
        [
            ({"turn_age_s": 999.0}, "a host hangs"),
            ({"blocked": [0]}, "not ready"),
            (
                {"owned": [], "reached": {}, "lag": {}, "confirmed_age_s": None},
                "stands by, without a partition",
            ),
        ],
    )
    def test_is_not_where_a_host_hangs_or_cannot_write(self, how, why):
        assert Progress(health(FakeHost(**how))).lacks() == why


class Switch:
    """A dead-man's switch on loopback: answers by schedule, and counts its calls."""

    def __init__(self, *schedule: int) -> None:
        self.schedule = list(schedule)
        self.beats = 0

    async def beat(self, request: web.Request) -> web.Response:
        del request
        self.beats += 1
        return web.Response(status=self.schedule.pop(0) if self.schedule else 200)

    @asynccontextmanager
    async def running(self):
        app = web.Application()
        app.router.add_post("/secret-path", self.beat)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        try:
            yield f"{site.name}/secret-path"
        finally:
            await runner.cleanup()


async def beating(url: str, well: Health, outcome: str, count: int) -> None:
    """Calls until so many calls have come to that."""
    task = asyncio.create_task(calling(url, well, EVERY))
    counted = f'oversight_heartbeats_total{{outcome="{outcome}"}} {count}\n'
    while counted not in exposition(well.samples()) and not task.done():  # noqa: ASYNC110 - counted in the task
        await asyncio.sleep(0.001)
    assert not task.done()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_dead_mans_switch_is_called_while_work_progresses_and_no_more_then():
    switch, host = Switch(500), FakeHost()
    async with switch.running() as url:
        well = health(host)
        with capture_logs() as told:
            await beating(url, well, "taken", 1)
            assert 'oversight_heartbeats_total{outcome="failed"} 1\n' in exposition(well.samples())
            host.how["blocked"] = [0]
            beats = switch.beats
            await beating(url, well, "withheld", 5)
        assert switch.beats == beats
    assert "secret-path" not in str(told)
    assert "heartbeat.withheld" in {each["event"] for each in told}


@pytest.mark.parametrize("place", ["127.0.0.1:1", "a..b", "127.0.0.1:a"])
async def test_a_switch_that_cannot_be_reached_stops_nothing_and_is_counted(place):
    with capture_logs() as told:
        await beating(f"http://{place}/secret-path", health(), "failed", 2)
    assert "heartbeat.failed" in {each["event"] for each in told}
    assert "secret-path" not in str(told)


async def test_everything_tells_for_as_long_as_the_work_lasts():
    switch = Switch()
    async with switch.running() as url:
        who = ears({"OVERSIGHT_HEARTBEAT_URL": url})
        assert url not in repr(who)
        async with watched(health(), who) as where:
            assert where == ""
        async with watched(health(), ears({})) as where:
            assert where == ""
    assert address({}) == ""


async def test_the_file_is_touched_while_the_worker_is_live_and_not_while_a_host_hangs(tmp_path):
    alive, host = tmp_path / "alive", FakeHost(turn_age_s=999.0)
    task = asyncio.create_task(touching(alive, health(host), EVERY))
    for _ in range(5):
        await asyncio.sleep(0.002)
    assert not alive.exists()
    host.how["turn_age_s"] = 0.0
    while not alive.exists():  # noqa: ASYNC110 - it is told by a file alone
        await asyncio.sleep(0.001)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_attempts_are_counted_by_channel_and_what_became_of_them():
    well = health()
    script = Script(Deferred(reason="later"), ValueError("a fault"), Delivered())
    counting = Counting(script, well.figures, HandClock())
    assert counting.kinds == script.kinds
    await counting.attempt(page(), page().time)
    with pytest.raises(ValueError, match="a fault"):
        await counting.attempt(page(), page().time)
    await counting.attempt(page(), page().time)
    await counting.close()
    assert script.is_closed
    text, kind = exposition(well.samples()), page().channel.kind
    for outcome in ("deferred", "failed", "delivered"):
        assert f'oversight_attempts_total{{channel="{kind}",outcome="{outcome}"}} 1\n' in text
