"""What requests are of: which of it stands out in some of them."""

import msgspec

from detectors.consents.kinds import MOST_COUNTED, UNKNOWN, Kinds
from detectors.contrast import MOST_VALUES
from tests.detectors.agent_events import START_S, event


def request(tool=None, tenant=None):
    parts = {"tool": tool and {"name": tool}, "tenant": tenant and {"id": tenant}}
    return event(START_S, "pay", **{name: said for name, said in parts.items() if said})


def test_what_some_have_more_often_than_the_others_stands_out():
    kinds = Kinds()
    card, wire = ([kinds.take(request(tool, "t")) for _ in range(9)] for tool in ("card", "wire"))
    [found] = kinds.standing_out(wire)
    assert (found.dimension, found.value, found.share) == ("tool", "wire", 1.0)
    assert found.lift > 10
    assert kinds.standing_out([*card, *wire]) == ()
    assert kinds.standing_out([]) == ()


def test_values_beyond_the_cap_do_not_stand_out_and_old_counts_fade():
    kinds = Kinds()
    for number in range(MOST_COUNTED):
        kinds.take(request(f"tool {number}", "a" if number % 2 else "b"))
    _, tools, tenants, _ = kinds.names
    assert (len(tools), tenants) == (MOST_VALUES, ["b", "a"])
    late = kinds.take(request("another", "a"))
    assert kinds.take(request("one more", "a")) == late
    assert [(each.dimension, each.value) for each in kinds.standing_out([late] * 500)] == [("tenant", "a")]
    assert kinds.total < 0.6 * MOST_COUNTED
    assert sum(kinds.counts[2]) < 0.6 * MOST_COUNTED
    assert kinds.standing_out([UNKNOWN] * 9) == ()
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(kinds), type=Kinds) == kinds


def test_where_nothing_was_counted_nothing_stands_out():
    assert Kinds().standing_out([UNKNOWN] * 9) == ()
