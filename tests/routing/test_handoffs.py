"""Shifts that change hands: announced before, summed up at the handoff, each once."""

from datetime import timedelta

import pytest

from routing.content import built_in, title
from routing.incidents.handoffs import SEEN_CAP
from routing.incidents.posting import UNHEARD_CAP
from routing.router import KEY, Router
from routing.words.blocks import blocks, plain
from schemas.cause import ConfigFile, Configured, Wake
from schemas.wire import decode_message, encode
from streams.records import line
from tests.routing.scenario import ESCALATED, HOUR, MINUTE, START, Scenario, busy, dead, says_nothing

DAILY = ESCALATED.replace(
    "timezone: UTC\n", "timezone: UTC\n    handoff: {notice: 1h, slack: '#handoffs'}\n"
).replace("1 week", "1 day")
DAY = 24 * HOUR


def told(t):
    """Hours since the start, reason and sentence of each notice."""
    return [((each.time - START) / HOUR, each.reason, each.summary) for each in t.notices]


def facts(notice):
    return dict(notice.facts)


def test_a_handoff_is_announced_before_and_summed_up_when_it_comes():
    t = Scenario(DAILY)
    t.fast_forward(2 * DAY)
    assert told(t) == [
        (23, "handoff_soon", "bo takes over payments from ana in 1 h (Tue 2026-01-06 09:00 UTC)"),
        (24, "handoff", "bo is on call for payments until Wed 2026-01-07 09:00 UTC; then ana"),
        (47, "handoff_soon", "ana takes over payments from bo in 1 h (Wed 2026-01-07 09:00 UTC)"),
        (48, "handoff", "ana is on call for payments until Thu 2026-01-08 09:00 UTC; then bo"),
    ]
    assert {(each.channel.kind, each.channel.target) for each in t.notices} == {("slack", "#handoffs")}
    assert t.pages == []
    assert t.incidents == []


def test_the_summary_counts_what_the_shift_was_paged_for_and_names_what_is_open():
    t = Scenario(DAILY)
    t.signal("s1", agent="one")
    t.fast_forward(MINUTE)
    t.acknowledge(by="ana")
    t.signal("s2", agent="two")
    t.recover("s2")
    t.signal("s3", detector="cost", agent="three")
    t.fast_forward(MINUTE)
    t.signal("s4", detector="silence", agent="three")
    t.fast_forward(DAY)
    soon, handed = t.notices[:2]
    assert "warning" not in facts(soon)["Open"]
    assert facts(handed)["Shift"].startswith("ana since Mon 2026-01-05 09:00 UTC: 3 incidents, ")
    assert [line.split(":")[0] for line in facts(handed)["Open"].splitlines()] == ["critical", "error"]
    t.recover("s1")
    t.recover("s3")
    t.recover("s4")
    t.fast_forward(DAY)
    assert facts(t.notices[-1])["Open"] == "nothing"


def test_an_acknowledged_incident_says_by_whom():
    t = Scenario(DAILY.replace("ack_timeout: 30m", "repeat: 0"))
    t.fast_forward(DAY - 2 * HOUR)
    t.signal()
    t.fast_forward(MINUTE)
    t.acknowledge(by="ana")
    t.fast_forward(HOUR)
    assert facts(t.notices[0])["Open"] == "error: s1 of refund-agent fails (acknowledged by ana)"


def test_many_open_incidents_are_counted():
    t = Scenario(DAILY)
    t.fast_forward(23 * HOUR - MINUTE)
    for number in range(8):
        t.signal(f"s{number}", agent=f"agent-{number}")
    t.fast_forward(MINUTE)
    assert facts(t.notices[0])["Open"].splitlines()[-1] == "and 3 more"


def test_a_page_by_name_is_no_page_of_the_shift():
    t = Scenario(DAILY.replace("[schedule: payments]", "[user: ana]"))
    t.signal()
    t.fast_forward(DAY)
    assert facts(t.notices[1])["Shift"].endswith("0 incidents, 0 pages")


def test_the_incidents_of_a_shift_are_kept_within_bounds():
    t = Scenario(DAILY)
    for number in range(SEEN_CAP + 4):
        t.signal(f"s{number}", agent=f"agent-{number}")
    shift = t.router._state.core.handovers["payments"]
    assert (shift.incidents, len(shift.seen)) == (SEEN_CAP + 4, SEEN_CAP)


@pytest.mark.parametrize("every", [None, timedelta(minutes=7), timedelta(hours=30)])
def test_notices_come_at_their_own_time_whenever_the_router_wakes(every):
    t = Scenario(DAILY, every=every)
    t.fast_forward(60 * HOUR)
    assert [at for at, _, _ in told(t)] == [23, 24, 47, 48]


def test_a_restart_repeats_and_forgets_nothing():
    t = Scenario(DAILY)
    t.signal()
    for hours in (22, 1, 1, 12, 12):
        t.fast_forward(hours * HOUR)
        t.restart()
    assert [at for at, _, _ in told(t)] == [23, 24, 47, 48]
    assert facts(t.notices[1])["Shift"].startswith("ana since Mon 2026-01-05 09:00 UTC: 1 incident, ")


