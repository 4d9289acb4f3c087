"""An incident that somebody took fires again after its end: the same matter, or a new one?"""

import pytest

from tests.routing.scenario import ESCALATED, HOUR, MINUTE, ONE_CHANNEL, SECOND, Scenario

UNLAPSING = ESCALATED.replace("    ack_timeout: 30m\n", "")
LONG = "group_interval: 2m", "group_interval: 1h"


def taken_and_over(text, after=MINUTE):
    t = Scenario(text)
    t.signal()
    t.fast_forward(MINUTE)
    t.acknowledge()
    t.fast_forward(after)
    t.recover()
    return t


def test_what_fires_again_at_once_is_still_theirs_until_their_acknowledgement_lapses():
    t = taken_and_over(ESCALATED)
    t.fast_forward(MINUTE)
    t.signal()
    assert (t.incident.status, t.incident.acknowledged_by) == ("acknowledged", "ana")
    t.fast_forward(27 * MINUTE)
    assert t.told == [(0, "ana", "opened")]
    t.fast_forward(3 * MINUTE)
    # Taken at 60 s, for 30 min: the end in between does not make it longer.
    assert t.told[1:] == [(60 + 30 * 60, "ana", "repeated")]


def test_without_a_time_limit_it_is_theirs_over_a_short_recovery():
    t = taken_and_over(UNLAPSING)
    t.fast_forward(MINUTE)
    t.signal()
    t.fast_forward(9 * HOUR)
    assert t.told == [(0, "ana", "opened")]


def test_what_fires_again_a_good_while_later_is_a_new_matter():
    t = taken_and_over(UNLAPSING.replace(*LONG))
    t.fast_forward(16 * MINUTE)
    t.signal()
    t.fast_forward(HOUR)
    assert len(t.incidents) == 1
    assert [(to, why) for _, to, why in t.told] == [
        ("ana", "opened"),
        ("ana", "reopened"),
        ("bo", "escalated"),
        ("triage", "escalated"),
    ]
    assert t.incident.acknowledged_by == ""


def test_an_acknowledgement_that_would_have_lapsed_meanwhile_is_over():
    t = taken_and_over(ESCALATED, after=29 * MINUTE)
    t.fast_forward(90 * SECOND)
    t.signal()
    t.fast_forward(3 * MINUTE)
    assert t.told[1:] == [(t.told[1][0], "ana", "reopened")]


def test_what_was_snoozed_stays_so_until_its_time():
    t = Scenario(ONE_CHANNEL.replace(*LONG))
    t.signal()
    t.fast_forward(MINUTE)
    t.snooze(lasts=40 * MINUTE)
    t.recover()
    t.fast_forward(20 * MINUTE)
    t.signal()
    t.fast_forward(10 * MINUTE)
    assert (len(t.pages), t.incident.acknowledged_by) == (1, "ana")
    t.fast_forward(20 * MINUTE)
    assert t.told[1:] == [(60 + 40 * 60, "oncall", "repeated")]


def test_a_snooze_that_was_over_before_it_fires_again_is_forgotten():
    t = Scenario(ONE_CHANNEL.replace(*LONG))
    t.signal()
    t.fast_forward(MINUTE)
    t.snooze(lasts=5 * MINUTE)
    t.recover()
    t.fast_forward(6 * MINUTE)
    t.signal()
    t.fast_forward(HOUR)
    assert [why for *_, why in t.told] == ["opened", "reopened"]
    assert t.incident.snoozed_until is None


@pytest.mark.parametrize("pause", [30 * SECOND, 3 * MINUTE])
def test_a_restart_in_between_changes_nothing(pause):
    told = []
    for restarts in (False, True):
        t = taken_and_over(ESCALATED)
        t.fast_forward(pause)
        if restarts:
            t.restart()
        t.signal()
        t.fast_forward(40 * MINUTE)
        told.append(t.told)
    assert told[0] == told[1]


def test_what_was_taken_before_anybody_was_paged_may_fire_again():
    t = Scenario(ESCALATED.replace("group_wait: 0s", "group_wait: 10s"))
    t.signal()
    t.acknowledge()
    t.recover()
    t.fast_forward(MINUTE)
    t.signal()
    assert (t.incident.status, t.incident.acknowledged_by) == ("acknowledged", "ana")
    assert t.pages == []
