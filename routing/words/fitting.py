"""Making facts fit where a channel takes only so much: the longest give way first, none is lost."""

from collections.abc import Sequence

import msgspec

from routing.notifiers.notifier import Fact
from routing.words.wording import cut

SHORTEST = 16
"""Characters that are left of a text, however little room there is."""


def weight(text: str) -> int:
    """Bytes of a text as JSON."""
    return len(msgspec.json.encode(text))


def fitted(facts: Sequence[Fact], room: int) -> tuple[Fact, ...]:
    """Facts whose texts take at most `room` bytes as JSON, or are as short as they may become.

    >>> fitted([Fact("Next", "roll it back"), Fact("Also", "x" * 100)], 80)[1].text
    'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…'
    """
    texts = [fact.text for fact in facts]
    while sum(map(weight, texts)) > room:
        longest = max(range(len(texts)), key=lambda at: (len(texts[at]) > SHORTEST, weight(texts[at])))
        if len(texts[longest]) <= SHORTEST:
            break
        texts[longest] = cut(texts[longest], max(len(texts[longest]) // 2, SHORTEST))
    return tuple(Fact(fact.label, text) for fact, text in zip(facts, texts, strict=True))
