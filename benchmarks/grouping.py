"""Alerts a second from post to group: the router and Alertmanager, under the same rules, in turn.

Alertmanager is asked over HTTP on loopback, a thousand alerts a request; the router reads the bytes of its
causes, one by one. Neither sends anything meanwhile: `group_wait` is an hour.
"""

import resource
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from routing.configuration import load
from routing.projection import project
from routing.router import Router
from schemas.cause import AnyCause, ConfigFile, Configured, Signalled
from schemas.record import Record
from schemas.signal import Signal
from schemas.wire import encode
from tests.routing.judge.alertmanager import Flat, Group, ask, daemon, flat, grouped, post

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
RULES = """
global: {resolve_timeout: 2h}
route:
  receiver: triage
  group_by: [agent]
  group_wait: 1h
  routes:
  - {receiver: critical, matchers: ['severity="critical"'], group_by: [agent, detector], continue: true}
  - {receiver: payments, matchers: ['agent=~"pay-.*"', 'env="prod"'], group_by: [agent, env]}
  - {receiver: costs, matchers: ['detector=~"cost|latency"'], group_by: [detector, agent]}
  - {receiver: quiet, matchers: ['env!="prod"'], group_by: [env, detector]}
severity: {base: {error_rate: 80, dependency: 95, cost: 40, latency: 50}}
receivers: [{name: triage}, {name: critical}, {name: payments}, {name: costs}, {name: quiet}]
inhibit_rules:
- {source_matchers: ['detector="dependency"'], target_matchers: ['detector="error_rate"'], equal: [agent]}
"""
KINDS = ("pay-", "refund-", "shop-")
DETECTORS = ("error_rate", "cost", "latency", "dependency")
DONE = "alertmanager_dispatcher_alert_processing_duration_seconds_count"
POLL_S = 0.01
PATIENCE_S = 300.0


class Side(NamedTuple):
    """What one of them took: seconds from the first post to the last group, and of CPU; and its groups.

    `again_s`: the same for the same alerts once more, as they are asserted.
    """

    first_s: float
    again_s: float
    cpu_s: float
    groups: Mapping[Group, int]


def signals(count: int) -> list[Signal]:
    """So many findings: one of each detector for each agent."""
    return [
        Signal(
            id=f"s{n}",
            detector=DETECTORS[n % 4],
            finding="x",
            state="firing",
            labels={"agent": f"{KINDS[n // 4 % 3]}{n // 4}", "env": "test" if n % 7 == 0 else "prod"},
            time=START,
            onset=START,
            summary="sessions fail",
            confidence=1.0,
        )
        for n in range(count)
    ]


class Ours:
    """A router with the rules."""

    def __init__(self) -> None:
        self.router = Router()
        self._offset = -1
        self._apply(encode(Configured(at=START, digest="d", files=(ConfigFile("r.yaml", RULES),))))

    def _apply(self, value: bytes) -> None:
        self._offset += 1
        self.router.apply(Record(self._offset, value))

    def take(self, count: int, after: timedelta) -> tuple[float, float]:
        """Seconds, and those of CPU, that all signals take, asserted at a time, from their bytes on."""
        causes: list[AnyCause] = [Signalled(at=START + after, signal=each) for each in signals(count)]
        values = [encode(each) for each in causes]
        begun = time.perf_counter(), time.process_time()
        for value in values:
            self._apply(value)
        return time.perf_counter() - begun[0], time.process_time() - begun[1]

    def groups(self) -> dict[Group, int]:
        """Its groups, as Alertmanager's are told."""
        cases = self.router._state.cases.values()  # noqa: SLF001 - what it holds is published one by one only
        members = ((case, tuple(sorted(flat(each.labels) for each in case.firing()))) for case in cases)
        return {(case.receiver, flat(case.labels), labels): 1 for case, labels in members}

    def labels(self) -> list[Flat]:
        """The labels of all signals, with what the router adds."""
        cases = self.router._state.cases.values()  # noqa: SLF001 - as above
        return sorted({flat(each.labels) for case in cases for each in case.firing()})


def ours(count: int) -> tuple[Side, list[Flat]]:
    """What the router took, and the labels that Alertmanager is to be sent."""
    side = Ours()
    first_s, first_cpu_s = side.take(count, timedelta(0))
    again_s, again_cpu_s = side.take(count, timedelta(minutes=1))
    return Side(first_s, again_s, first_cpu_s + again_cpu_s, side.groups()), side.labels()


def theirs(labels: list[Flat]) -> Side:
    """What Alertmanager took for the same alerts; its start is not counted.

    Raises:
        TimeoutError: they are not in groups after minutes.
    """
    text = project(load((ConfigFile("r.yaml", RULES),)))
    alerts = [{"labels": dict(each)} for each in labels]
    with TemporaryDirectory() as folder, _of_children() as idle_s, daemon(Path(folder), text):
        pass
    with TemporaryDirectory() as folder, _of_children() as cpu_s, daemon(Path(folder), text) as address:
        first_s = _until_grouped(address, alerts, len(alerts))
        again_s = _until_grouped(address, alerts, 2 * len(alerts))
        groups = grouped(address)
    return Side(first_s, again_s, cpu_s() - idle_s(), groups)


def _until_grouped(address: str, alerts: list[dict[str, dict[str, str]]], total: int) -> float:
    begun = time.perf_counter()
    post(address, alerts)
    while _handled(address) < total:
        if time.perf_counter() - begun > PATIENCE_S:
            raise TimeoutError(f"expected {total} alerts in groups, found {_handled(address)}")
        time.sleep(POLL_S)
    return time.perf_counter() - begun


def _handled(address: str) -> int:
    """How many alerts its dispatcher has put into groups."""
    lines = ask(address, "GET", "/metrics").decode().splitlines()
    return int(next(float(line.split()[1]) for line in lines if line.startswith(DONE)))


@contextmanager
def _of_children() -> Iterator[Callable[[], float]]:
    """The CPU time, in seconds, of processes that ended meanwhile."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    found: list[float] = []
    yield lambda: found[0]
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    found.append(after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)
