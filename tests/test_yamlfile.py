"""The YAML dialect: what is read, what is refused, and that nothing hostile gets further."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from generator.yamlfile import MAX_BYTES, MAX_DEPTH, MAX_SCALAR, dotted, read_yaml


def read(tmp_path: Path, text: str | bytes) -> tuple[object, dict[object, int], list[str]]:
    path = tmp_path / "x.yaml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    data, lines, problems = read_yaml(path, "data/x.yaml")
    return data, lines, [str(p) for p in problems]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1), ("-3", -3), ("0", 0), ("1.5", 1.5), ("1e3", 1000.0), ("1.0e+3", 1000.0),
        ("true", True), ("false", False), ("null", None), ("", None), ("2020-09-24", dt.date(2020, 9, 24)),
        ('"8.6"', "8.6"), ("GDDR6X", "GDDR6X"), ("'no'", "no"), ("3.0 x16", "3.0 x16"),
        ("8-16", "8-16"), ("显存", "显存"), ("1.2.3", "1.2.3"), ("v1", "v1"),
    ],
)  # fmt: skip
def test_scalars(tmp_path: Path, text: str, value: object) -> None:
    data, _, problems = read(tmp_path, f"key: {text}\n")
    assert problems == []
    assert data == {"key": value}
    assert type(data["key"]) is type(value)  # type: ignore[index]


@pytest.mark.parametrize(
    "text",
    ["no", "Yes", "off", "y", "True", "NULL", "~", "017", "0x1f", "1_000", ".5", "5.", "12:30:45", ".inf", ".nan"],
)
def test_ambiguous_scalars_are_refused(tmp_path: Path, text: str) -> None:
    data, _, problems = read(tmp_path, f"key: {text}\n")
    assert data is None
    assert len(problems) == 1
    assert problems[0].startswith(f"data/x.yaml:1: key: ambiguous value ({text}); expected ")


def test_lines_are_those_of_the_keys(tmp_path: Path) -> None:
    _, lines, _ = read(tmp_path, "# head\na:\n  b: 1\n\n  c:\n    - x\n    - z\n")
    assert lines[("a",)] == 2
    assert lines[("a", "b")] == 3
    assert lines[("a", "c", 1)] == 7


BOMB = "a: &a [x, x]\n" + "".join(f"{c}: &{c} [*{p}, *{p}]\n" for p, c in zip("abcdefgh", "bcdefghi", strict=True))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: [1, 2", "not valid YAML"),
        ("a: b: c", "not valid YAML"),
        ("\ta: 1", "not valid YAML"),
        ("a: 1\x01", "not valid YAML"),
        ("", "the file is empty"),
        ("# only a comment\n", "the file is empty"),
        ("a: 1\na: 2\n", "key given twice"),
        ("a: 1\n---\nb: 2\n", "a second document"),
        (BOMB, "an anchor"),
        ("a: *x\n", "an alias (*x)"),
        ("a: !!python/object/apply:os.system [ls]\n", "a tag"),
        ("!!set {a, b}\n", "a tag"),
        ("? [a, b]\n: 1\n", "a key that is not plain text"),
        ("a: 2026-02-30\n", "no such day"),
        ("a: 1e999\n", "number out of range"),
        ("[" * 100 + "]" * 100, "nested too deeply"),
        ("a: " + "x" * (MAX_SCALAR + 1), "text of"),
        ("k" * 101 + ": 1", "a key of 101 characters"),
    ],
)
def test_malformed_files_give_one_line(tmp_path: Path, text: str, says: str) -> None:
    data, _, problems = read(tmp_path, text)
    assert data is None
    assert len(problems) == 1
    assert says in problems[0]
    assert "\n" not in problems[0]
    assert "expected" in problems[0]


def test_deeply_nested_file_does_not_exhaust_the_stack(tmp_path: Path) -> None:
    _, _, problems = read(tmp_path, "[" * 200_000)
    assert len(problems) == 1
    assert str(MAX_DEPTH) in problems[0] or "not valid YAML" in problems[0]


def test_wrong_encoding_names_the_line(tmp_path: Path) -> None:
    _, _, problems = read(tmp_path, b"a: 1\nname: \xd5\xfd\n")
    assert problems == ["data/x.yaml:2: is not UTF-8 (byte 0xd5); expected UTF-8 text"]


def test_byte_order_mark_and_windows_lines_are_read(tmp_path: Path) -> None:
    data, lines, problems = read(tmp_path, b"\xef\xbb\xbfa: 1\r\nb: 2\r\n")
    assert (data, problems) == ({"a": 1, "b": 2}, [])
    assert lines[("b",)] == 2


def test_huge_file_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    with path.open("wb") as stream:
        stream.truncate(50_000_000)
    _, _, problems = read_yaml(path, "data/x.yaml")
    assert [str(p) for p in problems] == [f"data/x.yaml: is too large; expected at most {MAX_BYTES:,} bytes"]


def test_what_is_not_a_file(tmp_path: Path) -> None:
    (tmp_path / "folder.yaml").mkdir()
    (tmp_path / "link.yaml").symlink_to("/etc/passwd")
    says = {
        name: str(read_yaml(tmp_path / name, f"data/{name}")[2][0])
        for name in ("folder.yaml", "link.yaml", "missing.yaml")
    }
    assert says == {
        "folder.yaml": "data/folder.yaml: is a folder; expected a YAML file",
        "link.yaml": "data/link.yaml: is a symbolic link; expected a regular file",
        "missing.yaml": "data/missing.yaml: cannot be found; expected a YAML file",
    }


def test_dotted() -> None:
    assert dotted(("rates", "published", 0, "x")) == "rates.published[0].x"
