"""The pages that explain the formulas: what is shown is complete, well-formed, and worth what the estimator says."""

from __future__ import annotations

import io
import json
import re
import xml.etree.ElementTree as ET
from contextlib import redirect_stdout

import pytest

from generator import __main__ as command_line
from generator import calibration, examples, i18n, options
from generator.catalog import Catalog
from generator.formulas import book, mathml
from generator.formulas.algebra import Program
from generator.render import Page, Site
from generator.views.formulas import Explained, readable
from generator.views.readable import exact
from generator.views.topics import TOPICS
from tests.conftest import TODAY

PROGRAMS = [topic.program for topic in TOPICS]
MATH = re.compile(r"<math[ >].*?</math>", re.DOTALL)


@pytest.fixture(scope="module")
def pages(catalog: Catalog) -> dict[str, dict[str, Page]]:
    return {lang: {p.path: p for p in Site(catalog, lang, TODAY).formula_pages()} for lang in ("en", "zh")}


@pytest.fixture(scope="module")
def explained(catalog: Catalog) -> dict[str, Explained]:
    return {page.topic.program: page for page in Site(catalog, "en", TODAY).explained_programs()}


def words(text: str) -> str:
    return {"if": "wenn", "otherwise": "sonst", "and": "und"}[text]


def leaves(node: ET.Element) -> list[str]:
    return [n.text for n in node.iter() if n.text]


def computed(node: ET.Element) -> float:
    """What a tree with numbers in it is worth, read as a reader would."""
    for leaf in node.iter():
        if leaf.tag == "mn":
            leaf.text = (leaf.text or "").replace(",", "")
        elif leaf.tag == "mo" and leaf.text in ("⋅", "×"):
            leaf.text = mathml.TIMES
    return mathml.value(mathml.text(node), {})


# --- MathML


@pytest.mark.parametrize(
    ("sign", "expected"),
    [
        ("h", "<mi>h</mi>"),
        ("n_kv", "<msub><mi>n</mi><mi>kv</mi></msub>"),
        ("L_0", "<msub><mi>L</mi><mn>0</mn></msub>"),
        ("w_in*", "<msubsup><mi>w</mi><mi>in</mi><mo>∗</mo></msubsup>"),
        ("β*", "<msup><mi>β</mi><mo>∗</mo></msup>"),
        ("p_+", "<msub><mi>p</mi><mo>+</mo></msub>"),
    ],
)
def test_a_sign_has_its_index_and_its_mark(sign: str, expected: str) -> None:
    assert mathml.text(mathml.sign(sign)) == expected


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0, "0"), (2048, "2,048"), (152064, "152,064"), (0.31168, "0.3117"), (4.127, "4.127"), (-3, "−3"),
     (7615616512, "7.616×109"), (1.5e-7, "1.5×10−7"), (float("inf"), "∞")],
)  # fmt: skip
def test_a_number_is_written_as_people_write_it(value: float, shown: str) -> None:
    assert "".join(leaves(mathml.figure(value))) == shown


def test_a_slot_without_a_sign_or_a_value_is_refused() -> None:
    with pytest.raises(mathml.MathError, match="no sign for 'a'"):
        mathml.with_signs("<mi>⟦a⟧</mi>", {}, words)
    with pytest.raises(mathml.MathError, match="no value for 'a'"):
        mathml.with_numbers("<mi>⟦a⟧</mi>", {})
    with pytest.raises(mathml.MathError, match="not well-formed"):
        mathml.value("<mi>", {})
    with pytest.raises(mathml.MathError, match="cannot be computed"):
        mathml.value("<mtext>a</mtext>", {})


CASES = (
    "<mrow><mi>⟦k⟧</mi><mo>\u2062</mo><mrow><mo>{</mo><mtable><mtr><mtd><mrow><mi>⟦a⟧</mi><mo>+</mo><mn>1</mn></mrow>"
    "</mtd><mtd><mtext>if</mtext><mrow><mrow><mi>⟦a⟧</mi><mo>></mo><mn>0</mn></mrow><mtext>and</mtext>"
    "<mrow><mi>⟦k⟧</mi><mo>≥</mo><mn>2</mn></mrow></mrow></mtd></mtr><mtr><mtd><mn>7</mn></mtd>"
    "<mtd><mtext>otherwise</mtext></mtd></mtr></mtable></mrow></mrow>"
)


def test_of_several_cases_the_one_that_holds_is_shown_and_bracketed() -> None:
    shown = mathml.with_numbers(CASES, {"a": 4.0, "k": 3.0})
    assert "".join(leaves(shown)) == "3⋅(4+1)"
    assert mathml.value(CASES, {"a": 4.0, "k": 3.0}) == 15
    assert "".join(leaves(mathml.with_numbers(CASES, {"a": 4.0, "k": 1.0}))) == "1⋅7"
    assert mathml.value(CASES, {"a": 4.0, "k": 1.0}) == 7


