"""Who contends in `throughput.py`, and one of them run in a process of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

HERE = Path(__file__).parent
PEERS = HERE.parent / ".venv-peers" / "bin" / "python"
TOO_LONG_S = 1800


class Contender(Struct, frozen=True, kw_only=True):
    """`set`: the detectors that it runs, or none. `needs`: what must be installed beside, for a peer.

    `arguments`: what its script is told after the broker and the number of events. `windowed`: it sees an
    event only when its window has ended.
    """

    name: str
    script: str = "contenders.py"
    set: str = ""
    needs: str = ""
    arguments: tuple[str, ...] = ()
    windowed: bool = False
    ours: bool = False

    @property
    def label(self) -> str:
        """Its name, and its detectors."""
        return f"{self.name}, {self.set}" if self.set else self.name


def _both(name: str, **more: object) -> dict[str, Contender]:
    return {each: Contender(name=name, set=each, **more) for each in ("three", "all")}


OURS = _both("oversight worker", ours=True)
LIMIT = Contender(name="limit")
FAUST = _both("Faust agent", script="peers/with_faust.py")
QUIX = _both("Quix in memory", script="peers/with_quix.py", needs="quixstreams", arguments=("memory",))
QUIX_STATE = _both(
    "Quix with state", script="peers/with_quix.py", needs="quixstreams", arguments=("state",), windowed=True
)
BYTEWAX = _both("Bytewax with recovery", script="peers/with_bytewax.py", needs="bytewax")
CONTENDERS = (
    LIMIT, *OURS.values(), *FAUST.values(), *QUIX.values(), *QUIX_STATE.values(), *BYTEWAX.values(),
)  # fmt: skip


class Figures(Struct):
    """What a contender's process said at its end. `found`: ids of signals, with their times."""

    rate: float
    cpu_us: float
    peak_mb: float
    found: Mapping[str, float] = {}


def is_here(contender: Contender, peers: Path) -> bool:
    """Whether what it needs is installed."""
    if not contender.needs:
        return True
    asked = [str(peers), "-c", f"import {contender.needs}"]
    return peers.exists() and subprocess.run(asked, capture_output=True, check=False).returncode == 0


@contextmanager
def contending(contender: Contender, bootstrap: str, events: int, peers: Path = PEERS) -> Iterator[Figures]:
    """Runs one until it has seen so many events; it is there for as long as its figures are looked at."""
    python = peers if contender.needs else Path(sys.executable)
    said = [contender.set or contender.name] if contender.script == "contenders.py" else [contender.set]
    command = [str(python), str(HERE / contender.script), *said, bootstrap, str(events), *contender.arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=os.environ) as process:
        try:
            yield Figures(**json.loads(_last_words(process)))
        finally:
            process.kill()


def contend(contender: Contender, bootstrap: str, events: int) -> Figures:
    """Runs one, and asks nothing further of it."""
    with contending(contender, bootstrap, events) as figures:
        return figures


def _last_words(process: "subprocess.Popen[bytes]") -> bytes:
    for line in process.stdout or ():
        if line.startswith(b'{"rate"'):
            return line
    raise SystemExit(f"a contender ended without figures: {process.args!r}")
