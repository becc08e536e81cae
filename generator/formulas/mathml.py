"""The MathML of the book: filled with signs or with numbers, laid out in lines, and computed.

The right side of a formula is presentation MathML whose symbols are slots ``⟦name⟧`` (:mod:`generator.formulas.lower`
writes it). Everything here works on that small language: ``mi mn mo mtext mrow mfrac msup msqrt mroot mtable``.
A reader gets the formula twice, with signs and with the numbers of an example; :func:`value` computes what is shown, so
that tests can prove it equal to what the estimator computes.
"""

from __future__ import annotations

import copy
import math
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

from generator.i18n import N_, number

Words = Callable[[str], str]
TIMES, MINUS = "\u2062", "−"
SLOT = re.compile(r"^⟦(\w+)⟧$")
# Every word that the MathML of the book has.
WORDS = (N_("if"), N_("otherwise"), N_("and"))
_RELATIONS: Mapping[str, Callable[[float, float], bool]] = {
    ">": lambda a, b: a > b, "<": lambda a, b: a < b, "≥": lambda a, b: a >= b, "≤": lambda a, b: a <= b,
}  # fmt: skip
_BRACKETS: Mapping[str, tuple[str, Callable[[float], float]]] = {
    "(": (")", lambda x: x), "⌈": ("⌉", math.ceil), "⌊": ("⌋", math.floor),
}  # fmt: skip
_FUNCTIONS: Mapping[str, Callable[[Sequence[float]], float]] = {
    "max": max, "min": min, "ln": lambda x: math.log(x[0]), "exp": lambda x: math.exp(x[0]),
}  # fmt: skip
# Numbers beyond these are written as powers of ten; whole ones up to the second limit are exact.
_LARGE, _EXACT, _SMALL, _DIGITS = 1e6, 1e7, 1e-3, 4
# Constants of formulas that are powers of two are written so from this exponent on.
_POWER = 20
# About so many characters stand on a line before a sum is broken.
LINE = 52


class MathError(ValueError):
    """MathML that is not of the book's language."""


@lru_cache(maxsize=1024)
def _parsed(mathml: str) -> ET.Element:
    try:
        return ET.fromstring(mathml)
    except ET.ParseError as error:
        raise MathError(f"not well-formed: {error}") from error


# --- what is shown ---------------------------------------------------------------------------------------------------


def with_signs(mathml: str, signs: Mapping[str, str], words: Words) -> ET.Element:
    """The formula with signs such as ``n_kv`` in its slots. Raises MathError for a slot without a sign."""
    tree = copy.deepcopy(_parsed(mathml))
    for parent in [None, *tree.iter()]:
        for place, node in [(0, tree)] if parent is None else list(enumerate(parent)):
            name = _slot(node)
            if name is None:
                continue
            if name not in signs:
                raise MathError(f"no sign for '{name}'")
            tree = _put(tree, parent, place, sign(signs[name]))
    for node in tree.iter():
        if node.tag == "mo" and node.text == TIMES:
            # Two signs side by side need a thin space, which the invisible operator does not have.
            node.set("lspace", "0.16em")
            node.set("rspace", "0")
        elif node.tag == "mtext":
            # Spaces at the edges of mtext are lost unless they are no-break spaces.
            node.text = f"\u00a0{words(node.text or '')}\u00a0"
        elif node.tag == "mtable":
            node.set("class", "gfg-cases")
        elif node.tag == "mn":
            _shorten(node)
    return tree


def with_numbers(mathml: str, values: Mapping[str, float]) -> ET.Element:
    """The formula with numbers in its slots; of the cases of a piecewise part only the one that holds is left.

    Raises MathError for a slot without a value.
    """
    tree = _chosen(copy.deepcopy(_parsed(mathml)), values)
    for parent in [None, *tree.iter()]:
        for place, node in [(0, tree)] if parent is None else list(enumerate(parent)):
            name = _slot(node)
            if name is not None:
                made = figure(_known(values, name))
                if parent is not None and _needs_brackets(made, parent, place):
                    made = _bracketed(made)
                tree = _put(tree, parent, place, made)
            elif node.tag == "mn":
                _shorten(node)
    for node in tree.iter("mo"):
        if node.text == TIMES:
            node.text = "⋅"
    return tree


def slots(mathml: str) -> list[str]:
    """The names of a formula's symbols, in the order in which they first stand there."""
    return list(dict.fromkeys(name for node in _parsed(mathml).iter("mi") if (name := _slot(node))))


