"""The first incident of a storm is kept while others of it are open: their page ends with the last."""

from routing.incidents.closing import RETENTION
from routing.incidents.state import KEPT_CAP
from tests.routing.scenario import HOUR, MINUTE
from tests.routing.test_alerts import stormy


def led(after):
    """A storm whose first incident is over, and the time since then."""
    t, ana, storm = stormy()
    t.recover(next(f"s{n}" for n in (1, 2, 3) if t.incidents[n].id == storm.incident))
    t.fast_forward(after)
    return t, ana, storm


def end(t):
    for name in tuple(t.firing):
        t.recover(name)
    t.fast_forward(MINUTE)


def test_the_alert_of_a_storm_ends_with_its_last_incident_however_late_that_is():
    t, ana, storm = led(RETENTION + HOUR)
    assert storm.alert in ana.open
    end(t)
    assert ana.open == []


def test_a_restart_does_not_forget_what_an_alert_of_a_storm_waits_for():
    t, ana, _ = led(RETENTION + HOUR)
    t.restart()
    end(t)
    assert ana.open == []


def test_the_first_of_a_storm_is_forgotten_a_while_after_the_last():
    t, _, storm = led(RETENTION + HOUR)
    end(t)
    t.fast_forward(RETENTION - 2 * MINUTE)
    assert storm.incident in t.router._state.cases
    t.fast_forward(HOUR)
    assert t.router._state.cases == {}


def test_beyond_the_cap_what_speaks_for_no_other_is_forgotten_before_the_first_of_a_storm():
    t, _, storm = led(MINUTE)
    t.signal("z", agent="z")
    later = t.incident.id
    t.recover("z")
    cases = t.router._state.cases
    for number in range(KEPT_CAP - len(cases)):
        cases[f"inc-{number:020x}"] = next(iter(cases.values()))
    t.signal("y", agent="y")
    assert (storm.incident in cases, later in cases) == (True, False)
    t.signal("x", agent="x")
    assert storm.incident not in cases
    assert t.router.counts["incidents forgotten at the cap"] == 2
