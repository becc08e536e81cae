"""Questions, answers, costs, ranking and the inverse question; and their command line."""

from __future__ import annotations

import csv
import json
import math
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generator import accuracy, calibration, catalog, costs, estimate, grid, options, published, recommend
from generator.__main__ import main
from generator.formulas import book
from generator.question import Inference, Question, QuestionError, Training, ask, check

ROOT = Path(__file__).parent.parent


@cache
def known() -> catalog.Catalog:
    return catalog.load(ROOT)


def question(model: str = "qwen2.5-7b", card: str | None = "rtx-4090", gpus: int = 1, **work: Any) -> Question:
    work.setdefault("method", "qlora")
    return ask(Training, work, model=known().models[model], card=known().cards[card] if card else None, gpus=gpus)


# --- questions


def test_blanks_take_defaults_and_are_listed() -> None:
    found = question()
    assert isinstance(found.work, Training)
    assert (found.work.weights, found.work.preparation) == ("nf4-dq", "kbit")
    assert "sequence = 2048" in found.assumed
    assert not any(text.startswith("method") for text in found.assumed)


@pytest.mark.parametrize(
    ("work", "gpus", "said"),
    [
        ({"sequence": -1}, 1, "sequence: -1 is out of range"),
        ({"micro_batch": 0}, 1, "micro_batch: 0 is out of range"),
        ({"optimizer": "adamv"}, 1, "did you mean 'adamw'"),
        ({"sharding": "ddp"}, 1, "needs more than 1 GPU"),
        ({}, 2, "2 GPUs need a way to share the work"),
        ({"sharding": "fsdp", "tensor_parallel": 3}, 8, "cannot be split"),
        ({"sequnce": 1}, 1, "did you mean 'sequence'"),
        ({}, 0, "gpus: 0 is no number of GPUs"),
    ],
)
def test_nonsense_gets_one_line_a_problem(work: dict[str, Any], gpus: int, said: str) -> None:
    with pytest.raises(QuestionError) as error:
        question(gpus=gpus, **work)
    assert said in str(error.value)


def test_all_problems_are_said_at_once() -> None:
    with pytest.raises(QuestionError) as error:
        question(sequence=0, micro_batch=0, loss="none")
    assert len(str(error.value).splitlines()) == 3


@given(st.fixed_dictionaries({}, optional={
    "sequence": st.integers() | st.none() | st.text(max_size=3), "micro_batch": st.integers(-5, 5),
    "tensor_parallel": st.integers(-2, 9), "pipeline_parallel": st.integers(-2, 9), "rank": st.integers(-2, 9),
    "sharding": st.sampled_from(["none", "fsdp", "zero3", "x"]), "weights": st.text(max_size=5),
}), st.integers(-2, 16))  # fmt: skip
@settings(max_examples=200, deadline=None)
def test_any_question_is_either_answered_or_refused(work: dict[str, Any], gpus: int) -> None:
    try:
        asked = question(gpus=gpus, **work)
    except QuestionError as error:
        assert str(error)
        return
    assert check(asked.work, gpus) == []
    answer = estimate.answer(asked, known())
    assert answer.memory is not None or answer.reasons
    if answer.memory is not None:
        assert math.isfinite(answer.memory.gib.value) and answer.memory.gib.value > 0


# --- option tables


def test_every_table_gives_all_its_options_the_same_quantities() -> None:
    tables = options.load().tables
    assert {"method", "optimizer", "weights", "engine", "sharding"} <= set(tables)
    for table in tables.values():
        for option in table.options.values():
            assert option.basis


def test_an_unknown_option_is_named_with_its_neighbours() -> None:
    with pytest.raises(KeyError, match="did you mean 'adamw'"):
        options.load().numbers("optimizer", "adamv")


# --- answers


def test_an_answer_has_verdict_terms_changes_and_band() -> None:
    answer = estimate.answer(question(card="rtx-3060-12gb"), known())
    memory = answer.memory
    assert memory is not None and memory.usable_gib is not None
    assert memory.verdict == "no" and memory.chance is not None
    assert sum(t.value for t in memory.terms) == pytest.approx(memory.allocated_gib)
    assert memory.gib.low <= memory.gib.value <= memory.gib.high
    best = answer.changes[0]
    assert (best.option, best.after, best.verdict) == ("loss", "linear", "fits")
    assert best.gib == min(change.gib for change in answer.changes)
    assert answer.speed is not None and answer.speed.per_gpu


