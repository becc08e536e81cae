"""The browser's estimator gives the answers of the command line: random questions through Python and through Node."""

from __future__ import annotations

import gzip
import json
import random
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from generator import browser, estimate, options
from generator.catalog import Catalog
from generator.estimators import CannotEstimate
from generator.formulas import library
from generator.problems import show
from generator.question import ALL_TARGETS, METERS, Inference, Question, QuestionError, Training, ask
from tests.conftest import ROOT

FOLDER = "docs/assets/js/estimate"
MODULES = ("estimate.js", "question.js", "tables.js", "formulas.js")
MAX_GZIPPED = 30_000
TOLERANCE = 1e-9
QUESTIONS, NONSENSE = 200, 100
KINDS = {"training": Training, "inference": Inference}
MATRICES = (*ALL_TARGETS, "kv_a_proj_with_mqa", "kv_b_proj", "q_a_proj")

NODE = f"""
  import * as estimator from {json.dumps((ROOT / FOLDER / "estimate.js").as_uri())}
  const {{ data, questions, rankings }} = JSON.parse(await new Response(process.stdin).text())
  const {{ models, cards }} = estimator.unpack(data)
  const attempt = (run) => {{
    try {{
      return run()
    }} catch (error) {{
      return {{ error: error.name, message: error.message, problems: error.problems }}
    }}
  }}
  const cardOf = ({{ card, capacity }}) => capacity ? estimator.capacity(capacity) : card ? cards.get(card) : null
  const answers = questions.map((asked) => attempt(() => {{
    const question = estimator.ask(asked.kind, asked.given, asked)
    const [model, card] = [models.get(asked.model), cardOf(asked)]
    return {{
      assumed: question.assumed,
      memory: attempt(() => estimator.memory(question, model, card)),
      speed: attempt(() => estimator.speed(question, model, card)),
    }}
  }}))
  const ranked = rankings.map(({{ asked, prices }}) => estimator
    .rank(estimator.ask(asked.kind, asked.given, asked), models.get(asked.model), cards.values(), (c) => prices[c])
    .map(({{ card, memory, speed }}) => [card.slug, memory.verdict, memory.need, speed?.value ?? null]))
  const plain = (k, v) => typeof v === "number" && !Number.isFinite(v) ? String(v) : v
  console.log(JSON.stringify({{ answers, ranked }}, plain))
"""


