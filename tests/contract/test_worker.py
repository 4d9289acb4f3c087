"""The worker as a person starts it: from nothing to a page, among bad records, and on real sessions."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from schemas.cause import ConfigFile
from schemas.event import Event
from schemas.page import Page
from schemas.wire import encode
from streams.demonstration.fleet import Scripted, fleet
from streams.files import config_files, lines
from streams.history import Step, partition_of
from streams.hosting.topics import EVENTS, create
from streams.publication import publisher
from streams.replay import replay
from tests.contract.played import PARTITIONS
from tests.contract.witness import Witness, witnessing
from tests.contract.workers import ROOT, Site, site

pytestmark = pytest.mark.timeout(300)
RETAIL = ROOT / "examples" / "retail" / "oversight.yml"
EVERYTHING = ("oversight.causes/0", *(f"{EVENTS}/{number}" for number in range(PARTITIONS)))
ANY_LAG = {"OVERSIGHT_BEHIND_S": "0.02", "OVERSIGHT_BEHIND_FOR_S": "0.02"}
"""By these every worker is behind; where routing's clock is not the wall's, nobody says so."""
CONFIG = ConfigFile(
    "oversight.yml",
    """\
route: {receiver: triage, group_by: [agent, detector, finding], group_wait: 1s}
receivers:
- {name: triage, notify: [slack: '#triage', pagerduty: 'env:PD_KEY']}
""",
)


@pytest.fixture
def config(tmp_path) -> Path:
    path = tmp_path / CONFIG.name
    path.write_text(CONFIG.text)
    return path


def outage() -> Sequence[Event]:
    """The last twenty minutes of twelve agents; all of them have just lost their provider."""
    now = datetime.now(UTC).replace(microsecond=0)
    length = timedelta(minutes=20)
    calm = fleet(12, 11, 3.0, now - length - timedelta(minutes=2), length)
    names = tuple(profile.name for profile in calm.profiles)
    end = now - timedelta(minutes=1)
    scripted = Scripted(kind="outage", agents=names, start=now - length / 2, end=end, story="")
    played = msgspec.structs.replace(calm, scripted=(scripted,))
    return [event for event in played.events() if event.time < now]


@asynccontextmanager
async def working(
    bootstrap: str, home: Path, config: Path, variables: Mapping[str, str]
) -> AsyncIterator[tuple[Site, Witness]]:
    """A worker that owns everything, and a witness; the topics are there, and empty."""
    async with site(bootstrap, home, config, variables) as where, witnessing(bootstrap) as witness:
        await where.worker().owns(*EVERYTHING)
        yield where, witness
        await where.workers[0].stop()


async def test_a_worker_goes_from_nothing_to_a_delivered_page(own_broker, tmp_path, config):
    file = tmp_path / "events.jsonl"
    file.write_bytes(b"\n".join(map(encode, outage())))
    async with site(own_broker.bootstrap, tmp_path, config, {}) as where:
        await where.oversight("topics", "--to", own_broker.bootstrap)
    async with working(own_broker.bootstrap, tmp_path, config, {}) as (where, witness):
        await where.oversight("publish", str(file), "--to", own_broker.bootstrap)
        await witness.sees(lambda: witness.delivered)
        page = witness.pages[next(iter(witness.delivered))]
        assert page.id in where.sent
        # Both see that the provider is down; by the wall clock, either may be first.
        assert page.content.labels["detector"] in {"error_rate", "dependency"}


async def test_a_worker_that_is_told_to_stop_while_its_broker_is_away_ends_by_itself(
    own_broker, tmp_path, config
):
    await create({"bootstrap_servers": own_broker.bootstrap}, partitions=PARTITIONS)
    async with site(own_broker.bootstrap, tmp_path, config, {}) as where:
        worker = where.worker()
        await worker.owns(*EVERYTHING)
        await asyncio.to_thread(own_broker.kill)
        await worker.stop()


async def test_bad_records_are_buried_whole_with_their_reason_and_the_good_ones_go_on(
    own_broker, tmp_path, config
):
    await create({"bootstrap_servers": own_broker.bootstrap}, partitions=PARTITIONS)
    events = outage()
    bad = bad_records(events[0])
    async with (
        working(own_broker.bootstrap, tmp_path, config, {}) as (where, witness),
        publisher({"bootstrap_servers": own_broker.bootstrap}, EVENTS) as appender,
    ):
        await appender.publish(steps(events[:200]))
        await appender.publish(
            [Step(number, value) for value in bad.values() for number in range(PARTITIONS)]
        )
        await appender.publish([Step(number, asking(events[0], "why\0?")) for number in range(PARTITIONS)])
        await appender.publish(steps(events[200:]))
        await witness.sees(lambda: witness.delivered and len(witness.buried) >= PARTITIONS * len(bad))
        assert where.sent.keys() >= witness.delivered
    buried = [record.value for record in witness.buried]
    assert Counter(buried) == Counter(dict.fromkeys(bad.values(), PARTITIONS))
    reasons = {record.value: dict(record.headers)["reason"].decode() for record in witness.buried}
    assert "agent.unknown.v9" in reasons[bad["unknown type"]]
    assert "$.time" in reasons[bad["wrong type"]]
    assert "$.data.input.text" in reasons[bad["long text"]]
    assert all(reasons.values())


def bad_records(good: Event) -> Mapping[str, bytes]:
    """Records that are no events, by what is wrong with them."""
    whole = msgspec.json.decode(encode(good))
    return {
        "no JSON": b"{",
        "NUL bytes": b"\x00" * 100,
        "no UTF-8": encode(good).replace(b"fleet", b"\xff\xfe"),
        "wrong type": msgspec.json.encode(whole | {"time": 12}),
        "unknown type": msgspec.json.encode(whole | {"type": "agent.unknown.v9"}),
        "long text": asking(good, "why\0" * 100_000),
    }


def asking(good: Event, text: str) -> bytes:
    """The event, with this question, and an id of its own."""
    whole = msgspec.json.decode(encode(good))
    whole["data"]["input"] = {"text": text}
    return msgspec.json.encode(whole | {"id": "asking"})


def steps(events: Iterable[Event]) -> Sequence[Step]:
    """Each event where its agent's key says."""
    keyed = [(event.data.agent.name.encode(), event) for event in events]
    return [Step(partition_of(key, PARTITIONS), encode(event), key) for key, event in keyed]


