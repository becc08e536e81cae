"""The formulas as pages show them: lines with signs and with an example's numbers, symbols, options, constants."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from markupsafe import Markup

from generator import numbers, options
from generator.calibration import Calibration
from generator.estimators import matmul
from generator.examples import Example
from generator.formulas import book, mathml
from generator.formulas.shape import SHAPE
from generator.i18n import N_, billions, number
from generator.views import cases
from generator.views.fits import ASSUMED
from generator.views.readable import exact, readable
from generator.views.topics import Topic

Text = Callable[[str], str]


@dataclass(frozen=True)
class Line:
    """One formula: its name, and one block of MathML with signs, numbers and result."""

    name: str
    meaning: str
    math: Markup
    holds: str
    term: bool
    sources: tuple[str, ...]


@dataclass(frozen=True)
class Origin:
    """Where a symbol's value comes from: ``kind`` is a label of ORIGINS; ``target`` an anchor of the page or empty."""

    kind: str
    target: str = ""
    detail: str = ""


ORIGINS = {
    "formula": N_("formula"), "option": N_("option"), "fitted": N_("fitted"), "measured": N_("measured"),
    "model": N_("model"), "card": N_("card"), "question": N_("question"), "price": N_("price"),
    "constant": N_("constant"),
}  # fmt: skip


@dataclass(frozen=True)
class Symbol:
    """One row of a table of symbols; ``sign`` is MathML, ``value`` that of the example with its ``unit``."""

    name: str
    sign: Markup
    meaning: str
    value: str
    unit: str
    origin: Origin


@dataclass(frozen=True)
class Part:
    """A part of a program: its lines and the symbols that they use."""

    key: str
    title: str
    about: str
    lines: tuple[Line, ...]
    symbols: tuple[Symbol, ...]


@dataclass(frozen=True)
class Choice:
    """One option of a table; ``chosen``: the example has it."""

    name: str
    values: tuple[str, ...]
    basis: str
    sources: tuple[str, ...]
    chosen: bool


@dataclass(frozen=True)
class Table:
    """An option table as far as the program uses it: ``symbols`` head the columns."""

    name: str
    about: str
    symbols: tuple[Symbol, ...]
    choices: tuple[Choice, ...]


@dataclass(frozen=True)
class Constant:
    """A fitted constant at one level; ``low`` and ``high`` span the fits without one source family."""

    name: str
    sign: Markup
    meaning: str
    unit: str
    level: str
    value: str
    span: str


@dataclass(frozen=True)
class Row:
    """A row of the example's breakdown; ``share`` is the length of its bar in percent."""

    name: str
    label: str
    value: str
    unit: str
    share: float


@dataclass(frozen=True)
class Breakdown:
    """Rows that add up to ``total``, empty where they do not."""

    title: str
    rows: tuple[Row, ...]
    total: str
    unit: str


@dataclass(frozen=True)
class Evidence:
    """A measured run in words, GiB measured and estimated, and its source."""

    what: str
    measured: float
    predicted: float
    link: str
    where: str


