"""What is silenced is not paged; what was paged is still resolved."""

from datetime import timedelta

from routing.incidents.state import SILENCE_CAP
from tests.routing.scenario import ESCALATED, HOUR, MINUTE, ONE_CHANNEL, START, Scenario


def test_a_silenced_signal_is_not_paged_until_the_silence_ends():
    t = Scenario()
    t.silence('agent="refund-agent"', lasts=7 * MINUTE)
    t.signal()
    t.fast_forward(7 * MINUTE)
    assert t.pages == []
    t.fast_forward(2 * MINUTE)
    assert t.told == [(490, "oncall", "opened")]


def test_all_matchers_of_a_silence_must_match():
    t = Scenario()
    t.silence('agent="refund-agent"', 'env="staging"')
    t.signal(env="prod")
    t.fast_forward(MINUTE)
    assert len(t.pages) == 1


def test_a_resolution_follows_although_the_signal_is_silenced_by_then():
    t = Scenario()
    t.signal()
    t.fast_forward(MINUTE)
    t.silence('agent="refund-agent"')
    t.fast_forward(MINUTE)
    t.recover()
    assert t.updated == [(120, "#oncall", "resolved")]


def test_a_silenced_signal_does_not_end_its_group_and_does_not_raise_it():
    t = Scenario()
    t.silence('detector="silence"')
    t.signal("s1", detector="cost")
    t.fast_forward(MINUTE)
    t.signal("s2", detector="silence")
    t.fast_forward(5 * MINUTE)
    assert t.told == [(10, "oncall", "opened")]
    t.recover("s1")
    t.fast_forward(5 * MINUTE)
    assert t.incident.status == "triggered"
    t.recover("s2")
    assert t.incident.status == "resolved"


def test_a_silence_stands_the_climb_still():
    t = Scenario(ESCALATED)
    t.signal()
    t.fast_forward(4 * MINUTE)
    t.silence('agent="refund-agent"', lasts=30 * MINUTE)
    t.fast_forward(29 * MINUTE)
    assert t.told == [(0, "ana", "opened")]
    t.fast_forward(2 * MINUTE)
    assert t.told[1:] == [(34 * 60, "bo", "escalated")]


def test_an_acknowledgement_does_not_lapse_into_a_silence():
    t = Scenario(ESCALATED)
    t.signal()
    t.acknowledge()
    t.silence('agent="refund-agent"', lasts=45 * MINUTE)
    t.fast_forward(44 * MINUTE)
    assert len(t.pages) == 1
    t.fast_forward(MINUTE)
    assert t.told[1:] == [(45 * 60, "ana", "repeated")]


def test_the_same_silence_again_replaces_it():
    t = Scenario()
    t.silence('agent="refund-agent"')
    t.silence('agent="another"')
    t.signal()
    t.fast_forward(MINUTE)
    assert len(t.pages) == 1


def test_a_silence_is_ended_by_its_id_alone():
    t = Scenario()
    t.silence('agent="refund-agent"')
    t.signal()
    t.fast_forward(MINUTE)
    assert t.pages == []
    t.silence(lasts=timedelta(0))
    t.fast_forward(5 * MINUTE)
    assert (len(t.pages), t.complaints) == (1, [])


def test_a_silence_that_cannot_be_read_is_refused_and_reported():
    t = Scenario()
    t.silence("{broken")
    t.signal()
    t.fast_forward(MINUTE)
    assert len(t.pages) == 1
    assert t.complaints[0].startswith("silence quiet: ")


def test_beyond_the_cap_silences_are_refused_and_ended_ones_make_room():
    t = Scenario()
    for number in range(SILENCE_CAP + 1):
        t.silence(f'x="{number}"', name=f"s{number}", lasts=HOUR)
    assert t.complaints == [f"silence s{SILENCE_CAP}: {SILENCE_CAP} silences hold already"]
    t.silence('x="again"', name="s0")
    t.fast_forward(HOUR)
    t.silence('x="new"', name="new")
    assert len(t.complaints) == 1


def test_what_joins_a_silenced_group_waits_for_the_grid():
    t = Scenario()
    t.silence('detector="cost"')
    t.signal("s1", detector="cost")
    t.fast_forward(MINUTE)
    t.signal("s2")
    t.fast_forward(2 * MINUTE)
    assert t.told == [(130, "oncall", "opened")]


def test_a_silence_that_is_replaced_by_one_that_is_over_ends_at_once():
    t = Scenario()
    t.silence('agent="refund-agent"', lasts=5 * HOUR)
    t.signal()
    t.fast_forward(5 * MINUTE)
    t.silence('agent="refund-agent"', lasts=-MINUTE)
    t.fast_forward(2 * MINUTE)
    assert t.told == [(370, "oncall", "opened")]


def test_a_silence_may_begin_later():
    t = Scenario(ONE_CHANNEL.replace("repeat_interval: 4h", "repeat_interval: 10m"))
    t.silence('agent="refund-agent"', start=START + 15 * MINUTE, lasts=30 * MINUTE)
    t.signal()
    t.fast_forward(50 * MINUTE)
    assert [at // 60 for at, _, _ in t.told] == [0, 10, 46]


def test_an_incident_says_which_silence_hides_it_as_soon_as_it_is_made():
    t = Scenario()
    t.signal()
    t.fast_forward(MINUTE)
    assert t.incident.muted_by == ()
    t.silence('agent="refund-agent"')
    t.fast_forward(2 * MINUTE)
    assert t.incident.muted_by == ("silence quiet",)


def test_a_silence_in_utf8_matches_what_the_newer_grammar_says():
    t = Scenario()
    t.silence('{"größe"="x y", "detector"=~"error.*"}')
    t.signal(größe="x y")
    t.fast_forward(5 * MINUTE)
    assert t.pages == []
    assert t.complaints == []


def test_a_silence_outlives_a_restart_and_a_reload():
    t = Scenario()
    t.silence('agent="refund-agent"')
    t.restart()
    t.signal()
    t.configure(ONE_CHANNEL + "# another text\n")
    t.fast_forward(30 * MINUTE)
    assert t.pages == []


def test_a_silence_leaves_alone_what_it_does_not_match():
    t = Scenario()
    t.signal()
    t.fast_forward(MINUTE)
    t.silence('agent="another"')
    t.fast_forward(5 * MINUTE)
    assert t.incident.muted_by == ()
    assert t.updates == []
