"""What findings about approvals show beside their numbers: what stands out in them, how large they are."""

from detectors.approvals import Approvals
from detectors.settings import Watch
from tests.detectors.agent_events import START_S, event

KNOWN = 20


class Office:
    """An agent whose refunds by card are asked for and granted; what it does by wire is up to the test."""

    def __init__(self):
        self.detector = Approvals(Watch(), {})
        for number in range(KNOWN):
            self.ask(30 * number - 1000, f"card {number}", "card")
            self.say(30 * number - 980, f"card {number}", "approved", approver="ana")

    def ask(self, at, number, tool):
        tool = {"name": tool}
        return self.show(at, number, "agent.approval.v1", approval=approval(number, "requested"), tool=tool)

    def say(self, at, number, state, **said):
        return self.show(at, number, "agent.approval.v1", approval=approval(number, state, **said))

    def act(self, at, number, tool):
        return self.show(at, number, operation={"consequence": "high"}, tool={"name": tool})

    def show(self, at, number, kind="agent.operation.v1", **data):
        at_s = START_S + at
        self.detector.observe(event(at_s, "refund", kind, conversation={"id": number}, **data), at_s)
        return self

    def told(self, at, finding):
        return next(each for each in self.detector.findings(START_S + at) if each.finding == finding)


def approval(number, state, **said):
    return {"id": number, "state": state, "consequence": "high", **said}


def stands_out(found):
    return [(each.dimension, each.value, each.share) for each in found.contributors]


def test_what_waits_and_what_expires_stands_out_against_the_other_requests():
    office = Office()
    for number in range(4):
        office.ask(100, f"wire {number}", "wire")
    assert stands_out(office.told(3700, "waiting")) == [("tool", "wire", 1.0)]
    for number in range(4):
        office.say(3800, f"wire {number}", "expired")
        office.say(3801, f"never asked {number}", "expired")
    assert stands_out(office.told(3810, "expiring")) == [("tool", "wire", 0.5)]


def test_what_a_person_waves_through_is_of_what_was_asked_though_the_answer_does_not_say_it():
    office = Office()
    for number in range(10):
        office.ask(100, f"wire {number}", "wire").say(101, f"wire {number}", "approved", approver="bo")
    assert stands_out(office.told(105, "bulk")) == [("tool", "wire", 1.0)]


def test_what_went_ahead_stands_out_against_what_was_approved_and_has_its_share_of_both():
    office = Office()
    for number in range(KNOWN):
        office.act(200, f"card {number}", "card")
    office.act(300, "wire 1", "wire").act(300, "wire 2", "wire").act(300, "card 1", "card")
    found = office.act(300, "wire 3", "wire").told(305, "unapproved")
    assert stands_out(found) == [("tool", "wire", 1.0)]
    assert (found.magnitude, found.magnitude_unit) == (3.0, "")
    assert found.blast.share == 0.75


def test_all_that_is_shown_survives_a_restart():
    office = Office().act(100, "wire", "wire").ask(100, "asked", "wire")
    state = office.detector.save()
    again = Approvals.load(Watch(), {}, state, Approvals.version)
    assert again.save() == state
    assert again.findings(START_S + 105) == office.detector.findings(START_S + 105)
    for detector in (again, office.detector):
        office.detector = detector
        office.act(110, "card 1", "card")
    assert again.save() == office.detector.save()
