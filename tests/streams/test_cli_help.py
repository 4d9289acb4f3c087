"""The command line's help teaches, and every command is there."""

import pytest
from click.testing import CliRunner

from streams.cli import COMMANDS, main


def run(*arguments: str):
    return CliRunner().invoke(main, arguments)


def test_help_lists_every_command_in_the_order_of_first_use():
    ran = run("--help")
    assert ran.exit_code == 0
    places = [ran.stdout.index(f"\n  {name} ") for name in COMMANDS]
    assert places == sorted(places)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_shows_examples_of_itself(name):
    ran = run(name, "--help")
    assert ran.exit_code == 0
    assert "Examples:" in ran.stdout
    assert f"oversight {name}" in ran.stdout


def test_a_mistyped_command_is_told_what_may_have_been_meant():
    ran = run("reply")
    assert ran.exit_code == 2
    assert "Did you mean 'replay'?" in ran.stderr


def test_a_command_that_is_like_no_other_is_just_unknown():
    ran = run("xyzzy")
    assert ran.exit_code == 2
    assert "Did you mean" not in ran.stderr


def test_the_version_is_told():
    assert run("--version").stdout.startswith("oversight, version ")