def test_a_change_that_is_promised_is_what_the_changed_question_gives() -> None:
    asked = question(card="rtx-4090", checkpointing="none", sequence=4096)
    answer = estimate.answer(asked, known())
    assert answer.memory is not None
    change = next(c for c in answer.changes if c.option == "checkpointing")
    changed = estimate.memory(question(card="rtx-4090", checkpointing="full", sequence=4096))
    assert answer.memory.need_gib + change.gib == pytest.approx(changed.need_gib)


def test_gates_stand_beside_the_verdict() -> None:
    keys = {gate.key for gate in estimate.answer(question(card="rtx-2080-ti", attention="flash"), known()).gates}
    assert {"bf16", "flash_attention_2"} <= keys
    assert estimate.answer(question(card="rtx-4090", attention="flash"), known()).gates == ()


def test_what_cannot_be_estimated_has_a_reason() -> None:
    answer = estimate.answer(question(model="resnet-50"), known())
    assert answer.memory is None and answer.speed is None
    assert "only decoders" in answer.reasons[0]


def test_every_term_of_every_breakdown_is_explained() -> None:
    for program in book.programs().values():
        for formula in program.formulas:
            assert program.quantities[formula.gives].meaning


def test_calibrations_are_complete() -> None:
    for name in ("training-memory", "inference-memory", "train-speed"):
        fitted = calibration.load(name)
        assert fitted.constants and fitted.bands and fitted.without
        assert all(low <= 1 <= high for low, high in fitted.bands.values())
        family = next(iter(fitted.without))
        assert fitted.excluding(family) is not fitted
        assert fitted.excluding("nobody") is fitted


# --- cost


def test_cost_is_arithmetic() -> None:
    answer = estimate.answer(question(), known())
    assert answer.speed is not None
    wish = costs.Wishes(
        tokens=3600 * answer.speed.tokens_per_s.value * 10, rent=0.5, price=1000, kwh_price=0.2, resale=0.4
    )
    money = costs.cost(answer, known(), wish)
    assert money is not None
    tdp = known().cards["rtx-4090"].gpu.power.tdp_w or 0
    assert money.hours.value == pytest.approx(10)
    assert money.hours.low < 10 < money.hours.high
    assert money.rent_cost == pytest.approx(5)
    assert money.energy_kwh.value == pytest.approx(tdp * 10 / 1000)
    assert money.electricity_cost == pytest.approx(tdp / 100 * 0.2)
    assert money.ownership_cost == pytest.approx(600)
    assert money.break_even_hours == pytest.approx(600 / (0.5 - tdp / 1000 * 0.2))


def test_renting_below_the_price_of_electricity_never_pays_off() -> None:
    answer = estimate.answer(question(), known())
    money = costs.cost(answer, known(), costs.Wishes(tokens=1e6, rent=0.01, price=1000, kwh_price=1))
    assert money is not None and money.break_even_hours is None
    assert costs.cost(answer, known(), costs.Wishes()) is None


# --- ranking and grids


def test_a_ranking_is_sorted_and_within_budget() -> None:
    found = recommend.rank(question(card=None), known(), budget=1500)
    order = [("fits", "tight").index(c.memory.verdict or "") for c in found.choices]
    assert order == sorted(order)
    assert all(c.purchase is not None and c.purchase.price <= 1500 for c in found.choices)
    assert found.too_small > 10
    assert found.cheapest is not None and found.fastest is not None and found.cheapest.memory.verdict == "fits"


def test_the_grid_agrees_with_single_questions() -> None:
    cards = [known().cards[s] for s in ("gtx-1080-ti", "rtx-3060-12gb", "t4", "h100-sxm5-80gb")]
    models = [known().models[m] for m in ("qwen2.5-0.5b", "llama-3.1-8b", "mixtral-8x7b")]
    lengths = (512, 4096, 32768)
    for method in ("full", "lora", "qlora"):
        table = grid.training(models, lengths, cards, method)
        for i, model in enumerate(models):
            for j, length in enumerate(lengths):
                for k, card in enumerate(cards):
                    one = estimate.memory(question(model.slug, card.gpu.slug, method=method, sequence=length))
                    assert table.need[i, j, k] / estimate.GIB == pytest.approx(one.need_gib)
                    assert ("fits", "tight", "no")[table.verdicts[i, j, k]] == one.verdict


