"""The long forms: each is run whatever becomes of the others, told of, and kept."""

import sys
from datetime import timedelta
from io import StringIO

import pytest
from rich.console import Console

from tools.night_parts import PARTS, ROOT, Part
from tools.night_runs import run
from tools.nightly import chosen, main


def part(name, code="print('fine')", **more):
    """A part that is a line of Python."""
    return Part(name, f"what {name} says", (sys.executable, "-c", code), timedelta(seconds=1), **more)


class Night:
    """Runs parts as the command does, and keeps what a person would see."""

    def __init__(self, folder):
        self.folder = folder
        self.said = ""

    def run(self, *asked, parts, runner=run):
        seen = StringIO()
        code = main([*asked, "--into", str(self.folder)], parts, Console(file=seen, width=250), runner)
        self.said = seen.getvalue()
        return code

    def kept(self, name):
        return (self.folder / f"{name}.txt").read_text()


@pytest.fixture(name="night")
def _night(tmp_path):
    return Night(tmp_path / "nightly")


def test_all_parts_run_in_order_and_what_they_print_is_kept(night):
    assert night.run(parts=[part("one", "print('a'); print('b')"), part("two", good="measured")]) == 0
    assert night.kept("one") == "a\nb\n"
    assert night.kept("two") == "fine\n"
    assert night.said.index("[1/2] one: what one says (about 1 s)") < night.said.index("[2/2] two")
    assert "passed in 0 s  b" in night.said
    assert "measured in 0 s  fine" in night.said
    assert str(night.folder / "two.txt") in night.said
    assert "What is left" not in night.said


def test_the_last_thing_that_a_table_says_is_shown_without_its_frame(night):
    assert night.run(parts=[part("table", "print('│ 3 │ fine │'); print('└───┴──────┘'); print()")]) == 0
    assert "passed in 0 s  3 │ fine\n" in night.said


def test_one_that_fails_stops_no_other_and_shows_its_last_lines(night):
    broken = part("broken", "[print('line', n) for n in range(100)]; raise SystemExit('no good')")
    assert night.run(parts=[broken, part("after")]) == 1
    assert night.kept("after") == "fine\n"
    assert "    line 99\n    no good\n" in night.said
    assert "line 70\n" not in night.said
    assert 'What is left: make nightly PARTS="broken"' in night.said


def test_one_whose_program_is_not_there_has_failed(night):
    absent = Part("absent", "", ("no-such-program-anywhere",), timedelta(seconds=1))
    assert night.run(parts=[absent, part("after")]) == 1
    assert "no-such-program-anywhere" in night.kept("absent")
    assert night.kept("after") == "fine\n"


def test_one_that_hangs_is_stopped_with_all_that_it_started(night):
    child = f"import subprocess; subprocess.run([{sys.executable!r}, '-c', 'import time; time.sleep(600)'])"
    hangs = part("hangs", f"print('begun', flush=True); {child}", within=timedelta(seconds=0.5))
    assert night.run(parts=[hangs, part("after")]) == 1
    assert "not over within 0:00:00.5" in night.said
    assert night.kept("after") == "fine\n"


def test_an_interrupted_night_tells_what_is_left(night):
    def interrupt(line):
        assert line == "begun"
        raise KeyboardInterrupt

    def runner(part, folder, heard):
        return run(part, folder, interrupt if part.name == "waits" else heard)

    waits = part("waits", "import time; print('begun', flush=True); time.sleep(600)")
    assert night.run(parts=[part("first"), waits, part("last")], runner=runner) == 130
    assert "stopped in" in night.said
    assert 'What is left: make nightly PARTS="waits last"' in night.said
    assert not (night.folder / "last.txt").exists()


def test_parts_draw_as_at_night(night):
    assert night.run(parts=[part("one", "import os; print(os.environ['HYPOTHESIS_PROFILE'])")]) == 0
    assert night.kept("one") == "nightly\n"


def test_parts_are_asked_for_by_name_and_by_what_their_names_begin_with(night):
    parts = [part("a-one"), part("a-two"), part("ab"), part("c")]
    assert night.run("c", "a", parts=parts) == 0
    assert sorted(path.stem for path in night.folder.iterdir()) == ["a-one", "a-two", "c"]
    assert [each.name for each in chosen(["ab"], parts)] == ["ab"]
    assert chosen([], parts) == parts


def test_a_part_that_there_is_none_of_is_wrong_usage(night):
    assert night.run("nihgts", parts=[part("nights"), part("quiet")]) == 2
    assert "no part 'nihgts' (did you mean nights?); there are nights, quiet" in night.said
    assert not night.folder.exists()


@pytest.mark.parametrize("asked", ["list", "--list"])
def test_parts_can_be_listed(night, asked):
    parts = [part("nights"), Part("long", "all of it", (), timedelta(hours=1, minutes=5))]
    assert night.run(asked, parts=parts) == 0
    assert "all of it" in night.said
    assert "1 h 05 min" in night.said
    assert not night.folder.exists()


class TestWhatThereIs:
    def test_no_two_parts_have_one_name(self):
        names = [each.name for each in PARTS]
        assert len(set(names)) == len(names)

    def test_files_that_they_name_exist(self):
        for each in PARTS:
            words = [word.removeprefix("--ignore=") for word in each.command]
            paths = [word for word in words if word.startswith(("tests", "benchmarks/"))]
            assert paths
            assert all((ROOT / path).exists() for path in paths), each.name

    def test_every_benchmark_is_one_of_them(self):
        scripts = {path.name for path in (ROOT / "benchmarks").glob("*.py") if "argparse" in path.read_text()}
        run = {word.removeprefix("benchmarks/") for each in PARTS for word in each.command}
        assert scripts <= run

    def test_no_file_of_tests_is_run_twice_or_never(self):
        commands = [each.command for each in PARTS]
        alone = [word for words in commands for word in words if word.startswith("tests/")]
        (apart,) = ({w.removeprefix("--ignore=") for w in words} for words in commands if "tests" in words)
        assert len(set(alone)) == len(alone)
        assert {*alone, "tests/contract"} == {each for each in apart if each.startswith("tests/")}
