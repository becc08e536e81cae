"""The text of a contributed CSV file, and what no cell of one may hold."""

from __future__ import annotations

from pathlib import Path

from generator.problems import Problem
from generator.yamlfile import MAX_BYTES


def read_text(path: Path, shown: str) -> tuple[str | None, list[Problem]]:
    """The decoded text, or None and the one problem that makes the file unreadable. Never raises."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        return None, [Problem(shown, 0, "", f"cannot be read ({error.strerror})", "a CSV file")]
    if len(raw) > MAX_BYTES:
        return None, [Problem(shown, 0, "", "is too large", f"at most {MAX_BYTES:,} bytes")]
    try:
        return raw.decode("utf-8-sig"), []
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        return None, [Problem(shown, line, "", "is not UTF-8", "UTF-8 text")]


def would_run(cell: str) -> bool:
    """Whether a spreadsheet would run the cell as a formula instead of showing it."""
    return cell[:1] in ("=", "+", "@", "\t") or (cell[:1] == "-" and not cell[1:2].isdigit())
