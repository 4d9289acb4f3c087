"""Finds every notifier by looking: nothing is listed by hand."""

from collections.abc import Mapping
from importlib import import_module
from inspect import getmembers, isclass
from pkgutil import iter_modules
from typing import Any, cast

import routing.notifiers
from routing.notifiers.notifier import Notifier

NO_CHANNELS = frozenset({"notifier", "registry"})


def discover() -> Mapping[str, type[Notifier]]:
    """Notifiers by kind, in the order of their names.

    Raises:
        TypeError: where a module does not define exactly one public class of its kind.
    """
    names = sorted(module.name for module in iter_modules(routing.notifiers.__path__))
    return {name: only_class(f"routing.notifiers.{name}", name) for name in names if name not in NO_CHANNELS}


def only_class(path: str, kind: str) -> type[Notifier]:
    """The one public class that module `path` defines, which must be a notifier of `kind`.

    Raises:
        TypeError: where it is not.
    """
    module = import_module(path)
    public: list[Any] = [
        each
        for name, each in getmembers(module, isclass)
        if each.__module__ == path and not name.startswith("_")
    ]
    if len(public) != 1 or getattr(public[0], "kind", None) != kind or not hasattr(public[0], "deliver"):
        found = ", ".join(f"{each.__name__} (kind {getattr(each, 'kind', None)!r})" for each in public)
        raise TypeError(
            f"{path} must define one public class of kind {kind!r} with deliver(), found {found or 'none'}"
        )
    return cast("type[Notifier]", public[0])
