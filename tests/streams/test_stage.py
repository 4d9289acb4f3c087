"""What can be seen of a worker at work."""

from datetime import datetime

from schemas.cause import Acknowledged, Reported, Signalled, Wake
from schemas.outcome import Deferred, Delivered
from streams.demonstration.onlooker import Burial
from streams.demonstration.stage import QUIET_LOOKS, Stage
from streams.history import DRAIN, Step
from tests.streams.words import MINUTE, NOON, incident, page, signal, update


class Show:
    """A stage and what its audience was told."""

    def __init__(self) -> None:
        self.watched: list[datetime] = []
        self.told: list[str] = []
        self.stage = Stage(2, self.watched.append, lambda message: self.told.append(message.id))

    def wake(self, partition: int, at: datetime) -> None:
        self.stage.take(Wake(at=at, partition=partition, partitions=2))

    def drained(self) -> None:
        self.stage.published(Step(0, b"", at_s=(NOON + DRAIN).timestamp()))
        self.stage.all_published()
        self.wake(0, NOON + DRAIN)
        self.wake(1, NOON + DRAIN)
        self.be_quiet()

    def be_quiet(self) -> None:
        for _ in range(QUIET_LOOKS):
            self.stage.rest(0)


def test_the_worker_has_come_as_far_as_its_slowest_partition():
    show = Show()
    show.wake(0, NOON + 9 * MINUTE)
    assert show.watched == []
    show.wake(1, NOON)
    show.wake(1, NOON + MINUTE)
    assert show.watched == [NOON, NOON + MINUTE]


def test_it_is_over_when_all_is_drained_and_told():
    show = Show()
    assert not show.stage.is_over
    show.drained()
    assert show.stage.is_over


def test_it_is_not_over_while_a_page_has_no_outcome():
    show = Show()
    show.drained()
    show.stage.take(page())
    assert not show.stage.is_over
    show.stage.take(Reported(at=NOON, page="page-1", attempt=1, outcome=Delivered()))
    assert show.stage.is_over
    assert show.stage.delivered == 1


def test_it_is_not_over_while_something_still_comes():
    show = Show()
    show.drained()
    show.stage.rest(3)
    assert not show.stage.is_over


def test_an_act_is_settled_when_the_worker_has_come_so_far():
    show = Show()
    show.wake(0, NOON + 9 * MINUTE)
    show.wake(1, NOON + 5 * MINUTE)
    assert not show.stage.is_settled(NOON)
    show.be_quiet()
    assert show.stage.is_settled(NOON + 6 * MINUTE)
    assert not show.stage.is_settled(NOON + 8 * MINUTE)


def test_it_is_not_over_before_the_end_of_input_is_known():
    show = Show()
    show.be_quiet()
    show.wake(0, NOON + 2 * DRAIN)
    show.wake(1, NOON + 2 * DRAIN)
    assert not show.stage.is_over


def test_a_partition_that_is_behind_keeps_it_from_being_over():
    show = Show()
    show.drained()
    show.wake(1, NOON + DRAIN / 2)
    assert not show.stage.is_over


def test_messages_of_one_look_are_told_by_time_and_each_once():
    show = Show()
    for sight in (update(), page(), page(attempt=2), update()):
        show.stage.take(sight)
    assert show.told == []
    show.stage.rest(4)
    assert show.told == ["page-1", "update-1"]
    assert len(show.stage.summary.pages) == 1


def test_signals_incidents_and_burials_are_counted():
    show = Show()
    for sight in (
        Signalled(at=NOON, signal=signal()),
        Signalled(at=NOON, signal=signal()),
        incident(),
        Burial("no event"),
        Acknowledged(at=NOON, id="a", incident="inc-1", by="ana"),
        Reported(at=NOON, page="page-1", attempt=1, outcome=Deferred(reason="busy")),
    ):
        show.stage.take(sight)
    summary = show.stage.summary
    assert (summary.signals.total(), len(summary.incidents), summary.malformed) == (1, 1, 1)
    assert show.stage.delivered == 0
