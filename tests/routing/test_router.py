"""The router as a fold: origins, snapshots, configurations, what it holds back, caps."""

from datetime import UTC, datetime, timedelta
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from routing import router
from routing.incidents import intake, joining, paging, state
from routing.incidents.incident import Case
from routing.incidents.timers import SLACK, Timers
from routing.incidents.turn import Turn
from routing.router import KEY, Router
from routing.rules.faults import ConfigFaults, Fault
from schemas.cause import ConfigFile, Configured, Signalled, Wake
from schemas.page import Channel
from schemas.record import Record
from schemas.signal import Signal
from schemas.wire import Malformed, decode_cause, encode
from streams.fold import Fold
from tests.routing.scenario import (
    ESCALATED,
    HOUR,
    MINUTE,
    ONE_CHANNEL,
    START,
    Scenario,
    busy,
    dead,
    origin,
    says_nothing,
)


def a_fold(fold: Fold) -> Fold:
    return fold


def a_signal(name="s1", at=START, **labels):
    return Signal(
        id=name,
        detector="error_rate",
        finding="sessions",
        state="firing",
        labels={"agent": "refund-agent", **labels},
        time=at,
        onset=at,
        summary="",
    )


def a_configuration(text=ONE_CHANNEL, clock="wall", at=START):
    return Configured(at=at, digest=str(len(text)), files=(ConfigFile("rules.yaml", text),), clock=clock)


def a_life(config=ESCALATED):
    """A log in which much happens: its records."""
    t = Scenario(config, answers={"U02": busy, "env:PD_BO": dead})
    t.signal("s1", detector="cost", tool="a")
    t.fast_forward(6 * MINUTE)
    t.signal("s2", agent="other")
    t.signal("s3", detector="silence")
    t.fast_forward(3 * MINUTE)
    t.acknowledge()
    t.silence('agent="other"', lasts=10 * MINUTE)
    t.recover("s3")
    t.configure(config + "\n# changed")
    t.fast_forward(40 * MINUTE)
    t.recover("s1")
    t.fast_forward(MINUTE)
    t.signal("s1", tool="a")
    t.close()
    t.fast_forward(10 * MINUTE)
    return t.log


LIFE = a_life()


def outputs_of(fold, log, start=0):
    return [
        (output.stream, output.key, encode(output.value), output.at)
        for offset, value in enumerate(log[start:], start)
        for output in fold.apply(Record(offset, value))
    ]


def everything(fold):
    saved = fold.save(KEY)
    return (saved.applied, saved.body, saved.version, saved.wake_at, dict(saved.parts))


def test_the_router_is_a_fold_with_one_key_and_no_mark():
    fold = a_fold(Router())
    fold.resume(fold.mark())
    assert fold.mark() == b""
    assert fold.unsaved() == {}
    assert fold.wake_at is None


def test_the_same_causes_give_the_same_bytes():
    one, other = Router(), Router()
    assert outputs_of(one, LIFE) == outputs_of(other, LIFE)
    assert everything(one) == everything(other)


@cache
def undisturbed():
    """What comes of the whole life, and what is kept in its end."""
    through = Router()
    return outputs_of(through, LIFE), everything(through)


@given(st.integers(0, len(LIFE)))
def test_after_a_restart_anywhere_everything_goes_on_byte_for_byte(split):
    first, second = Router(), Router()
    found = outputs_of(first, LIFE[:split])
    second.load(KEY, first.save(KEY))
    found += outputs_of(second, LIFE, split)
    assert (found, everything(second)) == undisturbed()


def test_causes_up_to_the_applied_offset_are_skipped():
    fold = Router()
    outputs_of(fold, LIFE)
    before = everything(fold)
    assert outputs_of(fold, LIFE) == []
    assert everything(fold) == before


