"""Untrusted JSON and typed values out of it: every problem and every default that was used is remembered."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from generator.problems import DataError, Problem, show

MAX_BYTES = 1_000_000
MISSING = object()


@dataclass(frozen=True)
class Assumption:
    """Something that the file does not say: ``key`` was taken as ``value`` for ``reason``."""

    key: str
    value: str
    reason: str

    def __str__(self) -> str:
        return f"{self.key} = {self.value} ({self.reason})"


class Reader:
    """Takes typed values out of a decoded config and remembers every problem and every default used."""

    def __init__(self, data: Mapping[str, Any], path: str, inside: tuple[str, ...] = ()) -> None:
        self.data, self.path, self.inside = data, path, inside
        self.problems: list[Problem] = []
        self.assumptions: list[Assumption] = []

    def dotted(self, key: str) -> str:
        return ".".join(part for part in (*self.inside, key) if part)

    def wrong(self, key: str, what: str, expected: str) -> None:
        self.problems.append(Problem(self.path, 0, self.dotted(key), what, expected))

    def assume(self, key: str, value: object, reason: str) -> None:
        text = {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)
        self.assumptions.append(Assumption(self.dotted(key), text, reason))

    def _find(self, keys: str | tuple[str, ...]) -> tuple[str, Any]:
        names = (keys,) if isinstance(keys, str) else keys
        for name in names:
            if name in self.data:
                return name, self.data[name]
        return names[0], MISSING

    def whole(
        self, keys: str | tuple[str, ...], default: object = MISSING, low: int = 1, high: int = 100_000_000
    ) -> int:
        """A whole number under the first of ``keys`` that is there. A default is noted; without one it is needed."""
        key, value = self._find(keys)
        if value is MISSING or (value is None and default is not MISSING):
            if isinstance(default, int):
                self.assume(key, default, "not in the file: the default of its class")
                return default
            self.wrong(key, "missing" if value is MISSING else "null", "a whole number")
            return low
        if isinstance(value, bool) or not isinstance(value, int):
            self.wrong(key, f"wrong type ({show(as_json(value))})", "a whole number")
            return low
        if not low <= value <= high:
            self.wrong(key, f"out of range ({show(str(value))})", f"{low:,} to {high:,}")
            return low
        return value

    def maybe(
        self, keys: str | tuple[str, ...], default: int | None = None, low: int = 1, high: int = 100_000_000
    ) -> int | None:
        """A whole number or null. A key that is not there gives ``default``, noted unless that is None."""
        _, value = self._find(keys)
        if value is None or (value is MISSING and default is None):
            return None
        return self.whole(keys, default if default is not None else MISSING, low, high)

    def flag(self, key: str, default: bool, note: bool = False) -> bool:
        """True or false; null counts as not there."""
        value = self.data.get(key)
        if value is None:
            if note:
                self.assume(key, default, "not in the file: the default of its class")
            return default
        if not isinstance(value, bool):
            self.wrong(key, f"wrong type ({show(as_json(value))})", "true or false")
            return default
        return value

    def text(self, keys: str | tuple[str, ...], default: str) -> str:
        key, value = self._find(keys)
        if value is MISSING or value is None:
            return default
        if not isinstance(value, str) or not value or len(value) > 200:
            self.wrong(key, f"wrong type ({show(as_json(value))})", "a short text")
            return default
        return value

    def items(self, key: str, kind: type, length: int | None = None) -> list[Any] | None:
        """A list of one type or None when the key is not there."""
        value = self.data.get(key)
        if value is None:
            return None
        if not isinstance(value, list) or not all(type(item) is kind for item in value):
            self.wrong(key, "wrong type", f"a list of {'texts' if kind is str else 'whole numbers'}")
            return None
        if length is not None and len(value) != length:
            self.wrong(key, f"{len(value)} entries", f"one for each of {length} layers")
            return None
        return value

    def not_counted(self, key: str, expected: str) -> None:
        """The key holds something that this guide's shape has no place for."""
        self.wrong(key, f"not supported ({show(as_json(self.data.get(key)))})", expected)


def as_json(value: object) -> str:
    if isinstance(value, (dict, list)):
        return "an object" if isinstance(value, dict) else "a list"
    return json.dumps(value, ensure_ascii=False)


def decode(raw: bytes, path: str) -> dict[str, Any]:
    """The JSON object in ``raw``.

    Raises:
        DataError: not one JSON object in UTF-8, too large or deep, duplicate keys, NaN or an infinite number.
    """
    problems: list[Problem] = []

    def fail(what: str, expected: str, line: int = 0) -> DataError:
        return DataError([*problems, Problem(path, line, "", what, expected)])

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        seen: dict[str, Any] = {}
        for key, value in items:
            if key in seen:
                problems.append(Problem(path, 0, show(key), "key given twice", "each key once"))
            seen[key] = value
        return seen

    def refuse(text: str) -> None:
        problems.append(Problem(path, 0, "", f"not a number ({text})", "finite numbers"))

    def real(text: str) -> float:
        value = float(text)
        if not math.isfinite(value):
            problems.append(Problem(path, 0, "", f"number out of range ({show(text)})", "finite numbers"))
        return value

    def integer(text: str) -> int:
        if len(text) > 20:
            problems.append(Problem(path, 0, "", f"number out of range ({show(text)})", "finite numbers"))
            return 0
        return int(text)

    if len(raw) > MAX_BYTES:
        raise fail("is too large", f"at most {MAX_BYTES:,} bytes")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise fail(f"is not UTF-8 (byte 0x{raw[error.start]:02x})", "UTF-8 text") from None
    try:
        data = json.loads(text, object_pairs_hook=pairs, parse_constant=refuse, parse_float=real, parse_int=integer)
    except json.JSONDecodeError as error:
        raise fail(f"not valid JSON ({error.msg})", "one JSON object", error.lineno) from None
    except RecursionError:
        raise fail("nested too deeply", "one JSON object") from None
    if not isinstance(data, dict):
        raise fail(f"holds {show(as_json(data))}", "one JSON object")
    if problems:
        raise DataError(problems)
    return data
