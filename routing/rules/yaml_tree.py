"""A tree of texts that know where they stand."""

from typing import Any

from msgspec import Struct

from routing.rules.faults import Fault


class Place(Struct, frozen=True):
    """Where something stands. `line` and `column` count from 1."""

    file: str
    line: int
    column: int

    def fault(self, message: str) -> Fault:
        """A fault at this place."""
        return Fault(self.file, self.line, self.column, message)


class Node(Struct):
    """A text (None for null), a list or a mapping, and where it stands.

    `keys`: the places of a mapping's keys. `block`: a text written as a literal block, which begins one line
    below its place. `size`: nodes in it, each alias counted as what it stands for.
    """

    place: Place
    value: "str | list[Node] | dict[str, Node] | None"
    keys: dict[str, Place] = {}
    block: bool = False
    size: int = 1

    @property
    def fields(self) -> "dict[str, Node]":
        """The fields of a mapping; none for anything else."""
        return self.value if isinstance(self.value, dict) else {}

    @property
    def entries(self) -> "list[Node]":
        """The entries of a list; none for anything else."""
        return self.value if isinstance(self.value, list) else []

    @property
    def text(self) -> str:
        """A text; empty for anything else."""
        return self.value if isinstance(self.value, str) else ""

    def plain(self) -> Any:
        """The bare value: texts, None, lists and dicts."""
        if isinstance(self.value, dict):
            return {key: child.plain() for key, child in self.fields.items()}
        if isinstance(self.value, list):
            return [child.plain() for child in self.entries]
        return self.value

    def at(self, *path: "str | int") -> "Node | None":
        """The node at a path of keys and indices, if there is one."""
        node: Node | None = self
        for step in path:
            node = node.child(step) if node else None
        return node

    def nearest(self, *path: "str | int") -> "Node":
        """The deepest node on a path; steps that lead nowhere are passed over."""
        node = self
        for step in path:
            node = node.child(step) or node
        return node

    def child(self, step: "str | int") -> "Node | None":
        """The value of a key, or the item at an index."""
        if isinstance(step, str):
            return self.fields.get(step)
        return self.entries[step] if step < len(self.entries) else None

    def remove(self, step: "str | int") -> None:
        """Removes the value of a key, or the entry at an index, that is there."""
        if isinstance(step, str):
            del self.fields[step]
        else:
            del self.entries[step]