def test_an_origin_that_came_before_changes_nothing():
    fold = Router()
    fold.apply(Record(0, encode(a_configuration())))
    first = Signalled(at=START, signal=a_signal(), origin=origin(7, 1))
    assert fold.apply(Record(1, encode(first)))
    parts = fold.save(KEY).parts
    for offset, again in enumerate((origin(7, 1), origin(7, 0), origin(3, 9)), 2):
        late = Signalled(at=START + HOUR, signal=a_signal("s2"), origin=again)
        assert fold.apply(Record(offset, encode(late))) == ()
    assert fold.save(KEY).parts == parts
    assert fold.counts == {"causes repeated": 3}
    for offset, fresh in enumerate((origin(7, 2), origin(8, 0), origin(0, 0, partition=1)), 5):
        more = Signalled(at=START, signal=a_signal(f"s{offset}"), origin=fresh)
        assert fold.apply(Record(offset, encode(more)))


def test_replaying_a_range_of_signals_changes_no_page():
    t = Scenario()
    t.write(Signalled(at=t.now, signal=a_signal(), origin=origin(1)))
    t.fast_forward(MINUTE)
    for _ in range(3):
        t.write(Signalled(at=t.now, signal=a_signal(), origin=origin(1)))
    t.fast_forward(MINUTE)
    assert len(t.pages) == 1


def test_origins_beyond_the_cap_are_taken_as_they_come():
    book = intake.Intake(origins={str(n): (0, 0) for n in range(intake.ORIGIN_CAP)})
    cause = Wake(at=START, origin=origin(5))
    book.remember(cause)
    assert len(book.origins) == intake.ORIGIN_CAP
    assert not book.knows(cause)


def test_what_is_no_cause_is_malformed_and_counts_as_read():
    fold = Router()
    with pytest.raises(Malformed):
        fold.apply(Record(0, b"{"))
    assert fold.unsaved() == {KEY: 0}
    assert fold.save(KEY).applied == 0
    assert fold.apply(Record(0, b"{")) == ()


def test_what_was_not_saved_is_told_from_its_first_offset_on():
    fold = Router()
    for offset in (3, 4):
        fold.apply(Record(offset, encode(Wake(at=START))))
    assert fold.unsaved() == {KEY: 3}
    assert fold.save(KEY).applied == 4
    assert fold.unsaved() == {}


def test_waking_is_a_cause_that_fires_what_is_due():
    t = Scenario()
    t.signal()
    wake_at = t.router.wake_at
    assert wake_at == (START + timedelta(seconds=10)).timestamp()
    key, value = t.router.waking(wake_at)
    assert key == b"wake"
    assert decode_cause(value) == Wake(at=START + timedelta(seconds=10))
    t.router.apply(Record(99, value))
    assert t.router.wake_at != wake_at


def test_before_a_configuration_causes_are_held_back_and_then_taken_in_order():
    fold = Router()
    early = [Signalled(at=START, signal=a_signal()), Wake(at=START + MINUTE)]
    for offset, cause in enumerate(early):
        assert fold.apply(Record(offset, encode(cause))) == ()
    assert fold.wake_at is None
    again = Router()
    again.load(KEY, fold.save(KEY))
    outputs = again.apply(Record(2, encode(a_configuration())))
    assert [output.stream for output in outputs] == ["incidents", "pages", "incidents"]


def test_beyond_the_cap_what_came_before_a_configuration_goes_to_the_dead_letters():
    fold = Router()
    wake = encode(Wake(at=START))
    for offset in range(router.HELD_CAP):
        assert fold.apply(Record(offset, wake)) == ()
    outputs = fold.apply(Record(router.HELD_CAP, wake))
    assert [output.stream for output in outputs] == ["deadletter"]
    assert fold.counts == {"causes refused before a configuration": 1}


def test_a_bad_configuration_never_replaces_a_good_one_and_its_owner_hears_of_it():
    t = Scenario()
    t.signal()
    t.configure("route: {receiver: nobody}")
    assert "rules.yaml:1" in t.complaints[0]
    t.fast_forward(MINUTE)
    assert len(t.pages) == 1