def test_words_speak_the_language_of_the_page() -> None:
    shown = "".join(leaves(mathml.with_signs(CASES, {"a": "a", "k": "k"}, words)))
    assert shown.replace("\u00a0", " ") == "k\u2062{a+1 wenn a>0 und k≥27 sonst "


def test_long_formulas_break_and_lose_nothing() -> None:
    broke = 0
    for program in book.programs().values():
        signs = {q.name: q.sign for q in program.quantities.values()}
        for formula in program.formulas:
            whole = mathml.with_signs(formula.mathml, signs, str)
            before = leaves(whole)
            lines = mathml.broken(whole)
            assert [leaf for line in lines for leaf in leaves(line)] == before, formula.gives
            broke += len(lines) > 1
    assert broke > 5


@pytest.mark.parametrize("name", PROGRAMS)
def test_numbers_in_the_example_give_the_result_that_is_shown(name: str, explained: dict[str, Explained]) -> None:
    """Four digits are shown, so only where nothing is subtracted does the arithmetic of what is shown come out."""
    numbers, checked = explained[name].example.numbers, 0
    for formula in book.program(name).formulas:
        assert mathml.value(formula.mathml, numbers) == pytest.approx(numbers[formula.gives], rel=1e-9), formula.gives
        filled = mathml.with_numbers(formula.mathml, numbers)
        assert "⟦" not in mathml.text(filled), formula.gives
        if mathml.MINUS not in leaves(filled) and not {"⌈", "⌊"} & set(leaves(filled)):
            assert computed(filled) == pytest.approx(numbers[formula.gives], rel=5e-3), formula.gives
            checked += 1
    assert checked > 5


# --- parts


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_formula_belongs_to_a_part(name: str) -> None:
    program = book.program(name)
    keys = [part.key for part in program.parts]
    assert len(set(keys)) == len(keys)
    assert [f.part for f in program.formulas] == sorted((f.part for f in program.formulas), key=keys.index)
    assert set(keys) == {f.part for f in program.formulas}


def test_a_part_cannot_begin_twice() -> None:
    program = Program("toy", "toy")
    program.part("one", "One")
    with pytest.raises(ValueError, match="'one' is begun twice"):
        program.part("one", "One")


# --- examples


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_command_of_an_example_gives_its_numbers(name: str, explained: dict[str, Explained]) -> None:
    example = explained[name].example
    out = io.StringIO()
    with redirect_stdout(out):
        assert command_line.main(["estimate", *example.arguments.split(), "--json"]) == 0
    found = json.loads(out.getvalue())
    assert example.memory is not None
    assert found["memory"]["value"] == pytest.approx(example.memory.gib.value)
    if name.endswith("_speed"):
        assert example.speed is not None
        assert found["speed"]["value"] == pytest.approx(example.speed.tokens_per_s.value)
    if name == "cost":
        assert example.cost is not None
        assert found["cost"]["rent_cost"] == pytest.approx(example.cost.rent_cost)
        assert found["cost"]["hours"]["value"] == pytest.approx(example.numbers["hours"])


def test_an_example_is_what_its_sentence_says(explained: dict[str, Explained]) -> None:
    for page in explained.values():
        question = page.example.question
        assert question.model.name in page.topic.job
        assert question.card is not None
        assert question.card.gpu.name.removeprefix("GeForce ").removesuffix(" 12GB") in page.topic.job


@pytest.mark.parametrize("name", [n for n in PROGRAMS if n != "cost"])
def test_the_rows_of_a_breakdown_add_up(name: str, explained: dict[str, Explained]) -> None:
    for found in explained[name].breakdowns:
        total = float(found.total.replace(",", ""))
        assert sum(float(row.value.replace(",", "")) for row in found.rows) == pytest.approx(total, rel=0.02)
        assert max(row.share for row in found.rows) == 100


def test_the_job_of_the_speed_fits(explained: dict[str, Explained]) -> None:
    """Nobody wants to know how fast a job runs that does not."""
    for name in ("train_speed", "inference_speed", "cost"):
        memory = explained[name].example.memory
        assert memory is not None
        assert memory.verdict == "fits"


# --- pages


