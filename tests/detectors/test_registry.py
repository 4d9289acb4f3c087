"""A detector is found because its file is there."""

import sys
from importlib import import_module

import pytest

from detectors.registry import discover

SHAPE = """
class {klass}:
    name = "{name}"
    version = 1
    warm_up = "none"
    quiet_arl_days = 30.0
    watches = frozenset()
    takes = frozenset()
    wake_at = None
    def observe(self, event, now): ...
    def findings(self, now): ...
    def configure(self, watch, options): ...
    def rebase(self, now): ...
    def save(self): ...
    {load}
"""
LOAD = "load = classmethod(lambda cls, *given: cls())"


@pytest.fixture(name="package")
def _package(tmp_path):
    """A package that is given by its files' texts."""
    home = tmp_path / "found_by_itself"
    home.mkdir()
    sys.path.insert(0, str(tmp_path))

    def made(**files):
        for name, text in {"__init__": "", **files}.items():
            (home / f"{name}.py").write_text(text)
        return import_module("found_by_itself")

    yield made
    sys.path.remove(str(tmp_path))
    for name in [name for name in sys.modules if name.startswith("found_by_itself")]:
        del sys.modules[name]


def shaped(name, klass="Found", load=LOAD):
    return SHAPE.format(name=name, klass=klass, load=load)


def test_every_module_with_a_detector_is_found_and_sorted(package):
    private = shaped("x", "_Private") + "class Piece:\n    def observe(self): ...\n"
    found = discover(package(zeal=shaped("zeal"), calm=shaped("calm"), piece=private))
    assert list(found) == ["calm", "zeal"]
    assert found["calm"].__module__ == "found_by_itself.calm"


def test_what_is_imported_belongs_to_its_own_module(package):
    found = discover(package(calm=shaped("calm"), other="from found_by_itself.calm import Found"))
    assert list(found) == ["calm"]


def test_two_detectors_in_a_module_are_refused_by_name(package):
    two = shaped("calm", "One") + shaped("calm", "Two")
    with pytest.raises(TypeError, match=r"found_by_itself\.calm must define one .* found One, Two"):
        discover(package(calm=two))


def test_a_detector_that_lacks_something_is_told_what(package):
    with pytest.raises(TypeError, match=r"calm\.Found must have the shape of a Detector, lacks load$"):
        discover(package(calm=shaped("calm", load="")))


def test_a_detector_is_named_as_its_file(package):
    with pytest.raises(TypeError, match=r"calm\.Found must be named as its file, found 'quiet'"):
        discover(package(calm=shaped("quiet")))


def test_the_product_carries_the_detectors_it_promises():
    assert "input_shift" in discover()
