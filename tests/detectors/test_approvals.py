"""Human oversight of an agent: what waits, what expires, what is waved through, what goes ahead without."""

import msgspec
import pytest

from detectors.approvals import Approvals
from detectors.bank import Bank
from detectors.detector import State
from detectors.settings import Settings, Watch
from schemas.identity import derived
from schemas.wire import moment
from tests.detectors.agent_events import START_S, event
from tests.detectors.made_up import Tape

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0


class Desk:
    """An agent that asks, people who answer. Times in seconds after the start."""

    def __init__(self, **options):
        self.detector = Approvals(Watch(), options)

    def say(self, at, state, number=0, consequence="high", **said):
        approval = {"id": f"a{number}", "state": state, "consequence": consequence, **said}
        session = {"id": f"c{number}"}
        self.show(at, "pay", "agent.approval.v1", approval=approval, conversation=session)
        return self

    def act(self, at, number=0, consequence="high", **more):
        more = {"operation": {"consequence": consequence}, "conversation": {"id": f"c{number}"}, **more}
        return self.show(at, "pay", **more)

    def show(self, at, operation, kind="agent.operation.v1", /, **data):
        self.detector.observe(event(START_S + at, operation, kind, **data), START_S + at)
        return self

    def holds(self, at):
        return {each.finding: each for each in self.detector.findings(START_S + at)}


def test_a_request_that_waits_for_half_an_hour_is_told():
    desk = Desk().say(0, "requested", 1).say(60, "requested", 2, "low")
    assert desk.detector.wake_at == START_S + 30 * MINUTE
    assert desk.holds(30 * MINUTE - 1) == {}
    told = desk.holds(30 * MINUTE)["waiting"]
    assert told.summary == (
        "2 approvals wait for a person, the oldest 30 minutes, since 00:00 UTC; 1 of high consequence"
    )
    assert (told.observed, told.baseline, told.magnitude) == (30, 30, 1)
    assert told.samples[0].text == "pay high"
    assert desk.detector.wake_at is None
    assert desk.holds(HOUR)["waiting"].onset == told.onset
    desk.say(HOUR, "approved", 1)
    assert "1 approval waits for a person" in desk.holds(HOUR)["waiting"].summary
    desk.say(HOUR, "denied", 2)
    assert desk.holds(HOUR + 5) == {}


def test_where_answers_usually_take_long_more_patience_is_due():
    desk = Desk()
    for number in range(25):
        desk.say(number, "requested", number).say(
            2 * HOUR, "approved", number, wait=2 * HOUR, approver=f"p{number}"
        )
    desk.say(3 * HOUR, "requested", 99)
    assert desk.detector.wake_at == START_S + 9 * HOUR
    assert "usually answered in 2 hours" in desk.holds(9 * HOUR)["waiting"].summary


def test_the_patience_can_be_set():
    desk = Desk(wait="5m").say(0, "requested")
    assert "waiting" in desk.holds(5 * MINUTE)
    desk.detector.configure(Watch(), {"wait": "1h"})
    assert desk.holds(6 * MINUTE) == {}


def test_a_request_that_is_asked_twice_waits_since_the_first_time():
    desk = Desk().say(0, "requested").say(20 * MINUTE, "requested")
    assert desk.detector.wake_at == START_S + 30 * MINUTE


def test_who_is_silent_while_it_waits_is_told_of_all_the_same():
    tape = Tape(Bank(lambda _: Settings(), kinds={"approvals": Approvals}))
    tape.event(0, kind="agent.approval.v1", approval={"id": "a", "state": "requested"})
    tape.tick(5)
    tape.tick(45 * MINUTE)
    assert {each.finding for each in tape.signals} == {"waiting"}
    tape.event(46 * MINUTE, kind="agent.approval.v1", approval={"id": "a", "state": "approved"})
    tape.tick(47 * MINUTE)
    assert (tape.signals[-1].state, tape.signals[-1].reason) == ("resolved", "recovered")


def test_what_nobody_answers_in_four_days_is_given_up_and_counts_as_expired():
    desk = Desk()
    for number in range(3):
        desk.say(number, "requested", number)
    assert set(desk.holds(4 * DAY - 10)) == {"waiting"}
    found = desk.holds(4 * DAY + 10)
    assert set(found) == {"expiring"}
    assert "3 of the last 3 approvals expired without an answer" in found["expiring"].summary


def test_what_waits_over_a_weekend_and_is_answered_on_monday_did_not_expire():
    desk = Desk()
    for number in range(6):
        desk.say(HOUR * number, "requested", number)
    for day in (1, 2):
        assert set(desk.holds(day * DAY + 6 * HOUR)) == {"waiting"}
    for number in range(6):
        desk.say(2.7 * DAY + 600 * number, "approved", number, approver="eva")
    assert desk.holds(2.8 * DAY) == {}


