"""Before anything runs: what is asked of the brokers until there is an answer."""

import asyncio
from datetime import timedelta

import pytest
from aiokafka.errors import KafkaConnectionError
from structlog.testing import capture_logs

from streams.hosting.topics import NotAllowed, Refused
from streams.starting import Absent, Start
from streams.watching.health import Health
from tests.contract.workers import free_port
from tests.simulation.owners import HandClock

EVERY = timedelta(milliseconds=1)


class Broker:
    """Takes connections, and gives these answers in turn."""

    def __init__(self, *answers):
        self._answers = iter(answers)
        self.health = Health(HandClock())
        self.port = free_port()

    async def asked(self):
        assert (self.health.is_live, self.health.is_ready) == (True, False)
        answer = next(self._answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def answer(self):
        where = {"bootstrap_servers": f"127.0.0.1:{self.port}"}
        return await Start("worker", where, self.health).once(self.asked, "make them", EVERY)

    def listening(self):
        return asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", self.port)


async def test_it_asks_again_until_there_is_an_answer_and_says_what_it_waits_for():
    broker = Broker(KafkaConnectionError("away"), Absent("a", "b"), "all there")
    with capture_logs() as said:
        async with await broker.listening():
            assert await broker.answer() == "all there"
    assert broker.health.stage == "waiting for the brokers and their topics"
    away, absent = said
    assert (away["event"], away["log_level"], away["kafka"]) == (
        "worker.waiting",
        "warning",
        f"127.0.0.1:{broker.port}",
    )
    assert "away" in away["error"]
    assert (absent["missing"], absent["remedy"]) == (("a", "b"), "make them")


async def test_where_nobody_answers_it_asks_nothing_and_waits():
    broker = Broker("all there")
    with capture_logs() as said:
        waiting = asyncio.create_task(broker.answer())
        while len(said) < 3:  # noqa: ASYNC110 - a log tells nobody that it grows
            await asyncio.sleep(0.001)
        async with await broker.listening():
            assert await waiting == "all there"
    assert {each["event"] for each in said} == {"worker.waiting"}
    assert "no Kafka broker at" in said[0]["error"]


@pytest.mark.parametrize("refusal", [NotAllowed("we may not make a"), Refused("a cannot be made so")])
async def test_what_is_refused_now_is_not_asked_for_again(refusal):
    broker = Broker(refusal)
    async with await broker.listening():
        with pytest.raises(type(refusal), match=str(refusal)):
            await broker.answer()
