"""Which routes are muted now, by random time intervals, is what the real Alertmanager does."""

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from routing.hours import sleeping
from routing.projection import project
from tests.routing.configs import policy
from tests.routing.judge.alertmanager import daemon, post

pytestmark = pytest.mark.no_cover  # the judge sees whole rules: a line is to have a test of its own
NIGHTLY = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"
TOTAL = 3_000 if NIGHTLY else 300
WITHIN_S = 30.0
CALM_S = 1.5

PLACES = st.sampled_from(
    ["UTC", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Pacific/Kiritimati", "Pacific/Niue"]
)


def pairs(names, lowest=0):
    """`name` or `name:name`, ascending."""
    ends = st.lists(st.integers(lowest, len(names) - 1), min_size=1, max_size=2).map(sorted)
    return ends.map(lambda some: ":".join(names[each] for each in some))


HALF_HOURS = [f"{minute // 60:02}:{minute % 60:02}" for minute in range(0, 1441, 30)]
TIMES = st.lists(st.sampled_from(HALF_HOURS), min_size=2, max_size=2, unique=True).map(
    lambda two: dict(zip(("start_time", "end_time"), sorted(two), strict=True))
)
WEEKDAYS = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"]
NEVER_CLAMPED = pairs([str(day) for day in range(1, 32)])
FROM_END = pairs([str(day) for day in range(-31, 0)])
MIXED = st.tuples(st.integers(1, 10), st.integers(-10, -1)).map(lambda two: f"{two[0]}:{two[1]}")
SPAN = st.fixed_dictionaries(
    {},
    optional={
        "times": st.lists(TIMES, max_size=2),
        "weekdays": st.lists(pairs(WEEKDAYS), max_size=2),
        "days_of_month": st.lists(NEVER_CLAMPED | FROM_END | MIXED, max_size=2),
        "months": st.lists(pairs([str(month) for month in range(1, 13)]), max_size=2),
        "years": st.lists(pairs([str(year) for year in range(2020, 2040)]), max_size=2),
        "location": PLACES,
    },
)
INTERVAL = st.lists(SPAN, max_size=2)


class Patient(ThreadingHTTPServer):
    """Lets hundreds of connections wait."""

    request_queue_size = 1024
    daemon_threads = True


@contextmanager
def hook() -> Iterator[tuple[str, set[str]]]:
    """A receiver of webhooks: its address, and the cases it was told."""
    told: set[str] = set()

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            told.update(alert["labels"]["case"] for alert in body["alerts"])
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            """Nothing is printed."""

    with Patient(("127.0.0.1", 0), Hook) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/", told
        server.shutdown()


def document(cases, address):
    """One route for each case, with its own intervals that mute it or in which it is active."""
    names = [[f"{number}-{each}" for each in range(len(case[1]))] for number, case in enumerate(cases)]
    return {
        "route": {
            "receiver": "outside",
            "routes": [
                {
                    "receiver": "hook",
                    "matchers": [f'case="{number}"'],
                    "group_by": ["case"],
                    "group_wait": "0s",
                    f"{case[0]}_time_intervals": own,
                }
                for number, (case, own) in enumerate(zip(cases, names, strict=True))
            ],
        },
        "time_intervals": [
            {"name": name, "time_intervals": spans}
            for case, own in zip(cases, names, strict=True)
            for name, spans in zip(own, case[1], strict=True)
        ],
        "receivers": [{"name": "outside"}, {"name": "hook", "webhook_configs": [{"url": address}]}],
    }


def drawn():
    found = []

    @settings(
        max_examples=TOTAL, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
    )
    @given(st.sampled_from(["mute", "active"]), st.lists(INTERVAL, min_size=1, max_size=2))
    def draw(kind, intervals):
        found.append((kind, intervals))

    draw()
    return found


def awake(rules, now):
    """The cases whose route is not muted."""
    return {str(n) for n, route in enumerate(rules.route.routes) if not sleeping(rules, route, now)}


def test_routes_are_muted_and_active_when_alertmanager_says_so(tmp_path):
    cases = drawn()
    with hook() as (address, told):
        rules = policy(json.dumps(document(cases, address)))
        before = awake(rules, datetime.now(UTC))
        with daemon(tmp_path, project(rules)) as judge:
            post(judge, [{"labels": {"case": str(number)}} for number in range(len(cases))])
            deadline = time.monotonic() + WITHIN_S
            while time.monotonic() < deadline and not before <= told:
                time.sleep(0.1)
            time.sleep(CALM_S)
        after = awake(rules, datetime.now(UTC))
    # An interval that began or ended meanwhile is not judged.
    theirs = {case for case in told if (case in before) == (case in after)}
    wrong = {case: cases[int(case)] for case in sorted(theirs ^ (before & after))}
    assert wrong == {}
    assert 0.1 * len(cases) < len(told) < 0.9 * len(cases)
