"""The real Alertmanager as a judge: found on PATH, or unpacked from Debian's package without root.

A tool of tests alone: the product never needs it.
"""

import json
import os
import shutil
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, NamedTuple

import pytest

PACKAGE = "prometheus-alertmanager"
NAMES = {"amtool": ("amtool",), "alertmanager": ("prometheus-alertmanager", "alertmanager")}
READY_S = 30.0
POLL_S = 0.1
CHUNK = 1_000

Labels = Mapping[str, str]
Flat = tuple[tuple[str, str], ...]
Group = tuple[str, Flat, tuple[Flat, ...]]
"""A group as (receiver, its labels, the labels of its alerts), all sorted."""


class Refused(Exception):  # noqa: N818 - what Alertmanager did
    """It answered with another status than 200."""


class Judged(NamedTuple):
    """What Alertmanager made of alerts: its groups, and by what (one source's labels) each is inhibited."""

    groups: Counter[Group]
    inhibited: dict[Flat, Flat]


def flat(labels: Labels) -> Flat:
    """Labels as they stay after ingestion: sorted, without empty values."""
    return tuple(sorted((name, value) for name, value in labels.items() if value))


def command(name: str) -> str:
    """The path of `amtool` or `alertmanager`. Its absence is told, and is a failure in CI."""
    reasons = []
    for search in (_on_path, _unpacked):
        try:
            return search(name)
        except (LookupError, OSError, subprocess.SubprocessError) as error:
            reasons.append(str(error))
    reason = f"ALERTMANAGER ABSENT, nothing was judged by it: {'; '.join(reasons)}"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def _on_path(name: str) -> str:
    for each in NAMES[name]:
        found = shutil.which(each)
        if found:
            return found
    raise LookupError(f"{name} is not on PATH (Debian: {PACKAGE})")


def _unpacked(name: str) -> str:
    """Debian's package, unpacked once into the user's cache."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "agent-oversight" / PACKAGE
    if not cache.exists():
        fresh = cache.with_name(f"{PACKAGE}.{os.getpid()}")
        fresh.mkdir(parents=True)
        try:
            quiet = {"capture_output": True, "timeout": 120, "cwd": fresh}
            subprocess.run(["apt-get", "download", PACKAGE], check=True, **quiet)
            [package] = fresh.glob("*.deb")
            subprocess.run(["dpkg-deb", "-x", str(package), "."], check=True, **quiet)
            fresh.rename(cache)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    for each in NAMES[name]:
        path = cache / "usr" / "bin" / each
        if path.exists():
            return str(path)
    raise LookupError(f"Debian's package has no {name}")


def checked(folder: Path, text: str) -> tuple[int, str]:
    """What `amtool check-config` says: its exit code and its words."""
    path = folder / "alertmanager.yml"
    path.write_text(text, "utf-8")
    done = subprocess.run(
        [command("amtool"), "check-config", path], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


@contextmanager
def daemon(folder: Path, text: str) -> Iterator[str]:
    """A running Alertmanager, alone and on loopback, with a configuration; its address."""
    (folder / "daemon.yml").write_text(text, "utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    log = (folder / "daemon.log").open("wb")
    process = subprocess.Popen(
        [
            command("alertmanager"),
            f"--config.file={folder / 'daemon.yml'}",
            f"--storage.path={folder / 'data'}",
            f"--web.listen-address={address}",
            "--cluster.listen-address=",
            "--log.level=error",
        ],
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    try:
        _wait_ready(process, address, folder / "daemon.log")
        yield address
    finally:
        process.kill()
        process.wait()
        log.close()


def judge(address: str, alerts: Sequence[Labels], over: Sequence[Labels] = ()) -> Judged:
    """Posts alerts, and those that are `over` as resolved; waits until all are grouped."""
    post(address, [{"labels": each} for each in alerts])
    times = {"startsAt": "2026-01-01T00:00:00Z", "endsAt": "2026-01-01T01:00:00Z"}
    post(address, [{"labels": each, **times} for each in over])
    wanted = {flat(each) for each in alerts}
    deadline = time.monotonic() + READY_S
    before = None
    while time.monotonic() < deadline:
        found = _groups(address)
        known = {alert for _, _, members in found.groups for alert in members}
        settled = (found.groups, found.inhibited.keys())
        if known == wanted and settled == before:
            return found
        before = settled
        time.sleep(POLL_S)
    raise TimeoutError(f"expected {len(wanted)} alerts in groups, found {len(known)}")


def _groups(address: str) -> Judged:
    groups: list[dict[str, Any]] = json.loads(ask(address, "GET", "/api/v2/alerts/groups"))
    alerts = {alert["fingerprint"]: alert for group in groups for alert in group["alerts"]}
    sources = {print_: alert["status"]["inhibitedBy"] for print_, alert in alerts.items()}
    return Judged(
        groups=Counter(
            (
                group["receiver"]["name"],
                flat(group["labels"]),
                tuple(sorted(flat(alert["labels"]) for alert in group["alerts"])),
            )
            for group in groups
        ),
        inhibited={
            flat(alerts[target]["labels"]): flat(alerts[by[0]]["labels"])
            for target, by in sources.items()
            # A source may be known before its own group is: then not all are grouped yet.
            if by and by[0] in alerts
        },
    )


def grouped(address: str) -> Counter[Group]:
    """The groups that there are now."""
    return _groups(address).groups


def post(address: str, alerts: Sequence[Mapping[str, Any]]) -> None:
    """Sends alerts as the API takes them."""
    for begin in range(0, len(alerts), CHUNK):
        ask(address, "POST", "/api/v2/alerts", json.dumps(alerts[begin : begin + CHUNK]))


def ask(address: str, method: str, path: str, body: str | None = None) -> bytes:
    """The body of an answer.

    Raises:
        Refused: its status is not 200.
    """
    with closing(HTTPConnection(address, timeout=READY_S)) as connection:
        connection.request(method, path, body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        said = answer.read()
        if answer.status != HTTPStatus.OK:
            raise Refused(f"{method} {path}: expected 200, found {answer.status}: {said[:500]!r}")
        return said


def _wait_ready(process: subprocess.Popen[bytes], address: str, log: Path) -> None:
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"alertmanager ended with {process.returncode}: {log.read_text('utf-8')}")
        try:
            ask(address, "GET", "/-/ready")
        except (OSError, HTTPException, Refused):
            time.sleep(POLL_S)
        else:
            return
    raise TimeoutError(f"alertmanager was not ready within {READY_S:.0f} s: {log.read_text('utf-8')}")