def run_node(data: str, questions: list[dict[str, Any]], rankings: list[dict[str, Any]]) -> dict[str, Any]:
    """The answers of the module to questions and rankings."""
    node = shutil.which("node")
    if node is None:
        pytest.fail("Node.js is needed for this test")
    job = json.dumps({"data": json.loads(data), "questions": questions, "rankings": rankings})
    run = subprocess.run(
        [node, "--input-type=module", "-e", NODE], input=job, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, show(run.stderr)
    return dict(json.loads(run.stdout))


def random_given(rng: random.Random, kind: str) -> dict[str, Any]:
    """Some options of a question, most of them sensible."""
    names, tables = KINDS[kind].choices, options.load()
    given: dict[str, Any] = {name: rng.choice(tables.names(name)) for name in names if rng.random() < 0.4}
    small = (1, 1, 2, 4, 8)
    if kind == "inference":
        some = {
            "prompt": rng.randint(1, 20000), "generated": rng.choice((0, 1, 256, 4096)),
            "batch": rng.choice((1, 2, 7, 64)), "context": rng.choice((0, 8192)), "group_size": rng.choice((-1, 0, 32)),
            "weight_bits": rng.choice((0, 2.55)), "tensor_parallel": rng.choice(small),
        }  # fmt: skip
    else:
        given.setdefault("method", rng.choice(tables.names("method")))
        some = {
            "sequence": rng.randint(1, 20000), "micro_batch": rng.choice((1, 3, 16)), "rank": rng.choice((1, 16, 256)),
            "accumulation": rng.choice((1, 8)), "targets": tuple(rng.sample(MATRICES, rng.randint(1, 6))),
            "trainable": rng.choice((None, 12345678)), "adapter_bytes": rng.choice((2.0, 4.0)),
            "varying_lengths": rng.random() < 0.5, "clears_cache": rng.random() < 0.5,
            "grouped_experts": rng.random() < 0.5, "mean_length": rng.choice((100, 1000)),
            "tensor_parallel": rng.choice(small), "pipeline_parallel": rng.choice(small),
            "context_parallel": rng.choice((1, 1, 1, 2)), "expert_parallel": rng.choice(small),
            "virtual_pipeline": rng.choice((1, 2)),
        }  # fmt: skip
        # Parallel work only asks for GPUs in a few of them.
        for name in ("tensor_parallel", "pipeline_parallel", "context_parallel", "expert_parallel"):
            if rng.random() < 0.7:
                del some[name]
    return {**given, **{name: value for name, value in some.items() if rng.random() < 0.5}}


def random_questions(catalog: Catalog) -> list[tuple[dict[str, Any], Question]]:
    """Questions as Node gets them and as Python does."""
    rng = random.Random("two estimators")
    known = json.loads(browser.data(catalog))
    models, cards = sorted(known["models"]["rows"]), sorted(known["cards"]["rows"])
    found = []
    while len(found) < QUESTIONS:
        kind = rng.choice(list(KINDS))
        given = random_given(rng, kind)
        gpus, meter, model = rng.choice((1, 1, 2, 4, 8, 16)), rng.choice(METERS), rng.choice(models)
        card = rng.choice((None, *[rng.choice(cards)] * 8))
        capacity = rng.choice((None, 24.0)) if card is None else None
        try:
            question = ask(
                KINDS[kind], given, model=catalog.models[model], card=catalog.cards[card] if card else None,
                capacity_gib=capacity, gpus=gpus, meter=meter,
            )  # fmt: skip
        except QuestionError:
            continue
        asked = {"kind": kind, "given": given, "gpus": gpus, "meter": meter, "model": model, "card": card,
                 "capacity": capacity}  # fmt: skip
        found.append((asked, question))
    return found


def near(a: Any, b: Any, scale: float = 0.0) -> bool:
    if a is None or b is None:
        return a is b
    return float(a) == pytest.approx(float(b), rel=TOLERANCE, abs=TOLERANCE * scale, nan_ok=True)


def assert_terms(js: list[list[Any]], python: tuple[estimate.Term, ...], asked: Mapping[str, Any]) -> None:
    theirs, ours = dict(js), {t.name: t.value for t in python}
    scale = max(ours.values(), default=0.0)
    for name in theirs.keys() | ours.keys():
        assert near(theirs.get(name, 0.0), ours.get(name, 0.0), scale), (name, asked)


@pytest.fixture(scope="module")
def data(catalog: Catalog) -> str:
    return browser.data(catalog)


def test_random_questions_have_the_same_answers(catalog: Catalog, data: str) -> None:
    questions = random_questions(catalog)
    answers = run_node(data, [asked for asked, _ in questions], [])["answers"]
    estimated = {"memory": 0, "speed": 0}
    for (asked, question), js in zip(questions, answers, strict=True):
        assert "error" not in js, (js, asked)
        shown = [f"{name} = {' '.join(value) if isinstance(value, list) else value}" for name, value in js["assumed"]]
        assert shown == list(question.assumed), asked
        try:
            memory = estimate.memory(question)
        except CannotEstimate:
            assert js["memory"].get("error") == "CannotEstimate", (js["memory"], asked)
        else:
            estimated["memory"] += 1
            assert "error" not in js["memory"], (js["memory"], asked)
            assert_memory(js["memory"], memory, asked)
        try:
            speed = estimate.speed(question)
        except CannotEstimate:
            assert js["speed"].get("error") == "CannotEstimate", (js["speed"], asked)
        else:
            estimated["speed"] += 1
            assert "error" not in js["speed"], (js["speed"], asked)
            assert_speed(js["speed"], speed, asked)
    # Else the test would say little.
    assert estimated["memory"] > 0.9 * QUESTIONS
    assert estimated["speed"] > 0.6 * QUESTIONS


def assert_memory(js: Mapping[str, Any], memory: estimate.Memory, asked: Mapping[str, Any]) -> None:
    numbers = {
        "value": memory.gib.value, "low": memory.gib.low, "high": memory.gib.high, "allocated": memory.allocated_gib,
        "need": memory.need_gib, "usable": memory.usable_gib,
    }  # fmt: skip
    for name, value in numbers.items():
        assert near(js[name], value), (name, js[name], value, asked)
    for name in METERS:
        assert near(js["numbers"][name], memory.numbers[name]), (name, asked)
    assert js["verdict"] == memory.verdict, asked
    assert js["chance"] == (list(memory.chance) if memory.chance else None), asked
    assert js["moment"] is None if memory.moment is None else estimate.MOMENTS[js["moment"]] == memory.moment, asked
    assert_terms(js["terms"], memory.terms, asked)


def assert_speed(js: Mapping[str, Any], speed: estimate.Speed, asked: Mapping[str, Any]) -> None:
    assert js["perGpu"] == speed.per_gpu
    for name in ("value", "low", "high"):
        assert near(js[name], getattr(speed.tokens_per_s, name)), (name, js[name], speed.tokens_per_s, asked)
    assert js["extra"].keys() == speed.extra.keys()
    for figure, interval in speed.extra.items():
        for name in ("value", "low", "high"):
            assert near(js["extra"][figure][name], getattr(interval, name)), (figure, name, asked)
    assert_terms(js["terms"], speed.terms, asked)


@pytest.mark.parametrize(
    ("kind", "given", "model"),
    [
        ("training", {"method": "qlora", "sequence": 4096}, "qwen2.5-7b"),
        ("inference", {"prompt": 2000, "engine": "vllm", "weights": "awq-int4", "batch": 4}, "llama-3.1-8b"),
    ],
)
def test_a_ranking_has_the_same_answers_in_the_order_of_recommend(
    catalog: Catalog, data: str, kind: str, given: dict[str, Any], model: str
) -> None:
    prices = {slug: 100.0 * (len(slug) % 7) for slug in catalog.cards if len(slug) % 3}
    asked = {"kind": kind, "given": given, "model": model}
    (ranked,) = run_node(data, [], [{"asked": asked, "prices": prices}])["ranked"]
    question = ask(KINDS[kind], given, model=catalog.models[model])
    order = {"fits": 0, "tight": 1, "no": 2}
    expected = []
    for slug, card in catalog.cards.items():
        here = replace(question, card=card)
        memory = estimate.memory(here)
        try:
            speed = estimate.speed(here).tokens_per_s.value if memory.verdict != "no" else None
        except CannotEstimate:
            speed = None
        assert memory.verdict is not None
        key = (order[memory.verdict], slug not in prices, prices.get(slug, 0.0), slug)
        expected.append((key, [slug, memory.verdict, memory.need_gib, speed]))
    expected.sort(key=lambda item: item[0])
    assert [row[:2] for row in ranked] == [row[:2] for _, row in expected]
    for js, (_, python) in zip(ranked, expected, strict=True):
        assert near(js[2], python[2]) and near(js[3], python[3]), (js, python)


def test_nonsense_is_refused_by_both_for_the_same_options(data: str) -> None:
    rng = random.Random("nonsense")
    jobs = []
    while len(jobs) < NONSENSE:
        kind = rng.choice(list(KINDS))
        given, gpus = random_given(rng, kind), rng.choice((1, 1, 2, 6, 0, 10**6))
        for name in rng.sample(sorted(given), k=min(2, len(given))):
            if name in KINDS[kind].choices:
                given[name] = rng.choice((given[name], "sdap", "<script>", "constructor", "__proto__"))
            elif name in KINDS[kind].limits and name != "adapter_bytes":
                given[name] = rng.choice((-2, 10**9, 0))
        try:
            ask(KINDS[kind], given, model=None, gpus=gpus)  # type: ignore[arg-type]
        except QuestionError as error:
            wrong = sorted(line.split(":")[0] for line in str(error).splitlines())
            jobs.append(({"kind": kind, "given": given, "gpus": gpus}, wrong))
    for (asked, wrong), js in zip(jobs, run_node(data, [job for job, _ in jobs], [])["answers"], strict=True):
        assert js.get("error") == "QuestionError", (js, asked)
        assert sorted(problem["option"] for problem in js["problems"]) == wrong, (js, asked)


def test_the_tables_are_current() -> None:
    for path, text in browser.files(library.PROGRAMS):
        assert (ROOT / path).read_text(encoding="utf-8") == text, f"{path}: run `python -m generator formulas`"


def test_the_module_is_small() -> None:
    """Each file compressed by itself, as a server sends it."""
    sizes = {name: len(gzip.compress((ROOT / FOLDER / name).read_bytes(), 9)) for name in MODULES}
    assert sum(sizes.values()) < MAX_GZIPPED, sizes
