"""What ends and fires again, time after time."""

from routing.incidents.flapping import GROUPS_CAP
from tests.routing.configs import faults, policy
from tests.routing.scenario import ESCALATED, HOUR, MINUTE, ONE_CHANNEL, Scenario

ROUTES = "route: {receiver: a}\nreceivers: [{name: a}]\n"


def flap(t, times, pause=3 * MINUTE):
    """Fires and ends, each time as another signal; ends with an end."""
    for number in range(times):
        t.signal(f"f{len(t.log)}-{number}")
        t.fast_forward(pause)
        for name in [name for name in t.firing if name != "steady"]:
            t.recover(name)
        if number < times - 1:
            t.fast_forward(pause)


def test_what_ends_a_third_time_within_an_hour_stays_open_until_it_was_quiet():
    t = Scenario(ONE_CHANNEL)
    flap(t, 3)
    assert (t.incident.status, t.incident.flapping) == ("triggered", 3)
    assert t.incident.summary.endswith("fails (flapping: it ended 3 times lately)")
    assert t.updates[-1].summary.endswith("(flapping: it ended 3 times lately)")
    t.fast_forward(14 * MINUTE)
    assert t.incident.status == "triggered"
    t.fast_forward(MINUTE)
    assert (t.incident.status, t.incident.flapping) == ("resolved", 0)
    assert t.updates[-1].reason == "resolved"


def test_what_flaps_on_pages_no_more():
    t = Scenario(ONE_CHANNEL)
    flap(t, 3)
    pages, incidents = len(t.pages), len(t.incidents)
    t.fast_forward(3 * MINUTE)
    flap(t, 8)
    assert (len(t.pages), len(t.incidents)) == (pages, incidents)
    t.fast_forward(HOUR)
    assert {each.status for each in t.incidents} == {"resolved"}


def test_the_same_signal_may_fire_again_while_its_end_is_doubted():
    t = Scenario(ONE_CHANNEL)
    flap(t, 2)
    t.fast_forward(MINUTE)
    t.signal("same")
    t.fast_forward(MINUTE)
    again = t.firing["same"]
    t.recover("same")
    t.fast_forward(MINUTE)
    t.firing["same"] = again
    t.fast_forward(20 * MINUTE)
    assert t.incident.status == "triggered"
    t.recover("same")
    t.fast_forward(15 * MINUTE)
    assert t.incident.status == "resolved"


def test_an_end_that_is_told_twice_counts_once():
    t = Scenario(ONE_CHANNEL)
    flap(t, 2)
    t.fast_forward(MINUTE)
    t.signal("last")
    said = t.firing["last"]
    t.recover("last")
    t.fast_forward(MINUTE)
    t.firing["last"] = said
    t.recover("last")
    assert t.incident.flapping == 3
    t.fast_forward(14 * MINUTE)
    assert t.incident.status == "resolved"


def test_what_ends_seldom_does_not_flap():
    t = Scenario(ONE_CHANNEL)
    flap(t, 6, pause=20 * MINUTE)
    assert t.incident.status == "resolved"
    assert t.incident.flapping == 0


def test_what_several_signals_hold_open_flaps_only_by_its_last():
    t = Scenario(ONE_CHANNEL)
    t.signal("steady")
    flap(t, 4, pause=MINUTE)
    assert t.incident.flapping == 0


def test_what_flaps_and_falls_silent_is_over_like_any_other():
    t = Scenario(ONE_CHANNEL)
    flap(t, 2)
    t.fast_forward(MINUTE)
    t.signal("lost")
    t.forget("lost")
    t.fast_forward(29 * MINUTE)
    assert t.incident.flapping == 3
    t.fast_forward(2 * MINUTE)
    assert t.incident.status == "resolved"


def test_what_a_person_closes_is_closed_though_it_flaps():
    t = Scenario(ONE_CHANNEL)
    flap(t, 3)
    t.close()
    assert t.incident.status == "resolved"
    t.fast_forward(2 * HOUR)
    assert {each.status for each in t.incidents} == {"resolved"}


def test_a_climb_goes_on_while_an_incident_flaps():
    t = Scenario(ESCALATED)
    flap(t, 3, pause=MINUTE)
    t.fast_forward(6 * MINUTE)
    assert "bo" in {each.to for each in t.pages}


def test_flapping_can_be_switched_off_and_set():
    t = Scenario(ONE_CHANNEL + "limits: {flapping: {enabled: false}}\n")
    flap(t, 5)
    assert t.incident.status == "resolved"
    t = Scenario(ONE_CHANNEL + "limits: {flapping: {times: 2, quiet: 1m}}\n")
    flap(t, 2)
    assert t.incident.status == "triggered"
    t.fast_forward(MINUTE)
    assert t.incident.status == "resolved"


def test_an_incident_that_flaps_survives_a_restart():
    t = Scenario(ONE_CHANNEL)
    flap(t, 3)
    t.restart()
    t.fast_forward(15 * MINUTE)
    assert t.incident.status == "resolved"


def test_the_settings_are_checked():
    assert faults(ROUTES + "limits: {flapping: {times: 1}}") == [
        "3:28: expected a number greater than or equal to 2, found '1'"
    ]
    assert faults(ROUTES + "limits: {flapping: {quite: 1h}}") == [
        '3:21: unknown field "quite" (did you mean "quiet"?)'
    ]
    assert policy(ROUTES).limits.flapping.times == 3


def test_an_acknowledgement_that_lapses_while_an_end_is_doubted_pages_nobody():
    t = Scenario(ESCALATED)
    for number in range(3):
        t.signal(f"f{number}")
        if number == 0:
            t.acknowledge()
        t.fast_forward((9.5 if number < 2 else 4) * MINUTE)
        t.recover(f"f{number}")
        if number < 2:
            t.fast_forward(MINUTE)
    t.fast_forward(20 * MINUTE)
    assert t.told == [(0, "ana", "opened")]
    assert t.incident.status == "resolved"


def test_what_fires_again_after_a_doubted_end_and_falls_silent_is_over():
    t = Scenario("global: {resolve_timeout: 5m}\n" + ESCALATED)
    for number in range(3):
        t.signal("same")
        t.fast_forward(MINUTE)
        if number < 2:
            t.recover("same")
            t.fast_forward(MINUTE / 2)
    t.recover("same")
    t.fast_forward(10 * MINUTE)
    t.signal("same")
    t.fast_forward(MINUTE)
    t.forget("same")
    t.fast_forward(HOUR)
    assert t.incident.status == "resolved"


def test_of_a_thousand_groups_it_is_known_how_often_they_ended():
    t = Scenario(ONE_CHANNEL)
    for n in (0, *range(GROUPS_CAP + 1)):
        t.signal(f"s{n}", agent=f"a{n}")
        t.recover(f"s{n}")
    t.signal("s0", agent="a0")
    t.recover("s0")
    assert t.incidents[0].status == "resolved"


def test_what_is_worse_after_it_flapped_and_was_closed_leaves_nothing_to_end():
    rules = ONE_CHANNEL.replace("group_by: [agent]", "group_by: [agent, severity]")
    t = Scenario(rules.replace("90}", "90}\n  rules: [{matchers: ['worse=\"yes\"'], add: 25}]"))
    for _ in range(3):
        t.signal("same")
        t.fast_forward(MINUTE)
        t.recover("same")
    t.close()
    t.signal("same", worse="yes")
    t.fast_forward(HOUR)
    assert [(each.severity, each.status) for each in t.incidents] == [
        ("error", "resolved"),
        ("critical", "triggered"),
    ]
