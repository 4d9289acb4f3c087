"""What is told badly, by which producer."""

import msgspec
import pytest

from detectors.misfits import Misfits, producer
from detectors.settings import Watch
from detectors.telemetry import Telemetry
from schemas.record import Record
from schemas.wire import Malformed, moment
from tests.detectors.agent_events import START_S, event
from tests.detectors.made_up import Tape, signals

DAY_S = 86400.0
WHOLE = {
    "conversation": {"id": "c"},
    "tenant": {"id": "t"},
    "request": {"model": "m"},
    "usage": {"input_tokens": 9, "cost_amount": 0.1},
}


class Producer:
    """An agent that sends a call every ten seconds."""

    def __init__(self):
        self.detector = Telemetry(Watch(), {})
        self.at = START_S

    def send(self, count, late=0.0, without=(), operation="chat", every=1, **more):
        """So many events; every so manieth of them late and without some parts."""
        for number in range(count):
            self.at += 10
            bad = number % every == 0
            data = {name: part for name, part in WHOLE.items() if not (bad and name in without)}
            data |= more if bad else {}
            self.detector.observe(event(self.at - (late if bad else 0), operation, **data), self.at)
            self.detector.findings(self.at)
        return self

    @property
    def holds(self):
        return list(self.detector.findings(self.at))


def test_events_that_come_late_are_told_with_their_producer():
    sender = Producer().send(600).send(100, late=400, every=3, service={"name": "batch"})
    [told] = sender.holds
    assert told.finding == "late"
    assert "34% of events come over a minute late, up to 400 s" in told.summary
    assert "mostly of made-up batch: their clock is behind, or they are held up" in told.summary
    assert told.contributors[0].value == "made-up batch"
    assert told.contributors[0].lift > 2
    assert told.onset == START_S + 6010
    sender.send(100, late=400, every=25)
    assert sender.holds
    assert sender.send(100).holds == []
    assert sender.detector._state.lag == 0


@pytest.mark.parametrize(
    ("without", "field"), [("conversation", "conversation"), ("tenant", "tenant"), ("request", "model")]
)
def test_what_events_used_to_have_and_lack_is_told(without, field):
    [told] = Producer().send(600).send(100, without=[without], every=2).holds
    assert told.labels == {"field": field}
    assert f"50% of events lack their {field} since" in told.summary


def test_an_id_that_is_empty_is_none_and_the_answer_s_model_will_do():
    [told] = Producer().send(600).send(100, tenant={"id": ""}).holds
    assert told.labels == {"field": "tenant"}
    assert Producer().send(600).send(100, without=["request"], response={"model": "m"}).holds == []


def test_what_was_never_there_is_not_missed():
    assert Producer().send(1200, without=["tenant", "request", "usage", "conversation"]).holds == []


def test_calls_without_a_cost_are_told_where_calls_usually_have_one():
    [told] = Producer().send(600).send(100, usage={"output_tokens": 5}, every=4).holds
    assert told.finding == "unpriced"
    assert "25% of calls with tokens have no cost" in told.summary
    assert Producer().send(1200, usage={"output_tokens": 5}).holds == []
    assert Producer().send(600).send(200, usage={}).holds == []


def test_nobody_is_told_of_before_what_is_usual_is_known():
    assert Producer().send(499, late=400, every=2).holds == []


def test_only_calls_of_models_have_models_and_prices():
    assert Producer().send(600, operation="execute_tool", without=["request", "usage"]).holds == []


def test_what_has_been_so_for_a_day_is_usual():
    sender = Producer().send(600).send(9000, late=400)
    assert sender.holds == []
    assert sender.detector._state.shares["late"].usual > 0.9


def test_what_is_said_to_be_normal_ends():
    sender = Producer().send(600).send(100, late=400)
    assert sender.holds
    sender.detector.rebase(sender.at)
    assert sender.holds == []
    assert sender.send(1000, late=400).holds == []


def test_a_busy_minute_is_examined_in_part():
    detector = Telemetry(Watch(), {})
    for _ in range(1000):
        detector.observe(event(START_S, **WHOLE), START_S)
    assert detector._state.shares["late"].seen == 64


def test_producers_without_end_share_a_place():
    sender = Producer().send(600)
    for number in range(99):
        sender.send(1, late=400, service={"name": f"s{number}"})
    sender.send(1, late=400)
    [told] = sender.holds
    assert told.contributors[0].value == "(other)"
    assert told.contributors[0].lift == 1


