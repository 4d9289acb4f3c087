"""Whatever is drilled beside it, what is real goes the same way: pages, limits, storms, flapping, shifts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.content import built_in
from schemas.cause import Acknowledged, Drilled
from schemas.page import Channel, Page, Update
from tests.routing.bursts import PATIENT, burst, sated, to
from tests.routing.configs import policy
from tests.routing.scenario import ESCALATED, HOUR, MINUTE, ONE_CHANNEL, SECOND, Scenario
from tests.routing.test_flapping import flap

DRILL = "error_rate/burst:tuesday"
RULES = (
    ESCALATED.replace("group_by: [agent]", "group_by: [agent, detector]")
    .replace("timezone: UTC", "timezone: UTC\n    handoff: {notice: 1h, slack: '#shifts'}")
    .replace(
        """matchers: ['agent=~".+"']}]""",
        """matchers: ['agent=~".+"'], continue: true}, {receiver: daily, matchers: ['agent=~".+"']}]""",
    )
    .replace("receivers:\n", "receivers:\n- {name: daily, notify: [{slack: '#daily', digest: 10m}]}\n")
    + """
limits: {pages_per_person: 2 per 10m, pages_per_channel: 3 per 10m}
inhibit_rules:
- {source_matchers: ['detector="silence"'], target_matchers: ['detector="error_rate"'], equal: [agent]}
decisions: [{matchers: ['agent=~".+"'], do: open_circuit, for: 2m, automatic: true}]
"""
)
AGENTS = ("a", "b", "c")
DETECTORS = ("error_rate", "silence", "cost", "dependency")
real = st.tuples(st.sampled_from(AGENTS), st.sampled_from(DETECTORS))
steps = st.lists(
    st.one_of(
        st.tuples(st.just("fires"), real),
        st.tuples(st.just("ends"), real),
        st.tuples(st.just("drilled"), real),
        st.tuples(st.just("drill ends"), real),
        st.tuples(st.just("passes"), st.sampled_from([1, 20, 90, 300, 1200])),
        st.tuples(st.just("taken"), st.integers(0, 5)),
        st.tuples(st.just("dies"), st.none()),
    ),
    max_size=25,
)


class Both:
    """Twice the same history; in one of them drills are played."""

    def __init__(self) -> None:
        self.plain, self.drilled = Scenario(RULES), Scenario(RULES)

    def play(self, what, about):
        if what == "drilled":
            agent, detector = about
            self.drilled.signal(f"drill {agent} {detector}", detector, agent=agent, drill=f"{detector}/x:y")
        elif what == "drill ends":
            self._end(self.drilled, f"drill {about[0]} {about[1]}")
        else:
            for t in (self.plain, self.drilled):
                getattr(self, f"_{what}")(t, about)

    def _fires(self, t, about):
        t.signal(f"{about[0]} {about[1]}", about[1], agent=about[0])

    def _ends(self, t, about):
        self._end(t, f"{about[0]} {about[1]}")

    def _end(self, t, name):
        if name in t.firing:
            t.recover(name)

    def _passes(self, t, seconds):
        t.fast_forward(seconds * SECOND)

    def _taken(self, t, number):
        known = [each.id for each in t.incidents if not each.drill]
        if number < len(known):
            t.write(Acknowledged(at=t.now, id=f"ack {number}", incident=known[number], by="ana"))

    def _dies(self, t, _):
        t.restart()


def told(t):
    """Everything that is said of what is real, in order."""
    return [each for each in t.outputs if not drill_of(each.value)]


def drill_of(value):
    content = getattr(value, "content", None)
    return content.drill if content is not None else getattr(value, "drill", "")


@given(steps)
def test_what_is_real_is_told_the_same_with_and_without_drills(drawn):
    both = Both()
    for what, about in drawn:
        both.play(what, about)
    both.play("passes", 700)
    assert told(both.drilled) == told(both.plain)


def test_the_rules_of_that_history_limit_mute_advise_and_gather():
    known = policy(RULES)
    assert known.limits.person
    assert known.limits.channel
    assert known.inhibit_rules
    assert known.advice
    assert known.schedules["payments"].handoff
    both = Both()
    for number in range(12):
        both.play("fires", (AGENTS[number % 3], DETECTORS[number % 4]))
        both.play("drilled", (AGENTS[number % 3], DETECTORS[(number + 1) % 4]))
        both.play("passes", 20)
    both.play("passes", 1200)
    assert {each.reason for each in both.plain.pages} >= {"storm", "opened"}
    assert {each.reason for each in both.plain.notices} == {"digest"}
    assert any(each.muted_by for each in both.plain.incidents)
    assert both.plain.decisions
    assert len(both.drilled.pages) > len(both.plain.pages)
    assert told(both.drilled) == told(both.plain)


def test_who_was_drilled_has_the_pages_of_an_hour_yet():
    t = Scenario(PATIENT)
    for number in range(4):
        t.signal(f"d{number}", agent=f"d{number}", drill=f"error_rate/burst:{number}")
    burst(t, 1)
    assert to(t, "ana")[-1] == (0, "opened")
    assert t.incident.held == ()
    assert not any("drill" in each.labels for each in t.incidents if each.held)


def test_who_has_had_the_pages_of_an_hour_is_drilled_all_the_same():
    t = sated()
    before = len(t.pages)
    t.signal("drilled", agent="d", drill=DRILL)
    assert [(each.to, each.reason) for each in t.pages[before:]] == [("ana", "opened")]


def test_a_drill_within_a_storm_is_a_page_of_its_own():
    t = Scenario(ESCALATED)
    burst(t, 5)
    t.signal("drilled", agent="d", drill=DRILL)
    burst(t, 5, first=5)
    t.fast_forward(2 * MINUTE)
    storm, drill = (
        next(each for each in t.pages if each.reason == "storm"),
        next(each for each in t.pages if each.content.drill),
    )
    assert storm.content.storm.told == 9
    assert all("drilled" not in each.summary for each in storm.content.storm.worst)
    assert drill.content.storm is None


def test_what_ends_in_drill_after_drill_does_not_flap():
    t = Scenario(ONE_CHANNEL)
    for _ in range(3):
        t.signal("drilled", drill=DRILL)
        t.fast_forward(3 * MINUTE)
        t.recover("drilled")
        t.fast_forward(30 * SECOND)
    assert t.incident.status == "resolved"
    assert t.router._state.core.ends == {}
    flap(t, 1)
    assert t.incident.status == "resolved"


@pytest.mark.parametrize("room", [None, Channel(kind="slack", target="#drills")], ids=["people", "room"])
def test_every_message_of_a_drills_whole_life_says_drill(room):
    t = Scenario(ESCALATED.replace("ack_timeout: 30m", "ack_timeout: 10m"))
    t.write(Drilled(at=t.now, id=DRILL, by="ana", agent="refund-agent", channel=room))
    t.signal("s1", drill=DRILL)
    t.fast_forward(6 * MINUTE)
    t.signal("s2", "cost", drill=DRILL)
    t.fast_forward(3 * MINUTE)
    t.comment("rolling back")
    t.acknowledge()
    t.fast_forward(11 * MINUTE)
    t.signal("s3", "silence", drill=DRILL)
    t.fast_forward(MINUTE)
    t.hand(user="bo")
    t.snooze(MINUTE)
    t.fast_forward(5 * MINUTE)
    for name in tuple(t.firing):
        t.recover(name)
    t.fast_forward(MINUTE)
    t.signal("s1", drill=DRILL)
    t.fast_forward(HOUR)
    said = [each.value for each in t.outputs if isinstance(each.value, Page | Update)]
    reasons = {each.reason for each in said}
    assert reasons >= {
        "opened", "escalated", "updated", "commented", "acknowledged", "reassigned", "resolved", "reopened",
    }  # fmt: skip
    for each in said:
        assert each.content.drill == DRILL
        assert built_in(each).title.startswith("DRILL")
    if room:
        assert {each.channel.target for each in said} == {"#drills"}
