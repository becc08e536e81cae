"""pydantic's errors, said for people: where, what is wrong with which value, what was expected."""

from __future__ import annotations

import types
from collections.abc import Iterator
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from generator.located import Located
from generator.problems import Problem, near, show

_TYPE_NAMES = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "date_type": "a date YYYY-MM-DD",
    "list_type": "a list [a, b]",
    "dict_type": "keys and values",
    "model_type": "keys and values",
    "model_attributes_type": "keys and values",
    "missing": "",
}
_BOUNDS = {
    "greater_than": ("gt", "more than {}"),
    "greater_than_equal": ("ge", "{} or more"),
    "less_than": ("lt", "less than {}"),
    "less_than_equal": ("le", "{} or less"),
    "string_too_long": ("max_length", "at most {} characters"),
    "string_too_short": ("min_length", "at least {} character(s)"),
    "too_long": ("max_length", "at most {} items"),
    "too_short": ("min_length", "at least {} item(s)"),
}


def explain(error: ValidationError, where: Located[Any], model: type[BaseModel]) -> Iterator[Problem]:
    """One problem for each thing that pydantic found wrong in ``where``."""
    for detail in error.errors(include_url=False):
        yield _explain_one(detail, where, model)


def _explain_one(detail: ErrorDetails, where: Located[Any], model: type[BaseModel]) -> Problem:
    loc = tuple(part for part in detail["loc"] if part != "[key]")
    kind, value, context = detail["type"], detail.get("input"), detail.get("ctx", {})
    if kind == "missing":
        parent = _model_at(model, loc[:-1])
        unit = parent.model_fields[str(loc[-1])].description if parent else None
        return where.problem(loc, "missing", f"this key{f' ({unit})' if unit else ''}")
    if kind == "extra_forbidden":
        parent = _model_at(model, loc[:-1])
        names = list(parent.model_fields) if parent else []
        hint = near(str(loc[-1]), names)
        return where.problem(loc, f"unknown key{hint}", f"one of: {', '.join(names)}")
    shown = f"({_shown(value)})"
    if kind in _BOUNDS:
        key, phrase = _BOUNDS[kind]
        return where.problem(loc, f"out of range {shown}", phrase.format(context.get(key)))
    if kind == "literal_error":
        hint = near(value, _choices(context)) if isinstance(value, str) else ""
        return where.problem(loc, f"unknown value {shown}{hint}", f"one of {context['expected']}")
    if kind == "string_pattern_mismatch":
        return where.problem(loc, f"malformed {shown}", _pattern(str(context["pattern"])))
    expected = _TYPE_NAMES.get(kind, detail["msg"])
    return where.problem(loc, f"wrong type {shown}", expected)


_PATTERNS = {
    "^[a-z0-9]+": "lower-case letters, digits and single hyphens (rtx-3060-12gb)",
    "^[a-z][a-z0-9_]": "lower-case letters, digits and underscores",
    "^[A-Z][A-Z0-9_]": "capital letters, digits and underscores (GA102_WP)",
    "^[0-9]{1,2}": 'a compute capability in quotes ("8.6")',
    "^20": "a date YYYY, YYYY-MM or YYYY-MM-DD in quotes",
    "^https?": "a full address https://…",
    "^[^": "text on one line without control or invisible characters",
}


def _pattern(pattern: str) -> str:
    for start, words in _PATTERNS.items():
        if pattern.startswith(start):
            return words
    return f"text of the form {pattern}"


def _choices(context: dict[str, Any]) -> list[str]:
    return [part.strip(" '") for part in str(context["expected"]).replace(" or ", ",").split(",")]


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return "keys and values"
    if isinstance(value, list):
        return "a list"
    return "nothing" if value is None else show(value) if isinstance(value, str) else show(str(value))


def _model_at(model: type[BaseModel], loc: tuple[Any, ...]) -> type[BaseModel] | None:
    """The model that the location leads to, through optional values, lists and dicts."""
    here: Any = model
    for part in loc:
        if isinstance(here, type) and issubclass(here, BaseModel):
            if isinstance(part, int) and "root" in here.model_fields:
                here = _inner(here.model_fields["root"].annotation)
                continue
            field = here.model_fields.get(str(part))
            if field is None:
                return None
            here = _inner(field.annotation)
        elif not isinstance(part, int):
            return None
    return here if isinstance(here, type) and issubclass(here, BaseModel) else None


def _inner(annotation: Any) -> Any:
    """``list[X]``, ``X | None``, ``dict[str, X]`` and ``Annotated[X, …]`` as ``X``."""
    origin = get_origin(annotation)
    if origin in (Union, types.UnionType):
        return _inner(next(arg for arg in get_args(annotation) if arg is not type(None)))
    if origin is list:
        return _inner(get_args(annotation)[0])
    if origin is dict:
        return _inner(get_args(annotation)[1])
    return annotation
