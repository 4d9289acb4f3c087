"""A tree of texts that know where they stand."""

from typing import Any

from msgspec import Struct

from routing.faults import Fault


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

    def plain(self) -> Any:
        """The bare value: texts, None, lists and dicts."""
        if isinstance(self.value, dict):
            return {key: child.plain() for key, child in self.value.items()}
        if isinstance(self.value, list):
            return [child.plain() for child in self.value]
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
        if isinstance(self.value, dict) and isinstance(step, str):
            return self.value.get(step)
        if isinstance(self.value, list) and isinstance(step, int) and step < len(self.value):
            return self.value[step]
        return None