def test_the_same_causes_give_the_same_bytes():
    def run():
        t = Scenario(DAILY, answers={"#handoffs": busy})
        t.signal()
        t.fast_forward(2 * DAY)
        return [encode(each) for each in t.notices], t.router.save(KEY)

    assert run() == run()


@pytest.mark.no_cover  # it judges the whole, and is several times as fast unmeasured
def test_who_is_on_call_alone_has_no_handoffs():
    t = Scenario(DAILY.replace("users: [ana, bo]", "users: [ana]"))
    t.fast_forward(80 * DAY)
    assert t.notices == []


def test_a_time_without_anybody_is_told_too():
    nights = "users: [ana], only: [{from: '08:00', to: '20:00'}]"
    t = Scenario(DAILY.replace("users: [ana, bo]", nights))
    t.fast_forward(DAY)
    assert [said for _, _, said in told(t)] == [
        "nobody takes over payments from ana in 1 h (Mon 2026-01-05 20:00 UTC)",
        "nobody is on call for payments until Tue 2026-01-06 08:00 UTC; then ana",
        "ana takes over payments from nobody in 1 h (Tue 2026-01-06 08:00 UTC)",
        "ana is on call for payments until Tue 2026-01-06 20:00 UTC; then nobody",
    ]


def test_a_shift_that_is_not_longer_than_the_notice_is_told_once():
    t = Scenario(DAILY.replace("1 day", "1 hour").replace("notice: 1h", "notice: 2h"))
    t.fast_forward(3 * HOUR + MINUTE)
    assert [(at, reason) for at, reason, _ in told(t)] == [
        (0, "handoff_soon"), (1, "handoff"), (2, "handoff"), (3, "handoff"),
    ]  # fmt: skip


def test_the_last_handoff_says_no_end():
    t = Scenario(DAILY.replace("every: 1 day, users: [ana, bo]", "every: 40 days, users: [ana, bo]"))
    t.fast_forward(40 * DAY)
    assert [reason for _, reason, _ in told(t)] == ["handoff_soon", "handoff"]
    assert t.notices[-1].summary == "bo is on call for payments"


# -- channels ------------------------------------------------------------------------------------------------


def test_a_channel_that_is_busy_is_tried_again_and_then_given_up():
    t = Scenario(DAILY, answers={"#handoffs": busy})
    t.fast_forward(24 * HOUR - MINUTE)
    assert [(each.attempt, (each.time - START) / MINUTE) for each in t.notices] == [
        (1, 23 * 60), (2, 23 * 60 + 1), (3, 23 * 60 + 3), (4, 23 * 60 + 6),
    ]  # fmt: skip
    assert len({each.id for each in t.notices}) == 1
    assert t.complaints == ["schedule payments: a notice did not reach slack #handoffs: 503"]


def test_a_channel_that_says_nothing_is_asked_again_and_then_given_up():
    t = Scenario(DAILY, answers={"#handoffs": says_nothing})
    t.fast_forward(24 * HOUR - MINUTE)
    assert [(each.attempt, (each.time - START) / MINUTE - 23 * 60) for each in t.notices] == [
        (1, 0), (2, 2), (3, 4), (4, 6),
    ]  # fmt: skip
    assert t.notices[3].began == t.notices[0].time
    assert t.complaints == [
        "schedule payments: a notice did not reach slack #handoffs: no outcome was reported"
    ]


def test_a_dead_channel_is_told_to_the_owner_at_once_and_late_outcomes_change_nothing():
    t = Scenario(DAILY, answers={"#handoffs": dead})
    t.fast_forward(23 * HOUR)
    assert t.complaints == ["schedule payments: a notice did not reach slack #handoffs: channel_not_found"]
    t.report(t.notices[0], dead(t.notices[0]))
    assert t.router.counts == {"outcomes of unknown pages": 1}


def test_an_outcome_of_an_earlier_attempt_changes_nothing():
    t = Scenario(DAILY, answers={"#handoffs": says_nothing})
    t.fast_forward(23 * HOUR + 3 * MINUTE)
    t.report(t.notices[0], dead(t.notices[0]))
    assert t.router.counts == {"outcomes repeated": 1}
    assert t.complaints == []


HOURLY = "layers: [{start: '2026-01-05T09:00', every: 1 hour, users: [ana, bo]}]"


def test_notices_that_nobody_answers_are_kept_within_bounds():
    one = "handoff: {notice: 1m, slack: '#c'}, " + HOURLY
    channels = "".join(f"  s{n}: {{timezone: UTC, {one}}}\n" for n in range(UNHEARD_CAP + 1))
    t = Scenario(DAILY.replace("escalations:", channels + "escalations:"), answers={"#c": says_nothing})
    t.fast_forward(59 * MINUTE)
    assert len(t.router._state.core.unheard) == UNHEARD_CAP
    assert t.router.counts == {"notices dropped at the cap": 1}


