"""What every mapping of the configuration has in common, and how values are named in messages."""

from collections.abc import Mapping
from itertools import chain
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, model_validator

LONGEST_SHOWN = 60


class Part(BaseModel):
    """A mapping of known fields. A field without a value counts as absent.

    `gathers`: fields that are kept together as a mapping, by the alias of the model's field for them.
    """

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", frozen=True)
    gathers: ClassVar[Mapping[str, tuple[str, ...]]] = {}

    @model_validator(mode="before")
    @classmethod
    def _prepare(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            raise ValueError(f"expected a mapping, found {kind_of(data)}")  # noqa: TRY004 - pydantic's protocol
        known = set(cls.words())
        kept = {key: value for key, value in data.items() if value is not None or key not in known}
        for alias, names in cls.gathers.items():
            if alias in data:
                raise ValueError(f'unknown field "{alias}"')
            kept[alias] = {name: kept.pop(name) for name in names if name in kept}
        return kept

    @classmethod
    def words(cls) -> tuple[str, ...]:
        """All fields that may be written."""
        own = (field.alias or name for name, field in cls.model_fields.items())
        return (
            *(word for word in own if word not in cls.gathers),
            *chain.from_iterable(cls.gathers.values()),
        )


class Located(ValueError):  # noqa: N818 - says where
    """A fault inside a text; `line` counts from 1 in it."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


def kind_of(value: Any) -> str:
    """What a value is, in words for a message."""
    if isinstance(value, str):
        return repr(value) if len(value) <= LONGEST_SHOWN else repr(value[: LONGEST_SHOWN - 3] + "...")
    names: Mapping[type, str] = {dict: "a mapping", list: "a list", type(None): "nothing"}
    return names.get(type(value), type(value).__name__)
