"""Short ways to read configurations in tests."""

from pathlib import Path

from routing.configuration import ConfigFaults, load
from schemas.cause import ConfigFile

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
LEAST = "route: {receiver: a}\nreceivers: [{name: a}]\n"


def files(*texts, **named):
    """Texts as files `1.yml`, `2.yml`, …; named ones as `name.yml`."""
    numbered = {f"{number}.yml": text for number, text in enumerate(texts, 1)}
    return [ConfigFile(name, text) for name, text in {**numbered, **named}.items()]


def policy(*texts, **named):
    return load(files(*texts, **named))


def faults(*texts, **named):
    """The faults as lines; a single file is left out of them."""
    given = files(*texts, **named)
    try:
        load(given)
    except ConfigFaults as caught:
        lines = [str(each) for each in caught.faults]
        return [line.removeprefix("1.yml:") for line in lines] if len(given) == 1 else lines
    return []


def example(name):
    path = EXAMPLES / name
    found = sorted(path.rglob("*.yml")) if path.is_dir() else [path]
    return [ConfigFile(str(each.relative_to(EXAMPLES)), each.read_text("utf-8")) for each in found]