def test_there_is_a_page_for_every_program(pages: dict[str, dict[str, Page]]) -> None:
    assert [topic.program for topic in TOPICS] == list(book.programs()) == list(examples.ARGUMENTS)
    assert list(pages["en"]) == list(pages["zh"]) == [f"formulas/{topic.slug}.md" for topic in TOPICS]


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("topic", TOPICS, ids=lambda t: t.slug)
def test_a_page_shows_everything(lang: str, topic: object, pages: dict[str, dict[str, Page]]) -> None:
    text = pages[lang][f"formulas/{topic.slug}.md"].text  # type: ignore[attr-defined]
    program = book.program(topic.program)  # type: ignore[attr-defined]
    ids = re.findall(r'\bid="([^"]+)"', text) + re.findall(r"^#+ .*\{#([\w-]+)\}$", text, re.M)
    assert len(set(ids)) == len(ids)
    assert {f"f-{f.gives}" for f in program.formulas} <= set(ids)
    assert {part.key for part in program.parts} <= set(ids)
    assert set(re.findall(r'href="#([^"]+)"', text)) <= set(ids)
    shown = MATH.findall(text)
    assert len(shown) >= len(program.formulas)
    for math in shown:
        ET.fromstring(math)
        assert "⟦" not in math
    _ = i18n.language(lang).text
    for formula in program.formulas:
        for sentence in (program.quantities[formula.gives].meaning, formula.holds):
            assert not sentence or _(sentence).replace("'", "&#39;").replace("<", "&lt;") in text


@pytest.mark.parametrize("topic", TOPICS, ids=lambda t: t.slug)
def test_chinese_pages_speak_chinese(topic: object, pages: dict[str, dict[str, Page]]) -> None:
    text = pages["zh"][f"formulas/{topic.slug}.md"].text  # type: ignore[attr-defined]
    for pattern in (r"<code>.*?</code>", r"<li id=\"source.*?</li>", r"<[^>]+>", r"^---.*?^---"):
        text = re.sub(pattern, " ", text, flags=re.DOTALL | re.MULTILINE)
    assert re.findall(r"\b[a-z]{3,} [a-z]{2,} [a-z]{3,}\b", text) == []


def test_every_constant_that_was_fitted_is_listed(explained: dict[str, Explained]) -> None:
    for name, page in explained.items():
        listed = {constant.name for constant in page.constants}
        marked = {q.name for q in page.program.inputs if page.origin(q.name).kind == "fitted"}
        assert listed == marked, name
        assert bool(listed) == bool(page.topic.fitted) == bool(page.rows) == bool(page.bands), name
        for constant in page.constants:
            assert constant.value, constant.name


def test_the_span_of_a_constant_holds_the_fits_without_one_source(explained: dict[str, Explained]) -> None:
    fitted = calibration.load("training-memory")
    found = {c.name: c for c in explained["training_memory"].constants}
    values = [family["constants"]["fragment_saved"] for family in fitted.without.values()]
    low, high = (float(v) for v in found["fragment_saved"].span.split(" – "))
    assert (low, high) == (pytest.approx(min(values), rel=5e-3), pytest.approx(max(values), rel=5e-3))
    assert found["reserve_base"].unit == "GiB"


def test_options_show_their_constants_and_mark_the_choice(explained: dict[str, Explained]) -> None:
    page = explained["training_memory"]
    tables = {table.name: table for table in page.tables}
    assert [c.name for c in tables["method"].choices if c.chosen] == ["qlora"]
    assert [c.name for c in tables["weights"].choices if c.chosen] == ["nf4-dq"]
    for table in page.tables:
        known = options.load().tables[table.name]
        assert [c.name for c in table.choices] == list(known.options)
        for choice in table.choices:
            values = [known.options[choice.name].numbers[s.name] for s in table.symbols]
            assert list(choice.values) == [exact(v) for v in values]
            assert choice.basis


def test_every_input_has_an_origin(explained: dict[str, Explained]) -> None:
    page = explained["training_memory"]
    kinds = {name: page.origin(name).kind for name in ("sequence", "hidden", "full", "nccl_bytes", "sms", "resident")}
    assert kinds == {
        "sequence": "question", "hidden": "model", "full": "option", "nccl_bytes": "fitted", "sms": "card",
        "resident": "formula",
    }  # fmt: skip
    assert page.origin("workspace_bytes").kind == "constant"
    assert explained["train_speed"].origin("attained_16").kind == "measured"
    assert explained["cost"].origin("card_price").kind == "price"


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (2**31, "bytes", (2.0, "GiB")),
        (2**20, "bytes", (1.0, "MiB")),
        (100, "bytes", None),
        (3e-6, "s/token", (3.0, "µs/token")),
        (1.5, "s", None),
        (0.02, "s", (20.0, "ms")),
        (9e11, "bytes/s", (900.0, "GB/s")),
        (7.0, "", None),
    ],
)
def test_units_that_people_read(value: float, unit: str, expected: tuple[float, str] | None) -> None:
    found = readable(value, unit)
    assert found == (None if expected is None else (pytest.approx(expected[0]), expected[1]))
