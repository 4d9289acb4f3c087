"""Files as input."""

import gzip
from pathlib import Path

import pytest

from routing.rules.validated import LARGEST
from schemas.cause import ConfigFile
from streams.files import Unreadable, config_files, lines, size


def written(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_lines_keep_their_place_and_lose_their_ends(tmp_path):
    path = written(tmp_path / "a.jsonl", b"one\r\n\n two \nthree")
    assert [(line.number, line.value) for line in lines([path])] == [
        (1, b"one"),
        (3, b" two "),
        (4, b"three"),
    ]
    assert next(str(line) for line in lines([path])) == f"{path}:1"


def test_gzip_is_told_by_its_first_bytes_not_by_its_name(tmp_path):
    packed = written(tmp_path / "a.jsonl", gzip.compress(b"one\ntwo\n"))
    plain = written(tmp_path / "b.gz", b"three\n")
    assert [line.value for line in lines([packed, plain])] == [b"one", b"two", b"three"]


def test_an_empty_file_has_no_lines(tmp_path):
    assert list(lines([written(tmp_path / "empty", b"")])) == []


def test_the_progress_adds_up_to_the_size_on_disk(tmp_path):
    paths = [
        written(tmp_path / "a.gz", gzip.compress(b"line\n" * 5000)),
        written(tmp_path / "b", b"line\n" * 2500),
    ]
    done: list[int] = []
    assert len(list(lines(paths, done.append))) == 7500
    assert sum(done) == size(paths)
    assert len(done) > 2


def test_a_missing_file_is_named(tmp_path):
    absent = tmp_path / "absent.jsonl"
    with pytest.raises(Unreadable, match=r"absent\.jsonl: No such file or directory"):
        list(lines([absent]))
    with pytest.raises(Unreadable, match=r"absent\.jsonl: No such file or directory"):
        size([absent])


def test_a_directory_is_no_file_of_events(tmp_path):
    with pytest.raises(Unreadable, match="Is a directory"):
        list(lines([tmp_path]))


@pytest.mark.parametrize("cut", [12, 30])
def test_half_a_gzip_gives_what_it_has_and_then_says_so(tmp_path, cut):
    whole = gzip.compress(b"".join(b"%d\n" % n for n in range(1000)))
    path = written(tmp_path / "half.gz", whole[:-cut])
    with pytest.raises(Unreadable, match=r"half\.gz: "):
        list(lines([path]))


def test_a_gzip_with_a_broken_middle_is_unreadable(tmp_path):
    whole = bytearray(gzip.compress(b"".join(b"%d\n" % n for n in range(1000))))
    whole[20:30] = b"\xff" * 10
    with pytest.raises(Unreadable, match=r"broken\.gz: "):
        list(lines([written(tmp_path / "broken.gz", bytes(whole))]))


def test_a_configuration_is_one_file_as_it_is(tmp_path):
    path = written(tmp_path / "oversight.conf", "route: {receiver: ü}\n".encode())
    assert config_files(path) == (ConfigFile(str(path), "route: {receiver: ü}\n"),)


def test_a_directory_gives_its_yaml_by_name_and_nothing_hidden(tmp_path):
    for name in ("b.yml", "a.yaml", "conf.d/c.yml", "notes.txt", ".hidden.yml", "..data/d.yml"):
        written(tmp_path / name, name.encode())
    assert [file.text for file in config_files(tmp_path)] == ["a.yaml", "b.yml", "conf.d/c.yml"]


def test_files_of_texts_come_with_the_rules_that_name_them(tmp_path):
    rules = """
agents:
- {name: a, reference: file inputs/a.txt}
- name: b
  reference: "file b c.txt"   # a name with a space
- {name: c, reference: file ../out.txt, team: t}
- {name: d, reference: file gone.txt}
- {name: e, reference: first 2000}
"""
    for name in ("rules/inputs/a.txt", "rules/b c.txt", "out.txt", "rules/other.txt"):
        written(tmp_path / name, f"in {name}\n".encode())
    path = written(tmp_path / "rules/oversight.yml", rules.encode())
    found = [(Path(file.name).name, file.holds) for file in config_files(path)]
    assert found == [("oversight.yml", "rules"), ("a.txt", "texts"), ("b c.txt", "texts")]
    assert [file.text for file in config_files(tmp_path / "rules")[1:]] == [
        "in rules/inputs/a.txt\n",
        "in rules/b c.txt\n",
    ]


def test_of_a_file_of_texts_that_is_too_large_no_more_is_read_than_shows_it(tmp_path):
    path = written(tmp_path / "a.yml", b"agents: [{name: a, reference: file a.txt}]")
    written(tmp_path / "a.txt", b"x" * (LARGEST + 1000))
    assert len(config_files(path)[1].text) == LARGEST + 1


def test_a_directory_without_yaml_is_no_configuration(tmp_path):
    with pytest.raises(Unreadable, match=r"no \.yml or \.yaml file"):
        config_files(tmp_path)


def test_a_configuration_that_is_not_there_is_named(tmp_path):
    with pytest.raises(Unreadable, match=r"gone\.yml: No such file or directory"):
        config_files(tmp_path / "gone.yml")


def test_a_configuration_is_text(tmp_path):
    with pytest.raises(Unreadable, match=r"not UTF-8: .* at byte 2"):
        config_files(written(tmp_path / "a.yml", b"a:\xff\xfe"))


class Vanishing(type(Path())):
    """A directory that is there when it is asked for, and gone when it is looked into."""

    def is_dir(self) -> bool:
        return True


def test_a_directory_that_goes_away_while_it_is_read_is_unreadable(tmp_path):
    with pytest.raises(Unreadable, match="gone: No such file or directory"):
        config_files(Vanishing(tmp_path / "gone"))
