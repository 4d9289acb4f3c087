"""Fire drills: their scenarios, what is seen of them, and rehearsals without a broker."""

from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest
from msgspec.structs import replace

from detectors.bank import Bank
from detectors.registry import discover
from schemas.cause import Acknowledged, ConfigFile, Reported, Signalled, Wake
from schemas.event import Event
from schemas.outcome import Deferred, Delivered, Undeliverable
from schemas.page import Channel
from schemas.record import Record
from schemas.wire import decode_event, encode
from streams.drilling.pattern import Pattern, learnt
from streams.drilling.progress import Progress
from streams.drilling.rehearsal import Rehearsal, Unheard, made_up, rehearse
from streams.drilling.scenarios import IMPOSSIBLE, SCENARIOS
from streams.drilling.stages import IDLE, REMEDIES, STAGES
from streams.hosting.settings import read_settings
from streams.replay import BUILT_IN
from tests.detectors.agent_events import START_S, event
from tests.streams.words import content, incident, page, signal

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
DRILL = "error_rate/burst:x"
EMPTY_ROTA = """
receivers: [{name: a, notify: [{escalation: people}]}]
users: {bo: {slack: U1}}
schedules:
  later: {timezone: UTC, layers: [{name: n, start: '2030-01-01T00:00', every: 1 day, users: [bo]}]}
escalations: {people: {steps: [{notify: [schedule: later], via: [slack], wait: 5m}]}}
"""
MINUTE = timedelta(minutes=1)


def rehearsal(name: str = "error_rate/burst", agent: str = "ana", **more) -> Rehearsal:
    scenario = SCENARIOS[name]
    known = {"token": "x", "within": scenario.lasts + MINUTE, **more}
    return Rehearsal(scenario=scenario, agent=agent, **known)


def rules(text: str) -> tuple[ConfigFile, ...]:
    return (ConfigFile("rules.yaml", text),)


class TestThePattern:
    def test_it_is_that_of_the_agents_last_events(self):
        found = learnt("ana", made_up("ana", NOW))
        assert (found.provider, found.model, found.operation) == ("northwind", "northwind-large", "chat")
        assert (found.version, found.env) == ("2.4.1", "prod")
        assert set(found.tools) == {"find_order", "check_payment", "issue_refund"}
        assert found.cost_usd == pytest.approx(0.006, rel=0.2)

    def test_what_an_agent_does_not_tell_is_as_with_any(self):
        assert learnt("made-up", [event(START_S)]) == Pattern(agent="made-up")


class TestScenarios:
    @pytest.mark.parametrize("name", SCENARIOS)
    def test_its_events_fit_the_contract_and_carry_the_mark(self, name):
        scenario = SCENARIOS[name]
        events = list(islice(scenario.events(Pattern(agent="ana"), f"{name}:x", NOW), 500))
        assert [decode_event(encode(each)) for each in events] == events
        assert {each.drill for each in events} == {f"{name}:x"}
        assert len({each.id for each in events}) == len(events)
        assert sorted(each.time for each in events) == [each.time for each in events]

    @pytest.mark.no_cover  # it judges the whole, and is several times as fast unmeasured
    @pytest.mark.parametrize("name", SCENARIOS)
    def test_its_detector_finds_it_before_its_events_end(self, name):
        result = rehearse(rehearsal(name), (BUILT_IN,), made_up("ana", NOW, SCENARIOS[name].history))
        assert result.broke_at == ""
        found = next(each for each in result.stages if each.stage == "signal")
        assert found.after_s <= SCENARIOS[name].lasts.total_seconds() + 10
        assert found.what.startswith(f"{SCENARIOS[name].detector}/")

    @pytest.mark.no_cover  # it judges the whole, and is several times as fast unmeasured
    @pytest.mark.parametrize("name", ["dependency/outage", "error_rate/burst", "session/loop"])
    def test_it_is_found_on_the_wall_clock_too_where_ticks_come_two_seconds_late(self, name):
        bank = Bank(read_settings, "wall")
        bank.begin((BUILT_IN,))
        history = list(made_up("ana", NOW))[-600:]
        now_s, found = NOW.timestamp(), []
        records = [(encode(each), now_s) for each in history]
        played = SCENARIOS[name].events(learnt("ana", history), f"{name}:x", NOW)
        coming = [(encode(each), each.time.timestamp()) for each in islice(played, 60)]
        for offset, (value, written_s) in enumerate(records + coming):
            wake_at = bank.wake_at
            if wake_at is not None and written_s - 2 >= wake_at:
                _, tick = bank.waking(written_s - 2)
                found += bank.apply(Record(2 * offset, tick, b"", written_s))
            found += bank.apply(Record(2 * offset + 1, value, b"", written_s))
        signals = [each.value.signal for each in found if isinstance(each.value, Signalled)]
        (drilled, *_) = [each for each in signals if "drill" in each.labels]
        assert (drilled.time - NOW).total_seconds() <= 30

    def test_every_detector_that_there_is_can_be_drilled(self):
        assert {each.detector for each in SCENARIOS.values()} == discover().keys()

    def test_what_cannot_be_drilled_has_no_scenario(self):
        assert not IMPOSSIBLE.keys() & SCENARIOS.keys()


