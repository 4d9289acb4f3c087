"""Inputs are looked at one of a session in a while, and not above a rate."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from detectors.inputs.admission import MOST_SESSIONS, Admission

STEPS = st.lists(st.tuples(st.floats(0, 30), st.integers(0, 5)), max_size=200)


@given(STEPS)
def test_the_rate_and_the_distance_within_a_session_hold(steps):
    admission, now, admitted = Admission(6, 40), 0.0, []
    for step_s, session in steps:
        now += step_s
        opens = admission.open_at(session, now)
        if opens > now:
            continue
        admission.admit(session, now)
        admitted.append((now, session))
    times = [time for time, _ in admitted]
    assert all(len([each for each in times if start <= each < start + 60]) <= 3 + 6 + 1 for start in times)
    for each in range(1, 6):
        own = [time for time, session in admitted if session == each]
        assert all(later - earlier >= 40 for earlier, later in pairwise(own))


def test_it_says_when_it_opens():
    admission = Admission(2, 100)
    admission.admit(7, 0)
    assert admission.open_at(7, 10) == 100
    assert admission.open_at(8, 0) == 30
    assert admission.open_at(8, 30) == 30


def test_sessions_are_forgotten_oldest_first():
    admission = Admission(1e9, 1e9)
    for session in range(1, MOST_SESSIONS + 2):
        admission.admit(session, session)
    assert len(admission.save().sessions) == 4 * MOST_SESSIONS
    assert admission.open_at(1, 1000) == 1000
    assert admission.open_at(2, 1000) > 1000


def test_sessions_that_may_be_admitted_again_are_forgotten():
    admission = Admission(1e9, 100)
    for session in range(1, 50):
        admission.admit(session, session * 10.5)
    assert len(admission.save().sessions) <= 4 * 11


@given(STEPS)
def test_what_is_restored_opens_at_the_same_times(steps):
    admission, now = Admission(6, 40), 0.0
    for step_s, session in steps:
        now += step_s
        if admission.open_at(session, now) <= now:
            admission.admit(session, now)
    restored = Admission(6, 40, admission.save())
    assert restored.save() == admission.save()
    assert [restored.open_at(each, now) for each in range(7)] == [
        admission.open_at(each, now) for each in range(7)
    ]