def test_a_clock_that_is_a_day_behind_is_late_and_other_settings_change_nothing():
    sender = Producer().send(600).send(100, late=DAY_S)
    sender.detector.configure(Watch(), {"anything": 1})
    assert "up to 86,400 s" in sender.holds[0].summary
    assert sender.detector.wake_at is None


def test_a_version_that_is_not_known_is_refused():
    with pytest.raises(ValueError, match="state of telemetry has version 3, this is 1"):
        Telemetry.load(Watch(), {}, Telemetry(Watch(), {}).save(), 3)


def malformed(tape, count, value=b'{"source":"shop"', key=b"k"):
    for _ in range(count):
        with pytest.raises(Malformed):
            tape.bank.apply(Record(tape.offset, value, key))
        tape.offset += 1


def test_records_that_cannot_be_read_are_told_of_by_the_partition():
    tape = Tape()
    for at in range(100):
        tape.event(at)
    malformed(tape, 9, b'{"source":"shop","time":1}')
    assert signals(tape.event(110)) == []
    malformed(tape, 3, b"{")
    [told] = signals(tape.event(170))
    assert told.finding == "malformed"
    assert told.labels["partition"] == "agent.events/0"
    assert told.summary.startswith("12 records cannot be read and lie among the dead letters, ")
    assert "mostly of shop" in told.summary
    assert told.observed == pytest.approx(12 / 14, abs=0.01)
    assert signals(tape.event(300)) == []
    malformed(tape, 1)
    [again] = signals(tape.event(400))
    assert again.id == told.id


def test_a_few_bad_records_of_many_are_no_news():
    tape = Tape()
    malformed(tape, 1)
    for at in range(2000):
        tape.event(at / 4)
        if at % 150 == 0:
            malformed(tape, 1)
    assert tape.signals == []


def test_bad_records_of_another_hour_are_another_signal():
    tape, ids = Tape(), set()
    for hour in range(2):
        tape.event(3600 * hour)
        malformed(tape, 12)
        ids |= {each.id for each in signals(tape.event(3600 * hour + 70))}
    assert len(ids) == 2


def test_bad_records_that_never_end_are_counted_by_the_quarter_of_an_hour():
    tape = Tape()
    for at in range(40):
        tape.event(60 * at)
        malformed(tape, 1)
    assert len({each.id for each in tape.signals}) == 1
    assert tape.signals[-1].summary.startswith("1")
    assert len(tape.signals) > 5


def test_times_ahead_of_their_writing_are_told_with_their_producer():
    tape = Tape()
    for at in range(30):
        tape.event(at, written_s=at)
        tape.event(at + DAY_S, written_s=at)
    tape.event(100, written_s=100)
    told = [each for each in tape.signals if each.finding == "times_ahead"][-1]
    assert told.summary.startswith("30 events claim a time more than five minutes ahead of their writing, ")
    assert told.summary.endswith("mostly of s")


def test_who_wrote_a_record_is_told_as_far_as_it_can_be_read():
    assert producer(Record(0, b"{}", b"key", headers=(("ce_source", b"shop"),))) == "shop"
    assert producer(Record(0, msgspec.json.encode({"source": "till"}))) == "till"
    assert producer(Record(0, b'{"source":7}', b"k\xff")) == "k�"
    assert producer(Record(0, b"\xff", b"")) == "(unknown)"
    assert producer(Record(0, b"[" * 100_000, None)) == "(unknown)"


def test_producers_of_bad_records_without_end_share_a_place():
    misfits = Misfits()
    for number in range(50):
        misfits.note(Record(number, msgspec.json.encode({"source": f"s{number}"})), "bad", START_S)
    assert len(misfits.producers) == 9
    told = misfits.signal("malformed", "p", 50, START_S + 5)
    assert told is not None
    assert told.time == moment(START_S + 5)
    assert "mostly of (other) (bad)" in told.summary


def test_of_many_events_that_are_shown_together_those_beyond_the_minutes_room_change_nothing():
    coming = [(event(START_S + at / 100, "chat", **WHOLE), START_S + at / 100) for at in range(3000)]
    together, single = Telemetry(Watch(), {}), Telemetry(Watch(), {})
    together.observe_many(iter(coming))
    for each, now in coming:
        single.observe(each, now)
    assert together._state.room == 0
    assert together.save() == single.save()