class Explained:
    """Everything that one page shows about a program, in one language."""

    def __init__(self, topic: Topic, example: Example, calibration: Calibration | None, text: Text) -> None:
        self.topic, self.example, self.calibration, self._text = topic, example, calibration, text
        self.program = book.program(topic.program)
        self._signs = {name: quantity.sign for name, quantity in self.program.quantities.items()}
        self._computed = {formula.gives: formula.part for formula in self.program.formulas}
        self._inputs = {quantity.name for quantity in self.program.inputs}
        self._owner = {
            quantity: name
            for name, table in options.load().tables.items()
            for quantity in next(iter(table.options.values())).numbers
        }
        card = example.question.card
        self._of_card = set(numbers.of_card(card)) if card else set()
        self._fitted = set(_flat_names(calibration))

    @property
    def source(self) -> str:
        """The file that defines the program, in generator/formulas."""
        return _SOURCES.get(self.topic.program, f"{self.topic.program}.py")

    # --- the formulas

    @cached_property
    def parts(self) -> list[Part]:
        """The parts in their order, each with its lines and symbols."""
        found = []
        for part in self.program.parts:
            formulas = [f for f in self.program.formulas if f.part == part.key]
            names = dict.fromkeys(name for f in formulas for name in (*mathml.slots(f.mathml), f.gives))
            lines, symbols = tuple(map(self._line, formulas)), tuple(map(self.symbol, names))
            found.append(Part(part.key, part.title, part.about, lines, symbols))
        return found

    def _line(self, formula: book.Formula) -> Line:
        quantity = self.program.quantities[formula.gives]
        return Line(
            formula.gives, quantity.meaning, self._math(formula, quantity), formula.holds, formula.term, formula.sources
        )

    def _math(self, formula: book.Formula, quantity: book.Quantity) -> Markup:
        """Three steps under each other: with signs, with numbers, the result."""
        general = mathml.with_signs(formula.mathml, self._signs, self._text)
        filled = mathml.with_numbers(formula.mathml, self.example.numbers)
        steps = [mathml.broken(general)]
        if not mathml.is_number(filled):
            steps.append(mathml.broken(filled))
        steps.append([self._result(self.example.numbers[quantity.name], quantity.unit)])
        return Markup(mathml.text(_equation(mathml.sign(quantity.sign), steps)))

    def _result(self, value: float, unit: str) -> ET.Element:
        result = ET.Element("mrow")
        result.append(mathml.figure(value))
        if unit:
            result.append(_words(self._unit(unit)))
        other = self._readable(value, unit)
        if other is not None:
            ET.SubElement(result, "mo").text = "="
            ET.SubElement(result, "mn").text = other[0]
            result.append(_words(other[1]))
        return result

    def _readable(self, value: float, unit: str) -> tuple[str, str] | None:
        if unit == "parameters":
            return (billions(value), "") if abs(value) >= 1e6 else None
        found = readable(value, unit)
        return (number(found[0], 3 if abs(found[0]) < 1000 else 4), self._unit(found[1])) if found else None

    def symbol(self, name: str) -> Symbol:
        """A quantity as a row of a table, with its value in the example."""
        quantity = self.program.quantities[name]
        value = self.example.numbers[name]
        shown = self._readable(value, quantity.unit) or (exact(value), self._unit(quantity.unit))
        sign = Markup("<math>{}</math>").format(Markup(mathml.text(mathml.sign(quantity.sign))))
        return Symbol(name, sign, quantity.meaning, *shown, self.origin(name))

    def origin(self, name: str) -> Origin:
        """Where the value of a quantity comes from."""
        if name in self._computed:
            return Origin("formula", f"f-{name}")
        if name in self._fitted:
            return Origin("fitted", "fitted")
        if name.startswith("attained_") or name == "tested_class":
            return Origin("measured", "attained" if name.startswith("attained_") else "")
        if name in self._owner:
            return Origin("option", f"option-{self._owner[name]}", self._owner[name])
        if name in SHAPE:
            return Origin("model")
        if self.topic.program == "cost" and name in _PRICES:
            return Origin("price")
        if name in self._of_card:
            return Origin("card")
        return Origin("constant" if name == "workspace_bytes" else "question")

    # --- the example

    @cached_property
    def breakdowns(self) -> list[Breakdown]:
        """The terms of the answer, largest parts first to be seen: memory in GiB, times in µs or ms."""
        terms = [f for f in self.program.formulas if f.term]
        total = {"training_memory": "allocated", "inference_memory": "allocated", "train_speed": "seconds_per_token"}
        if self.topic.program == "inference_speed":
            sums = {"step": "step_s", "prompt": "prompt_s"}
            titles = {part.key: part.title for part in self.program.parts}
            return [self._breakdown(titles[k], [f for f in terms if f.part == k], name) for k, name in sums.items()]
        return [self._breakdown("", terms, total.get(self.topic.program))]

    def _breakdown(self, title: str, terms: Sequence[book.Formula], total: str | None) -> Breakdown:
        values = {f.gives: self.example.numbers[f.gives] for f in terms}
        units = {f.gives: self.program.quantities[f.gives].unit for f in terms}
        if total is None:
            rows = tuple(
                Row(n, self.program.quantities[n].meaning, exact(v), self._unit(units[n]), 0) for n, v in values.items()
            )
            return Breakdown(title, rows, "", "")
        most, whole = max(values.values()), self.example.numbers[total]
        unit = self.program.quantities[total].unit
        scale = readable(whole, unit) or (whole, unit)
        factor = whole / scale[0]
        # Less than a thousandth of the whole is not worth a row.
        unit = self._text(scale[1])
        rows = tuple(
            Row(n, self.program.quantities[n].meaning, number(v / factor), unit, round(100 * v / most, 1))
            for n, v in values.items()
            if v > whole / 1000
        )
        return Breakdown(title, rows, number(scale[0], 4), unit)

    def _unit(self, unit: str) -> str:
        """A unit in words, money in the example's currency."""
        if not unit:
            return ""
        money = self._text("money")
        return self._text(unit).replace(money, self.example.cost.currency if self.example.cost else money)

    @property
    def nearest(self) -> Evidence | None:
        """The measured run whose settings are nearest, with its estimate."""
        found = self.example.nearest
        if found is None:
            return None
        return Evidence(
            cases.what(found.row, self._text), found.measured_gib, found.predicted_gib, cases.link(found.row),
            cases.where(found.row),
        )  # fmt: skip

    @property
    def assumed(self) -> list[str]:
        """What the question left open, in words."""
        found = (self._text(ASSUMED[item]) if ASSUMED.get(item) else item for item in self.example.question.assumed
                 if ASSUMED.get(item) != "")  # fmt: skip
        return list(dict.fromkeys(found))

    # --- choices and constants

    @cached_property
    def tables(self) -> list[Table]:
        """The option tables that the program uses, with the quantities that it uses."""
        found = []
        chosen = _chosen(self.example)
        for name, table in options.load().tables.items():
            used = [q for q in next(iter(table.options.values())).numbers if q in self._inputs]
            if not used:
                continue
            numbers_here = {q: self.example.numbers[q] for q in used}
            choices = tuple(
                Choice(
                    option, tuple(exact(content.numbers[q]) for q in used), content.basis, tuple(content.sources),
                    chosen.get(name) == option if name in chosen
                    else all(content.numbers[q] == v for q, v in numbers_here.items()),
                )
                for option, content in table.options.items()
            )  # fmt: skip
            found.append(Table(name, table.about, tuple(self.symbol(q) for q in used), choices))
        return found

    @cached_property
    def constants(self) -> list[Constant]:
        """The fitted constants: those of all cases, then those of single engines, software and classes of cards."""
        if self.calibration is None:
            return []
        found = []
        for path, value in _flat(self.calibration.constants):
            name, level = _named(path)
            quantity = self.program.quantities[name]
            others = [v for family in self.calibration.without.values()
                      for p, v in _flat(family["constants"]) if p == path]  # fmt: skip
            shown, unit = self._readable(value, quantity.unit) or (exact(value), self._unit(quantity.unit))
            factor = value / float(shown.replace(",", "")) if self._readable(value, quantity.unit) else 1.0
            span = f"{exact(min(others) / factor, 3)} – {exact(max(others) / factor, 3)}" if others else ""
            sign = Markup("<math>{}</math>").format(Markup(mathml.text(mathml.sign(quantity.sign))))
            found.append(Constant(name, sign, quantity.meaning, unit, level, shown, span))
        return sorted(found, key=lambda c: (c.level != "", list(self._inputs_in_order).index(c.name), c.level))

    @property
    def _inputs_in_order(self) -> Iterator[str]:
        return (quantity.name for quantity in self.program.inputs)

    @property
    def bands(self) -> list[tuple[str, float, float]]:
        """(kind of case, low, high): factors on the estimate."""
        if self.calibration is None:
            return []
        return [(kind, low, high) for kind, (low, high) in self.calibration.bands.items()]

    @property
    def rows(self) -> list[tuple[str, int]]:
        """How many measured rows stand behind the constants: (what, number)."""
        counts: Any = self.calibration.facts.get("n", {}) if self.calibration else {}
        return [(k, int(v)) for k, v in counts.items()] if isinstance(counts, Mapping) else [("", int(counts))]

    @property
    def attained(self) -> list[tuple[str, dict[str, str]]]:
        """(class of cards, share of the rated speed by number format), where the program uses it."""
        shares: matmul.Shares = self.calibration.facts.get("attained", {}) if self.calibration else {}
        classes: dict[str, dict[str, str]] = {}
        for name, table in shares.items():
            if f"attained_{name}" in self._inputs:
                for key, share in table.items():
                    if "_" in key.split("/")[0] or key in _CLASSES:
                        classes.setdefault(key, {})[name] = number(share, 2)
        card = self.example.question.card
        own = {n: number(t[card.gpu.slug], 2) for n, t in shares.items()
               if card and card.gpu.slug in t and f"attained_{n}" in self._inputs}  # fmt: skip
        found = sorted(classes.items(), key=lambda item: (item[0] == matmul.DEFAULT, item[0]))
        return [*([(card.gpu.name, own)] if card and own else []), *found]


