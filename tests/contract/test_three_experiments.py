"""Three experiments by which Alertmanager loses or repeats: here each gives one delivery, on real workers."""

import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Literal

import pytest
from aiohttp import web

from schemas.cause import Signalled
from schemas.signal import Signal
from schemas.wire import encode
from streams.hosting.topics import CAUSES, EVENTS, INCIDENTS, create
from tests.contract.played import PARTITIONS
from tests.contract.reading import consuming, producing
from tests.contract.witness import Witness, witnessing
from tests.contract.workers import Site, site
from tests.fakes_http import Received, Sink

pytestmark = pytest.mark.timeout(300)
ROUTER = f"{CAUSES}/0"
CONFIG = """\
route: {receiver: hook, group_by: [agent], group_wait: 5s, group_interval: 10s, repeat_interval: 4h}
receivers: [{name: hook, notify: [{webhook: 'env:HOOK'}]}]
"""


class Ailing(Sink):
    """Answers 500 for `ails_s` seconds after the first request."""

    def __init__(self, ails_s: float = 0.0) -> None:
        super().__init__()
        self.taken: list[dict] = []
        self._ails_s = ails_s
        self._until_s: float | None = None

    def accept(self, received: Received) -> web.Response:
        now_s = time.monotonic()
        self._until_s = self._until_s or now_s + self._ails_s
        if now_s < self._until_s:
            return web.Response(status=500, text="<html>trouble</html>")
        self.taken.append(received.json["message"])
        return super().accept(received)

    @property
    def kinds(self) -> list[str]:
        """What was taken, in order: `page`, `update`."""
        return [each["kind"] for each in self.taken]


class Trial:
    """One broker, one receiver, one signal."""

    def __init__(self, where: Site, witness: Witness) -> None:
        self.site = where
        self.witness = witness

    async def say(self, state: Literal["firing", "resolved"]) -> None:
        """A detector finds something, or that it is over."""
        now = datetime.now(UTC)
        signal = Signal(
            id="sig-1",
            detector="error_rate",
            finding="sessions",
            state=state,
            labels={"agent": "refund-agent"},
            time=now,
            onset=now,
            summary="Sessions of refund-agent fail",
        )
        async with producing(self.site.bootstrap) as producer:
            await producer.send_and_wait(CAUSES, encode(Signalled(at=now, signal=signal)), key=b"sig-1")

    async def is_known(self) -> None:
        """Waits until the router has opened the incident."""
        async with consuming(self.site.bootstrap, INCIDENTS) as consumer:
            await consumer.getone()

    async def delivers_one_page(self, sink: Ailing) -> None:
        """It is paged; then it is over and said so: whatever was paged besides would be there before that."""
        await self.witness.sees(lambda: self.witness.delivered)
        await self.say("resolved")
        await self.witness.sees(lambda: "update" in sink.kinds)
        assert sink.kinds == ["page", "update"]


@pytest.fixture
async def sink(request) -> AsyncIterator[Ailing]:
    async with Ailing(getattr(request, "param", 0.0)).running() as one:
        yield one


@pytest.fixture
async def trial(own_broker, tmp_path, sink) -> AsyncIterator[Trial]:
    await create({"bootstrap_servers": own_broker.bootstrap}, partitions=PARTITIONS)
    config = tmp_path / "oversight.yml"
    config.write_text(CONFIG)
    variables = {"HOOK": sink.url, "OVERSIGHT_SESSION_S": "4", "OVERSIGHT_SNAPSHOT_S": "0.5"}
    async with (
        site(own_broker.bootstrap, tmp_path, config, variables) as where,
        witnessing(own_broker.bootstrap) as witness,
    ):
        yield Trial(where, witness)


async def test_a_healthy_pair_of_workers_delivers_once(trial, sink):
    first = trial.site.worker()
    await first.owns(ROUTER)
    second = trial.site.worker()
    await second.owns_some(EVENTS)
    await trial.say("firing")
    await trial.delivers_one_page(sink)


@pytest.mark.parametrize("sink", [10.0], indirect=True)
async def test_a_receiver_that_answers_500_for_ten_seconds_gets_it_once(trial, sink):
    await trial.site.worker().owns(ROUTER)
    await trial.say("firing")
    await trial.delivers_one_page(sink)
    assert len(sink.received) > len(sink.taken)


async def test_a_worker_that_is_killed_inside_group_wait_has_its_heir_deliver_once(trial, sink):
    worker = trial.site.worker()
    await worker.owns(ROUTER)
    await trial.say("firing")
    await trial.is_known()
    worker.kill()
    assert not sink.received
    await trial.site.worker().owns(ROUTER)
    await trial.delivers_one_page(sink)
