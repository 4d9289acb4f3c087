"""Derived ids and canonical labels: equal for equal things, different for different ones."""

import re

from hypothesis import given
from hypothesis import strategies as st

from schemas.identity import canonical, derived

PARTS = st.lists(st.text(), max_size=4)
LABELS = st.dictionaries(st.from_regex(r"[a-z]{1,3}", fullmatch=True), st.text(max_size=6), max_size=4)


@given(PARTS)
def test_an_id_is_its_kind_and_twenty_digits_the_same_each_time(parts):
    assert re.fullmatch(r"sig-[0-9a-f]{20}", derived("sig", *parts))
    assert derived("sig", *parts) == derived("sig", *parts)


@given(PARTS, PARTS)
def test_other_parts_give_another_id(one, other):
    assert (derived("sig", *one) == derived("sig", *other)) == (one == other)


@given(st.text(), st.text(min_size=1), st.text())
def test_where_a_part_ends_is_part_of_the_id(before, moved, after):
    assert derived("sig", before + moved, after) != derived("sig", before, moved + after)


def test_an_id_stays_what_it_was_in_earlier_versions():
    assert derived("sig", "cost", "spike") == "sig-4cc9174678c4e4277b1c"


def test_text_that_utf_8_cannot_say_has_an_id_too():
    assert derived("sig", "\ud800") != derived("sig", "\ud801")


@given(LABELS, st.randoms(use_true_random=False))
def test_the_order_of_labels_does_not_matter(labels, random):
    shuffled = list(labels.items())
    random.shuffle(shuffled)
    assert canonical(dict(shuffled)) == canonical(labels)


@given(LABELS, LABELS)
def test_different_labels_are_written_differently(one, other):
    assert (canonical(one) == canonical(other)) == (one == other)


@given(LABELS)
def test_canonical_labels_fit_one_line(labels):
    assert "\n" not in canonical(labels)


def test_quotes_backslashes_and_line_ends_are_escaped():
    assert canonical({"a": 'x"y\\z\n'}) == r'{a="x\"y\\z\n"}'