class TestRehearsals:
    def test_they_are_the_same_every_time(self):
        once, again = (rehearse(rehearsal(), (BUILT_IN,), made_up("ana", NOW)) for _ in range(2))
        assert once == again

    def test_messages_go_to_the_drills_channel(self):
        channel = Channel(kind="slack", target="#drills")
        result = rehearse(rehearsal(channel=channel), (BUILT_IN,), made_up("ana", NOW))
        assert {each.channel for each in result.paged} == {"slack #drills"}
        assert {each.instead for each in result.paged} == {"on-call (terminal)"}

    def test_a_detector_that_is_off_is_where_it_breaks(self):
        files = rules(BUILT_IN.text + "detectors: {error_rate: {enabled: false}}\n")
        result = rehearse(rehearsal(), files, made_up("ana", NOW))
        assert result.broke_at == "signal"
        assert "has no detector error_rate" in result.remedy

    def test_a_receiver_that_tells_nobody_is_where_it_breaks(self):
        result = rehearse(
            rehearsal(), rules("route: {receiver: a}\nreceivers: [{name: a}]\n"), made_up("ana", NOW)
        )
        assert result.broke_at == "page"
        assert "oversight route" in result.remedy

    @pytest.mark.parametrize(
        ("text", "why"),
        [
            ("receivers: [{name: a}]\n", "receiver a notifies nobody"),
            (
                "receivers: [{name: a, notify: [{slack: '#a', digest: 1h}]}]\n",
                "receiver a tells of it in a digest",
            ),
            (
                "receivers: [{name: a, notify: [{escalation: '{{ labels.team }}'}]}]\n",
                "receiver a finds no escalation for team (none)",
            ),
            (EMPTY_ROTA, "escalation people reaches nobody at this time"),
        ],
    )
    def test_what_in_the_rules_keeps_people_from_being_paged_is_told(self, text, why):
        result = rehearse(rehearsal(), rules("route: {receiver: a}\n" + text), made_up("ana", NOW))
        assert result.broke_at == "page"
        assert result.remedy.startswith(f"{why}; nobody was paged: see")

    def test_so_is_a_route_that_waits_for_longer_than_the_drill_goes_on(self):
        text = "route: {receiver: a, group_wait: 1h}\nreceivers: [{name: a, notify: [{slack: '#a'}]}]\n"
        result = rehearse(rehearsal(), rules(text), made_up("ana", NOW))
        assert result.broke_at == "page"
        assert result.remedy.startswith("its route lets it wait until ")

    def test_a_time_interval_in_which_nothing_is_heard_is_told_as_the_reason(self):
        text = (
            "route: {receiver: a, routes: [{receiver: a, matchers: ['agent=~\".+\"'], "
            "mute_time_intervals: [mornings]}]}\nreceivers: [{name: a, notify: [{slack: '#a'}]}]\n"
            "time_intervals: [{name: mornings, time_intervals: "
            "[{times: [{start_time: '08:00', end_time: '12:00'}]}]}]\n"
        )
        result = rehearse(rehearsal(), rules(text), made_up("ana", NOW))
        assert result.broke_at == "page"
        assert result.remedy.startswith("it is muted by time interval mornings; ")

    def test_a_silence_is_told_as_the_reason(self):
        files = rules(
            BUILT_IN.text + "silences: [{name: works, matchers: [agent=ana], end: '2027-01-01T00:00'}]\n"
        )
        result = rehearse(rehearsal(), files, made_up("ana", NOW))
        assert result.broke_at == "page"
        assert result.remedy.startswith("it is muted by silence works")

    def test_an_agent_that_sent_nothing_has_none(self):
        with pytest.raises(Unheard, match="no event of bo"):
            rehearse(rehearsal(agent="bo"), (BUILT_IN,), [event(START_S)])


