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
