"""Calendars that schedules follow: fetched beside the configuration, kept when they cannot be."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from click.testing import CliRunner
from structlog.testing import capture_logs

from schemas.cause import Configured
from schemas.control import Settings
from schemas.wire import decode_cause, decode_event
from streams.calendars import (
    LARGEST_BYTES,
    LARGEST_DOWNLOAD,
    LONGEST_S,
    Subscriptions,
    configuration,
    download,
)
from streams.cli import main
from streams.files import Unreadable, config_files
from streams.hosting.rulebook import Rulebook, read_rules
from streams.hosting.topics import CAUSES, EVENTS
from tests.memory_log import Disk, MemoryLog
from tests.routing.calendars import ics, need_ical
from tests.simulation.owners import HandClock

RULES = """\
route: {receiver: r}
receivers: [{name: r, notify: [{terminal: screen}]}]
users: {ana: {email: ana@example.com}, bo: {email: bo@example.com}}
schedules: {ops: {timezone: Europe/London, ical: %s}}
"""
ANA = ics("DTSTART;VALUE=DATE:20261101\nRRULE:FREQ=WEEKLY\nATTENDEE:mailto:ana@example.com\nDESCRIPTION:x")
BO = ANA.replace("ana@", "bo@")


@pytest.fixture(name="path")
def _path(tmp_path):
    path = tmp_path / "rules.yml"
    path.write_text(RULES % "env:ROTA")
    return path


@contextmanager
def served(body, status=200):
    """A server on loopback that answers each request with this; with several parts, one after the other."""
    gone = threading.Event()

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status)
            self.end_headers()
            for part in (body,) if isinstance(body, bytes) else body:
                self.wfile.write(part)
                if gone.wait(0 if part is body else 0.02):
                    return

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/private-token"
        gone.set()
        server.shutdown()
        thread.join()


def test_a_calendar_is_fetched_slimmed_and_stands_beside_the_rules(path):
    with served(ANA.encode()) as address:
        found = configuration(path, {"ROTA": address})
    assert [file.name for file in found.files] == [str(path), "env:ROTA"]
    assert found.lacks == ()
    assert "DESCRIPTION" not in found.files[1].text


def test_a_calendar_may_be_a_file_beside_the_rules(path):
    (path.parent / "rota.ics").write_text(ANA)
    path.write_text(RULES % "rota.ics")
    assert configuration(path, {}).files[1].name == "rota.ics"
    assert configuration(path.parent, {}).files[1].name == "rota.ics"
    assert configuration(path, {}).lacks == ()


@pytest.mark.parametrize(
    ("variables", "why"),
    [
        ({}, "the variable is not set here"),
        ({"ROTA": "gone.ics"}, "No such file or directory"),
        ({"ROTA": "http://127.0.0.1:1/private-token"}, "it cannot be fetched: ConnectError"),
        ({"ROTA": "http://x.example:99x/private-token"}, "it cannot be fetched: InvalidURL"),
    ],
)
def test_a_calendar_that_cannot_be_had_is_left_out_and_its_address_is_not_told(path, variables, why):
    found = configuration(path, variables)
    assert found.lacks == (f"calendar env:ROTA: {why}",)
    assert len(found.files) == 1


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("http://127.0.0.1:1/private-token", "http://127.0.0.1:1/…"),
        ("http://me@127.0.0.1:1?key=private-token", "http://127.0.0.1:1/…"),
        ("http://127.0.0.1:1/private-token#x@y", "http://127.0.0.1:1/…"),
    ],
)
def test_of_an_address_in_the_rules_only_scheme_and_host_are_told(path, address, shown, caplog):
    path.write_text(RULES % f"'{address}'")
    caplog.set_level("DEBUG")
    with capture_logs() as logged:
        read_rules(path, {})
        followed = Subscriptions(path, {}, lambda: 0.0)
        assert followed.read() == config_files(path)
    assert "private-token" not in f"{logged}{caplog.messages}"
    assert [each["reason"] for each in logged] == [
        f"calendar {shown}: it cannot be fetched: ConnectError"
    ] * 2


@pytest.mark.parametrize(
    ("body", "status", "why"),
    [
        (b"no", 403, "the server answered 403"),
        (b"<html>", 200, "no whole iCalendar: expected BEGIN:VCALENDAR … END:VCALENDAR"),
        (b"\xff\xfe", 200, "'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"),
        (
            ANA.replace("RRULE", "SUMMARY:" + "x" * LARGEST_BYTES + "\nRRULE").encode(),
            200,
            "more than 1,000,000 bytes",
        ),
        (b" " * (LARGEST_DOWNLOAD + 1), 200, "more than 8,388,608 bytes"),
    ],
)
def test_what_a_server_answers_instead_is_told(path, body, status, why):
    with served(body, status) as address:
        assert configuration(path, {"ROTA": address}).lacks == (f"calendar env:ROTA: {why}",)


def test_a_server_that_trickles_is_not_waited_for():
    """Each part comes well within the time for one; the clock says that the whole takes too long."""
    times = iter([0.0, LONGEST_S, LONGEST_S + 1])
    parts = [b"BEGIN", b":VCAL", *[b"x"] * 50]
    with served(parts) as address, pytest.raises(Unreadable, match="it was not here whole within 20 s"):
        download(address, lambda: next(times))


class Server:
    """What is at the address now, or nothing."""

    def __init__(self, text):
        self.text, self.asked = text, 0

    def __call__(self, address):
        self.asked += 1
        if self.text is None:
            raise Unreadable("it cannot be fetched: ConnectError")
        assert address == "https://x.example/rota"
        return self.text.encode()


def test_it_is_fetched_every_five_minutes_and_kept_while_it_cannot_be(path):
    clock, server = HandClock(), Server(ANA)
    variables = {"ROTA": "webcal://x.example/rota"}
    found = configuration(path, variables, server)
    followed = Subscriptions(path, variables, clock.monotonic_s, found.files, server)
    assert followed.read() == found.files
    assert server.asked == 1
    server.text = BO
    clock.at_s += 299
    assert followed.read() == found.files
    clock.at_s += 1
    changed = followed.read()
    assert "bo@" in changed[1].text
    server.text = None
    clock.at_s += 300
    assert followed.read() == changed
    assert server.asked == 3
    path.write_text(RULES % "env:OTHER")
    assert len(followed.read()) == 1


async def test_another_calendar_is_told_to_routing_and_not_to_detectors(path):
    need_ical()
    disk, clock = Disk(), HandClock()
    disk.records(EVENTS, 0)
    source = path.parent / "rota.ics"
    source.write_text(ANA)
    variables = {"ROTA": "rota.ics"}
    book = Rulebook(path, read_rules(path, variables), MemoryLog(disk), clock, "wall", variables=variables)
    source.write_text(BO)
    await book.look()
    assert disk.records(CAUSES) == []
    clock.at_s += 300
    await book.look()
    (told,) = [decode_cause(each.value) for each in disk.records(CAUSES)]
    assert isinstance(told, Configured)
    assert "bo@" in told.files[1].text
    assert disk.records(EVENTS, 0) == []
    path.write_text(RULES % "env:ROTA" + "# changed\n")
    await book.look()
    (control,) = [decode_event(each.value) for each in disk.records(EVENTS, 0)]
    assert isinstance(control, Settings)
    assert len(control.files) == 1
    assert control.digest == book.rules.for_detectors.digest != book.rules.digest


def test_a_worker_starts_without_a_calendar_that_cannot_be_fetched(path):
    assert len(read_rules(path, {"ROTA": "gone.ics"}).files) == 1


def run(*arguments, **environment):
    return CliRunner().invoke(main, list(map(str, arguments)), env=environment)


def test_the_command_line_follows_calendars_and_says_which_it_lacks(path):
    need_ical()
    (path.parent / "rota.ics").write_text(ANA)
    ran = run("oncall", path, "--at", "2026-11-08T12:00:00Z", "--json", ROTA="rota.ics")
    assert json.loads(ran.stdout) == [
        {"user": "ana", "start": "2026-11-08T00:00:00Z", "end": "2026-11-09T00:00:00Z", "layer": "calendar",
         "schedule": "ops"}
    ]  # fmt: skip
    ran = run("oncall", path, "--at", "2026-11-08T12:00:00Z", "--json", ROTA="gone.ics")
    assert json.loads(ran.stdout) == []
    assert "calendar env:ROTA: No such file or directory (warning)" in ran.stderr
    ran = run("check", path, ROTA="gone.ics")
    assert ran.exit_code == 0
    assert "calendar env:ROTA is not at hand: nobody is on call by it (warning)" in ran.stdout


def test_what_is_exported_can_be_followed_again(path, tmp_path):
    need_ical()
    (path.parent / "rota.ics").write_text(ANA)
    span = ("--from", "2026-11-01", "--to", "2026-12-01")
    exported = run("oncall", path, "ops", *span, "--ical", ROTA="rota.ics")
    (tmp_path / "again.ics").write_bytes(exported.stdout_bytes)
    first = run("oncall", path, *span, "--json", ROTA="rota.ics").stdout
    again = run("oncall", path, *span, "--json", ROTA="again.ics").stdout
    assert json.loads(first) == json.loads(again) != []
    assert run("oncall", path, "--ical", "--at", "2026-11-01").exit_code == 2
    assert "BEGIN:VEVENT" in run("oncall", path, "--ical", ROTA="rota.ics").stdout
