"""What is drilled: for each scenario the events of an incident that is none. Pure: the same every time."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from itertools import count
from types import MappingProxyType

import msgspec
from msgspec import Struct

from schemas.event import Event
from streams.drilling import bad_calls, bad_sessions
from streams.drilling.bad_calls import TIMES_DEARER, TIMES_SLOWER
from streams.drilling.pattern import Pattern
from streams.drilling.saying import Play, Said

SOURCE = "oversight-drill"
PAUSE = timedelta(seconds=1)
"""Between the end of a scenario and its beginning anew, …"""
ROUND = timedelta(seconds=30)
"""… which is no sooner than so long after it began."""
SHORTEST = timedelta(minutes=10)
GRACE = timedelta(minutes=5)


class History(Struct, frozen=True):
    """What a made-up agent has done before it is drilled: for how long, and how many sessions an hour.

    `announced`: its calls of tools told of their beginnings, too.
    """

    lasts: timedelta
    rate_per_h: float
    announced: bool = False


BUSY = History(timedelta(minutes=100), 200.0)
"""Enough for every detector …"""
ANNOUNCED = History(timedelta(minutes=100), 200.0, announced=True)
STEADY = History(timedelta(days=3.5), 60.0)
"""… but those of silences and of traffic, which must know its nights."""


class Scenario(Struct, frozen=True, kw_only=True):
    """One way to be in trouble. `what`: what happens, in words; `lasts`: from its first event to its last.

    `name`: the detector that it exercises, and how.
    """

    name: str
    what: str
    lasts: timedelta
    play: Play
    history: History = BUSY

    @property
    def within(self) -> timedelta:
        """How long it goes on at most, if nothing is said: time to be found, and to be paged."""
        return max(SHORTEST, self.lasts + GRACE)

    @property
    def detector(self) -> str:
        """The detector that is to find it."""
        return self.name.partition("/")[0]

    def events(self, pattern: Pattern, drill: str, start: datetime) -> Iterator[Event]:
        """Its events in the order of their times, with the mark of the drill; again and again for ever."""
        number = 0
        for again in count():
            began = start + again * max(self.lasts + PAUSE, ROUND)
            for said in self.play(pattern):
                yield _event(pattern, drill, number, said, began)
                number += 1


def _event(pattern: Pattern, drill: str, number: int, said: Said, start: datetime) -> Event:
    agent = {"name": pattern.agent, "version": pattern.version}
    about = {"agent": agent, "tenant": {"id": "drill"}, "user": {"id": "drill"}}
    if pattern.env:
        about["deployment"] = {"environment_name": pattern.env}
    conversation = said.data.get("conversation", {"id": f"drill-{number}"})
    if conversation is not None:
        # What is in a session is that session's own in every drill.
        conversation = {**conversation, "id": f"{drill.rpartition(':')[2]}-{conversation['id']}"}
    given = {
        "specversion": "1.0",
        "id": f"{drill}/{number}",
        "source": SOURCE,
        "type": said.type,
        "time": start + timedelta(seconds=said.at_s),
        "data": {**about, **said.data, "conversation": conversation},
        "drill": drill,
    }
    return msgspec.convert(given, Event)


def _scenario(name: str, play: Play, what: str, history: History = BUSY) -> Scenario:
    *_, last = play(Pattern(agent="any"))
    return Scenario(name=name, what=what, lasts=timedelta(seconds=last.at_s), play=play, history=history)


SCENARIOS: Mapping[str, Scenario] = MappingProxyType(
    {
        each.name: each
        for each in (
            _scenario(
                "approvals/unapproved",
                bad_sessions.unapproved,
                "operations of high consequence go ahead although nobody approved them",
            ),
            _scenario(
                "cost/spike", bad_calls.spike, f"each call of the model costs {TIMES_DEARER} times the usual"
            ),
            _scenario(
                "dependency/hanging",
                bad_calls.hanging,
                "calls of the tool that is called most begin, and never end",
                ANNOUNCED,
            ),
            _scenario(
                "dependency/outage",
                bad_calls.outage,
                "the provider answers 503 to every call and every retry",
            ),
            _scenario(
                "dependency/tool_outage",
                bad_calls.tool_outage,
                "the tool that is called most always times out",
            ),
            _scenario("error_rate/burst", bad_sessions.burst, "every session fails"),
            _scenario(
                "input_shift/injection", bad_calls.injection, "a burst of texts tries to give other orders"
            ),
            _scenario(
                "isolation/breach", bad_sessions.breach, "a session of one tenant goes on as another's"
            ),
            _scenario(
                "latency/slow", bad_calls.slow, f"calls of the model take {TIMES_SLOWER} times as long"
            ),
            _scenario("quality/refused", bad_calls.refused, "the model refuses every answer"),
            _scenario("rollout/worse", bad_sessions.canary, "a canary loses four of five of its sessions"),
            _scenario("session/loop", bad_sessions.loop, "a session makes the same call again and again"),
            _scenario("session/runaway", bad_sessions.runaway, "a session goes on and on, and spends"),
            _scenario(
                "silence/agent_down", bad_sessions.silence, "nothing is heard of the agent any more", STEADY
            ),
            _scenario(
                "telemetry/missing", bad_calls.untold, "operations do not say to which session they belong"
            ),
            _scenario("traffic/surge", bad_sessions.surge, "a session begins each second", STEADY),
        )
    }
)
IMPOSSIBLE: Mapping[str, str] = MappingProxyType(
    {
        "silence/intake_down": "it is found for a whole partition, of which a drill makes no copy",
        "cost/budget": "it rests on what the agent really spends in a day: drill `cost/spike`",
        "input_shift/text": "it compares a thousand real inputs: drill `input_shift/injection`",
        "traffic/drop": "it takes as long as it takes to miss somebody: drill `traffic/surge`",
        "approvals/waiting": "a request waits half an hour before it is told: drill `approvals/unapproved`",
    }
)
"""Findings that no drill can exercise, and why."""
