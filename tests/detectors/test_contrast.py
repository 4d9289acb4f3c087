"""What stands out among the affected."""

from detectors.contrast import (
    GENERATION_S,
    HIGHEST_LIFT,
    MOST_FRESH,
    MOST_VALUES,
    OTHER,
    Recent,
    Tally,
    contributors,
    top,
    values,
)
from detectors.dense import decoded, encoded
from tests.detectors.agent_events import START_S, event


def tallied(**counts):
    tally = Tally(weight=sum(counts.values()))
    tally.by["tool"] = {name: float(count) for name, count in counts.items()}
    return tally


def test_a_value_that_is_rarer_among_the_others_stands_out_by_its_lift():
    found = contributors(tallied(pay=9, search=1), tallied(pay=10, search=90))
    assert [(each.dimension, each.value, each.share) for each in found] == [("tool", "pay", 0.9)]
    assert 8 < found[0].lift < 9


def test_what_is_as_frequent_everywhere_does_not_stand_out():
    assert contributors(tallied(pay=50, search=50), tallied(pay=40, search=60)) == ()


def test_two_events_are_too_few_to_say_anything():
    assert contributors(tallied(pay=2), tallied(search=1000)) == ()


def test_a_rare_share_of_the_affected_is_not_told_however_new_it_is():
    assert contributors(tallied(pay=10, search=90), tallied(search=1000)) == ()


def test_lift_has_a_ceiling():
    assert contributors(tallied(pay=500), tallied(search=100_000))[0].lift == HIGHEST_LIFT


def test_values_beyond_the_cap_are_counted_together_and_never_told():
    tally = Tally()
    for at in range(MOST_VALUES + 50):
        tally.add("tool", f"t{at}")
    assert len(tally.by["tool"]) == MOST_VALUES + 1
    assert tally.by["tool"][OTHER] == 50
    tally.weight = 60.0
    assert contributors(tally, Tally()) == ()


def test_a_known_value_without_a_place_is_skipped():
    tally = Tally()
    for _ in range(2):
        tally.take(("v1", None, "p", None, None, None), 0.5)
    assert tally.packed() == Tally(1.0, {"version": {"v1": 1.0}, "provider": {"p": 1.0}}).packed()


def test_an_event_gives_its_value_in_each_dimension_the_answering_model_before_the_asked():
    parts = {
        "agent": {"name": "a", "version": "v2"},
        "request": {"model": "asked"},
        "response": {"model": "answered"},
        "provider": {"name": "p"},
        "tool": {"name": "t"},
        "tenant": {"id": "x"},
        "release": {"cohort": "canary"},
    }
    assert values(event(START_S, **parts).data) == ("v2", "answered", "p", "t", "x", "canary")
    assert values(event(START_S, request={"model": "asked"}, response={}).data)[1] == "asked"
    assert values(event(START_S).data) == (None,) * 6


def test_the_last_hour_or_two_are_kept_and_older_generations_go():
    recent, one = Recent(), ("v1", None, None, None, None, None)
    recent.turn(START_S)
    recent.now.take(one)
    recent.now.take(one)
    recent.turn(START_S + GENERATION_S)
    recent.now.take(("v2", None, None, None, None, None))
    assert recent.joined().packed() == Tally(3.0, {"version": {"v1": 2.0, "v2": 1.0}}).packed()
    recent.turn(START_S + 2 * GENERATION_S)
    assert recent.joined().by == {"version": {"v2": 1.0}}
    recent.turn(START_S + 9 * GENERATION_S)
    assert recent.joined().packed() == Tally().packed()


def test_the_heaviest_come_first_and_ties_by_name():
    assert top({"b": 1.0, "c": 2.0, "a": 1.0}, 2) == [("c", 2.0), ("a", 1.0)]


def test_events_that_are_alike_are_counted_together_and_none_is_lost():
    recent = Recent()
    for count in range(2 * MOST_FRESH):
        recent.see(event(START_S, tenant={"id": f"t{count % (MOST_FRESH + 1)}"}).data)
        assert len(recent.fresh) <= MOST_FRESH
    joined = recent.joined()
    assert (joined.weight, sum(joined.by["tenant"].values())) == (2 * MOST_FRESH, 2 * MOST_FRESH)


def test_an_answer_that_was_just_given_is_given_again():
    data = event(START_S, tenant={"id": "x"}).data
    assert values(data) is values(data)


def test_counting_sooner_or_later_changes_not_even_an_order():
    sooner, later = Recent(), Recent()
    for each in (sooner, later):
        each.see(event(START_S, tool={"name": "pay"}).data)
        if each is sooner:
            each.settle()
        each.add("error type", "timeout")
        each.see(event(START_S, tool={"name": "search"}).data)
        each.settle()
    assert encoded(sooner) == encoded(later)


def test_a_tally_is_kept_with_numbers_for_the_dimensions_there_are():
    tally = Tally(3, {"version": {"v1": 2, "v2": 0.5}, "error type": {"timeout": 1}, "of a team": {"x": 1}})
    again = decoded(encoded([tally]), list[Tally])
    assert again[0].packed() == tally.packed()
    assert len(encoded([tally])) < len(encoded([[tally.weight, tally.by]])) - 15


def test_a_tally_of_earlier_versions_is_read():
    earlier = [3.0, {"version": {"v1": 2.0, "v2": 1.0}, "error type": {"timeout": 1.0}}]
    assert decoded(encoded([earlier]), list[Tally])[0].packed() == Tally(*earlier).packed()
