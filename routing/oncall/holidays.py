"""Public holidays: by country, or by a part of one."""

from datetime import date
from functools import lru_cache


@lru_cache(maxsize=1024)
def is_holiday(where: str, day: date) -> bool:
    """Whether a day is a holiday there. `where`: as `known` takes it."""
    return day in _holidays(where, day.year)


def known(where: str) -> bool:
    """Whether holidays are known: of a country by its ISO 3166 code (`GB`), or of a part of it (`GB-SCT`).

    >>> [known(each) for each in ("GB", "GB-SCT", "DE-BY", "XX", "GB-XX", "gb", "")]
    [True, True, True, False, False, False, False]
    """
    country, dash, part = where.partition("-")
    parts = places().get(country)
    return parts is not None and (part in parts if dash else True)


@lru_cache(maxsize=1)
def places() -> dict[str, tuple[str, ...]]:
    """All countries whose holidays are known, each with its parts."""
    import holidays  # noqa: PLC0415 - a tenth of a second: only who names holidays waits for it

    found = holidays.list_supported_countries()
    return {str(country): tuple(map(str, found[country])) for country in sorted(found)}


@lru_cache(maxsize=256)
def _holidays(where: str, year: int) -> frozenset[date]:
    import holidays  # noqa: PLC0415 - as above

    country, _, part = where.partition("-")
    return frozenset(holidays.country_holidays(country, subdiv=part or None, years=year))
