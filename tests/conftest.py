"""What every test shares: Hypothesis profiles, and the way to the shared real data."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import structlog
from hypothesis import HealthCheck, settings

IN_CI = os.environ.get("CI") == "true"
SHARED = Path(__file__).resolve().parents[2] / "shared"

settings.register_profile("dev", max_examples=50, deadline=None)
settings.register_profile(
    "ci", max_examples=100, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("nightly", max_examples=2000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if IN_CI else "dev"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Drawn tests run unmeasured: a line is to have a test of its own, and it is several times as fast.

    All that runs unmeasured comes last: what it leaves in caches would hide lines from who is measured later.
    """
    for item in items:
        if getattr(getattr(item, "obj", None), "is_hypothesis_test", False):
            item.add_marker(pytest.mark.no_cover)
        if getattr(item.config.option, "loadgroup", False):
            _grouped(item)
    items.sort(key=_unmeasured)


def _unmeasured(item: pytest.Item) -> bool:
    return item.get_closest_marker("no_cover") is not None


def _grouped(item: pytest.Item) -> None:
    """Tells xdist of which group a test is, by the end of its id; the unmeasured are a group of their own.

    With pytest 9.2 its own way does nothing any more: https://github.com/pytest-dev/pytest-xdist/issues/1386.
    """
    group = "_".join(sorted(str(mark.args[0]) for mark in item.iter_markers("xdist_group")))
    if group:
        item._id = type(item.id).parse(f"{item.nodeid}@{group}{'-unmeasured' if _unmeasured(item) else ''}")


def pytest_runtest_teardown() -> None:
    """A command that ran in this process may have set up its logs, onto a stream that is closed by now."""
    structlog.reset_defaults()


def shared_data(name: str) -> Path:
    """The file `name` of the real data that lies beside the checkout, in `../shared/data`.

    Without it a test is skipped and says so; where `CI=true` it fails, for a skip there would hide it.
    """
    return _beside("data", name)


def shared_contract(name: str) -> Path:
    """The file `name` of the event contract beside the checkout, in `../shared/contract`; else as above."""
    return _beside("contract", name)


def _beside(folder: str, name: str) -> Path:
    path = SHARED / folder / name
    if path.exists():
        return path
    reason = (
        f"REAL DATA ABSENT: {name} is expected in ../shared/{folder} beside the checkout; this was NOT tested"
    )
    if IN_CI:
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(name="shared_data", scope="session")
def _shared_data() -> Callable[[str], Path]:
    """`shared_data(name)`, for tests that take it as an argument."""
    return shared_data


@pytest.fixture(name="shared_contract", scope="session")
def _shared_contract() -> Callable[[str], Path]:
    """`shared_contract(name)`, for tests that take it as an argument."""
    return shared_contract
