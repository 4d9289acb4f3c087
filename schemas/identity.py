"""Ids that are derived from what they are about, so that a replay gives the same ones."""

from collections.abc import Mapping
from hashlib import blake2b


def derived(kind: str, *parts: str) -> str:
    """`kind-` and 20 hexadecimal digits (80 bits) of BLAKE2b over the parts, each with its length before it.

    >>> derived("sig", "cost", "spike") == derived("sig", "costs", "pike")
    False
    """
    digest = blake2b(digest_size=10)
    for part in parts:
        piece = part.encode("utf-8", "surrogatepass")
        digest.update(len(piece).to_bytes(4, "big"))
        digest.update(piece)
    return f"{kind}-{digest.hexdigest()}"


def canonical(labels: Mapping[str, str]) -> str:
    r"""Labels as one string, sorted by name: equal labels give equal strings.

    >>> canonical({"b": "2", "a": "1"})
    '{a="1",b="2"}'
    """
    return "{" + ",".join(f'{name}="{_escaped(labels[name])}"' for name in sorted(labels)) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
