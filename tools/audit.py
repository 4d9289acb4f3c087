"""Asks whether a known vulnerability is in anything that the locks name.

`audit.py` asks OSV (osv.dev), which has the advisories of the Python Packaging Authority and of GitHub, by
name and version alone. Exit code 1 where one is known and not accepted below. Where nobody answers it is NOT
RUN and ends with 0, or with 2 after `--required`: a machine without network must not fail, nor seem audited.
"""

import os
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parents[1]
LOCKS = (
    "requirements.lock",
    "requirements-dev.lock",
    "requirements-build.lock",
    "requirements-peers.lock",
)
ADDRESS = os.environ.get("AUDIT_URL", "https://api.osv.dev/v1/querybatch")
WITHIN_S = 20.0
AT_ONCE = 500
LOCKED = re.compile(r"^([a-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)
ACCEPTED: Mapping[str, str] = {}
"""Advisories that do not concern us, by id, each with the reason."""

Package = tuple[str, str]
"""Name and version."""


def locked(root: Path = ROOT) -> Sequence[Package]:
    """Every package of the locks, each version once."""
    return sorted({found for lock in LOCKS for found in LOCKED.findall((root / lock).read_text())})


def known(packages: Sequence[Package], address: str) -> Mapping[Package, Sequence[str]]:
    """The ids of advisories by package, of those that have any.

    Raises:
        httpx.HTTPError, ValueError, KeyError: nobody answers, or not as was asked.
    """
    found: dict[Package, Sequence[str]] = {}
    for at in range(0, len(packages), AT_ONCE):
        some = packages[at : at + AT_ONCE]
        asked = [
            {"package": {"name": name, "ecosystem": "PyPI"}, "version": version} for name, version in some
        ]
        answer = httpx.post(address, json={"queries": asked}, timeout=WITHIN_S).raise_for_status()
        results = answer.json()["results"]
        for package, result in zip(some, results, strict=True):
            if ids := [each["id"] for each in result.get("vulns", ())]:
                found[package] = ids
    return found


def main(address: str = ADDRESS, arguments: Sequence[str] = ()) -> int:
    """Audits, and says what it found; the exit code."""
    packages = locked()
    try:
        found = known(packages, address)
    except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
        print(f"NOT RUN, 1 skipped: no answer from {httpx.URL(address).host} ({type(error).__name__})")
        return 2 if "--required" in arguments else 0
    open_ = {each: [name for name in ids if name not in ACCEPTED] for each, ids in found.items()}
    for (name, version), ids in sorted(open_.items()):
        if ids:
            print(f"{name} {version}: {', '.join(ids)}")
    count = sum(map(len, open_.values()))
    print(f"{count} known vulnerabilities in {len(packages)} packages" + ("" if count else ": passed"))
    return int(count > 0)


if __name__ == "__main__":
    sys.exit(main(arguments=sys.argv[1:]))
