"""What a formula is: named quantities with units, equations between them, programs of equations."""

from __future__ import annotations

import keyword
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import sympy

from generator.formulas.book import Part, Quantity

__all__ = ["Formula", "Part", "Program", "Quantity", "symbol", "when"]

# JavaScript keeps a few more words for itself than Python.
_RESERVED = {"new", "var", "let", "const", "function", "this", "delete", "default", "switch", "case", "x", "numpy"}


@dataclass(frozen=True)
class Formula:
    """One equation: ``gives`` = ``equals``.

    ``sources`` are ids of the bibliography, ``holds`` an English interface string that says when the
    formula is true, ``term`` marks what is shown as a row of a breakdown, ``part`` is the key of its part.
    """

    gives: Quantity
    equals: sympy.Expr
    sources: tuple[str, ...]
    holds: str
    term: bool
    part: str


@dataclass
class Program:
    """Formulas in the order in which they are computed; each may use what stands before it.

    >>> p = Program("example", "An example")
    >>> a = p.given("width", "w", "m", "width of the field")
    >>> p.let("area", "A", "m²", "area of a square field", a * a)
    area
    >>> [q.name for q in p.inputs]
    ['width']
    """

    name: str
    title: str
    formulas: list[Formula] = field(default_factory=list)
    quantities: dict[str, Quantity] = field(default_factory=dict)
    parts: list[Part] = field(default_factory=list)

    def part(self, key: str, title: str, about: str = "") -> None:
        """Begin a part: all formulas up to the next one belong to it. Raises ValueError for a key that is taken."""
        if any(part.key == key for part in self.parts):
            raise ValueError(f"{self.name}: the part '{key}' is begun twice")
        self.parts.append(Part(key, title, about))

    def given(self, name: str, sign: str, unit: str, meaning: str) -> sympy.Symbol:
        """Declare an input; returns its symbol. Raises ValueError for a name that is taken or reserved."""
        return self._declare(Quantity(name, sign, unit, meaning))

    def use(self, quantities: Iterable[Quantity]) -> list[sympy.Symbol]:
        """Declare inputs that another module defines, for example the shape of a model; returns their symbols."""
        return [self._declare(quantity) for quantity in quantities]

    def let(
        self,
        name: str,
        sign: str,
        unit: str,
        meaning: str,
        equals: sympy.Expr | float,
        sources: tuple[str, ...] = (),
        holds: str = "",
        term: bool = False,
    ) -> sympy.Symbol:
        """Append the formula ``name = equals``; returns the symbol of its result.

        Raises ValueError when ``equals`` uses a symbol that this program does not know yet.
        """
        expression = sympy.sympify(equals)
        unknown = sorted(str(s) for s in expression.free_symbols if str(s) not in self.quantities)
        if unknown:
            raise ValueError(f"{self.name}.{name}: unknown symbols {', '.join(unknown)}")
        quantity = Quantity(name, sign, unit, meaning)
        symbol = self._declare(quantity)
        part = self.parts[-1].key if self.parts else ""
        self.formulas.append(Formula(quantity, expression, sources, holds, term, part))
        return symbol

    def _declare(self, quantity: Quantity) -> sympy.Symbol:
        name = quantity.name
        if not name.isidentifier() or keyword.iskeyword(name) or name in _RESERVED:
            raise ValueError(f"{self.name}: '{name}' cannot be the name of a quantity")
        if name in self.quantities:
            raise ValueError(f"{self.name}: '{name}' is defined twice")
        self.quantities[name] = quantity
        return symbol(quantity)

    @property
    def inputs(self) -> list[Quantity]:
        """The quantities that must be given, in the order of their declaration."""
        computed = {formula.gives.name for formula in self.formulas}
        return [q for q in self.quantities.values() if q.name not in computed]

    def unused(self) -> Iterator[str]:
        """Names of inputs that no formula uses: a mistake in a definition."""
        used = {str(s) for formula in self.formulas for s in formula.equals.free_symbols}
        return (q.name for q in self.inputs if q.name not in used)


def symbol(quantity: Quantity) -> sympy.Symbol:
    """The SymPy symbol of a quantity: real, nothing more, so that no branch is simplified away."""
    return sympy.Symbol(quantity.name, real=True)


def when(condition: sympy.Basic, then: sympy.Expr | float, otherwise: sympy.Expr | float) -> sympy.Expr:
    """``then`` where ``condition`` holds, else ``otherwise``."""
    return sympy.Piecewise((then, condition), (otherwise, True))
