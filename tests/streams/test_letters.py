"""Dead letters: what they say of themselves, and how their records are put back."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from detectors.agent import _fault
from detectors.asking import deadletters
from detectors.cost import Cost
from routing.incidents.turn import Complaint
from schemas.record import Record
from schemas.wire import encode
from streams.deadletters.letter import Letter, Origin, letter_of, own_headers, returning
from streams.deadletters.reading import Letters
from streams.deadletters.returning import Returner, choose
from streams.deadletters.wanted import Wanted
from streams.hosting.log import AppendFailed, Outgoing
from streams.hosting.topics import DEADLETTER
from tests.memory_log import Act, Disk, MemoryLog
from tests.streams.folding import Site

NOW = datetime(2026, 1, 5, tzinfo=UTC)


async def folded(site: Site, *records: Outgoing) -> list[Record]:
    """The dead letters of an owner that folds these records; all that says `raise` is one."""
    site.disk.put("in", 0, records)
    owner = site.owner()
    await owner.start()
    await owner.take(site.records())
    return site.disk.records("deadletter")


def letter(**given) -> Letter:
    default = {
        "id": "1", "at": NOW, "kind": "unread", "reason": "Malformed: x", "agent": "a",
        "origin": Origin("agent.events", 0, 7), "bytes": 3,
    }  # fmt: skip
    return Letter(**default | given)


class TestWhatALetterSays:
    async def test_a_record_that_was_not_folded_can_return_as_it_was(self):
        site = Site()
        sent = Outgoing(b"key", b"raise", (("reason", b"its own"), ("origin", b"its own"), ("x", b"\xff")))
        [record] = await folded(site, sent)
        found = letter_of("0", record)
        assert (found.kind, found.reason) == ("unread", "ValueError: as it was told")
        assert own_headers(record) == sent.headers
        origin, back = returning(found, record)
        assert str(origin) == str(found.origin)
        assert (back.key, back.value) == (sent.key, sent.value)
        assert back.headers == (*sent.headers, ("oversight-replayed", f"1 {origin}".encode()))

    async def test_one_that_fails_again_says_how_often_and_where_it_lay_at_first(self):
        site = Site()
        records = await folded(site, Outgoing(None, b"raise"))
        origin, back = returning(letter_of("0", records[0]), records[0])
        site.disk.put(origin.topic, origin.partition, [back])
        heir = site.owner()
        await heir.start()
        await heir.take(site.records()[1:])
        again = letter_of("1", site.disk.records("deadletter")[-1])
        assert (again.state, again.replays, again.first) == ("failed again", 1, str(origin))
        _, back = returning(again, site.disk.records("deadletter")[-1])
        assert back.headers == (("oversight-replayed", f"2 {origin}".encode()),)

    def test_a_record_that_a_detector_failed_of_was_taken_and_cannot_return(self):
        fault = _fault(Cost.observe, ValueError("no"))
        [output] = deadletters([fault], Record(3, b"{}"), 0.0)
        headers = (*output.headers, ("origin", b"agent.events/1:3:0"))
        found = letter_of("4", Record(4, b"{}", None, 9.0, headers))
        assert found.kind == "judged"
        assert not found.can_return
        with pytest.raises(ValueError, match="would count it twice"):
            returning(found, Record(4, b"{}", None, 9.0, headers))

    def test_a_complaint_says_its_reason_in_its_body(self):
        value = encode(Complaint(reason="nobody is called bo", about="inc-1", at=NOW))
        found = letter_of("0", Record(0, value, b"inc-1", None, (("origin", b"oversight.causes/0:1:0"),)))
        assert (found.kind, found.reason, found.can_return) == ("complaint", "nobody is called bo", False)

    def test_an_output_that_was_too_large_is_told_as_cut(self):
        reason = b"oversight.pages refused it, 3,000,000 bytes: MessageSizeTooLargeError"
        found = letter_of("0", Record(0, b"x", None, None, (("reason", reason),)))
        assert (found.kind, found.origin) == ("cut", None)

    @pytest.mark.parametrize("origin", [b"", b"nonsense", b"t/0", b"t/0:1", b"t/x:1:0", b"/0:1:0", b"\xff"])
    def test_an_origin_that_is_none_keeps_a_letter_where_it_is(self, origin):
        headers = (("reason", b"Malformed: x"), ("origin", origin))
        assert not letter_of("0", Record(0, b"x", None, None, headers)).can_return

    def test_the_agent_is_named_as_far_as_it_is_legible(self):
        value = msgspec.json.encode({"data": {"agent": {"name": "refunds"}, "cost": "much"}})
        assert letter_of("0", Record(0, value, b"key")).agent == "refunds"
        assert letter_of("0", Record(0, b'{"data": 1}', b"key")).agent == "key"
        assert letter_of("0", Record(0, b"\xff\x00[", b"\xff")).agent == "\ufffd"


class TestTheList:
    def test_a_letter_that_was_written_again_after_a_crash_is_one(self):
        letters = Letters()
        headers = (("reason", b"Malformed: x"), ("origin", b"agent.events/0:7:0"))
        for offset in range(2):
            letters.take(str(offset), Record(offset, b"x", None, 1.0, headers))
        assert [each.id for each in letters.all()] == ["0"]

    def test_a_mark_that_cannot_be_read_or_is_of_an_older_letter_changes_nothing(self):
        letters = Letters()
        for value in (b"{", b'{"letter":"9","by":"x","at":"2026-01-05T00:00:00Z","put":"t/0"}'):
            letters.take("1", Record(1, value, None, None, (("oversight-mark", b"put back"),)))
        assert list(letters.all()) == []

    def test_letters_are_chosen_by_reason_agent_kind_state_and_time(self):
        one = letter()
        for kept in ({}, {"reason": "MALFORMED"}, {"agent": "a"}, {"kind": "unread"}, {"since": NOW}):
            assert Wanted(**kept).has(one), kept
        later = NOW + timedelta(seconds=1)
        for dropped in (
            {"reason": "y"}, {"agent": "b"}, {"kind": "cut"}, {"state": "put back"},
            {"since": later}, {"until": NOW},
        ):  # fmt: skip
            assert not Wanted(**dropped).has(one), dropped


class TestPuttingBack:
    def test_what_was_put_back_or_cannot_be_or_failed_again_is_left_with_the_reason(self):
        given = [
            letter(id="1"),
            letter(id="2", state="put back"),
            letter(id="3", state="failed again", replays=1),
            letter(id="4", kind="judged"),
            letter(id="5", origin=None),
            letter(id="6"),
        ]
        choice = choose(given, 1)
        assert [each.id for each in choice.chosen] == ["1"]
        assert len(choice.left) == 5
        assert "more than 1 at once" in choice.left
        assert [each.id for each in choose(given, 9, failed="again").chosen] == ["1", "3", "6"]

    async def test_each_goes_to_its_own_partition_and_is_marked_so_that_it_never_goes_twice(self):
        disk = Disk()
        for number in range(2):
            disk.records("agent.events", number)
        headers = [
            (("reason", b"Malformed: x"), ("origin", f"agent.events/{n}:7:0".encode())) for n in (1, 5)
        ]
        disk.put(DEADLETTER, 0, [Outgoing(b"k", b"value", each) for each in headers])
        letters = self._read(disk)
        returner = Returner(MemoryLog(disk), "ana", lambda: NOW)
        await returner.put_back({each.id: each for each in letters}, self._records(disk), lambda: None)
        assert [each.value for each in disk.records("agent.events", 1)][:1] == [b"value"]
        moved = sum(len(disk.records("agent.events", number)) for number in range(2))
        assert (moved, returner.done) == (2, 2), "there is no partition 5 any more: by its key then"
        assert [each.state for each in self._read(disk)] == ["put back", "put back"]
        assert choose(self._read(disk), 9).chosen == ()

    async def test_what_the_log_does_not_take_is_not_marked(self):
        disk = Disk()
        disk.records("agent.events", 0)
        headers = (("reason", b"Malformed: x"), ("origin", b"agent.events/0:7:0"))
        disk.put(DEADLETTER, 0, [Outgoing(None, b"value", headers)])
        returner = Returner(MemoryLog(disk, [Act.FAIL]), "ana", lambda: NOW)
        with pytest.raises(AppendFailed):
            await returner.put_back({"0": self._read(disk)[0]}, self._records(disk), lambda: None)
        assert returner.done == 0
        assert self._read(disk)[0].state == "waiting"

    def test_letters_that_are_older_than_ten_minutes_are_counted(self):
        choice = choose([letter(), letter(at=NOW + timedelta(minutes=9))], 9)
        assert choice.late(NOW + timedelta(minutes=11)) == 1

    @staticmethod
    def _read(disk: Disk):
        letters = Letters()
        for record in disk.records(DEADLETTER):
            letters.take(str(record.offset), record)
        return letters.all()

    @staticmethod
    async def _records(disk: Disk):
        for record in list(disk.records(DEADLETTER)):
            yield str(record.offset), record
