"""What the papers say is so: commands and files that they name exist, and what must be listed is."""

import json
import re
from pathlib import Path

import pytest

from detectors.registry import discover
from routing.configuration import load
from schemas.cause import ConfigFile
from schemas.wire import decode_event
from streams.cli import COMMANDS
from tests.house.tree import PROJECT, ROOT, direct, kept, package

PAPERS = [path for path in kept() if path.suffix == ".md"]
MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = set(re.findall(r"^([a-z]+):.*##", MAKEFILE, re.MULTILINE))
every_paper = pytest.mark.parametrize("paper", PAPERS, ids=lambda path: str(path.relative_to(ROOT)))


def code(text: str) -> str:
    """All code in a paper: blocks and spans."""
    blocks = re.findall(r"^```.*?^```", text, re.DOTALL | re.MULTILINE)
    spans = re.findall(r"`[^`\n]+`", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE))
    return "\n".join([*blocks, *spans])


@every_paper
def test_every_make_target_that_a_paper_names_exists(paper):
    named = set(re.findall(r"(?:^|`)make ([a-z]+)", code(paper.read_text()), re.MULTILINE))
    assert named <= TARGETS


@every_paper
def test_every_command_that_a_paper_names_exists(paper):
    named = set(re.findall(r"(?:^|`|bin/)oversight ([a-z]+)", code(paper.read_text()), re.MULTILINE))
    assert named <= set(COMMANDS)


@every_paper
def test_every_link_of_a_paper_leads_somewhere(paper):
    for target in re.findall(
        r"\]\(([^)\s]+)\)", re.sub(r"```.*?```", "", paper.read_text(), flags=re.DOTALL)
    ):
        if "://" in target:
            continue
        name, _, heading = target.partition("#")
        found = (paper.parent / name) if name else paper
        assert found.exists(), f"{target} in {paper.name}"
        assert not heading or heading in headings(found), f"{target} in {paper.name}"


def test_no_file_holds_two_versions_of_itself():
    torn = [path for path in kept() if re.search(rb"^(<{7}|>{7}) ", path.read_bytes(), re.MULTILINE)]
    assert torn == []


@pytest.mark.parametrize("name", discover())
def test_the_page_of_a_detector_says_all_that_who_relies_on_it_must_know(name):
    said = headings(ROOT / "docs/detectors" / f"{name}.md")
    wanted = {"what-it-says", "method", "confidence", "false-alarms", "what-it-costs", "when-it-is-blind"}
    assert wanted <= said
    assert said & {"options", "parameters"}


def headings(paper: Path) -> set[str]:
    """The anchors of a paper's headings."""
    found = re.findall(r"^#+ (.+)$", paper.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in found}


@every_paper
def test_every_file_that_a_paper_names_exists(paper):
    tops = "schemas|detectors|routing|streams|tests|docs|examples|benchmarks|tools"
    named = re.findall(rf"`((?:{tops})/[\w./-]+)`", paper.read_text())
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_every_page_of_the_documentation_can_be_reached():
    linked = {
        (paper.parent / target.partition("#")[0]).resolve()
        for paper in PAPERS
        for target in re.findall(r"\]\(([^)\s:]+)\)", paper.read_text())
    }
    docs = {path.resolve() for path in PAPERS if ROOT / "docs" in path.parents}
    assert {str(path.relative_to(ROOT)) for path in docs - linked - {ROOT / "docs" / "index.md"}} == set()


def test_every_direct_dependency_has_a_line_that_says_what_for():
    lines = re.findall(
        r"^\| ([\w.-]+) \| (.+) \| (.+) \| (.+) \| (.+) \|$",
        (ROOT / "docs/dependencies.md").read_text(),
        re.MULTILINE,
    )
    listed = {package(name) for name, *_ in lines if name not in {"package", "---"}}
    assert listed == {name for names in direct().values() for name in names}


def test_decisions_are_numbered_without_gaps_and_have_their_parts():
    decisions = sorted(path for path in PAPERS if path.parent.name == "adr" and path.name != "README.md")
    assert [int(path.name[:4]) for path in decisions] == list(range(1, len(decisions) + 1))
    for path in decisions:
        text = path.read_text()
        assert text.startswith(f"# {int(path.name[:4])}. ")
        assert all(f"**{part}.**" in text for part in ("Question", "Decision", "Consequences")), path.name


def test_the_changelog_has_the_version():
    assert f"## [{PROJECT['project']['version']}] - " in (ROOT / "CHANGELOG.md").read_text()


def test_make_alone_lists_every_target():
    phony = re.findall(r"^\.PHONY: (.+)$", MAKEFILE, re.MULTILINE)[0].split()
    assert set(phony) == TARGETS


def test_the_readme_begins_with_what_it_is_and_the_two_commands():
    first_screen = "\n".join((ROOT / "README.md").read_text().splitlines()[:12])
    assert re.search(r"^make demo", first_screen, re.MULTILINE)
    assert re.search(r"^make test", first_screen, re.MULTILINE)


def test_the_readmes_rules_are_a_configuration_that_loads():
    [rules] = re.findall(r"^```yaml\n(.*?)^```", (ROOT / "README.md").read_text(), re.DOTALL | re.MULTILINE)
    policy = load([ConfigFile("README.md", rules)])
    assert policy.schedules.keys() == {"payments"}


def test_the_readmes_event_is_an_event():
    [event] = re.findall(r"^```json\n(.*?)^```", (ROOT / "README.md").read_text(), re.DOTALL | re.MULTILINE)
    assert decode_event(json.dumps(json.loads(event)).encode()).data.agent.name == "refund-agent"
