"""Files of texts that agents were validated on: what is wrong with them is told at its place."""

import pytest

from routing.configuration import examine
from routing.rules.validated import LARGEST, path_beside
from schemas.cause import ConfigFile
from tests.routing.configs import LEAST

RULES = LEAST + "agents:\n- name: a\n  reference: file inputs/a.txt\n- {name: b, reference: file b.txt}\n"
ENOUGH = "".join(f"text {at}\n" for at in range(60))


def told(**texts):
    """The faults, with these texts by the file's name."""
    files = [ConfigFile(f"conf/{name}.txt", text, "texts") for name, text in texts.items()]
    return [str(each) for each in examine([ConfigFile("conf/rules.yml", RULES), *files]).faults]


def test_texts_that_are_there_make_a_policy():
    files = [ConfigFile(f"{name}.txt", f"{ENOUGH}\n  last one \n", "texts") for name in ("inputs/a", "b")]
    policy = examine([*files, ConfigFile("rules.yml", RULES)]).policy
    assert [len(each.validated) for each in policy.agents] == [61, 61]
    assert policy.agents[0].validated[-1] == "last one"


def test_a_file_that_is_not_there_is_told_where_it_is_named():
    assert told(**{"inputs/a": ENOUGH}) == ['conf/rules.yml:6:24: no file "b.txt" beside this one']
    assert told(b=ENOUGH) == ['conf/rules.yml:5:14: no file "inputs/a.txt" beside this one']


def test_too_few_texts_are_told():
    assert told(**{"inputs/a": ENOUGH, "b": "\n \none\n"}) == [
        'conf/rules.yml:6:24: "b.txt" has 1 texts, one a line; at least 50 make a reference'
    ]
    assert "has 0 texts" in told(**{"inputs/a": ENOUGH, "b": ""})[0]


def test_texts_that_are_too_large_together_are_told():
    half = "ü" * (LARGEST // 4) + "\n"
    assert told(**{"inputs/a": half + ENOUGH, "b": half + ENOUGH}) == [
        'conf/rules.yml:6:24: "b.txt": above 200,000 bytes, together with the files of texts before it'
    ]


@pytest.mark.parametrize("path", ["/etc/passwd", "../a.txt", "inputs/../../a.txt", "..", ""])
def test_a_file_from_outside_the_folder_is_refused(path):
    text = f"{LEAST}agents:\n- {{name: a, reference: 'file {path}'}}\n"
    (fault,) = examine([ConfigFile("rules.yml", text)]).faults
    assert "expected a number of inputs such as first 2000, or file and its path" in str(fault)


def test_a_path_is_that_beside_the_rules():
    assert path_beside("rules.yml", "./a.txt") == "a.txt"
    assert path_beside("/etc/oversight/rules.yml", "in/a.txt") == "/etc/oversight/in/a.txt"
