"""How unfamiliar a text's wording is, given how often its words and word pairs are in a reference."""

from collections.abc import Sequence
from math import log, sqrt

NOVELTY, SURPRISE = 256, 1024
"""Scores are kept as whole numbers of 1/256 and 1/1024: ties stay ties."""
_NEVER = 0.1
"""Weight of a word that the reference does not have."""
_BACK = 2.0
"""Weight of a word's own frequency beside that of its pairs."""
_TINY = 1e-200
"""The logarithm of the product is taken before it underflows."""


def measured(words: Sequence[int], couples: Sequence[int], size: int) -> tuple[int, int]:
    """Novelty and surprise of a text.

    `words`: in how many of the reference's `size` texts each word of the text is; `couples`: each pair of
    neighbours. Novelty counts what was never seen: words + pairs / sqrt(length + 1). Surprise is the mean of
    -ln p per word, p being the share of a word's texts in which it is followed by the next, smoothed by how
    frequent the next is (a bigram model with a Dirichlet prior, MacKay & Peto 1995).
    """
    length = len(words)
    if not length:
        return 0, 0
    novelty = words.count(0) + couples.count(0) / sqrt(length + 1)
    share, total = _BACK / (size + 1), 0.0
    before = words[0]
    product = (before + _NEVER) / (size + 1)
    for count, couple in zip(words[1:], couples, strict=True):
        product *= (couple + share * (count + _NEVER)) / (before + _BACK)
        before = count
        if product < _TINY:
            total -= log(product)
            product = 1.0
    return round(NOVELTY * novelty), round(SURPRISE * (total - log(product)) / (length + 1))
