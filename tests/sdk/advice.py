"""Advice on a topic, and a table that can be waited for."""

from threading import Condition

from aiokafka import AIOKafkaProducer

from agent_oversight import Decisions
from schemas.decision import Decision
from schemas.wire import encode, moment


class Heard(Decisions):
    """Counts what it reads."""

    def __init__(self, own):
        super().__init__(own)
        self.count = 0
        self._more = Condition()

    def read(self, value: bytes) -> None:
        super().read(value)
        with self._more:
            self.count += 1
            self._more.notify_all()

    def until(self, count: int) -> None:
        with self._more:
            assert self._more.wait_for(lambda: self.count >= count, timeout=30)


async def advise(bootstrap: str, topic: str, *said: tuple[str, str]) -> None:
    """Gives advice: actions about tools."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap)
    await producer.start()
    for action, tool in said:
        decision = Decision(
            id="dec",
            time=moment(0),
            action=action,
            subject={"agent": "refund-agent", "tool": tool},
            reason="",
            incident="inc-1",
            automatic=True,
        )
        await producer.send_and_wait(topic, encode(decision))
    await producer.stop()