def test_requests_that_expire_are_told_until_two_hours_pass_without():
    desk = Desk()
    for number in range(10):
        desk.say(60 * number, "requested", number)
        desk.say(60 * number + 30, "expired" if number > 6 else "approved", number, approver=f"p{number}")
    told = desk.holds(700)["expiring"]
    assert told.observed == 0.3
    assert told.onset == START_S + 450
    assert desk.holds(800)["expiring"].onset == told.onset
    assert desk.holds(3 * HOUR) == {}


def test_two_of_many_that_expire_are_nothing():
    desk = Desk()
    for number in range(20):
        desk.say(60 * number, "expired" if number in {3, 9} else "approved", number, approver=f"p{number}")
    assert desk.holds(1300) == {}


def test_ten_approvals_of_one_person_within_a_minute_are_told():
    desk = Desk()
    for number in range(12):
        desk.say(5 * number, "approved", number, approver="ana", wait=40)
    told = desk.holds(60)["bulk"]
    assert told.labels == {"approver": "ana"}
    assert told.observed == 12
    assert told.onset == START_S
    assert "ana approved at least 12 requests within a minute" in told.summary
    assert desk.holds(HOUR + 56) == {}


def test_approvals_within_a_second_are_told_of_whom_they_are():
    desk = Desk()
    for number in range(6):
        desk.say(300 * number, "requested", number).say(300 * number + 0.5, "approved", number, approver="bo")
        desk.say(300 * number + 90, "approved", 50 + number, approver="ana", wait=80)
    found = desk.detector.findings(START_S + 1600)
    assert [(each.finding, each.labels["approver"]) for each in found] == [("instant", "bo")]
    assert "bo approved 6 of the last 6 requests within a second" in found[0].summary
    again = Desk()
    for number in range(20):
        again.say(300 * number, "approved", number, wait=0.5 if number % 4 == 0 else 60)
    assert again.holds(6100) == {}


def test_an_operation_of_high_consequence_without_approval_is_told():
    desk = Desk().say(0, "requested", 1).say(100, "approved", 1, approver="ana").act(110, 1)
    assert desk.holds(120) == {}
    desk.act(130, 2)
    told = desk.holds(135)["unapproved"]
    assert "1 operation of high consequence went ahead without approval since 00:02 UTC" in told.summary
    assert told.samples[0].conversation == "c2"
    desk.say(140, "denied", 3).act(150, 3).say(160, "requested", 4).act(170, 4, "critical")
    told = desk.holds(175)["unapproved"]
    assert told.observed == 3
    assert "3 operations of high consequence went ahead" in told.summary
    assert "2 of them after a refusal or before an answer" in told.summary
    assert told.blast.sessions == 3
    assert set(desk.holds(HOUR)) == {"waiting"}


@pytest.mark.parametrize(
    "more",
    [
        {"consequence": "low"},
        {"error": {"type": "timeout"}},
        {"operation": {"consequence": "high", "state": "started"}},
        {"conversation": {}},
    ],
)
def test_what_is_of_no_consequence_or_was_not_done_or_of_no_known_session_needs_none(more):
    desk = Desk(required="true").act(0, 1, **more)
    assert desk.holds(5) == {}


def test_agents_that_never_ask_anybody_are_left_alone_unless_they_must():
    assert Desk().act(0).holds(5) == {}
    assert "unapproved" in Desk(required=True).act(0).holds(5)


def test_an_approval_counts_for_a_day_and_a_later_request_takes_nothing_away():
    desk = Desk().say(0, "approved", 1).say(60, "requested", 1).act(120, 1)
    assert "unapproved" not in desk.holds(125)
    assert "unapproved" in desk.act(DAY + 200, 1).holds(DAY + 201)


def test_a_policy_may_approve_what_can_be_taken_back():
    desk = Desk().say(0, "auto", 1).act(5, 1).say(6, "auto", 2, reversible=True).act(7, 2)
    assert desk.holds(10) == {}
    desk.say(11, "denied", 3).say(12, "auto", 3, reversible=False).act(13, 3)
    assert "unapproved" in desk.holds(15)


def test_an_approval_without_a_state_says_nothing():
    desk = Desk()
    desk.show(0, "pay", "agent.approval.v1", approval={"id": "a"})
    assert desk.detector.save() == Approvals(Watch(), {}).save()


def test_requests_approvers_and_sessions_without_end_are_bounded():
    desk = Desk()
    for number in range(1000):
        desk.say(number, "requested", number, approver="x" * 100)
    assert len(desk.detector._state.queue.waiting) == 256
    assert desk.detector._state.queue.dropped == 744
    for number in range(100):
        desk.say(1000 + number, "approved", number, approver=f"{number}" * 30)
    assert len(desk.detector._state.approvers) == 32
    assert len(desk.detector._state.consents.sessions.by) == 512


