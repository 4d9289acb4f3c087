"""Streams for the laws: customers who ask about their orders; then a third of them ask about flights."""

import random
from collections.abc import Iterator

from detectors.settings import Watch
from schemas.event import Event
from tests.detectors.agent_events import START_S, event

WATCH = Watch(reference=400)
_EVERY_S = 60.0

_OPENINGS = ("hi", "hello there", "good morning", "hey", "excuse me", "please help", "one question")
_ASKS = ("where is", "i want to return", "can you cancel", "what happened to", "i never got", "change")
_ORDERS = (
    "my order",
    "the blue shirt",
    "a pair of boots",
    "the kettle i bought",
    "my last parcel",
    "the desk lamp",
    "two water bottles",
    "the red jacket",
    "my headphones",
    "the garden chair",
    "that vacuum cleaner",
    "the book",
)
_FLIGHTS = (
    "my flight to lisbon",
    "the boarding pass",
    "a window seat",
    "my checked luggage",
    "the return ticket",
)
_ENDINGS = (
    "",
    "thanks",
    "as soon as possible",
    "it was a gift",
    "i am not happy",
    "it is broken",
    "by friday",
)


def asked(at_s: float, draw: random.Random, things: tuple[str, ...]) -> Event:
    """One customer's text, with the fields that the agent computes of it."""
    words = (draw.choice(_OPENINGS), draw.choice(_ASKS), draw.choice(things), draw.choice(_ENDINGS))
    text = " ".join(word for word in words if word)
    features = {"chars": float(len(text)), "lang": draw.choice(("en", "en", "en", "de", "fr"))}
    given = {"text": text, "features": features}
    session, tenant = {"id": f"c{at_s}"}, {"id": draw.choice("abc")}
    return event(at_s, "receive_input", input=given, conversation=session, tenant=tenant)


def stable() -> Iterator[Event]:
    """A day and a half of orders."""
    draw = random.Random(1)
    for at in range(2000):
        yield asked(START_S + at * _EVERY_S, draw, _ORDERS)


def positive() -> Iterator[Event]:
    """Orders, and from the 700th text on a third about flights."""
    draw = random.Random(2)
    for at in range(1000):
        things = _FLIGHTS if at >= 700 and draw.random() < 1 / 3 else _ORDERS
        yield asked(START_S + at * _EVERY_S, draw, things)


TROUBLE_S, FOUND_WITHIN_S = 42_000.0, 1_800.0
"""When it begins, in seconds after the start, and how many later something is said of it."""
