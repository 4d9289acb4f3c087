"""The simulated fleet."""

from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.event import Event
from schemas.wire import decode_event, encode
from streams.demonstration.cast import CAST
from streams.demonstration.fleet import Fleet, Scripted, fleet, office_hours

START = datetime(2026, 3, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)


@cache
def day(*scripted: Scripted, hours: int = 8, seed: int = 0) -> list[Event]:
    """Some hours of the whole cast at full traffic."""
    played = Fleet(profiles=CAST, start=START, end=START + hours * HOUR, scripted=scripted, seed=seed)
    return list(played.events())


def incident(kind: str, *agents: str, strangers: str = "") -> Scripted:
    """From the fourth hour to the sixth."""
    return Scripted(
        kind=kind, agents=agents, start=START + 4 * HOUR, end=START + 6 * HOUR, story="", strangers=strangers
    )


def during(events: list[Event], agent: str) -> list[Event]:
    """What an agent did while the incident was in full swing."""
    return [
        event
        for event in events
        if event.data.agent.name == agent and START + 4.2 * HOUR <= event.time < START + 5.8 * HOUR
    ]


def before(events: list[Event], agent: str) -> list[Event]:
    return [event for event in events if event.data.agent.name == agent and event.time < START + 4 * HOUR]


@given(st.integers(0, 5))
def test_the_same_seed_plays_the_same_bytes(seed):
    first, again, other = (fleet(3, each, 2.0) for each in (seed, seed, seed + 1))
    assert [encode(event) for event in first.events()] == [encode(event) for event in again.events()]
    assert [encode(event) for event in first.events()] != [encode(event) for event in other.events()]


def test_events_come_in_the_order_of_their_times_and_each_id_once():
    events = day(incident("cost_spike", "refund-agent"))
    assert all(one.time <= two.time for one, two in pairwise(events))
    assert len({event.id for event in events}) == len(events)


def test_every_event_fits_the_contract():
    assert all(decode_event(encode(event)) == event for event in day(hours=1))


def test_every_session_that_starts_ends():
    edges = [event.data.conversation for event in day(hours=2) if event.type == "agent.session.v1"]
    started = {edge.id for edge in edges if edge.state == "started"}
    ended = {edge.id for edge in edges if edge.state == "ended"}
    assert started == ended
    assert len(started) > 300


def test_sessions_have_a_life_of_their_own():
    sizes: dict[str, int] = {}
    for event in day(hours=2):
        sizes[event.data.conversation.id] = sizes.get(event.data.conversation.id, 0) + 1
    assert min(sizes.values()) >= 4
    assert max(sizes.values()) <= 25


def test_everyday_failures_are_few():
    events = day()
    tools = [event for event in events if event.data.operation.name == "execute_tool"]
    ends = [event for event in events if event.data.conversation.state == "ended"]
    assert 0.005 < sum(event.data.error is not None for event in tools) / len(tools) < 0.05
    assert sum(event.data.error is not None for event in ends) / len(ends) < 0.01


def test_an_outage_fails_calls_for_good_and_the_sessions_with_them():
    events = day(incident("outage", "refund-agent"))
    hit = during(events, "refund-agent")
    finals = [event for event in hit if event.data.error and event.data.error.final]
    lost = [event for event in hit if event.data.error and event.data.error.type == "provider_unavailable"]
    assert len(finals) > 20
    assert abs(len(finals) - len(lost)) <= 3
    assert not any(event.data.error and event.data.error.final for event in during(events, "order-agent"))


def test_a_cost_spike_costs_six_times_as_much_and_comes_with_a_release():
    events = day(incident("cost_spike", "claims-intake"))

    def mean_usd(some: list[Event]) -> float:
        costs = [event.data.usage.cost_amount for event in some if event.data.usage]
        return sum(costs) / len(costs)

    ratio = mean_usd(during(events, "claims-intake")) / mean_usd(before(events, "claims-intake"))
    assert 3.5 < ratio < 6.5
    released = [event for event in events if event.type == "agent.release.v1"]
    assert [event.time for event in released] == [START + 4 * HOUR, START + 6 * HOUR]
    assert {event.data.agent.version for event in during(events, "claims-intake")} >= {"2.5.0"}


def test_an_input_shift_brings_another_agents_questions():
    events = day(incident("input_shift", "it-helpdesk", strangers="claims-intake"))

    def insurance(some: list[Event]) -> float:
        asked = [event.data.input.text for event in some if event.data.input]
        return sum(("claim" in text or "policy" in text or "covered" in text) for text in asked) / len(asked)

    assert insurance(before(events, "it-helpdesk")) == 0
    assert insurance(during(events, "it-helpdesk")) > 0.2


def test_incidents_leave_the_rest_of_the_fleet_alone():
    plain, played = day(), day(incident("cost_spike", "claims-intake"))

    def others(events: list[Event]) -> list[bytes]:
        return [encode(event) for event in events if event.data.agent.name != "claims-intake"]

    assert others(plain) == others(played)


@pytest.mark.parametrize(("hour", "share"), [(2, 0.1), (14, 1.0), (8, 0.55)])
def test_people_work_by_day(hour, share):
    assert office_hours((START + hour * HOUR).timestamp()) == pytest.approx(share)


def test_a_hundred_agents_at_the_rate_that_was_asked_for():
    events = list(fleet(100, 7, 40.0, duration=timedelta(minutes=20)).events())
    assert len({event.data.agent.name for event in events}) == 100
    assert len(events) / 1200 == pytest.approx(40, rel=0.25)