def test_the_same_configuration_again_only_lets_time_pass():
    t = Scenario()
    t.signal()
    t.now += MINUTE
    outputs = t.write(a_configuration(at=t.now))
    assert [output.stream for output in outputs] == ["pages", "incidents"]
    assert t.router.digests[-1] == str(len(ONE_CHANNEL))


def test_timers_due_before_a_configuration_fire_by_the_one_that_held():
    t = Scenario()
    t.signal()
    t.now += MINUTE
    t.configure(ONE_CHANNEL.replace("#oncall", "#new"))
    assert t.paged == [(10, "slack #oncall"), (60, "slack #new")]


def test_a_state_of_another_version_or_key_is_refused():
    saved = Router().save(KEY)
    with pytest.raises(ValueError, match="version 9, expected 1"):
        Router().load(KEY, replace(saved, version=9))
    with pytest.raises(ValueError, match="found 'other'"):
        Router().load("other", saved)


def test_a_configuration_that_can_no_longer_be_followed_makes_causes_wait():
    def refuse(_):
        raise ConfigFaults([Fault("rules.yaml", 1, 1, "unknown field")])

    t = Scenario()
    t.signal()
    fold = Router(refuse)
    fold.load(KEY, t.router.save(KEY))
    assert fold.wake_at is None
    assert fold.digests == ()
    assert fold.apply(Record(99, encode(Wake(at=START + HOUR)))) == ()


def test_a_restart_remembers_which_configurations_were_followed():
    t = Scenario()
    t.configure(ONE_CHANNEL + "# more")
    before = t.router.digests
    t.restart()
    assert t.router.digests == before
    assert len(set(before)) == 2


def test_only_buckets_that_changed_are_written_anew():
    t = Scenario()
    for number in range(40):
        t.signal(f"s{number}", agent=f"agent-{number}")
    t.fast_forward(15 * timedelta(seconds=1))
    before = t.router.save(KEY).parts
    t.recover("s7")
    after = t.router.save(KEY).parts
    changed = [name for name in after if after[name] is not before.get(name)]
    assert len([name for name in changed if name.startswith("cases-")]) == 1


def test_time_never_runs_backwards():
    t = Scenario()
    t.signal()
    t.fast_forward(HOUR)
    t.now = START
    t.signal("s2", agent="other")
    assert t.incident.opened == START + HOUR


def test_the_clock_s_start_is_the_epoch():
    assert datetime.fromtimestamp(0, UTC) == state.START


def test_beyond_the_cap_of_open_incidents_one_takes_all_the_rest():
    t = Scenario(ONE_CHANNEL)
    t.router._state.open = state.OPEN_CAP
    for name in "abc":
        t.signal(name, agent=f"agent-{name}")
    assert [each.labels for each in t.incidents] == [{"overflow": "incidents"}]
    assert t.incident.signals == ("a", "b", "c")
    assert t.router.counts == {"incidents beyond the cap": 3}
    t.fast_forward(MINUTE)
    assert len(t.pages) == 1


def test_beyond_the_cap_of_kept_incidents_the_first_resolved_is_forgotten():
    t = Scenario(answers={"slack": says_nothing})
    t.signal("b", agent="b")
    t.recover("b")
    t.now += MINUTE
    t.signal("a", agent="a")
    t.recover("a")
    t.restart()
    t.signal("b", agent="b")
    assert t.router.open == 1
    cases = t.router._state.cases
    for number in range(state.KEPT_CAP - len(cases)):
        cases[f"inc-{number:020x}"] = next(iter(cases.values()))
    first = t.incidents[1].id
    t.signal("c", agent="c")
    assert first not in cases
    assert t.router.counts == {"incidents forgotten at the cap": 1}


def test_beyond_the_cap_of_kept_incidents_what_fires_again_is_not_forgotten():
    t = Scenario(answers={"slack": says_nothing})
    t.signal()
    t.recover()
    t.signal()
    cases = t.router._state.cases
    for number in range(state.KEPT_CAP - len(cases)):
        cases[f"inc-{number:020x}"] = next(iter(cases.values()))
    t.signal("c", agent="c")
    assert t.incidents[0].id in cases
    assert t.router.counts == {}


