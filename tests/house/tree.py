"""The checkout as tests of the house see it: what is kept in it, and what its papers say."""

import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-build.lock", "requirements-peers.lock")


def kept() -> list[Path]:
    """Every file that is, or may be, committed."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    return [path for name in listed.split("\0") if name and (path := ROOT / name).is_file()]


def texts() -> Iterator[tuple[str, str]]:
    """Name and text of every file that has one."""
    for path in kept():
        try:
            yield str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue


def package(requirement: str) -> str:
    """The normalised name of what a requirement asks for."""
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert found, requirement
    return re.sub(r"[-_.]+", "-", found[0]).lower()


def direct() -> dict[str, list[str]]:
    """The names of direct dependencies, by where they are asked for."""
    project = PROJECT["project"]
    asked = {"run": project["dependencies"], "build": PROJECT["build-system"]["requires"]}
    asked |= project["optional-dependencies"]
    return {where: [package(each) for each in requirements] for where, requirements in asked.items()}


def locked(lock: str) -> dict[str, str]:
    """Versions by name, of a lock."""
    lines = (ROOT / lock).read_text().splitlines()
    return {
        package(name): version.split()[0]
        for name, _, version in (line.partition("==") for line in lines if re.match(r"\S+==", line))
    }
