"""What may be written at a place, and what was probably meant."""

from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from routing.rules.document.part import Part

CLOSE = 0.6
MOST_SHOWN = 12


def meant(word: str, known: Iterable[str]) -> str:
    """` (did you mean "x"?)`, or an empty string where nothing is close.

    >>> meant("adress", ["address", "name"])
    ' (did you mean "address"?)'
    """
    alike = {each.casefold(): each for each in reversed(list(known))}
    found = get_close_matches(word.casefold(), list(alike), n=1, cutoff=CLOSE)
    return f' (did you mean "{alike[found[0]]}"?)' if found else ""


def instead(word: str, known: Iterable[str]) -> str:
    """What was probably meant; where nothing is close, what there is.

    >>> instead("x", ["ops", "night"])
    ': expected one of ops, night'
    """
    names = tuple(dict.fromkeys(known))
    shown = ", ".join(names[:MOST_SHOWN]) + f" and {len(names) - MOST_SHOWN} more" * (len(names) > MOST_SHOWN)
    expected = f": expected {'one of ' * (len(names) > 1)}{shown}" if names else ": there is none at all"
    return meant(word, names) or expected


def words_at(model: type[Part], path: Sequence[str | int]) -> tuple[str, ...]:
    """The fields that may be written in the mapping at a path into a document of shape `model`."""
    shapes: list[Any] = [model]
    for step in path:
        shapes = [below for shape in shapes for below in _below(shape, step)]
    parts = [each for shape in shapes for each in _unwrapped(shape) if _is_part(each)]
    return tuple(word for part in parts for word in part.words())


def _below(shape: Any, step: str | int) -> Iterator[Any]:
    for each in _unwrapped(shape):
        if _is_part(each):
            fields = each.model_fields.items()
            yield from (field.annotation for name, field in fields if step in (name, field.alias))
        elif arguments := get_args(each):
            yield arguments[0] if isinstance(step, int) else arguments[-1]


def _unwrapped(shape: Any) -> Iterator[Any]:
    """The shape without annotations, each side of a union by itself."""
    origin = get_origin(shape)
    if origin is Annotated:
        yield from _unwrapped(get_args(shape)[0])
    elif origin in (Union, UnionType):
        for each in get_args(shape):
            yield from _unwrapped(each)
    else:
        yield shape


def _is_part(shape: Any) -> bool:
    return isinstance(shape, type) and issubclass(shape, Part)
