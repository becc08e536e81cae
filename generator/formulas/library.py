"""All programs, in the order in which the guide explains them. Needs SymPy; everything else uses ``lowered``."""

from __future__ import annotations

from generator.formulas.algebra import Program
from generator.formulas.cost import COST

PROGRAMS: tuple[Program, ...] = (COST,)
