"""What paging asks of people: loads, noise, and what could be quieter."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from routing.fatigue import Ledger, shares
from schemas.incident import Incident
from schemas.page import Other, Page, Storm
from schemas.signal import Signal
from tests.routing.bursts import burst
from tests.routing.configs import LEAST, policy
from tests.routing.scenario import ESCALATED, MINUTE, Scenario
from tests.streams.words import content, incident, page, signal

MONDAY = datetime(2026, 5, 4, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
PEOPLE = LEAST + (
    "users: {ana: {tz: Asia/Tokyo, slack: U1}, bo: {slack: U2}}\n"
    "schedules: {s: {timezone: UTC, gaps: ignore, layers: "
    "[{start: '2026-05-04T00:00', every: 12 hours, users: [ana, bo]}]}}\n"
)


def told(*words, text=PEOPLE):
    ledger = Ledger(policy(text))
    for word in words:
        if isinstance(word, Page):
            ledger.page(word)
        elif isinstance(word, Signal):
            ledger.signal(word)
        elif isinstance(word, Incident):
            ledger.incident(word)
    return ledger.report()


def paged(number, at=MONDAY, to="bo", **changes):
    return page(id=f"p{number}", incident=f"i{number}", time=at, to=to, **changes)


def over(number, after=timedelta(minutes=5), **changes):
    return incident(id=f"i{number}", opened=MONDAY, resolved=MONDAY + after, status="resolved", **changes)


def test_nobody_who_was_not_paged_is_told_of():
    report = told(incident())
    assert (report.loads, report.noises, report.false_alarm_share, report.suggestions) == ([], [], None, [])


def test_pages_are_counted_by_person_on_their_own_clock():
    report = told(
        paged(1, to="ana"), paged(2, MONDAY + HOUR, to="ana"), paged(3), paged(4, MONDAY - 24 * HOUR)
    )
    ana, bo = report.loads
    # 18:00 and 19:00 in Tokyo; 09:00 on Monday and on Sunday in UTC.
    assert (ana.to, ana.pages, ana.out_of_hours) == ("ana", 2, 2)
    assert (bo.to, bo.pages, bo.out_of_hours) == ("bo", 2, 1)


def test_pages_are_counted_by_shift_and_by_day_where_there_is_none():
    within = [paged(at, MONDAY + at * HOUR, to="ana") for at in (0, 1, 2, 16)]
    stranger = [paged(9, MONDAY, to="#oncall"), paged(10, MONDAY + HOUR, to="#oncall")]
    loads = {each.to: each.worst_shift for each in told(*within, *stranger).loads}
    assert loads == {"ana": 3, "#oncall": 2}


def test_a_later_attempt_at_a_page_is_no_other_page():
    assert told(paged(1), paged(1, attempt=2)).loads[0].pages == 1


def test_how_soon_pages_are_taken_is_told_as_the_median():
    words = [
        word
        for number, minutes in enumerate((1, 3, 20))
        for word in (
            paged(number),
            incident(id=f"i{number}", status="acknowledged", time=MONDAY + timedelta(minutes=minutes)),
            incident(id=f"i{number}", status="acknowledged", time=MONDAY + timedelta(minutes=minutes + 30)),
        )
    ]
    (load,) = told(*words, paged(7), paged(0, MONDAY + HOUR)).loads
    assert (load.pages, load.acknowledged, load.acknowledged_within_s) == (5, 3, 180.0)


def of(detector):
    return content(replace(signal(), detector=detector, finding="x"))


def test_what_paged_is_told_by_finding_with_what_became_of_it():
    report = told(
        paged(1, content=of("cost")), over(1, feedback={"false_alarm": 2, "useful": 1}),
        paged(1, content=of("cost")), paged(2, content=of("cost")),
        over(2, after=HOUR, feedback={"useful": 1}),
        paged(3, content=of("latency")), over(3),
        paged(4, content=replace(content(), signals=())),
    )  # fmt: skip
    cost, latency, other = report.noises
    assert (cost.finding, cost.pages, cost.incidents, cost.false_alarms, cost.useful, cost.brief) == (
        "cost/x", 3, 2, 1, 2, 1,
    )  # fmt: skip
    assert (latency.finding, latency.brief) == ("latency/x", 1)
    assert (other.finding, other.incidents) == ("opened", 1)
    assert report.false_alarm_share == 0.5
    assert shares(report.noises) == {"cost/x": 0.6, "latency/x": 0.2, "opened": 0.2}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (
            [over(at, feedback={"false_alarm": 1}) for at in range(3)],
            "cost/spike: 3 of 3 incidents were false alarms",
        ),
        ([over(at) for at in range(3)], "cost/spike: 3 of 3 incidents were over within 10 minutes"),
        ([over(at, after=HOUR) for at in range(3)], "#x: 3 pages in one shift"),
    ],
)
def test_what_could_be_quieter_is_suggested(words, expected):
    pages = [paged(at, to="#x") for at in range(3)]
    assert told(*pages, *words).suggestions[0].startswith(expected)


def test_two_of_a_kind_and_one_bad_page_in_many_suggest_nothing():
    assert told(paged(1), over(1), paged(2), over(2)).suggestions == []
    days = [paged(at, MONDAY + 24 * at * HOUR, to="#x") for at in range(10)]
    assert told(*days, over(0), *(over(at, after=HOUR) for at in range(1, 10))).suggestions == []


def storm_of(*numbers):
    """What a page shows that speaks for incidents."""
    lines = tuple(
        Other(f"i{each}", "error", 50, "triggered", MONDAY, "it fails", sessions=1) for each in numbers[:5]
    )
    return replace(content(), signals=(), storm=Storm(told=len(numbers), worst=lines))


def stormy(*more):
    """One page of latency, then one for it once more and for three others."""
    kinds = ("latency", "cost", "cost", "session")
    signals = [replace(signal(), id=f"s{at}", detector=kind, finding="x") for at, kind in enumerate(kinds)]
    opened = [incident(id=f"i{at}", signals=(f"s{at}", "unheard")) for at in range(4)]
    folded = [replace(each, folded=("i0",)) for each in opened[1:]]
    late = MONDAY + HOUR
    pages = [paged(0, content=of("latency")), paged(0, late, reason="storm", content=storm_of(0, 1, 2, 3))]
    return told(*signals, *opened, *pages, *folded, *more)


def test_a_storm_is_one_page_of_whom_it_rang():
    (bo,) = stormy().loads
    assert (bo.to, bo.pages, bo.worst_shift) == ("bo", 2, 2)


def test_what_a_storm_speaks_for_counts_as_incidents_of_its_own_kind_and_the_page_once():
    found = {each.finding: (each.pages, each.incidents) for each in stormy(over(2)).noises}
    assert found == {"latency/x": (2, 1), "cost/x": (0, 2), "session/x": (0, 1)}
    assert sum(shares(stormy().noises).values()) == 1.0
    briefs = {each.finding: each.brief for each in stormy(over(2)).noises}
    assert briefs["cost/x"] == 1


def test_a_real_storm_is_two_pages_and_every_incident_in_its_line():
    t = Scenario(ESCALATED)
    burst(t, 4)
    burst(t, 3, first=4, detector="latency")
    t.fast_forward(2 * MINUTE)
    report = told(*t.firing.values(), *(output.value for output in t.outputs), text=ESCALATED)
    assert {each.finding: each.incidents for each in report.noises} == {
        "error_rate/sessions": 4,
        "latency/sessions": 3,
    }
    assert sum(each.pages for each in report.noises) == report.loads[0].pages == len(t.pages)


def test_what_got_a_page_of_its_own_as_well_counts_once():
    found = {
        each.finding: (each.pages, each.incidents) for each in stormy(paged(3, content=of("odd"))).noises
    }
    assert found == {"latency/x": (2, 1), "cost/x": (0, 2), "odd/x": (1, 1)}


def test_a_storm_is_taken_when_somebody_takes_one_of_those_it_names():
    at = MONDAY + HOUR + timedelta(minutes=4)
    taken = [incident(id=f"i{each}", status="acknowledged", time=at) for each in (2, 3)]
    (bo,) = stormy(*taken).loads
    assert (bo.acknowledged, bo.acknowledged_within_s) == (1, 240.0)


def test_of_what_a_storm_speaks_for_nothing_is_known_without_its_signals():
    report = told(paged(0, reason="storm", content=storm_of(0, 1)), incident(id="i1", folded=("i0",)))
    assert [(each.finding, each.pages, each.incidents) for each in report.noises] == [("storm", 1, 1)]