def is_number(tree: ET.Element) -> bool:
    """Whether the tree is a single number: nothing is left to compute."""
    return all(node.tag in ("mn", "mrow", "msup") or node.text in ("×", MINUS, "∞") for node in tree.iter())


def sign(text: str) -> ET.Element:
    """A sign as MathML: ``h``, ``n_kv`` with an index, ``w_in*`` with a mark."""
    body, _, index = text.partition("_")
    mark = "*" if text.endswith("*") else ""
    body, index = body.removesuffix("*") if not index else body, index.removesuffix("*")
    parts = [_identifier(body)]
    if index:
        parts.append(_identifier(index))
    if mark:
        parts.append(_leaf("mo", "∗"))
    if len(parts) == 1:
        return parts[0]
    made = ET.Element("msubsup" if len(parts) == 3 else "msub" if index else "msup")
    made.extend(parts)
    return made


def figure(value: float) -> ET.Element:
    """A number as people write it: 2,048 or 0.3125 or 7.616 × 10⁹."""
    if not math.isfinite(value):
        return _leaf("mi", "∞" if value > 0 else f"{MINUS}∞" if value < 0 else "?")
    size = abs(value)
    parts: list[ET.Element] = [_leaf("mo", MINUS)] if value < 0 else []
    if size == round(size) and size < _EXACT:
        parts.append(_leaf("mn", f"{round(size):,}"))
    elif _SMALL <= size < _LARGE:
        parts.append(_leaf("mn", number(size, _DIGITS)))
    else:
        mantissa, exponent = f"{size:.{_DIGITS - 1}e}".split("e")
        power = ET.Element("msup")
        power.extend([_leaf("mn", "10"), _exponent(int(exponent))])
        parts += [_leaf("mn", mantissa.rstrip("0").rstrip(".")), _leaf("mo", "×"), power]
    return parts[0] if len(parts) == 1 else _row(parts)


def broken(tree: ET.Element, width: int = LINE) -> list[ET.Element]:
    """The formula in lines of about ``width`` characters: a long sum breaks before its signs, a list after commas."""
    if _width(tree) <= width:
        return [tree]
    lines: list[list[ET.Element]] = [[]]
    for piece in _pieces(tree):
        if lines[-1] and sum(map(_width, lines[-1])) + sum(map(_width, piece)) > width:
            lines.append([])
        lines[-1] += piece
    for line in lines:
        for node in line:
            if node.tag == "mo" and node.text in ("(", ")"):
                # Its partner stands on another line.
                node.set("stretchy", "false")
        if line is not lines[0] and line[0].tag == "mo":
            # A sign at the beginning of a line would be set as that of a number.
            line[0].set("form", "infix")
    return [_row(line) for line in lines]


def _pieces(tree: ET.Element) -> list[list[ET.Element]]:
    """What may stand on lines of its own: the terms of a sum, the arguments of max and min, also of a last factor."""
    nodes = list(tree) if tree.tag == "mrow" else []
    if len(nodes) == 2 and nodes[0].text in _FUNCTIONS:
        return _joined([nodes[0]], _arguments(list(nodes[1])))
    if nodes and nodes[0].tag == "mo" and nodes[0].text == "(" and len(nodes) == 3:
        inner = _pieces(nodes[1])
        return [[nodes[0], *inner[0]], *inner[1:-1], [*inner[-1], nodes[2]]] if len(inner) > 1 else [nodes]
    if any(node.tag == "mo" and node.text in ("+", MINUS) for node in nodes[1:]):
        return _before(nodes, ("+", MINUS))
    if len(nodes) > 2 and nodes[-2].text in (TIMES, "⋅"):
        # A product: a bracket that is its last factor may break.
        return _joined(nodes[:-1], _pieces(nodes[-1]))
    return [[tree]]


def _joined(first: Sequence[ET.Element], pieces: list[list[ET.Element]]) -> list[list[ET.Element]]:
    return [[*first, *pieces[0]], *pieces[1:]]


def _arguments(nodes: Sequence[ET.Element]) -> list[list[ET.Element]]:
    pieces: list[list[ET.Element]] = [[]]
    for node in nodes:
        pieces[-1].append(node)
        if node.tag == "mo" and node.text == ",":
            pieces.append([])
    return pieces


def _before(nodes: Sequence[ET.Element], signs: Sequence[str]) -> list[list[ET.Element]]:
    pieces: list[list[ET.Element]] = [[]]
    for node in nodes:
        if node.tag == "mo" and node.text in signs and pieces[-1]:
            pieces.append([])
        pieces[-1].append(node)
    return pieces


