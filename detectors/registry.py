"""Finds every detector by itself: a new detector is one new file and touches no other."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from inspect import getmembers, isclass
from pkgutil import iter_modules
from types import ModuleType
from typing import cast

import detectors
from detectors.detector import Detector

_TELLING = ("observe", "findings")
"""A public class with these is meant to be a detector."""
_SHAPE = sorted({*Detector.__annotations__, *(each for each in vars(Detector) if not each.startswith("_"))})


def discover(package: ModuleType = detectors) -> Mapping[str, type[Detector]]:
    """The detectors of a package by name, sorted; one module a detector, named as it.

    Raises:
        TypeError: a module defines two detectors, one that lacks a part of the protocol, or one of another
            name; the message names the module and what was found.
    """
    found: dict[str, type[Detector]] = {}
    for path in sorted(each.name for each in iter_modules(package.__path__)):
        module = import_module(f"{package.__name__}.{path}")
        classes = sorted(_detectors_of(module), key=lambda each: each.__name__)
        if len(classes) > 1:
            names = ", ".join(each.__name__ for each in classes)
            raise TypeError(
                f"{module.__name__} must define one public class that is a detector, found {names}"
            )
        for kind in classes:
            found[_name(module, path, kind)] = kind
    return found


def _detectors_of(module: ModuleType) -> Iterator[type[Detector]]:
    for name, kind in getmembers(module, isclass):
        own = kind.__module__ == module.__name__ and not name.startswith("_") and kind is not Detector
        if own and all(hasattr(kind, each) for each in _TELLING):
            yield cast("type[Detector]", kind)


def _name(module: ModuleType, path: str, kind: type[Detector]) -> str:
    missing = ", ".join(each for each in _SHAPE if not hasattr(kind, each))
    if missing:
        raise TypeError(
            f"{module.__name__}.{kind.__name__} must have the shape of a Detector, lacks {missing}"
        )
    if kind.name != path:
        raise TypeError(f"{module.__name__}.{kind.__name__} must be named as its file, found {kind.name!r}")
    return path
