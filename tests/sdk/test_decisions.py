"""What an agent does with the decisions it is told."""

from typing import get_args, get_type_hints

import msgspec
import pytest
from msgspec.structs import replace

from agent_oversight import decisions as advised
from agent_oversight.decisions import PROBE_EVERY_S, UNHEARD_S, Decisions, Retry
from schemas.decision import Action, Decision, Then
from schemas.wire import encode, moment

OWN = {"agent": "refund-agent", "env": "prod"}
SUBJECT = {"agent": "refund-agent", "env": "prod", "team": "payments"}


def decision(action, until_s=None, *, automatic=True, incident="inc-1", **said):
    """Advice of an incident; what is not a field of a decision is part of its subject."""
    fields = {name: said.pop(name) for name in ("after_s", "times", "then", "limits", "like") if name in said}
    return Decision(
        id="dec", time=moment(0), action=action, subject={**SUBJECT, **said}, reason="", incident=incident,
        until=None if until_s is None else moment(until_s), automatic=automatic, **fields,
    )  # fmt: skip


def told(*given, own=OWN, **options):
    table = Decisions(own, **options)
    for each in given:
        table.read(encode(each))
    return table


def test_a_circuit_is_open_while_advice_says_so_and_closed_when_it_is_taken_back():
    table = told(decision("open_circuit", 120, tool="search"))
    assert table.circuit("search", 0) == "open"
    assert table.circuit("other", 0) == "closed"
    assert not table.may_call("search", 0)
    table.read(encode(decision("close_circuit", tool="search")))
    assert table.circuit("search", 0) == "closed"
    assert table.may_call("search", 0)


def test_a_half_open_circuit_lets_a_call_through_now_and_then():
    table = told(
        decision("open_circuit", 120, tool="search"), decision("half_open_circuit", 180, tool="search")
    )
    assert table.circuit("search", 130) == "half_open"
    assert [table.may_call("search", 130 + at) for at in (0, 1, PROBE_EVERY_S)] == [True, False, True]


def test_an_open_circuit_of_which_nothing_more_is_heard_opens_half_and_closes():
    table = told(decision("open_circuit", 120, tool="search"))
    assert table.circuit("search", 120) == "half_open"
    assert table.circuit("search", 120 + UNHEARD_S) == "closed"


def test_a_circuit_that_two_incidents_opened_is_closed_by_both():
    table = told(
        decision("half_open_circuit", tool="search"),
        decision("open_circuit", incident="inc-2", tool="search"),
    )
    assert table.circuit("search", 0) == "open"
    table.read(encode(decision("close_circuit", incident="inc-2", tool="search")))
    assert table.circuit("search", 0) == "half_open"


def test_advice_about_others_is_left_out():
    others = [{**SUBJECT, "env": "staging"}, {**SUBJECT, "agent": "another"}]
    table = told(
        *(
            replace(decision("open_circuit", tool="search"), subject={**each, "tool": "search"})
            for each in others
        )
    )
    assert table.circuit("search", 0) == "closed"
    everybody = replace(decision("open_circuit"), subject={"dependency": "search", "kind": "tool"})
    assert told(everybody).circuit("search", 0) == "open"


def test_what_waits_for_a_person_is_acted_on_when_one_grants_it():
    waits = decision("open_circuit", 120, automatic=False, tool="search")
    table = told(waits)
    assert table.circuit("search", 0) == "closed"
    table.read(encode(replace(waits, granted_by="ana")))
    assert table.circuit("search", 0) == "open"


def test_failures_are_retried_as_advised():
    table = told(
        decision("retry", 300, error_type="rate_limit", tool="search", after_s=7.0, times=4, then="defer")
    )
    assert table.retry("rate_limit", 0, tool="search") == Retry(4, 7.0, "defer")
    assert table.retry("rate_limit", 0) == Retry(4, 7.0, "defer")
    assert table.retry("rate_limit", 0, tool="pay") is None
    assert table.retry("timeout", 0) is None
    assert table.retry("rate_limit", 301) is None


