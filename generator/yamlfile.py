"""Read one YAML file as plain data, with the line of every key.

The dialect is small on purpose. PyYAML's own resolver turns ``no`` into ``False``, ``1e3`` into a
string and ``017`` into 15; aliases can make a small file explode; duplicate keys are dropped in
silence. Contributed files are read here and nowhere else: events of libyaml's parser in, dicts,
lists and scalars out, bounded in size, depth and length.
"""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Any

import yaml

from generator.problems import Problem, show

MAX_BYTES = 1_000_000
MAX_DEPTH = 12
MAX_SCALAR = 4_000
MAX_NODES = 50_000

Loc = tuple[str | int, ...]
Lines = dict[Loc, int]

_INT = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})$")
_FLOAT = re.compile(r"[-+]?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]{1,3})?$")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}$")
# What YAML 1.1 or 1.2 would read as something else than the text a person typed.
_AMBIGUOUS = re.compile(
    r"(y|n|yes|no|on|off|true|false|null|~|\.inf|-\.inf|\+\.inf|\.nan"
    r"|[-+]?0[0-9_]+|0x[0-9a-f_]+|0o[0-7]+|0b[01]+|[-+]?[0-9][0-9_]*_[0-9_]*"
    r"|[-+]?\.[0-9]+|[-+]?[0-9]+\.|[0-9]+(:[0-9]{2})+)$",
    re.IGNORECASE,
)


class _StopError(Exception):
    """Carries the single problem that makes the rest of a file unreadable."""

    def __init__(self, line: int, field: Loc, what: str, expected: str) -> None:
        super().__init__(what)
        self.line, self.field, self.what, self.expected = line, field, what, expected


def _line(event: Any) -> int:
    """The line, counted from 1, on which a parser event begins."""
    return int(event.start_mark.line) + 1


def dotted(loc: Loc) -> str:
    """``("rates", "published", 0)`` as ``rates.published[0]``."""
    out = ""
    for part in loc:
        out += f"[{part}]" if isinstance(part, int) else f".{part}" if out else str(part)
    return out


def _bool_or_null(text: str) -> tuple[bool, object]:
    known: dict[str, object] = {"null": None, "": None, "true": True, "false": False}
    return (text in known), known.get(text)


def _scalar(text: str, plain: bool, line: int, loc: Loc) -> object:
    """The value of a scalar; only plain (unquoted) scalars can be anything but a string."""
    if len(text) > MAX_SCALAR:
        what = f"text of {len(text):,} characters"
        raise _StopError(line, loc, what, f"at most {MAX_SCALAR:,}")
    if not plain:
        return text
    hit, value = _bool_or_null(text)
    if hit:
        return value
    if _INT.match(text):
        return int(text)
    if _FLOAT.match(text):
        value = float(text)
        if value in (float("inf"), float("-inf")):
            raise _StopError(line, loc, f"number out of range ({show(text)})", "a finite number")
        return value
    if _DATE.match(text):
        try:
            return dt.date.fromisoformat(text)
        except ValueError:
            raise _StopError(line, loc, f"no such day ({text})", "a date YYYY-MM-DD") from None
    if _AMBIGUOUS.match(text):
        expected = f'true, false, null, a decimal number, or quotes: "{show(text)}"'
        raise _StopError(line, loc, f"ambiguous value ({show(text)})", expected)
    return text


class _Builder:
    """Turns the parser's events into data without recursion on anything unbounded."""

    def __init__(self, text: str) -> None:
        self.events = yaml.parse(text, Loader=yaml.CSafeLoader)
        self.lines: Lines = {}
        self.nodes = 0
        self.repeated: list[tuple[Loc, int]] = []

    def document(self) -> object:
        data: object = None
        seen = False
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                if seen:
                    line = _line(event)
                    raise _StopError(line, (), "a second document (---)", "one document a file")
                seen = True
                data = self._node(next(self.events), (), 0)
        if not seen:
            raise _StopError(1, (), "the file is empty", "keys and values")
        return data

    def _node(self, event: Any, loc: Loc, depth: int) -> object:
        line = _line(event)
        self.lines.setdefault(loc, line)
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise _StopError(line, (), "too many values", f"at most {MAX_NODES:,} in a file")
        if isinstance(event, yaml.AliasEvent):
            raise _StopError(line, loc, f"an alias (*{show(event.anchor)})", "the value written out")
        if event.anchor is not None:
            raise _StopError(line, loc, f"an anchor (&{show(event.anchor)})", "no anchors or aliases")
        if event.tag is not None:
            raise _StopError(line, loc, f"a tag ({show(event.tag)})", "plain data without tags")
        if isinstance(event, yaml.ScalarEvent):
            return _scalar(event.value, not event.style, line, loc)
        if depth >= MAX_DEPTH:
            raise _StopError(line, (), "nested too deeply", f"at most {MAX_DEPTH} levels")
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(loc, depth)
        return self._mapping(loc, depth)

    def _sequence(self, loc: Loc, depth: int) -> list[object]:
        items: list[object] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            items.append(self._node(event, (*loc, len(items)), depth + 1))
        return items

    def _mapping(self, loc: Loc, depth: int) -> dict[str, object]:
        items: dict[str, object] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            line = _line(event)
            if not isinstance(event, yaml.ScalarEvent) or event.tag or event.anchor:
                raise _StopError(line, loc, "a key that is not plain text", "a key name")
            key = event.value
            if len(key) > 100:
                raise _StopError(line, loc, f"a key of {len(key):,} characters", "a key name")
            if key in items:
                self.repeated.append(((*loc, key), line))
            self.lines[(*loc, key)] = line
            items[key] = self._node(next(self.events), (*loc, key), depth + 1)
        return items


def read_yaml(path: Path, shown: str) -> tuple[object, Lines, list[Problem]]:
    """Read ``path``; ``shown`` is how the path is named in problems.

    Returns the data, the line of each location (``("memory", "memory_gib") -> 21``) and the
    problems found. When there are problems the data is ``None``. Never raises for what a file
    contains or for a file that cannot be read.
    """

    def fail(what: str, expected: str, line: int = 0, loc: Loc = ()) -> list[Problem]:
        return [Problem(shown, line, dotted(loc), what, expected)]

    try:
        if path.is_symlink():
            return None, {}, fail("is a symbolic link", "a regular file")
        if not path.is_file():
            kind = "is a folder" if path.is_dir() else "cannot be found"
            return None, {}, fail(kind, "a YAML file")
        with path.open("rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
    except OSError as error:
        return None, {}, fail(f"cannot be read ({error.strerror})", "a readable file")
    if len(raw) > MAX_BYTES:
        return None, {}, fail("is too large", f"at most {MAX_BYTES:,} bytes")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        return None, {}, fail(f"is not UTF-8 (byte 0x{raw[error.start]:02x})", "UTF-8 text", line)

    builder = None
    try:
        builder = _Builder(text)
        data = builder.document()
    except _StopError as stop:
        return None, {}, fail(stop.what, stop.expected, stop.line, stop.field)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        what = getattr(error, "problem", None) or getattr(error, "reason", None) or "malformed"
        line = mark.line + 1 if mark else 0
        return None, {}, fail(f"not valid YAML ({show(str(what))})", "well-formed YAML", line)
    if builder.repeated:
        problems = [
            Problem(shown, line, dotted(loc), "key given twice", "each key once") for loc, line in builder.repeated
        ]
        return None, {}, problems
    return data, builder.lines, []
