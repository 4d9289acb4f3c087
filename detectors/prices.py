"""The team's own prices: what an operation cost whose agent says its tokens and not its cost.

A model without a price leaves the cost unknown, never 0.
"""

from collections.abc import Mapping

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from schemas.event import Data, Event, Usage

MILLION = 1e6


class Price(Struct, frozen=True):
    """USD per million tokens. Without prices of their own, tokens of the cache cost what others do."""

    input: float
    output: float
    cache_read: float | None = None
    cache_write: float | None = None

    def of(self, usage: Usage) -> float:
        """USD. Tokens read from and written to the cache are part of the input, as in OpenTelemetry."""
        read, written = usage.cache_read_input_tokens or 0, usage.cache_write_input_tokens or 0
        fresh = max(0, (usage.input_tokens or 0) - read - written)
        spent = (
            fresh * self.input
            + read * (self.input if self.cache_read is None else self.cache_read)
            + written * (self.input if self.cache_write is None else self.cache_write)
            + (usage.output_tokens or 0) * self.output
        )
        return spent / MILLION


class Prices:
    """Prices by model: `{input, output, cache_read, cache_write}`, as a configuration has them."""

    __slots__ = ("_by_model",)

    def __init__(self, prices: Mapping[str, Mapping[str, float]]) -> None:
        """Raises ValueError where a price lacks a direction."""
        self._by_model = msgspec.convert(prices, dict[str, Price])

    def __bool__(self) -> bool:
        return bool(self._by_model)

    def priced(self, event: Event) -> Event:
        """The event with its cost, where only its tokens are known and its model has a price; else itself."""
        usage = event.data.usage
        if usage is None or usage.cost_amount is not None:
            return event
        if usage.input_tokens is None and usage.output_tokens is None:
            return event
        price = self._price(event.data)
        if price is None:
            return event
        component = usage.cost_component or "model"
        known = replace(
            usage,
            cost_amount=price.of(usage),
            cost_currency="USD",
            cost_source="local",
            cost_component=component,
        )
        return replace(event, data=replace(event.data, usage=known))

    def _price(self, data: Data) -> Price | None:
        """By the model that answered, else by the one that was asked."""
        for said in (data.response, data.request):
            price = self._by_model.get(said.model) if said is not None and said.model else None
            if price is not None:
                return price
        return None
