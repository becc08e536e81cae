"""Measurements that others published: ``data/published/<kind>/<family>.csv``, read when asked for.

The catalog does not hold them: no page needs 7,000 rows, and the build stays as fast as without. What reads them is
the validator, the calibration and the accuracy report, which take either typed cells (:class:`Case`) or plain rows
(:func:`rows`), the latter in the columns of the files.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import MappingProxyType

from generator.csvfile import read_text, would_run
from generator.problems import DataError, Problem, near, show
from generator.schema.published import KINDS, Kind, RefusedError, Value, id_stem, source_id
from generator.schema.source import Source

FOLDER = "data/published"


@dataclass(frozen=True, slots=True)
class Case:
    """One row: ``cells`` as written, ``values`` as read (an empty cell is None), and the line that it ends on."""

    kind: Kind
    path: str
    line: int
    cells: tuple[str, ...]
    values: tuple[Value, ...]

    def __getitem__(self, column: str) -> Value:
        """The typed value of a column; KeyError for a column that the kind does not have."""
        return self.values[self.kind.index[column]]

    def row(self) -> dict[str, str]:
        """All cells as text by column; an empty cell is ``""``."""
        return dict(zip(self.kind.names, self.cells, strict=True))

    def problem(self, column: str, what: str, expected: str) -> Problem:
        """A problem with one of the row's cells."""
        return Problem(self.path, self.line, column, what, expected)


@dataclass(frozen=True)
class Published:
    """The cases of each kind that was read, in the order of families and lines."""

    cases: Mapping[str, tuple[Case, ...]]

    def of(self, kind: str) -> tuple[Case, ...]:
        """The cases of a kind: memory, train, inference or kernels."""
        return self.cases[kind]

    def rows(self, kind: str) -> list[dict[str, str]]:
        """The same as plain rows: every column of the kind, all text, ``""`` for an empty cell."""
        return [case.row() for case in self.cases[kind]]


def load(root: Path, kinds: Iterable[str] = KINDS) -> Published:
    """The cases below ``root/data/published``; ``kinds`` limits what is read.

    Raises:
        DataError: something is wrong in them; ``str()`` lists every problem, one a line.
    """
    published, problems = check(root, kinds=kinds)
    if problems:
        raise DataError(problems)
    return published


def rows(root: Path, kind: str) -> list[dict[str, str]]:
    """All cases of one kind as plain rows: what ``estimate --cases`` reads from a file.

    Raises:
        DataError: something is wrong in them.
    """
    return load(root, [kind]).rows(kind)


def check(
    root: Path, sources: Mapping[str, Source] | None = None, kinds: Iterable[str] = KINDS
) -> tuple[Published, list[Problem]]:
    """Read everything that can be read and list all problems, sorted. Never raises for what a file contains.

    ``sources`` is the bibliography; without it, whether families and addresses stand there is not checked.
    The result holds only rows all of whose cells could be read.
    """
    problems: list[Problem] = []
    found: dict[str, tuple[Case, ...]] = {}
    folder = root / FOLDER
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.name not in KINDS:
            expected = f"folders named {', '.join(KINDS)}"
            problems.append(Problem(f"{FOLDER}/{path.name}", 0, "", "does not belong here", expected))
    for name in kinds:
        cases: list[Case] = []
        found[name] = ()
        if not (folder / name).is_dir():
            problems.append(Problem(f"{FOLDER}/{name}", 0, "", "is missing", "a folder"))
            continue
        for path in sorted((folder / name).iterdir()):
            shown = f"{FOLDER}/{name}/{path.name}"
            if path.suffix != ".csv":
                problems.append(Problem(shown, 0, "", "does not belong here", "files named <family>.csv"))
                continue
            table, wrong = _table(path, shown, KINDS[name])
            problems += wrong
            problems += _check_family(path.stem, shown, table, sources)
            cases += table
        problems += _check_kind(KINDS[name], cases)
        found[name] = tuple(cases)
    return Published(MappingProxyType(found)), sorted(set(problems))


def _table(path: Path, shown: str, kind: Kind) -> tuple[list[Case], list[Problem]]:
    """The readable rows of one file and what is wrong with the others."""
    text, problems = read_text(path, shown)
    if text is None:
        return [], problems
    lines, records, problems = _records(text, shown, kind)
    columns = [_column(cells, i, lines, shown, kind) for i, cells in enumerate(zip(*records, strict=True))]
    problems += [problem for _, wrong in columns for problem in wrong]
    refused = {problem.line for problem in problems}
    values = zip(*(typed for typed, _ in columns), strict=True)
    return [
        Case(kind, shown, line, cells, typed)
        for line, cells, typed in zip(lines, records, values, strict=True)
        if line not in refused
    ], problems