def test_beyond_the_cap_signals_of_an_incident_are_counted_and_the_page_says_so():
    t = Scenario()
    for number in range(joining.MEMBER_CAP + 2):
        t.signal(f"s{number}")
    t.fast_forward(30 * timedelta(seconds=1))
    assert len(t.incident.signals) == joining.MEMBER_CAP
    assert t.pages[0].summary.endswith("(and more signals than an incident holds)")
    assert t.router.counts == {"signals beyond an incident's cap": 2}


@pytest.mark.no_cover  # it judges the whole, and is several times as fast unmeasured
def test_beyond_the_cap_the_gravest_signals_of_an_incident_are_told():
    t = Scenario(ONE_CHANNEL.replace("group_wait: 10s", "group_wait: 0s"))
    for number in range(joining.MEMBER_CAP):
        t.signal(f"s{number}", detector="cost")
    t.signal("worse", detector="silence")
    t.signal("milder", detector="cost")
    t.fast_forward(2 * MINUTE)
    assert [page.severity for page in t.pages] == ["warning", "critical"]
    assert len(t.incident.signals) == joining.MEMBER_CAP
    assert t.incident.signals[-1] == "worse"


def test_beyond_the_cap_a_signal_that_ended_makes_room_first():
    t = Scenario()
    for number in range(joining.MEMBER_CAP):
        t.signal(f"s{number}")
    t.recover("s7")
    t.signal("late", detector="cost")
    assert "late" in t.router._state.cases[t.incident.id].members
    assert t.router.counts == {"signals beyond an incident's cap": 1}


def test_beyond_the_cap_pages_of_an_incident_make_room():
    text = ONE_CHANNEL.replace("repeat_interval: 4h", "repeat_interval: 2m")
    t = Scenario(text)
    t.signal()
    t.fast_forward((paging.PAGE_CAP + 2) * 2 * MINUTE)
    assert len(t.pages) > paging.PAGE_CAP
    t.recover()
    assert len(t.updates) == paging.PAGE_CAP
    assert t.router.counts["pages dropped at the cap"] == len(t.pages) - paging.PAGE_CAP


def test_at_the_cap_the_oldest_page_goes_where_none_is_settled():
    text = ONE_CHANNEL.replace("repeat_interval: 4h", "repeat_interval: 2m")
    t = Scenario(text, answers={"slack": busy})
    t.signal()
    t.fast_forward((paging.PAGE_CAP + 2) * 2 * MINUTE)
    assert t.router.counts["pages dropped at the cap"] > 0


def test_timers_that_are_set_anew_again_and_again_do_not_pile_up():
    case = Case(id="inc-00", key="k", route="r", receiver="r", labels={}, opened=START)
    timers = Timers({"inc-00": case})
    for number in range(10 * SLACK):
        timers.arm(case, "flush", START + timedelta(seconds=10 * SLACK - number))
        timers.arm(case, "flush", case.timers["flush"])
    assert len(timers._heap) <= SLACK + 2
    assert timers.take(START + HOUR) == (START + timedelta(seconds=1), "inc-00", "flush")
    assert timers.take(START + HOUR) is None


def test_timers_that_are_taken_away_do_not_pile_up_either():
    case = Case(id="inc-00", key="k", route="r", receiver="r", labels={}, opened=START)
    timers = Timers({"inc-00": case})
    for number in range(10 * SLACK):
        timers.arm(case, "flush", START + timedelta(seconds=number))
        timers.disarm(case, "flush")
    assert len(timers._heap) <= SLACK + 2
    assert timers.next() is None


def test_the_same_page_is_sent_once():
    t = Scenario()
    t.signal()
    turn = Turn(t.router._state, t.router._policy, t.now, [])
    case = turn.state.cases[t.incident.id]
    address = paging.Address(target="x", to="ana", channels=(Channel(kind="slack", target="U1"),))
    for _ in range(2):
        paging.send(turn, case, address, "opened")
    assert [output.stream for output in turn.outputs] == ["pages"]
