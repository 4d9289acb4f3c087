"""The locks: exact versions with hashes, of everything that is asked for, from nowhere in particular."""

import re

import pytest
from packaging.requirements import Requirement

from tests.house.tree import LOCKS, PROJECT, ROOT, direct, locked, package

every_lock = pytest.mark.parametrize("lock", LOCKS)


@every_lock
def test_a_lock_names_no_address_and_no_folder(lock):
    text = (ROOT / lock).read_text()
    assert not re.search(r"://|^--?[a-z]|@ |^\.?/", text, re.MULTILINE)


@every_lock
def test_everything_in_a_lock_has_a_version_and_hashes(lock):
    text = (ROOT / lock).read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    assert len(lines) == len(locked(lock))
    for line in lines:
        assert re.fullmatch(r"[a-z0-9._-]+==[^\s;]+(\s+--hash=sha256:[0-9a-f]{64})+\s*", line), line


@pytest.mark.parametrize(
    ("lock", "where"),
    [
        ("requirements.lock", ["run"]),
        ("requirements-dev.lock", ["run", "apprise", "demo", "dev"]),
        ("requirements-build.lock", ["build"]),
        ("requirements-peers.lock", ["run", "peers"]),
    ],
)
def test_what_the_project_asks_for_is_locked(lock, where):
    wanted = {name for each in where for name in direct()[each]}
    assert wanted <= locked(lock).keys(), "run `make lock`"


def test_the_locked_versions_are_those_that_the_project_allows():
    versions = locked("requirements-dev.lock") | locked("requirements-build.lock")
    project = PROJECT["project"]
    extras = dict(project["optional-dependencies"])
    peers = extras.pop("peers")
    asked = [*project["dependencies"], *PROJECT["build-system"]["requires"]]
    asked += [each for extra in extras.values() for each in extra]
    apart = [(each, locked("requirements-peers.lock")) for each in (*project["dependencies"], *peers)]
    for each, versions in [*((each, versions) for each in asked), *apart]:
        assert versions[package(each)] in Requirement(each).specifier, f"{each}: run `make lock`"


def test_the_locks_agree_with_each_other():
    dev = locked("requirements-dev.lock")
    for lock in ("requirements.lock", "requirements-build.lock"):
        shared = locked(lock).keys() & dev.keys()
        assert {name: locked(lock)[name] for name in shared} == {name: dev[name] for name in shared}
    assert locked("requirements.lock").keys() <= dev.keys()


def test_peers_compute_with_the_libraries_that_we_compute_with():
    ours, theirs = locked("requirements.lock"), locked("requirements-peers.lock")
    assert [name for name in ("msgspec", "numpy", "river", "xxhash") if ours[name] != theirs[name]] == []


def test_nothing_else_needs_the_peers():
    others = [locked(lock).keys() for lock in LOCKS if lock != "requirements-peers.lock"]
    assert not set(direct()["peers"]) & set().union(*others)


def test_what_only_tests_need_is_not_installed_in_production():
    assert not set(direct()["dev"]) & locked("requirements.lock").keys()
