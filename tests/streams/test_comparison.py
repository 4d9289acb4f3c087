"""Comparing two runs."""

import pytest

from streams.comparison import Load, compare, earlier, loads, paged
from streams.files import Unreadable
from streams.records import line
from tests.streams.words import MINUTE, NOON, incident, page, signal


def run(tmp_path, *words):
    path = tmp_path / "records.jsonl"
    path.write_bytes(b"".join(line(word) + b"\n" for word in words))
    return path


def test_a_run_is_equal_to_its_own_records(tmp_path):
    words = [signal(), incident(), page(), page(id="page-2", to="bo")]
    before = earlier(run(tmp_path, *words))
    difference = compare(before, map(paged, words[2:]))
    assert (difference.gone, difference.new) == ([], [])


def test_ids_do_not_count_for_other_rules_give_other_ids(tmp_path):
    before = earlier(run(tmp_path, page()))
    assert compare(before, [paged(page(id="page-9", incident="inc-9"))]).new == []


def test_what_came_and_what_went_is_told_by_time(tmp_path):
    before = earlier(run(tmp_path, page(), page(to="bo")))
    now = [paged(page(time=NOON + 11 * MINUTE)), paged(page())]
    difference = compare(before, now)
    assert [each.to for each in difference.gone] == ["bo"]
    assert [each.time for each in difference.new] == ["2026-05-04T12:11:00+00:00"]


def test_the_same_page_twice_is_not_the_same_page_once():
    assert len(compare([paged(page())], [paged(page()), paged(page())]).new) == 1


def test_a_page_that_goes_to_somebody_else_has_moved():
    before, now = paged(page()), paged(page(to="bo", severity="error"))
    difference = compare([before, before], [now])
    assert (difference.gone, difference.new, difference.moved) == ([before], [], [(before, now)])
    assert difference
    assert not compare([before], [before])


def test_a_page_that_comes_later_in_other_figures_has_moved_and_one_that_comes_much_later_has_not():
    before = paged(page(summary="3 of 7 sessions failed"))
    later, much_later = (
        paged(page(time=NOON + MINUTE * minutes, to="bo", summary="5 of 9.5 sessions failed"))
        for minutes in (10, 11)
    )
    assert compare([before], [later, much_later]).moved == [(before, later)]
    assert not compare([before], [much_later]).moved
    assert not compare([before], [paged(page(summary="3 of 7 calls failed"))]).moved


def test_the_nearest_page_is_the_one_that_moved():
    before = [paged(page(to=to)) for to in ("ana", "bo")]
    now = [paged(page(time=NOON + MINUTE, to=to)) for to in ("bo", "ana")]
    assert compare(before, now).moved == list(zip(before, sorted(now, key=lambda each: each.to), strict=True))


def test_the_load_of_each_person_is_told_with_the_worst_hour():
    before = [paged(page(time=NOON + MINUTE * at)) for at in (0, 1, 60)]
    now = [paged(page()), paged(page(to="bo")), paged(page(to="bo", time=NOON + MINUTE))]
    assert loads(before, now) == [Load("bo", 0, 2, 0, 2), Load(before[0].to, 3, 1, 2, 1)]


@pytest.mark.parametrize("content", [b'{"specversion": "1.0"}', b"nothing", b'{"kind": "page"}'])
def test_a_file_of_something_else_is_refused_with_its_line(tmp_path, content):
    path = tmp_path / "other.jsonl"
    path.write_bytes(b"\n" + content)
    with pytest.raises(Unreadable, match=r"other\.jsonl:2: not a record of"):
        earlier(path)
