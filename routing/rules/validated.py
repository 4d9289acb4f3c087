"""Inputs that a team has validated its agents on: texts in a file beside the configuration, one a line."""

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from routing.rules.document.document import Document
from routing.rules.faults import Fault
from routing.rules.yaml_tree import Node
from schemas.cause import ConfigFile

FEWEST = 50
"""Texts that make a reference."""
LARGEST = 200_000
"""Bytes of all such files together: they travel with the configuration."""


class Validated(Struct, frozen=True):
    """The texts by the number of the entry in `agents`; `faults`: of files that do not serve."""

    texts: Mapping[int, Sequence[str]]
    faults: Sequence[Fault]


def path_beside(name: str, path: str) -> str:
    """Where a file is that the configuration file `name` refers to.

    >>> path_beside("rules/oversight.yml", "inputs/validated.txt")
    'rules/inputs/validated.txt'
    """
    return "".join(name.rpartition("/")[:2]) + path.removeprefix("./")


def validated_texts(document: Document, root: Node, files: Sequence[ConfigFile]) -> Validated:
    """The texts of the files that agents refer to, among those of the configuration."""
    sets = {file.name: file.text for file in files if file.holds == "texts"}
    texts: dict[int, Sequence[str]] = {}
    faults: list[Fault] = []
    used = dict[str, int]()
    for at, part in enumerate(document.agents):
        if isinstance(part.reference, str):
            place = root.nearest("agents", at, "reference").place
            name = path_beside(place.file, part.reference)
            found = sets.get(name)
            used[name] = len((found or "").encode())
            texts[at] = tuple(line.strip() for line in (found or "").splitlines() if line.strip())
            faults += (
                place.fault(message)
                for message in _wrong(part.reference, found, texts[at], sum(used.values()))
            )
    return Validated(texts, faults)


def _wrong(path: str, found: str | None, texts: Sequence[str], size: int) -> Iterator[str]:
    """What is wrong with a file. `size`: in bytes, with those before it."""
    if found is None:
        yield f'no file "{path}" beside this one'
    elif size > LARGEST:
        yield f'"{path}": above {LARGEST:,} bytes, together with the files of texts before it'
    elif len(texts) < FEWEST:
        yield f'"{path}" has {len(texts)} texts, one a line; at least {FEWEST} make a reference'
