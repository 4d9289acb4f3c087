"""What a worker is told by its environment."""

from datetime import timedelta
from pathlib import Path

import pytest

from streams.hosting.environment import read
from streams.hosting.variables import Misconfigured
from streams.watching.waiting import Limits

NEEDED = {"OVERSIGHT_KAFKA": "a:9092,b:9092", "OVERSIGHT_CONFIG": "rules"}


def test_the_brokers_and_the_rules_are_enough():
    told = read(NEEDED)
    assert told.connection == {"bootstrap_servers": "a:9092,b:9092"}
    assert told.config == Path("rules")
    assert (told.clock, told.name, told.alive) == ("wall", "oversight", None)
    assert told.session == told.snapshot_age == timedelta(seconds=10)
    assert told.limits == Limits()


def test_everything_can_be_told():
    more = {
        "OVERSIGHT_CLOCK": "events",
        "OVERSIGHT_NAME": "staging",
        "OVERSIGHT_SESSION_S": "6",
        "OVERSIGHT_SNAPSHOT_S": "0.5",
        "OVERSIGHT_ALIVE": "alive",
        "OVERSIGHT_BEHIND_S": "600",
        "OVERSIGHT_BEHIND_FOR_S": "30.5",
    }
    told = read({**NEEDED, **more})
    assert (told.clock, told.name, told.alive) == ("events", "staging", Path("alive"))
    assert told.session == timedelta(seconds=6)
    assert told.snapshot_age == timedelta(milliseconds=500)
    assert told.limits == Limits(late=timedelta(minutes=10), lasting=timedelta(seconds=30.5))


@pytest.mark.parametrize("name", sorted(NEEDED))
@pytest.mark.parametrize("without", ["absent", "empty"])
def test_what_is_needed_is_named(name, without):
    variables = {**NEEDED, name: ""}
    if without == "absent":
        del variables[name]
    with pytest.raises(Misconfigured, match=f"{name} is not set; expected "):
        read(variables)


def test_a_clock_is_wall_or_events():
    with pytest.raises(Misconfigured, match="OVERSIGHT_CLOCK is 'moon'; expected wall or events"):
        read({**NEEDED, "OVERSIGHT_CLOCK": "moon"})


@pytest.mark.parametrize(
    "name",
    ["OVERSIGHT_SESSION_S", "OVERSIGHT_SNAPSHOT_S", "OVERSIGHT_BEHIND_S", "OVERSIGHT_BEHIND_FOR_S"],
)
@pytest.mark.parametrize("text", ["soon", "0", "-1", "nan", "inf", "1e9"])
def test_a_span_is_a_number_of_seconds_above_nought(name, text):
    with pytest.raises(Misconfigured, match=f"{name} is '{text}'; expected a number of seconds"):
        read({**NEEDED, name: text})
