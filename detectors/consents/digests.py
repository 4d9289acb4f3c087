"""Digests of the ids of sessions and requests."""

from detectors.boundaries.parties import digest
from schemas.identity import derived

LONGEST_ID = 40


def digest_of(name: str) -> int:
    """64 bits. A long id is derived first, as version 1 kept it, so that what it kept is found again."""
    return digest(name if len(name) <= LONGEST_ID else derived("id", name))