VERDICTS = {"fits": N_("fits"), "tight": N_("tight"), "no": N_("does not fit")}
# The module that defines a program, where it has another name.
_SOURCES = {"training_memory": "training.py", "inference_memory": "inference.py"}
# Classes of cards whose names have no underscore.
_CLASSES = ("volta", "hopper", "thor", "gb10", matmul.DEFAULT)
_PRICES = ("price_per_kwh", "rent_per_gpu_hour", "card_price")
# Words for kinds of cases, put together: "decode serving plain".
KINDS = {
    "allocated": N_("allocated memory"), "reserved": N_("reserved memory"), "device": N_("device memory (nvidia-smi)"),
    "fixed": N_("all sequences of one length"), "varying": N_("lengths vary from batch to batch"),
    "dense": N_("dense models"), "small": N_("small micro-batches, or limited by the host"),
    "experts": N_("mixture of experts"), "untested": N_("a class of cards on which no language model was measured"),
    "decode": N_("writing an answer"), "prefill": N_("reading a prompt"), "serving": N_("engines that serve batches"),
    "compiled": N_("compiled engines"), "python": N_("engines in Python"), "plain": N_("weights in 16 bits"),
    "quantized": N_("quantized weights"), "combined": N_("prompt and answer in one figure"),
    "output": N_("answer with the time of its prompt"),
}  # fmt: skip


