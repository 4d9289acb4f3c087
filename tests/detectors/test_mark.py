"""What a partition remembers besides its agents, as this and earlier versions wrote it."""

import msgspec
import pytest

from detectors.crowd import Crowd
from detectors.mark import Mark
from schemas.cause import ConfigFile

FIRST = (30.0, 35.0, 25.0, ("a",), (ConfigFile("oversight.yml", "route: {}"),), 3, 4)


def written(*more: object) -> bytes:
    return msgspec.msgpack.encode((*FIRST, *more))


def test_a_mark_is_read_as_it_was_written():
    mark = Mark(watermark=7.0, crowd=Crowd(2), forgotten={"cost": 9})
    assert Mark.read(msgspec.msgpack.encode(mark)) == mark


def test_a_mark_of_before_the_crowd_had_a_place_of_its_own_is_read():
    mark = Mark.read(written(5, 10.0, 20.0, 30.0, {"cost": 9}))
    assert mark == Mark(*FIRST, crowd=Crowd(5, 10.0, 20.0, 30.0), forgotten={"cost": 9})


def test_of_a_mark_whose_counters_cannot_be_read_the_rest_is():
    assert Mark.read(written("what is this?")) == Mark(*FIRST)


@pytest.mark.parametrize("written", [b"", b"no mark", msgspec.msgpack.encode(("when?",))])
def test_what_is_no_mark_is_said_so(written):
    with pytest.raises(msgspec.MsgspecError):
        Mark.read(written)


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("time_s", [float("nan"), float("inf"), 1e300, -1e300])
def test_a_mark_with_a_time_that_is_none_is_refused(place, time_s):
    wrong = [*FIRST[:place], time_s, *FIRST[place + 1 :]]
    with pytest.raises(ValueError, match="expected numbers up to"):
        Mark.read(msgspec.msgpack.encode(wrong))


def test_a_mark_whose_next_point_is_far_from_its_time_is_refused():
    with pytest.raises(ValueError, match="expected the next point near 30"):
        Mark.read(msgspec.msgpack.encode((FIRST[0], -1e9, *FIRST[2:])))
