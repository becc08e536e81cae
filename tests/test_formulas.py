"""The lowerings agree: NumPy, JavaScript in Node, the MathML that is shown and SymPy itself, to 1e-12."""

from __future__ import annotations

import json
import math
import random
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import sympy

from generator.formulas import book, library, lower, lowered, mathml
from generator.formulas.algebra import Program, when
from generator.problems import show

ROOT = Path(__file__).parent.parent
TOLERANCE = 1e-12
SAMPLES = 40


def random_inputs(program: Program, seed: int) -> dict[str, float]:
    """One set of inputs: switches (0 or 1), small counts, and numbers over twelve orders of magnitude."""
    rng = random.Random(f"{program.name}{seed}")
    values: dict[str, float] = {}
    for quantity in program.inputs:
        kind = rng.randrange(4)
        values[quantity.name] = (
            float(rng.randrange(2))
            if quantity.sign.startswith("x_")
            else float(rng.randint(1, 64))
            if kind == 1
            else 10 ** rng.uniform(-3, 9)
        )
    return values


def magnitude(expression: sympy.Expr) -> sympy.Expr:
    """The expression with every difference turned into a sum: the scale that rounding errors follow."""
    if isinstance(expression, sympy.Add):
        return sympy.Add(*(sympy.Abs(magnitude(a)) for a in expression.args))
    if isinstance(expression, sympy.Mul):
        return sympy.Mul(*(magnitude(a) for a in expression.args))
    return expression


@pytest.fixture(scope="module")
def in_node() -> dict[str, list[dict[str, float]]]:
    """Every program evaluated by Node on all random inputs."""
    node = shutil.which("node")
    if node is None:
        pytest.fail("Node.js is needed for this test")
    jobs = {p.name: [random_inputs(p, seed) for seed in range(SAMPLES)] for p in library.PROGRAMS}
    code = f"""
      import * as f from {json.dumps((ROOT / lower.JAVASCRIPT_PATH).as_uri())};
      const jobs = JSON.parse(await new Response(process.stdin).text());
      const plain = (k, v) => v === Infinity ? "Infinity" : v === -Infinity ? "-Infinity" : Number.isNaN(v) ? "NaN" : v;
      console.log(JSON.stringify(
        Object.fromEntries(Object.entries(jobs).map(([n, xs]) => [n, xs.map((x) => f[n](x))])), plain));
    """
    run = subprocess.run(
        [node, "--input-type=module", "-e", code], input=json.dumps(jobs), capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, show(run.stderr)
    out = json.loads(run.stdout)
    return {n: [{k: float(v) for k, v in row.items()} for row in rows] for n, rows in out.items()}


def close(a: float, b: float, scale: float) -> bool:
    if math.isnan(a) or math.isnan(b) or math.isinf(a) or math.isinf(b):
        return a == b or (math.isnan(a) and math.isnan(b))
    return abs(a - b) <= TOLERANCE * max(abs(a), abs(b), scale)


@pytest.mark.parametrize("program", library.PROGRAMS, ids=lambda p: p.name)
def test_all_lowerings_agree_with_sympy(program: Program, in_node: dict[str, list[dict[str, float]]]) -> None:
    compute = getattr(lowered, program.name)
    shown = {f.gives: f.mathml for f in book.program(program.name).formulas}
    for seed in range(SAMPLES):
        given = random_inputs(program, seed)
        with np.errstate(all="ignore"):
            result = {k: float(v) for k, v in compute({k: np.float64(v) for k, v in given.items()}).items()}
        known = dict(given)
        for formula in program.formulas:
            name = formula.gives.name
            # Only the symbols of this formula: SymPy sorts what it substitutes, which takes longer than the arithmetic.
            needed = {s: known[s.name] for s in formula.equals.free_symbols}
            if all(math.isfinite(v) for v in needed.values()):
                subs = {s: sympy.Float(v, 30) for s, v in needed.items()}
                exact = float(formula.equals.subs(subs).evalf(30))
                scale = abs(float(magnitude(formula.equals).subs(subs).evalf(30)))
                scale = scale if math.isfinite(scale) else 0.0
                assert close(result[name], exact, scale), (program.name, name, given)
                assert close(mathml.value(shown[name], known), exact, scale), (program.name, name, given)
                # In a chain a rounding error is carried on, so JavaScript is compared with the same scale.
                assert close(in_node[program.name][seed][name], result[name], scale), (program.name, name, given)
            known[name] = result[name]


@pytest.mark.parametrize("program", library.PROGRAMS, ids=lambda p: p.name)
def test_programs_broadcast(program: Program) -> None:
    """Arrays in, arrays out: a column of values against a row gives a matrix of single answers."""
    rows = [random_inputs(program, seed) for seed in range(3)]
    compute = getattr(lowered, program.name)
    first = program.inputs[0].name
    column = {k: np.array([r[k] for r in rows])[:, None] for k in rows[0]}
    column[first] = np.array([[1.0, 2.0, 3.0, 4.0]])
    with np.errstate(all="ignore"):
        table = compute(column)
        for i, row in enumerate(rows):
            for j in range(4):
                single = compute({**row, first: float(j + 1)})
                for name, value in single.items():
                    whole = np.broadcast_to(np.asarray(table[name], dtype=float), (3, 4))[i, j]
                    assert whole == pytest.approx(float(value), rel=1e-12, nan_ok=True), name


def test_generated_files_are_current() -> None:
    for path, text in lower.files(library.PROGRAMS):
        assert (ROOT / path).read_text(encoding="utf-8") == text, f"{path}: run `python -m generator formulas`"


@pytest.mark.parametrize("program", library.PROGRAMS, ids=lambda p: p.name)
def test_every_quantity_is_explained_and_used(program: Program) -> None:
    assert list(program.unused()) == []
    for quantity in program.quantities.values():
        assert quantity.sign and quantity.meaning, quantity.name


def test_mathml_is_well_formed_and_has_a_slot_for_every_symbol() -> None:
    import xml.etree.ElementTree as ET

    for name, program in json.loads((ROOT / lower.BOOK_PATH).read_text(encoding="utf-8")).items():
        for formula in program["formulas"]:
            tree = ET.fromstring(formula["mathml"])
            slots = re.findall(r"⟦(\w+)⟧", formula["mathml"])
            assert slots == [slot[1:-1] for node in tree.iter("mi") for slot in [node.text or ""] if "⟦" in slot], name
            assert set(slots) <= set(program["quantities"])
            assert "piecewise" not in formula["mathml"]


def test_a_program_refuses_what_it_does_not_know() -> None:
    program = Program("toy", "toy")
    a = program.given("a", "a", "", "a")
    with pytest.raises(ValueError, match="defined twice"):
        program.given("a", "a", "", "again")
    with pytest.raises(ValueError, match="unknown symbols b"):
        program.let("c", "c", "", "c", a + sympy.Symbol("b", real=True))
    with pytest.raises(ValueError, match="cannot be the name"):
        program.given("lambda", "l", "", "a keyword")
    program.let("d", "d", "", "d", when(a > 0, 1, 2))
    assert [q.name for q in program.inputs] == ["a"]