def test_after_a_pause_only_the_last_handoff_is_told_and_once():
    t = Scenario(DAILY)
    t.now += 3 * DAY + HOUR
    t.write(Wake(at=t.now))
    assert [(at, reason) for at, reason, _ in told(t)] == [(72, "handoff")]
    t.fast_forward(20 * MINUTE)
    assert [each.attempt for each in t.notices] == [1]
    assert t.complaints == []


def test_after_a_pause_within_the_notice_the_handoff_ahead_is_told_too():
    t = Scenario(DAILY)
    t.now += 2 * DAY - HOUR / 2
    t.write(Wake(at=t.now))
    assert [(at, reason) for at, reason, _ in told(t)] == [(24, "handoff"), (47, "handoff_soon")]


def test_a_notice_that_nobody_answered_before_a_pause_is_tried_once_more_after_it():
    t = Scenario(DAILY, answers={"#handoffs": says_nothing})
    t.fast_forward(23 * HOUR)
    t.now += HOUR / 2
    t.write(Wake(at=t.now))
    assert [each.attempt for each in t.notices] == [1, 2]
    assert t.complaints == []


# -- configurations ------------------------------------------------------------------------------------------


def test_a_reload_within_the_notice_says_nothing_twice():
    t = Scenario(DAILY)
    t.fast_forward(23 * HOUR + MINUTE)
    t.configure(DAILY + "# changed")
    t.fast_forward(HOUR)
    assert [(at, reason) for at, reason, _ in told(t)] == [(23, "handoff_soon"), (24, "handoff")]


def test_a_handoff_that_moves_is_announced_anew():
    t = Scenario(DAILY)
    t.fast_forward(23 * HOUR + MINUTE)
    t.configure(DAILY.replace("2026-01-05T09:00", "2026-01-05T10:00"))
    t.fast_forward(2 * HOUR)
    assert [(at, reason) for at, reason, _ in told(t)][1:] == [(24, "handoff_soon"), (25, "handoff")]


def test_an_override_that_takes_over_now_begins_another_shift():
    t = Scenario(DAILY)
    t.fast_forward(HOUR)
    override = "overrides: [{user: bo, start: '2026-01-05T09:30', end: '2026-01-05T12:00'}]\n    layers"
    t.configure(DAILY.replace("layers", override, 1))
    t.fast_forward(2 * HOUR)
    assert told(t)[-1] == (
        3,
        "handoff",
        "ana is on call for payments until Tue 2026-01-06 09:00 UTC; then bo",
    )


def test_a_schedule_that_tells_no_more_is_followed_no_more():
    t = Scenario(DAILY, answers={"#handoffs": says_nothing})
    t.fast_forward(23 * HOUR + MINUTE)
    t.configure(ESCALATED)
    assert t.router.wake_at is None
    t.fast_forward(2 * DAY)
    assert len(t.notices) == 1


def test_what_was_saved_of_a_configuration_that_cannot_be_read_any_more_stands_in_nobodys_way():
    t = Scenario(DAILY)
    saved = t.router.save(KEY)
    t.router = Router()
    t.router.load(KEY, saved)
    t.router._policy = None
    t.now += 3 * DAY
    t.configure(ESCALATED)
    t.fast_forward(DAY)
    assert t.notices == []


def test_on_the_clock_of_events_shifts_begin_with_the_first_event_and_keep_nobody_waiting():
    t = Scenario(DAILY)
    t.router = Router()
    t.log, t.outputs = [], []
    files = (ConfigFile("rules.yaml", DAILY),)
    t.write(Configured(at=START - 9000 * DAY, digest="d", files=files, clock="events"))
    assert t.router._state.core.handoff_at is None
    t.signal()
    t.write(Wake(at=START + 25 * HOUR))
    assert [at for at, _, _ in told(t)] == [23, 24]
    t.recover()
    t.fast_forward(HOUR)
    assert t.router.wake_at is None


# -- words ---------------------------------------------------------------------------------------------------


def notice():
    t = Scenario(DAILY)
    t.signal()
    t.fast_forward(DAY)
    return t.notices[-1]


def test_a_notice_says_its_facts_and_asks_for_nothing():
    said = notice()
    rendered = built_in(said)
    assert (
        rendered.title == title(said) == "bo is on call for payments until Wed 2026-01-07 09:00 UTC; then ana"
    )
    assert [fact.label for fact in rendered.facts] == ["Shift", "Open"]
    shown = blocks(said, rendered)
    assert "actions" not in {block["type"] for block in shown}
    assert plain(said, rendered).startswith("📟 bo is on call")


def test_a_notice_goes_over_the_wire_and_into_records_as_what_it_is():
    said = notice()
    assert decode_message(encode(said)) == said
    assert line(said).startswith(b'{"kind":"notice","id":"')
