"""Addresses that are called over HTTP: whether they can be, and how they are told."""

from urllib.parse import urlsplit

import httpx


def is_address(url: str) -> bool:
    """Whether it can be called: http or https, a host that can be looked up, a port that there is."""
    try:
        host = httpx.URL(url).raw_host.decode()
        # What a look-up does with the name, and it raises for what is no name.
        host.encode("idna")
        parts = urlsplit(url)
        good = parts.scheme in {"http", "https"} and parts.port != 0
    except (ValueError, httpx.InvalidURL):
        return False
    return good and bool(host) and url.split() == [url]


def shown(url: str) -> str:
    """How an address is told: what follows ? may be secret, and so is whatever stands before @."""
    return "[hidden]" if "@" in url else url.partition("?")[0]