async def test_real_sessions_page_whom_the_replay_pages_at_the_same_times(own_broker, tmp_path, shared_data):
    file = shared_data("retail_agent_events.jsonl.gz")
    expected = replayed(file)
    await create({"bootstrap_servers": own_broker.bootstrap}, partitions=PARTITIONS)
    variables = {"OVERSIGHT_CLOCK": "events", "PD_SHOP": "R0UT1NGKEY", **ANY_LAG}
    async with working(own_broker.bootstrap, tmp_path, RETAIL, variables) as (where, witness):
        await where.oversight("publish", str(file), "--to", own_broker.bootstrap, "--clock", "events")
        await witness.over(max(page.time for page in expected.values()) + timedelta(hours=2), PARTITIONS)
        assert {page.id: told(page) for page in witness.pages.values()} == {
            page.id: told(page) for page in expected.values()
        }
        assert where.sent == Counter(expected.keys())
        assert witness.delivered >= expected.keys()
        assert "behind.told" not in {each["event"] for each in where.workers[0].said}


def replayed(file: Path) -> Mapping[str, Page]:
    """The pages of `oversight replay`, by id."""
    words = (word for _, words in replay(lines([file]), config_files(RETAIL)) for word in words)
    return {word.id: word for word in words if isinstance(word, Page)}


def told(page: Page) -> tuple[object, ...]:
    return (page.time, page.to, page.channel, page.reason, page.severity, page.incident, page.summary)