def text(tree: ET.Element) -> str:
    """The tree as MathML."""
    return ET.tostring(tree, encoding="unicode")


def _put(tree: ET.Element, parent: ET.Element | None, place: int, made: ET.Element) -> ET.Element:
    """Put a node into its place; returns the tree, which is the node itself where it has no parent."""
    if parent is None:
        return made
    parent[place] = made
    return tree


def _slot(node: ET.Element) -> str | None:
    match = SLOT.match(node.text or "") if node.tag == "mi" else None
    return match[1] if match else None


def _known(values: Mapping[str, float], name: str) -> float:
    if name not in values:
        raise MathError(f"no value for '{name}'")
    return values[name]


def _leaf(tag: str, content: str) -> ET.Element:
    node = ET.Element(tag)
    node.text = content
    return node


def _identifier(content: str) -> ET.Element:
    return _leaf("mn" if content.isdigit() else "mo" if content == "+" else "mi", content)


def _exponent(value: int) -> ET.Element:
    return _leaf("mn", str(value)) if value >= 0 else _row([_leaf("mo", MINUS), _leaf("mn", str(-value))])


def _row(nodes: Sequence[ET.Element]) -> ET.Element:
    row = ET.Element("mrow")
    row.extend(nodes)
    return row


def _bracketed(node: ET.Element) -> ET.Element:
    return _row([_leaf("mo", "("), node, _leaf("mo", ")")])


def _shorten(node: ET.Element) -> None:
    value_ = float((node.text or "").replace(",", ""))
    exponent = value_ and math.log2(value_)
    if exponent >= _POWER and exponent == round(exponent):
        # Sizes of blocks: 2²¹ says more than 2,097,152.
        node.tag, node.text = "msup", None
        node.extend([_leaf("mn", "2"), _leaf("mn", f"{exponent:.0f}")])
        return
    made = figure(value_)
    if made.tag == "mn":
        node.text = made.text
    else:
        node.tag, node.text = made.tag, None
        node.extend(made)


def _is_sum(node: ET.Element) -> bool:
    return node.tag == "mrow" and any(child.tag == "mo" and child.text in ("+", MINUS) for child in node)


def _needs_brackets(node: ET.Element, parent: ET.Element, place: int) -> bool:
    """Whether a node that replaces a single sign or a case must be bracketed to mean the same."""
    if parent.tag == "msup" and place == 0:
        return node.tag != "mn"
    if parent.tag != "mrow" or len(parent) == 1:
        return False
    before = parent[place - 1] if place else None
    if before is not None and before.tag == "mo" and before.text in ("(", ",", "⌈", "⌊"):
        return False
    beside = [before, parent[place + 1] if place + 1 < len(parent) else None]
    in_product = any(other is not None and other.tag == "mo" and other.text == TIMES for other in beside)
    subtracted = before is not None and before.tag == "mo" and before.text == MINUS
    return _is_sum(node) and (in_product or subtracted or node[0].text == MINUS)


def _chosen(node: ET.Element, values: Mapping[str, float]) -> ET.Element:
    """The tree without piecewise parts: each is replaced by the case that holds."""
    table = _cases(node)
    if table is not None:
        return _chosen(_case(table, values)[0], values)
    for place, child in enumerate(list(node)):
        made = _chosen(child, values)
        if made is not child and _needs_brackets(made, node, place):
            made = _bracketed(made)
        node[place] = made
    return node


def _cases(node: ET.Element) -> ET.Element | None:
    """The table of a piecewise part, None for anything else."""
    is_it = node.tag == "mrow" and len(node) == 2 and node[0].text == "{" and node[1].tag == "mtable"
    return node[1] if is_it else None


def _case(table: ET.Element, values: Mapping[str, float]) -> ET.Element:
    """The cell with the case that holds."""
    for line in table:
        value_cell, condition = line
        words = list(condition)
        if words[0].text == "otherwise" or _truth(words[1], values):
            return value_cell
    raise MathError("no case holds")


def _width(node: ET.Element) -> float:
    """About how many characters wide a node is."""
    if node.tag == "mfrac":
        return max(map(_width, node))
    if node.tag == "mtable":
        return max(sum(_width(cell) for cell in line) for line in node) + 2
    if node.tag in ("msub", "msup", "msubsup"):
        first, *rest = node
        return _width(first) + 0.7 * max(map(_width, rest))
    own = 0.0 if node.text is None or node.text == TIMES else float(len(node.text))
    if node.tag == "mo" and node.text in ("+", MINUS, "⋅", "×", ">", "<", "≥", "≤"):
        own = 2.0
    return own + sum(map(_width, node))


