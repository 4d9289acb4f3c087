"""A worker as it is run: its CPU and memory by the system, and what it tells of itself by its /metrics."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
STOPPED_WITHIN_S = 60
ASKED_EVERY_S = 0.25


class Running:
    """`oversight worker` in a process of its own."""

    def __init__(self, process: "subprocess.Popen[bytes]", port: int) -> None:
        self._process = process
        self._port = port

    def figures(self) -> dict[str, float]:
        """Every figure of /metrics by its name and labels, as it is written there; none before it answers."""
        if self._process.poll() is not None:
            raise SystemExit("a worker ended: see its log")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/metrics", timeout=60) as answer:
                text = answer.read().decode()
        except (urllib.error.URLError, OSError):
            return {}
        found = re.findall(r"^(oversight_\w+(?:\{[^}]*\})?) (\S+)", text, re.MULTILINE)
        return {name: float(figure) for name, figure in found}

    def sum(self, name: str, topic: str) -> float:
        """One figure, over partitions."""
        mine = f'topic="{topic}"'
        return sum(
            figure for what, figure in self.figures().items() if what.split("{")[0] == name and mine in what
        )

    def pause(self) -> None:
        """Stops its process where it is."""
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Lets it go on."""
        self._process.send_signal(signal.SIGCONT)

    @property
    def cpu_s(self) -> float:
        """Seconds of CPU so far."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def memory_mb(self, which: str = "VmRSS") -> float:
        """Memory in use, or its peak (`VmHWM`)."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(status.split(f"{which}:")[1].split()[0]) / 1024


@contextmanager
def running(rules: Path, **told: str) -> Iterator[Running]:
    """Runs one with these rules and variables (without their prefix); its log lies beside the rules."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    variables = {f"OVERSIGHT_{name.upper()}": each for name, each in told.items()}
    variables |= {"OVERSIGHT_CONFIG": str(rules), "OVERSIGHT_LISTEN": str(port)}
    command = [sys.executable, "-m", "streams.cli", "worker"]
    with rules.with_name(f"worker-{port}.log").open("wb") as log:
        process = subprocess.Popen(command, env={**os.environ, **variables}, stdout=log, stderr=log)
        try:
            yield Running(process, port)
        finally:
            process.terminate()
            try:
                process.wait(STOPPED_WITHIN_S)
            except subprocess.TimeoutExpired:
                process.kill()


def until(holds: Callable[[], bool], within_s: float) -> None:
    """Waits until something holds.

    Raises:
        SystemExit: it did not within that time.
    """
    deadline = time.monotonic() + within_s
    while not holds():
        if time.monotonic() > deadline:
            raise SystemExit(f"waited {within_s:.0f} s for {holds.__name__} in vain")
        time.sleep(ASKED_EVERY_S)