def test_longest_is_the_last_length_that_is_not_refused() -> None:
    table = grid.training([known().models["qwen2.5-7b"]], recommend.LENGTHS, [known().cards["rtx-4090"]], "qlora")
    longest = int(table.longest()[0, 0])
    index = recommend.LENGTHS.index(longest)
    assert table.verdicts[0, index, 0] < 2 <= table.verdicts[0, index + 1, 0]
    assert bool(np.all(np.diff(table.verdicts[0, :, 0]) >= 0))


def test_the_inverse_question_names_models_that_really_fit() -> None:
    card = known().cards["rtx-3060-12gb"]
    found = recommend.possible(card, known(), ["qlora", "run"])
    first = recommend.largest([p for p in found if p.method == "qlora"], 1024)
    assert first is not None
    asked = question(first.model.slug, "rtx-3060-12gb", sequence=first.longest)
    assert estimate.memory(asked).verdict in ("fits", "tight")
    assert any(p.method == "run" for p in found)


# --- the command line


def test_estimate_prints_an_answer(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["estimate", "--model", "Qwen2.5-7B", "--method", "qlora", "--seq", "2048", "--batch", "1",
                 "--gpu", "rtx-3060-12gb", "--tokens", "50e6", "--kwh-price", "0.3"]) == 0  # fmt: skip
    out = capsys.readouterr().out
    for part in (
        "GeForce RTX 3060 12GB",
        "does not fit",
        "What would help most",
        "Assumed:",
        "Nearest measured run",
        "kWh",
    ):
        assert part in out


def test_estimate_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["estimate", "--model", "llama-3.1-8b", "--method", "full", "--gpu", "h100-sxm5-80gb", "--gpus", "8",
                 "--seq", "4096", "--json"]) == 0  # fmt: skip
    data = json.loads(capsys.readouterr().out)
    assert data["gpus"] == 8 and data["memory"]["verdict"] == "fits"
    assert sum(data["memory"]["terms"].values()) == pytest.approx(data["memory"]["allocated"])
    assert "sharding = fsdp2" in data["assumed"]