def test_where_one_says_retry_and_another_stop_nothing_is_retried():
    table = told(decision("retry", error_type="quota", times=3), decision("retry", error_type="other"))
    table.read(encode(decision("stop_retrying", incident="inc-2", error_type="quota")))
    assert table.retry("quota", 0) == Retry(0)
    assert table.retry("other", 0) == Retry(0, 0.0, "stop")


@pytest.mark.parametrize(
    ("like", "text", "expected"),
    [
        (("Refund", "crypto"), "a REFUND in crypto please", "person"),
        (("Refund", "crypto"), "a refund please", None),
        (("refund",), "a refund please", "person"),
        ((), "anything", "person"),
    ],
)
def test_inputs_are_deferred_that_have_in_common_what_tells_them(like, text, expected):
    assert told(decision("defer", like=like)).deferred(text, 0) == expected


def test_failures_that_go_to_a_person_defer_no_inputs():
    assert told(decision("defer", error_type="handoff", then="person")).deferred("anything", 0) is None
    assert told(decision("defer", then="defer")).deferred("anything", 0) == "defer"


def test_the_strictest_limit_of_each_kind_holds():
    table = told(
        decision("cap_session", session="s1", limits={"steps": 50.0, "cost_usd": 2.0}),
        decision("cap_session", incident="inc-2", session="s1", limits={"steps": 20.0}),
        decision("throttle_tenant", tenant="acme", limits={"per_minute": 5.0}),
    )
    assert table.limits(0, session="s1", tenant="other") == {"steps": 20.0, "cost_usd": 2.0}
    assert table.limits(0, session="s2", tenant="acme") == {"per_minute": 5.0}


def test_a_release_is_told_what_to_do_and_rolling_back_goes_first():
    table = told(decision("hold", release="v2"), decision("roll_back", release="v2"))
    assert table.rollout("v2", 0) == "roll_back"
    assert table.rollout("v3", 0) is None


def test_no_more_is_held_than_fits_and_the_oldest_gives_way():
    table = told(*(decision("open_circuit", tool=f"t{at}") for at in range(5)), most=3)
    assert [table.circuit(f"t{at}", 0) for at in range(5)] == ["closed", "closed", "open", "open", "open"]


def test_what_is_over_makes_room_before_what_holds():
    lasting = decision("hold", release="v2")
    brief = [decision("retry", 60, error_type=f"e{at}") for at in range(3)]
    later = replace(decision("retry", 400, error_type="last"), time=moment(120))
    table = told(lasting, *brief, later, most=4)
    assert table.rollout("v2", 130) == "hold"
    assert table.retry("last", 130) is not None


def test_advice_that_ends_is_forgotten():
    table = told(decision("hold", release="v2"), replace(decision("hold", 50, release="v2"), time=moment(50)))
    assert table.rollout("v2", 10) is None


def test_what_cannot_be_read_or_is_not_known_yet_changes_nothing():
    table = told(decision("open_circuit", 120, tool="search"))
    hold = msgspec.json.decode(encode(decision("open_circuit", 120, tool="pay")))
    nowhere = [msgspec.json.encode(hold | {name: "2026-01-01T00:00:00"}) for name in ("time", "until")]
    for value in (b"", b"{}", b"\xff", b"[" * 100_000, *nowhere):
        table.read(value)
    assert table.unread == 6
    later = msgspec.json.decode(encode(decision("open_circuit", 120, tool="pay")))
    table.read(msgspec.json.encode(later | {"action": "dance", "why": {"new": 1}}))
    assert (table.circuit("search", 0), table.circuit("pay", 0)) == ("open", "closed")


def test_the_words_are_those_of_the_pipeline():
    own, theirs = get_type_hints(advised.Decision), get_type_hints(Decision)
    assert set(own) <= set(theirs)
    assert set(theirs) - set(own) == {"id", "reason"}
    assert get_args(advised.Then) == get_args(Then)
    assert set(advised.CIRCUITS) < set(get_args(Action))
