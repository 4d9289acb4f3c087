"""How rules come from files into the logs."""

from datetime import timedelta

import pytest
from click.testing import CliRunner
from structlog.testing import capture_logs

from routing.router import Router
from routing.rules.faults import ConfigFaults
from schemas.cause import ConfigFile, Configured, Signalled
from schemas.record import Record
from schemas.wire import decode_cause, decode_event, encode, moment
from streams.cli import main
from streams.files import Unreadable
from streams.hosting.partition import Cadence, Partition
from streams.hosting.rulebook import Rulebook, digest_of, read_rules
from streams.hosting.topics import CAUSES, EVENTS
from tests.memory_log import Disk, MemoryLog
from tests.simulation.owners import HandClock, World

GOOD = "route: {receiver: r}\nreceivers: [{name: r, notify: [{terminal: screen}]}]\n"
BETTER = GOOD.replace("screen", "stage")
SECRET = GOOD.replace("terminal: screen", "slack: 'env:CHANNEL'")


class Office:
    """A file with rules, two partitions of events, and whoever follows the file."""

    def __init__(self, tmp_path, mode="wall") -> None:
        self.path = tmp_path / "rules.yml"
        self.path.write_text(GOOD)
        self.disk = Disk()
        for partition in range(2):
            self.disk.records(EVENTS, partition)
        self.log = MemoryLog(self.disk)
        rules, soon = read_rules(self.path, {}), timedelta(milliseconds=1)
        self.book = Rulebook(self.path, rules, self.log, HandClock(), mode, variables={}, every=soon)

    async def change(self, text: str) -> None:
        self.path.write_text(text)
        await self.book.look()

    @property
    def causes(self):
        return [decode_cause(each.value) for each in self.disk.records(CAUSES)]

    @property
    def signals(self):
        return [each.signal for each in self.causes if isinstance(each, Signalled)]

    def controls(self, partition: int):
        return [decode_event(each.value) for each in self.disk.records(EVENTS, partition)]


@pytest.fixture
def office(tmp_path) -> Office:
    return Office(tmp_path)


def owner(fold) -> Partition:
    return World(lambda: fold).partition(MemoryLog(Disk()), Cadence())


class TestReading:
    def test_a_file_that_is_not_there_is_unreadable(self, tmp_path):
        with pytest.raises(Unreadable):
            read_rules(tmp_path / "none", {})

    def test_faults_have_their_places(self, tmp_path):
        path = tmp_path / "rules.yml"
        path.write_text("route: {receiver: nobody}\n")
        with pytest.raises(ConfigFaults, match=r"rules.yml:1:"):
            read_rules(path, {})

    def test_a_configuration_that_is_no_record_of_the_logs_is_a_fault(self, tmp_path):
        (tmp_path / "a.yml").write_text(GOOD)
        (tmp_path / "z.yml").write_text(f"# {'why ' * 250_000}\n")
        with pytest.raises(ConfigFaults, match=r"z.yml:0:0: all files are 1,\d+,\d+ bytes together"):
            read_rules(tmp_path, {})
        told = CliRunner().invoke(main, ["check", str(tmp_path)])
        assert told.exit_code == 1
        assert "at most 1,000,000 are followed" in told.output

    def test_a_variable_that_is_not_set_is_a_fault_at_its_place(self, tmp_path):
        path = tmp_path / "rules.yml"
        path.write_text(SECRET)
        with pytest.raises(ConfigFaults, match=r"rules.yml:2:\d+: env:CHANNEL is not set here"):
            read_rules(path, {"CHANNEL": ""})
        rules = read_rules(path, {"CHANNEL": "x"})
        assert rules.digest == digest_of(rules.files)


class TestTheClock:
    """Of routing: the log says by which one it goes."""

    def router(self, office, clock) -> Router:
        rules, router = office.book.rules, Router()
        followed = Configured(at=moment(0), digest=rules.digest, files=rules.files, clock=clock)
        router.apply(Record(0, encode(followed)))
        return router

    @pytest.mark.parametrize(("before", "after"), [("wall", "events"), ("events", "wall")])
    async def test_a_worker_with_another_one_says_so_and_routing_follows(self, tmp_path, before, after):
        office = Office(tmp_path, after)
        router = self.router(office, before)
        with capture_logs() as told:
            await office.book.routing_owned(owner(router))
        assert told == [
            {"event": "rules.clock_changed", "log_level": "warning", "before": before, "clock": after}
        ]
        (cause,) = office.causes
        router.apply(Record(1, encode(cause)))
        assert router.clock == after
        await office.book.routing_owned(owner(router))
        assert len(office.causes) == 1

    @pytest.mark.parametrize(("before", "mode"), [("wall", "events"), ("events", "wall")])
    async def test_files_that_change_where_another_worker_has_routing_do_not_turn_it(
        self, tmp_path, before, mode
    ):
        office = Office(tmp_path, mode)
        router = self.router(office, before)
        office.path.write_text(BETTER)
        await office.book.look()
        (cause,) = office.causes
        router.apply(Record(1, encode(cause)))
        assert (router.clock, router.files) == (before, office.book.rules.files)

    async def test_the_same_one_is_not_told_again(self, office):
        await office.book.routing_owned(owner(self.router(office, "wall")))
        assert office.causes == []

    async def test_rules_that_are_newer_than_the_workers_stay(self, tmp_path):
        office = Office(tmp_path, "wall")
        router = self.router(office, "events")
        newer = Configured(
            at=moment(0), digest="newer", files=(ConfigFile("rules.yml", BETTER),), clock="events"
        )
        router.apply(Record(1, encode(newer)))
        await office.book.routing_owned(owner(router))
        (cause,) = office.causes
        assert (cause.digest, cause.files, cause.clock) == ("newer", newer.files, "wall")