class TestProgress:
    def test_each_stage_is_reached_once_and_by_words_of_the_drill_alone(self):
        t = Progress(DRILL, "ana", NOW)
        drilled = {"agent": "ana", "drill": DRILL}
        mine = page(id="p1", incident="i1", content=with_drill())
        for at, words in enumerate(
            (signal(), signal(labels=drilled), signal(labels=drilled, state="resolved"))
        ):
            t.cause(Signalled(at=NOW + at * MINUTE, signal=words))
        t.published(NOW)
        t.incident(incident(id="i0"))
        t.incident(incident(id="i1", drill=DRILL, opened=NOW + MINUTE))
        t.cause(reported("p0", Delivered()))
        t.cause(reported("p1", Deferred(reason="busy")))
        for each in (page(id="p0"), mine, mine):
            t.page(each)
        for outcome in (Delivered(), Undeliverable(reason="x")):
            t.cause(reported("p1", outcome))
        t.cause(Acknowledged(at=NOW + 3 * MINUTE, id="a", by="bo", incident="i0"))
        assert not t.has("acknowledged")
        t.cause(Acknowledged(at=NOW + 3 * MINUTE, id="b", by="bo", incident="i1", via="slack"))
        t.cause(Wake(at=NOW))
        result = t.result()
        assert result.broke_at == ""
        assert [each.stage for each in result.stages if each.after_s is None] == []
        assert result.stages[-1].what == "by bo, slack"
        assert [(each.to, each.outcome) for each in result.paged] == [(mine.to, "delivered")]

    @pytest.mark.parametrize("stage", ["signal", "incident"])
    def test_where_no_worker_is_at_work_that_is_told(self, stage):
        t = Progress(DRILL, "ana", NOW)
        t.published(NOW)
        t.idle("signal", "incident")
        if stage == "incident":
            t.signal(signal(labels={"drill": DRILL}))
        assert (t.result().broke_at, t.result().remedy) == (stage, IDLE[stage])

    def test_a_page_of_which_nothing_is_heard_is_told(self):
        t = Progress(DRILL, "ana", NOW)
        t.published(NOW)
        t.signal(signal(labels={"drill": DRILL}))
        t.incident(incident(id="i1", drill=DRILL))
        t.page(page(id="p1", incident="i1", content=with_drill()))
        assert t.result().remedy.startswith("nothing was heard of it: does a worker notify?; ")

    def test_each_stage_that_does_not_come_is_told_otherwise(self):
        assert len({*REMEDIES.values(), *IDLE.values()}) == len(STAGES) + len(IDLE)

    def test_what_the_channel_answered_is_told_where_it_breaks(self):
        t = Progress(DRILL, "ana", NOW)
        assert t.result().broke_at == "published"
        t.published(NOW)
        t.refused("Cost.observe: ValueError: x")
        assert not t.is_refused
        assert t.result().remedy == "Cost.observe: ValueError: x"
        t.refused("drill x: no")
        assert t.is_refused
        t.signal(signal(labels={"drill": DRILL}))
        t.incident(incident(id="i1", drill=DRILL))
        t.page(page(id="p1", incident="i1", content=with_drill()))
        t.cause(Reported(at=NOW, page="p1", attempt=1, outcome=Undeliverable(reason="channel_not_found")))
        assert t.result().broke_at == "delivered"
        assert t.result().remedy.startswith("channel_not_found; the page did not arrive")


def reported(name, outcome):
    return Reported(at=NOW + 2 * MINUTE, page=name, attempt=1, outcome=outcome)


def with_drill():
    return replace(content(signal()), drill=DRILL)


def test_a_history_without_the_agents_own_events_is_passed_over():
    others = [each for each in islice(made_up("bo", NOW), 50) if isinstance(each, Event)]
    with pytest.raises(Unheard):
        rehearse(rehearsal(), (BUILT_IN,), others)
