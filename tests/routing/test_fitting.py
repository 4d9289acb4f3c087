"""Facts in little room."""

from routing.notifiers.notifier import Fact
from routing.words.fitting import SHORTEST, fitted, weight

FACTS = [Fact("a", "x" * 900), Fact("b", "short"), Fact("c", "🔥" * 300)]


def test_what_fits_stays_as_it_is():
    assert fitted(FACTS, 10_000) == tuple(FACTS)
    assert fitted([], 0) == ()


def test_the_longest_give_way_first():
    a, b, c = fitted(FACTS, 1000)
    assert b.text == "short"
    assert weight(a.text) + weight(b.text) + weight(c.text) <= 1000
    assert a.text.endswith("…")
    assert c.text.endswith("…")


def test_something_of_everything_is_left_however_little_room_there_is():
    assert [len(fact.text) for fact in fitted(FACTS, 0)] == [SHORTEST, 5, SHORTEST]
