"""Texts that a team has validated an agent on make its reference at once."""

import random
from functools import partial

import msgspec

from detectors.input_shift import InputShift
from detectors.settings import Watch
from tests.detectors.agent_events import START_S, event

ASKS = ("where is my", "i want to return the", "can you cancel the", "what happened to my", "change the")
THINGS = ("blue shirt", "red lamp", "old boots", "new kettle", "desk", "chair", "book", "jacket")
FLIGHTS = ("my flight to lisbon", "the boarding pass", "a window seat", "my checked luggage")


def orders(draw):
    return f"{draw.choice(ASKS)} {draw.choice(THINGS)}"


def flights(draw):
    return draw.choice(FLIGHTS)


def validated_on(what, count=400, seed=1):
    draw = random.Random(seed)
    return Watch(reference=300, validated=tuple(what(draw) for _ in range(count)))


class Agent:
    def __init__(self, watch):
        self.watch = watch
        self.detector = InputShift(watch, {})
        self.draw = random.Random(2)
        self.now = START_S

    def hears(self, what, count):
        """How many of the inputs came while a shift was told."""
        told = 0
        for _ in range(count):
            self.now += 259.0
            given = {"text": what(self.draw)}
            self.detector.observe(
                event(self.now, "chat", input=given, conversation={"id": f"{self.now}"}), self.now
            )
            told += bool(self.detector.findings(self.now))
        return told

    def restarts(self, watch=None):
        self.watch = watch or self.watch
        self.detector = InputShift.load(self.watch, {}, self.detector.save(), InputShift.version)


def test_the_first_inputs_are_compared_already():
    agent = Agent(validated_on(orders))
    assert agent.hears(orders, 600) == 0
    other = Agent(validated_on(orders))
    assert other.hears(flights, 60) > 20


def test_agents_that_share_the_texts_have_states_of_their_own():
    watch = validated_on(orders)
    one, other = Agent(watch), Agent(watch)
    assert one.hears(flights, 60) > 20
    assert other.hears(orders, 60) == 0


def test_a_busy_agent_has_as_few_false_alarms_in_a_month():
    watch = validated_on(orders)
    quiet, busy = Agent(watch), Agent(watch)
    busy.now = START_S
    for agent, each_s in ((quiet, 259.0), (busy, 1.0)):
        for _ in range(700):
            agent.now += each_s
            agent.detector.observe(event(agent.now, "chat", input={"text": orders(agent.draw)}), agent.now)
    (few,), (many,) = (
        msgspec.msgpack.decode(agent.detector.save().body)[1][1][:1] for agent in (quiet, busy)
    )
    assert few < 9000
    assert many > 100 * few


def test_a_restart_goes_on_with_the_same_texts():
    agent, twin = (Agent(validated_on(orders)) for _ in range(2))
    for each in (agent, twin):
        each.hears(orders, 100)
    agent.restarts()
    assert agent.detector.save() == twin.detector.save()
    assert agent.hears(flights, 60) == twin.hears(flights, 60) > 20


def test_other_texts_are_taken_up_at_once_and_the_same_ones_change_nothing():
    agent = Agent(validated_on(orders))
    agent.hears(flights, 60)
    before = agent.detector.save()
    agent.detector.configure(agent.watch, {})
    assert agent.detector.save() == before
    agent.detector.configure(validated_on(flights), {})
    assert agent.hears(flights, 300) == 0


def test_texts_that_are_given_later_replace_what_was_learnt_and_go_with_them():
    agent = Agent(Watch(reference=300))
    agent.hears(orders, 320)
    agent.restarts(validated_on(flights))
    assert agent.hears(flights, 100) == 0
    agent.restarts(Watch(reference=300))
    assert agent.hears(flights, 100) == 0


def test_the_new_normal_sets_them_aside():
    agent = Agent(validated_on(orders))
    agent.hears(flights, 60)
    agent.detector.rebase(agent.now)
    agent.restarts()
    assert agent.hears(flights, 400) == 0
    assert agent.hears(orders, 60) > 20


def test_texts_of_a_version_before_do_not_replace_them():
    agent = Agent(validated_on(orders))
    old = msgspec.msgpack.encode([None, [0.0, [8e3]], None, None, None, None, [None, 0, None], None])
    state = msgspec.structs.replace(agent.detector.save(), body=old)
    agent.detector = partial(InputShift.load, agent.watch, {})(state, 2)
    assert agent.hears(flights, 60) > 20
