"""What happens in a night, as data: drawn from a seed, played by `night`, shortened by `shrinking`."""

from random import Random

from msgspec import Struct
from msgspec.structs import replace

from tests.simulation.drawn_rules import BAD, DIGESTED, TARGETS, TEAMS, USERS

SPAN_S = 150 * 60.0
"""How long things happen."""
CALM_S = 45 * 60.0
"""How long nothing new happens afterwards, while what fires goes on firing."""
AFTER_S = 8 * 3600.0
"""How long all is over, until everything must be forgotten."""
GAP_S = 75.0
RULES = 12
"""Configurations that are drawn from."""
AGENTS = ("a-0", "a-1", "a-2", "a-3")
DETECTORS = ("error_rate", "cost", "latency", "silence", "dependency")
MODES = ("refusing", "busy", "timing out", "unknown")
WRITERS = ("host", "people", "notifier", "detector")
MOST_SKEW_S = 240


class Happening(Struct, frozen=True):
    """One thing that happens `at_s` after the start. What the fields mean depends on `what`."""

    at_s: float
    what: str
    name: str = ""
    number: int = 0
    much: float = 0.0

    def __str__(self) -> str:
        said = (self.name, f"#{self.number}" if self.number else "", f"{self.much:g}" if self.much else "")
        return " ".join(each for each in (self.what, *said) if each)


class Story(Struct, frozen=True):
    """A night. `rules`: the configuration it begins with."""

    seed: int
    rules: int
    happenings: tuple[Happening, ...]


DEEDS = ("ack", "ack", "ack", "resolve", "snooze", "give", "comment", "judge", "silence", "approve")
KINDS = {
    "end": 6,
    "fall silent": 1,
    "speak again": 1,
    "worsen": 2,
    "deed": 6,
    "deed again": 2,
    "silence all": 2,
    "router dies": 3,
    "notifier dies": 2,
    "channel": 4,
    "reload": 2,
    "skew": 2,
    "told again": 2,
    "late": 1,
    "junk": 1,
}
"""Of which kinds of things there is how much, where there is any in a night."""


SPANS_S = {
    "deed": (0.0, 60.0, 600.0, 2400.0),
    "silence all": (120.0, 900.0, 4500.0),
    "router dies": (0.0, 5.0, 60.0, 400.0),
    "notifier dies": (0.0, 5.0, 60.0, 400.0),
    "channel": (60.0, 600.0, 3000.0),
    "late": (1.0, 90.0, 600.0),
    "begin": (0.3, 0.9, 1.0),
}
"""How long things last, in seconds; of `begin`, how confident the detector is."""


def draw(seed: int) -> Story:
    """The night of a seed. Most nights have some kinds of trouble only: what is always there hides things."""
    random = Random(f"night {seed}")
    kinds = {name: weight for name, weight in KINDS.items() if random.random() < 0.7}
    kinds["begin"] = random.choice((4, 8))
    happenings: list[Happening] = []
    at_s = 0.0
    while (at_s := at_s + round(random.expovariate(1 / GAP_S), 1)) < SPAN_S:
        [what] = random.choices(list(kinds), list(kinds.values()))
        happenings.append(_happening(random, at_s, what))
    return Story(seed, random.randrange(RULES), tuple(happenings))


def _happening(random: Random, at_s: float, what: str) -> Happening:
    number = random.randrange(1000)
    name, much = "", random.choice(SPANS_S.get(what, (0.0,)))
    if what == "begin":
        name = "/".join(random.choice(each) for each in (AGENTS, DETECTORS, ("prod", "test")))
    elif what == "deed":
        name = random.choice(DEEDS)
    elif what == "silence all":
        name = random.choice(
            (f"agent={random.choice(AGENTS)}", f"detector={random.choice(DETECTORS)}", "env=prod")
        )
    elif what == "channel":
        name = f"{random.choice(TARGETS)} {random.choice(MODES)}"
    elif what == "reload":
        number = random.choice((*range(RULES), BAD))
    elif what == "skew":
        name, much = random.choice(WRITERS), float(random.randrange(-MOST_SKEW_S, MOST_SKEW_S))
    return Happening(at_s, what, name, number, much)


def digested(story: Story) -> Story:
    """The same night under rules that gather the logbook's part for a digest."""
    happenings = (
        replace(each, number=each.number + DIGESTED) if each.what == "reload" and each.number != BAD else each
        for each in story.happenings
    )
    return replace(story, rules=story.rules + DIGESTED, happenings=tuple(happenings))


def even(story: Story) -> Story:
    """The same night with clocks that agree and a router that lives: nothing in it hangs on offsets."""
    kept = (each for each in story.happenings if each.what not in ("skew", "router dies"))
    return replace(story, happenings=tuple(kept))


def rehearsed(story: Story) -> Story:
    """The same night with fire drills in it, half of them in a room of their own."""
    random = Random(f"drills of {story.seed}")
    drills = [_drill(random, number) for number in range(random.randrange(3, 12))]
    happenings = sorted((*story.happenings, *drills), key=lambda each: each.at_s)
    return replace(story, happenings=tuple(happenings))


def _drill(random: Random, number: int) -> Happening:
    name = "/".join(random.choice(each) for each in (AGENTS, DETECTORS, ("prod", "test")))
    at_s = round(random.uniform(0, SPAN_S), 2) + 0.003
    return Happening(at_s, "drill", name, number, random.choice((60.0, 600.0, 1800.0)))


def whom(number: int) -> dict[str, str]:
    """To whom an incident is handed, now and then to somebody whom nobody knows."""
    if number % 7 == 0:
        return {"user": "nobody"}
    return {"user": USERS[number % 3]} if number % 3 else {"team": TEAMS[number % 2]}
