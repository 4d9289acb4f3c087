"""Libraries of others, loaded by the first test that uses them: loading takes seconds."""

from typing import Any

import pytest


class Library:
    """A module by its name; where it is not installed, who uses it is skipped and says so."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("_"):  # pytest looks at everything in a module while it collects
            raise AttributeError(attribute)
        module = pytest.importorskip(self._name, reason=f"{self._name} ABSENT: install agent-oversight[dev]")
        return getattr(module, attribute)