def test_a_users_config_is_accepted_as_a_model(capsys: pytest.CaptureFixture[str]) -> None:
    config = next((ROOT / "tests/data/hf").glob("*.json"))
    assert main(["estimate", "--model", str(config), "--method", "lora", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["memory"]["value"] > 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--model", "Qwen2.5-7", "--method", "qlora"], "did you mean 'qwen2.5-7b'"),
        (["--model", "qwen2.5-7b", "--method", "qlora", "--gpu", "rtx-3061"], "rtx-3061"),
        (["--model", "qwen2.5-7b", "--method", "qlora", "--seq", "-5"], "sequence: -5"),
        (["--model", "qwen2.5-7b", "--method", "qlora", "--gpus", "0"], "gpus: 0"),
        (["--model", "qwen2.5-7b", "--method", "qlora", "--prompt", "5"], "--prompt: means nothing"),
        (["--model", "qwen2.5-7b"], "--method: is missing"),
        (["--model", "qwen2.5-7b", "--method", "qlora", "--weights", "bf16"], "not quantized"),
        (["--model", "qwen2.5-7b", "--method", "lora", "--gpus", "3", "--tensor-parallel", "2", "--sharding", "fsdp"],
         "cannot be split"),
        (["--model", "qwen2.5-7b", "--method", "lora", "--tokens", "nan"], "--tokens"),
        (["--cases", "nowhere.csv", "--quantity", "memory", "--out", "x.csv"], "nowhere.csv: cannot be read"),
        (["--cases", "nowhere.csv"], "needs --quantity and --out"),
    ],
)  # fmt: skip
def test_a_bad_call_is_one_clear_line_and_exit_2(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["estimate", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert said in captured.err
    assert len(captured.err.splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_cases_are_answered_row_by_row(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [*published.rows(ROOT, "memory")[:40], {"id": "x", "model": "nobody", "method": "full", "extra": "kept"}]
    path, out = tmp_path / "in.csv", tmp_path / "out.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [*rows[0], "extra"], restval="")
        writer.writeheader()
        writer.writerows(rows)
    assert main(["estimate", "--cases", str(path), "--quantity", "memory", "--out", str(out)]) == 0
    with out.open(newline="", encoding="utf-8") as file:
        answered = list(csv.DictReader(file))
    assert len(answered) == 41
    assert all(r["predicted"] or r["skipped_reason"] for r in answered)
    assert answered[-1]["extra"] == "kept" and "unknown model" in answered[-1]["skipped_reason"]
    assert {r["unit"] for r in answered} == {"GiB per GPU"}
    assert "rows predicted" in capsys.readouterr().out


def test_leaving_a_family_out_changes_its_predictions(tmp_path: Path) -> None:
    family = "ibm-fms-acceleration"
    rows = [
        r for r in published.rows(ROOT, "memory") if r["source_family"] == family and "smi" in r["what_is_measured"]
    ][:20]
    path = tmp_path / "in.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    texts = []
    for extra in ([], ["--exclude-family", family]):
        out = tmp_path / "out.csv"
        assert main(["estimate", "--cases", str(path), "--quantity", "memory", "--out", str(out), *extra]) == 0
        texts.append(out.read_text(encoding="utf-8"))
    assert texts[0] != texts[1]


def test_recommend_ranks_and_inverts(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["recommend", "--model", "qwen2.5-7b", "--method", "qlora", "--budget", "1500"]) == 0
    assert "Cheapest that fits" in capsys.readouterr().out
    assert main(["recommend", "--own", "rtx-3060-12gb", "--json"]) == 0
    assert {p["method"] for p in json.loads(capsys.readouterr().out)} == {"full", "lora", "qlora", "run"}
    assert main(["recommend", "--model", "qwen2.5-7b", "--method", "qlora", "--budget", "-1"]) == 2
    assert main(["recommend"]) == 2
    assert "or --own GPU" in capsys.readouterr().err


# --- accuracy


def test_figures_that_get_worse_are_named() -> None:
    before = {"memory": {"all": {"rows": 10, "answered": 10, "median": 0.02, "p90": 0.1, "under": 0.05, "bias": 0.0}}}
    same = json.loads(json.dumps(before))
    assert accuracy.worse(same, before) == []
    same["memory"]["all"]["median"] = 0.05
    same["memory"]["all"]["answered"] = 8
    found = accuracy.worse(same, before)
    assert len(found) == 2 and "median was 0.02, is now 0.05" in found[0]
    assert accuracy.worse({}, before) == ["memory, all: no longer scored"]


def test_inference_is_a_question_too() -> None:
    asked = ask(
        Inference, {"weights": "awq-int4"}, model=known().models["llama-3.1-8b"], card=known().cards["rtx-4090"]
    )
    memory = estimate.memory(asked)
    assert memory.verdict == "fits"
    assert sum(t.value for t in memory.terms) == pytest.approx(memory.allocated_gib, rel=1e-6)


@pytest.mark.parametrize("command", [["estimate"], ["recommend"]])
def test_a_broken_config_is_a_bad_call(command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "config.json"
    path.write_text('{"model_type": "llama", "hidden_size": 4096}', encoding="utf-8")
    assert main([*command, "--model", str(path), "--method", "lora"]) == 2
    error = capsys.readouterr().err
    assert "num_hidden_layers: missing" in error and "Traceback" not in error


def test_a_sequence_beyond_the_context_is_said() -> None:
    keys = {gate.key for gate in estimate.answer(question("gpt2", sequence=4096), known()).gates}
    assert "context" in keys
    assert "context" not in {gate.key for gate in estimate.answer(question("gpt2", sequence=512), known()).gates}


@pytest.mark.parametrize("quantity", ["memory", "train-speed", "prefill-speed", "decode-speed"])
def test_a_file_may_leave_columns_out(quantity: str, tmp_path: Path) -> None:
    path, out = tmp_path / "in.csv", tmp_path / "out.csv"
    path.write_text("id,model,method,gpu\n1,Qwen2.5-7B,lora,A100-80GB\n2,,,\n3,,lora,H100,more\n", encoding="utf-8")
    assert main(["estimate", "--cases", str(path), "--quantity", quantity, "--out", str(out)]) == 0
    with out.open(newline="", encoding="utf-8") as file:
        first, *rest = csv.DictReader(file)
    assert float(first["predicted"]) > 0 and first["assumed"]
    assert all(row["skipped_reason"] and not row["predicted"] for row in rest)
