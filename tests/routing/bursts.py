"""Many incidents at once, for tests of limits and of the pages that speak for several."""

from datetime import timedelta

from routing.content import built_in
from schemas.outcome import Delivered
from tests.routing.scenario import ESCALATED, MINUTE, SECOND, Scenario

UNLIMITED = ESCALATED + "limits: {pages_per_person: unlimited}\n"
PATIENT = ESCALATED.replace("    ack_timeout: 30m\n", "")
BY_SLACK = ESCALATED.replace("[slack, pagerduty]", "[slack]")


def burst(t, count, first=0, detector="error_rate"):
    """Incidents of as many agents, a second apart."""
    for number in range(first, first + count):
        t.signal(f"s{number}", detector=detector, agent=f"a{number}")
        t.fast_forward(SECOND)


def sated(rules=PATIENT, by="ana", after=timedelta(0)):
    """Ana had the two pages that an hour allows; all three incidents that they told were taken."""
    t = Scenario(rules)
    t.fast_forward(after)
    burst(t, 3)
    t.fast_forward(2 * MINUTE)
    for each in t.incidents:
        t.acknowledge(each.id, by=by)
    return t


def end_lead(t):
    """The first incident of the storm that was paged second recovers; its id."""
    lead = t.pages[1].incident
    t.recover(next(f"s{n}" for n in (1, 2, 3) if t.incidents[n].id == lead))
    return lead


def only_storms(answer):
    """A channel that takes everything but storms."""
    return lambda message: answer(message) if message.reason == "storm" else Delivered(reference="r")


def fact(message, label):
    facts = {each.label: each.text for each in built_in(message).facts}
    return facts.get(label, "")


def to(t, person):
    return [(at, reason) for at, who, reason in t.told if who == person]


def statuses(t):
    return [each.status for each in t.incidents]