def test_at_its_caps_its_state_stays_small():
    desk = Desk()
    for number in range(2000):
        desk.say(number / 10, "requested", number)
    for number in range(100):
        for again in range(20):
            desk.say(300 + number, "approved", 1000 * again + number, approver=f"{number}" * 20, wait=0.1)
    assert len(desk.detector._state.queue.waiting) > 200
    assert len(desk.detector.save().body) < 35_000


def test_when_the_oldest_requests_are_answered_there_is_something_left_to_look_at():
    desk = Desk()
    for number in range(30):
        desk.say(number, "requested", number)
    for number in range(16):
        desk.say(30, "denied", number)
    first, second = desk.holds(3 * HOUR)["waiting"].samples
    assert (first.time, second.time) == (moment(START_S + 16), moment(START_S + 24))


def test_state_of_the_first_version_is_read():
    asked = {"event": "s/1", "time": moment(START_S), "text": "refund high", "conversation": "c1"}
    queue = [{"a1": [START_S, "high", asked]}, [5.0], [[START_S, 0.0]], START_S, None, 0]
    approvers = {"ana": [[[START_S, 0.4], [START_S, -1.0], [START_S, 9.0]], None, 0.0, 0, None, 0.0]}
    consents = [{"c1": [1, START_S + 0.5], "": [0, START_S]}, True, None]
    body = msgspec.msgpack.encode([queue, approvers, consents])
    detector = Approvals.load(Watch(), {}, State(body), 1)
    [told] = detector.findings(START_S + HOUR)
    assert (told.finding, told.blast.sessions) == ("waiting", 1)
    assert told.summary.endswith("; 1 of high consequence")
    assert told.samples[0].conversation == "c1"
    assert [unread for _, unread in detector._state.approvers["ana"].last] == [1, 0, 0]
    desk = Desk()
    desk.detector = detector
    desk.say(HOUR, "approved", 1)
    assert desk.holds(HOUR + 1) == {}


def test_sessions_and_requests_with_long_ids_are_found_in_state_of_the_first_version():
    request, session = "request-" + "1" * 40, "session-" + "1" * 40
    kept = [derived("id", name) for name in (request, session)]
    asked = {"event": "s/1", "time": moment(START_S), "text": "refund high", "conversation": session}
    queue = [{kept[0]: [START_S, "high", asked]}, [], [], None, None, 0]
    body = msgspec.msgpack.encode([queue, {}, [{kept[1]: [1, START_S]}, True, None]])
    desk = Desk()
    desk.detector = Approvals.load(Watch(), {}, State(body), 1)
    [waiting] = desk.detector._state.queue.waiting.values()
    assert [*desk.detector._state.consents.sessions.by] == [waiting.session]
    desk.act(MINUTE, conversation={"id": session})
    assert desk.holds(MINUTE) == {}
    desk.show(
        HOUR,
        "pay",
        "agent.approval.v1",
        approval={"id": request, "state": "denied"},
        conversation={"id": session},
    )
    assert desk.holds(HOUR + 1) == {}


def test_a_request_without_an_id_goes_by_its_session():
    desk = Desk()
    desk.show(0, "pay", "agent.approval.v1", approval={"state": "requested"}, conversation={"id": "c"})
    desk.show(9, "pay", "agent.approval.v1", approval={"state": "modified"}, conversation={"id": "c"})
    assert desk.detector.wake_at is None


def test_what_is_said_to_be_normal_ends_and_nothing_is_waited_for():
    desk = Desk(required="true").say(0, "requested").act(1, 2)
    assert set(desk.holds(HOUR)) == {"waiting"}
    desk.act(HOUR, 2)
    assert set(desk.holds(HOUR + 1)) == {"waiting", "unapproved"}
    desk.detector.rebase(START_S + HOUR)
    assert desk.holds(HOUR + 5) == {}
    assert "unapproved" in desk.act(HOUR + 6, 3).holds(HOUR + 7)


def test_a_clock_that_jumps_four_days_ahead_gives_up_what_waited():
    desk = Desk().say(0, "requested")
    desk.show(4 * DAY + 1, "chat")
    assert desk.holds(4 * DAY + 5) == {}


def test_options_and_versions_that_do_not_hold_are_refused():
    with pytest.raises(ValueError, match="'late' is no span of time"):
        Approvals(Watch(), {"wait": "late"})
    with pytest.raises(ValueError, match="state of approvals has version 0, this is 2"):
        Approvals.load(Watch(), {}, Approvals(Watch(), {}).save(), 0)