def _records(text: str, shown: str, kind: Kind) -> tuple[list[int], list[tuple[str, ...]], list[Problem]]:
    """``(lines, rows of as many cells as there are columns, problems)``. Lines count from 1."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    lines: list[int] = []
    records: list[tuple[str, ...]] = []
    problems: list[Problem] = []
    width = len(kind.names)
    try:
        header = tuple(next(reader, ()))
        if header != kind.names:
            problems.append(Problem(shown, 1, "", f"wrong columns ({show(','.join(header))})", ",".join(kind.names)))
            return [], [], problems
        for record in reader:
            if len(record) == width:
                lines.append(reader.line_num)
                records.append(tuple(record))
            else:
                problems.append(
                    Problem(shown, reader.line_num, "", f"wrong number of cells ({len(record)})", f"{width} cells")
                )
    except csv.Error as error:
        problems.append(Problem(shown, reader.line_num, "", f"not valid CSV ({error})", "comma-separated rows"))
    return lines, records, problems


def _column(
    cells: Sequence[str], place: int, lines: Sequence[int], shown: str, kind: Kind
) -> tuple[list[Value], list[Problem]]:
    """The values of a column, each distinct cell read once, and a problem for every cell that cannot be read."""
    column = kind.columns[place]
    known: dict[str, Value] = {}
    refused: dict[str, RefusedError] = {}
    for cell in set(cells):
        try:
            if would_run(cell):
                raise RefusedError(f"would run as a formula ({show(cell)})", "plain text")
            if column.required and not cell:
                raise RefusedError("missing", f"{column.type.name} ({column.meaning})")
            known[cell] = column.type.read(cell) if cell else None
        except RefusedError as error:
            known[cell], refused[cell] = None, error
    values = [known[cell] for cell in cells]
    if not refused:
        return values, []
    return values, [
        Problem(shown, line, column.name, refused[cell].what, refused[cell].expected)
        for line, cell in zip(lines, cells, strict=True)
        if cell in refused
    ]


def _check_family(
    family: str, shown: str, cases: Sequence[Case], sources: Mapping[str, Source] | None
) -> Iterator[Problem]:
    """The file is named for its family, which stands in the bibliography together with every address."""
    for case in cases:
        if case["source_family"] != family:
            yield case.problem("source_family", f"differs from the file name ({case['source_family']})", f"'{family}'")
    if sources is None:
        return
    name = source_id(family)
    if name not in sources:
        hint = near(name, (known for known in sources if known.startswith(source_id(""))))
        yield Problem(shown, 0, "source_family", f"unknown source ({name}){hint}", "an id in data/sources.yaml")
        return
    for case in cases:
        place = str(case["source_repo_or_url"])
        if f"https://{place.removeprefix('https://')}" not in sources[name].urls:
            yield case.problem("source_repo_or_url", f"is not an address of {name} ({show(place)})",
                               "one of its urls in data/sources.yaml")  # fmt: skip


def _check_kind(kind: Kind, cases: Iterable[Case]) -> Iterator[Problem]:
    """Ids fit and are unique, no row is there twice, what ran was measured, amounts of memory have a unit."""
    ids: dict[str, Case] = {}
    seen: dict[tuple[str, ...], Case] = {}
    stems: dict[str, str] = {}
    for case in cases:
        name = case.cells[0]
        stem = stems.setdefault(case.path, f"{id_stem(kind, PurePosixPath(case.path).stem)}-")
        if not name.startswith(stem) or not (len(name) == len(stem) + 4 and name[-4:].isdecimal()):
            yield case.problem("id", f"malformed ({show(name)})", f"{stem}0001 or another number of four digits")
        first = ids.setdefault(name, case)
        if first is not case:
            yield case.problem("id", f"used twice ({name})", f"an id of its own, {_where(first, case)} has this one")
        first = seen.setdefault(case.cells[1:], case)
        if first is not case:
            yield case.problem("", f"the same row as {_where(first, case)}", "each measurement once")
        yield from _check_measured(kind, case)


def _check_measured(kind: Kind, case: Case) -> Iterator[Problem]:
    ran = "status" not in kind.index or case["status"] == "ok"
    given = [*kind.measured, *([kind.instead] if kind.instead else [])]
    if ran and all(case[column] is None for column in given):
        yield case.problem("", "measures nothing", f"one of {', '.join(given)}")
    for amount, unit in kind.units.items():
        if case[amount] is not None and case[unit] is None:
            yield case.problem(unit, "missing", f"the unit of {amount}")


def _where(first: Case, other: Case) -> str:
    return f"line {first.line}" if first.path == other.path else f"{first.path}:{first.line}"