def kind_in_words(kind: str, text: Text) -> str:
    """A kind of case, such as ``decode serving plain``, in words."""
    return text(", ").join(text(KINDS[word]) if word in KINDS else word for word in kind.split())


def _equation(left: ET.Element, steps: Sequence[Sequence[ET.Element]]) -> ET.Element:
    """``left`` = first step = second step …, each step under the one before; a step may have several lines."""
    math = ET.Element("math", {"display": "block"})
    table = ET.SubElement(math, "mtable")
    for i, step in enumerate(steps):
        for k, piece in enumerate(step):
            line = ET.SubElement(table, "mtr", {"class": "is-numbers"} if i else {})
            first, second = ET.SubElement(line, "mtd"), ET.SubElement(line, "mtd")
            if i == k == 0:
                first.append(left)
            if k:
                ET.SubElement(second, "mspace", {"width": "1.6em"})
            else:
                ET.SubElement(second, "mo").text = "="
            second.append(piece)
    return math


def _words(content: str) -> ET.Element:
    word = ET.Element("mtext")
    # A space inside mtext is lost at its edges.
    word.text = f"\u00a0{content}"
    return word


def _chosen(example: Example) -> dict[str, str]:
    """Option table -> the option of the example, for the tables that a question names."""
    work = example.question.work
    found = {name: str(getattr(work, name)) for name in work.choices}
    return found | ({"engine_speed": found["engine"]} if "engine" in found else {})


def _flat(values: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], float]]:
    """Every number of nested mappings with the keys that lead to it."""
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, (*path, key))
        else:
            yield (*path, key), float(value)


def _flat_names(calibration: Calibration | None) -> set[str]:
    return {_named(path)[0] for path, _ in _flat(calibration.constants)} if calibration else set()


def _named(path: tuple[str, ...]) -> tuple[str, str]:
    """(quantity, level) of a constant that these keys lead to; the level is empty for all cases."""
    if path[0] in ("all", "groups", "engines", "formats"):
        return path[-1], " ".join(path[1:-1])
    return path[0], "" if len(path) == 1 or path[1] == matmul.DEFAULT else path[1]
