"""What waits for a limit is told in the end, and to nobody whom it does not concern."""

from tests.routing.bursts import BY_SLACK, burst
from tests.routing.scenario import ESCALATED, HOUR, MINUTE, SECOND, START, Scenario


def test_pages_that_no_limit_holds_back_do_not_hold_back_for_ever_what_waits():
    t = Scenario(BY_SLACK)
    burst(t, 3)
    t.fast_forward(2 * MINUTE)
    t.signal("late", agent="late")
    late = t.incident.id
    for number in range(8):
        t.fast_forward(20 * MINUTE)
        t.signal(f"given-{number}", agent=f"given-{number}")
        t.hand("ana", by="bo")
    [waited] = [page for page in t.pages if (page.to, page.incident) == ("ana", late)]
    # It began to wait at 123 s, and then there was always somebody who handed something over.
    assert (waited.time - START, waited.reason) == (HOUR + 123 * SECOND, "storm")


def test_what_is_muted_by_another_configuration_while_it_waits_pages_nobody_else_instead():
    t = Scenario(ESCALATED)
    burst(t, 3)
    t.fast_forward(2 * MINUTE)
    t.signal("late", agent="late")
    assert len(t.pages) == 2
    hour = "start: '2026-01-05T09:00', end: '2026-01-05T10:00'"
    silence = f"silences: [{{name: late, matchers: ['agent=\"late\"'], {hour}}}]\n"
    t.configure(ESCALATED.replace("users: [ana, bo]", "users: [bo, ana]") + silence)
    t.fast_forward(30 * MINUTE)
    late = t.incident.id
    assert late not in [page.incident for page in t.pages]