# --- what it is worth ------------------------------------------------------------------------------------------------


def value(mathml: str, values: Mapping[str, float]) -> float:
    """What the formula gives for these values, read off its MathML. Raises MathError for what it cannot read."""
    return _value(_parsed(mathml), values)


def _value(node: ET.Element, values: Mapping[str, float]) -> float:
    name = _slot(node)
    if name is not None:
        return float(_known(values, name))
    if node.tag == "mn":
        return float(node.text or "")
    if node.tag == "mi" and node.text == "∞":
        return math.inf
    if node.tag == "mfrac":
        return _divided(*(_value(child, values) for child in node))
    if node.tag == "msup":
        return _power(*(_value(child, values) for child in node))
    if node.tag == "msqrt":
        return _power(_value(_row(list(node)), values), 0.5)
    if node.tag == "mroot":
        return _power(_value(node[0], values), 1 / _value(node[1], values))
    if node.tag in ("mrow", "mtd"):
        table = _cases(node)
        if table is not None:
            return _value(_case(table, values), values)
        reader = _Reader(list(node), values)
        result = reader.sum()
        if reader.rest:
            raise MathError(f"left over: {text(reader.rest[0])}")
        return result
    raise MathError(f"cannot be computed: {text(node)}")


def _divided(a: float, b: float) -> float:
    if b:
        return a / b
    return math.nan if not a or math.isnan(a) else math.copysign(math.inf, a) * math.copysign(1, b)


def _power(a: float, b: float) -> float:
    try:
        result = a**b
    except ZeroDivisionError:
        return math.inf
    except OverflowError:
        return math.inf
    return result if isinstance(result, float) else math.nan


def _truth(node: ET.Element, values: Mapping[str, float]) -> bool:
    """Whether a condition holds: a relation, or two of them joined by "and"."""
    parts = list(node)
    for place, part in enumerate(parts):
        if part.tag == "mtext" and part.text == "and":
            return _truth(_one(parts[:place]), values) and _truth(_one(parts[place + 1 :]), values)
    for place, part in enumerate(parts):
        if part.tag == "mo" and (relation := _RELATIONS.get(part.text or "")):
            left, right = _row(parts[:place]), _row(parts[place + 1 :])
            return relation(_value(left, values), _value(right, values))
    raise MathError(f"not a condition: {text(node)}")


def _one(nodes: Sequence[ET.Element]) -> ET.Element:
    return nodes[0] if len(nodes) == 1 else _row(nodes)


class _Reader:
    """Reads a row of nodes as arithmetic: sums of products of factors."""

    def __init__(self, nodes: list[ET.Element], values: Mapping[str, float]) -> None:
        self.rest, self.values = nodes, values

    def _next(self, *texts: str) -> bool:
        if self.rest and self.rest[0].tag == "mo" and self.rest[0].text in texts:
            self.rest.pop(0)
            return True
        return False

    def sum(self) -> float:
        total = -self.product() if self._next(MINUS) else self.product()
        while self.rest and self.rest[0].tag == "mo" and self.rest[0].text in ("+", MINUS):
            is_minus = self.rest.pop(0).text == MINUS
            term = self.product()
            total = total - term if is_minus else total + term
        return total

    def product(self) -> float:
        result = self.factor()
        while self._next(TIMES):
            result *= self.factor()
        return result

    def factor(self) -> float:
        if not self.rest:
            raise MathError("a number is missing")
        node = self.rest.pop(0)
        sign_ = node.text or ""
        if node.tag in ("mo", "mi") and sign_ in _FUNCTIONS:
            return self._function(sign_)
        if node.tag == "mo" and sign_ in _BRACKETS:
            closing, apply = _BRACKETS[sign_]
            inner = self.sum()
            if not self._next(closing):
                raise MathError(f"'{closing}' is missing")
            return float(apply(inner)) if math.isfinite(inner) else inner
        return _value(node, self.values)

    def _function(self, name: str) -> float:
        inner = _Reader(list(self.rest.pop(0)), self.values)
        inner._next("(")
        arguments = [inner.sum()]
        while inner._next(","):
            arguments.append(inner.sum())
        if any(map(math.isnan, arguments)):
            return math.nan
        try:
            return float(_FUNCTIONS[name](arguments))
        except (ValueError, OverflowError):
            return -math.inf if name == "ln" and not arguments[0] else math.nan
