"""How unevenly partitions are loaded: agents of unequal traffic, put where Kafka's default partitioner does.

Agents' traffic follows Zipf's law (weight of the n-th is n to the power of -s; with s = 0 all are equal), and
names are drawn anew by each seed. A hot agent may be split into shards by `partitionkey`, so that none has
more than `--most` of all. Nothing is timed: it is arithmetic on names, and comes out the same everywhere.

Run: python benchmarks/skew.py [--quick] [--most 0.001]
"""

import argparse
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from statistics import median

from rich.console import Console
from rich.progress import track
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from streams.history import partition_of

AGENTS = (100, 1_000, 10_000)
PARTITIONS = (4, 16, 64, 256)
EXPONENTS = (0.0, 0.8, 1.1)
SEEDS, FEW = 20, 3


def weights(agents: int, exponent: float) -> list[float]:
    """Parts of all traffic, the busiest agent's first; they sum up to 1."""
    raw = [rank**-exponent for rank in range(1, agents + 1)]
    total = sum(raw)
    return [each / total for each in raw]


def keys(parts: list[float], most: float, random: Random) -> Iterator[tuple[bytes, float]]:
    """Keys with their part of all traffic: an agent's name or, of what has more than `most`, its shards."""
    for part in parts:
        name = f"agent-{random.getrandbits(48):x}"
        shards = math.ceil(part / most)
        if shards == 1:
            yield name.encode(), part
        else:
            yield from ((f"{name}/{number}".encode(), part / shards) for number in range(shards))


def busiest(loads: Iterator[tuple[bytes, float]], partitions: int) -> float:
    """The load of the busiest partition, as a multiple of the mean."""
    sums = [0.0] * partitions
    for key, part in loads:
        sums[partition_of(key, partitions)] += part
    return max(sums) * partitions


def measured(agents: int, exponent: float, partitions: int, most: float, seeds: int) -> list[float]:
    """One figure a seed."""
    parts = weights(agents, exponent)
    return [busiest(keys(parts, most, Random(f"skew {seed}")), partitions) for seed in range(seeds)]


def main() -> None:
    """Prints the table."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--quick", action="store_true", help=f"{FEW} seeds instead of {SEEDS}")
    asked.add_argument("--most", type=float, default=0.001, help="part of all traffic of a shard, at most")
    options = asked.parse_args()
    seeds = FEW if options.quick else SEEDS
    console = Console()
    table = Table(title=f"the busiest partition, in means: median (largest) of {seeds} seeds; / with shards")
    for name in ("agents", "Zipf's s", "busiest agent", *(f"{n} partitions" for n in PARTITIONS)):
        table.add_column(name, justify="right")
    rows = [(agents, exponent) for agents in AGENTS for exponent in EXPONENTS]
    for agents, exponent in track(rows, "skew", console=console, transient=True):
        cells = []
        for partitions in PARTITIONS:
            whole = measured(agents, exponent, partitions, 1.0, seeds)
            split = measured(agents, exponent, partitions, options.most, seeds)
            cells.append(f"{median(whole):.2f} ({max(whole):.2f}) / {median(split):.2f} ({max(split):.2f})")
        table.add_row(f"{agents:,}", f"{exponent:g}", f"{weights(agents, exponent)[0]:.1%}", *cells)
    console.print(table)


if __name__ == "__main__":
    main()
