"""The published measurements: all there, read as written, and each rule can be made red."""

from __future__ import annotations

import csv
import math
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import generator.__main__ as command_line
from generator import published
from generator.catalog import Catalog
from generator.problems import DataError, Problem
from generator.published import Published
from generator.schema.published import KINDS, Kind, id_stem, memory_unit, source_id
from tests.conftest import ROOT

LINE = re.compile(r"^data/published/\S+?(:\d+)?: .+; expected .+$")

# family -> rows, sum of everything measured in the units of the columns. A correction of a value changes a sum here.
FOUNDED = {
    ("memory", "canifinetune"): (20, 135.674),
    ("memory", "exllama"): (12, 107.277),
    ("memory", "gptq-for-llama"): (35, 273.852),
    ("memory", "ibm-fms-acceleration"): (755, 31672.188),
    ("memory", "llama-factory-estimates"): (24, 3804.0),
    ("memory", "modded-nanogpt"): (116, 4348.053),
    ("memory", "ms-swift"): (121, 4927.85),
    ("memory", "ms-swift-scripts"): (287, 10106.7),
    ("memory", "peft-bench"): (221, 4822.399),
    ("memory", "peft-docs"): (4, 155.8),
    ("memory", "peft-readme"): (9, 199.44),
    ("memory", "premai"): (62, 2162.015),
    ("memory", "qwen-docs"): (264, 5359.872),
    ("memory", "unsloth-readme"): (38, 932.463),
    ("memory", "xiongjiedai-llamacpp"): (35, 0.0),
    ("train", "fms-fsdp"): (9, 29204.0),
    ("train", "ibm-fms-acceleration"): (349, 1307087.573),
    ("train", "lambda-bench"): (292, 200958.0),
    ("train", "modded-nanogpt"): (77, 10.072),
    ("train", "mosaicml-llm-foundry"): (216, 5779486.93),
    ("train", "ms-swift"): (124, 493.21),
    ("train", "ms-swift-scripts"): (42, 504.66),
    ("train", "nvidia-megatron-bridge"): (278, 3347477.0),
    ("train", "nvidia-nemo-docs"): (32, 310405.0),
    ("train", "peft-bench"): (109, 312370.3),
    ("train", "unsloth-readme"): (5, 15494.0),
    ("inference", "argonne-llm-inference-bench"): (2126, 8850686.473),
    ("inference", "autogptq"): (13, 389.31),
    ("inference", "exllama"): (12, 58688.0),
    ("inference", "exllamav2"): (22, 5363.0),
    ("inference", "geerlingguy-ollama"): (46, 5874.9),
    ("inference", "llamacpp-threads"): (8, 27490.91),
    ("inference", "llm-awq"): (64, 6951.89),
    ("inference", "lmdeploy-docs"): (24, 114463.239),
    ("inference", "mlc-llm-perf-bench"): (73, 3179.95),
    ("inference", "ms-swift"): (23, 557.26),
    ("inference", "premai"): (94, 7712.92),
    ("inference", "qwen-docs"): (634, 176406.01),
    ("inference", "xiongjiedai-llamacpp"): (89, 393692.72),
    ("kernels", "flash-attn-threads"): (76, 42098.7),
    ("kernels", "liger-kernel"): (164, 318894.494),
    ("kernels", "stas-mamf"): (13, 22275.6),
    ("kernels", "zzc-torch-matmul"): (351, 32616.82),
}
ROWS = {"memory": 1983 + 2 * 10, "train": 1533, "inference": 3228, "kernels": 604}
# The smallest family of each kind; canifinetune is there to have two files of one kind.
SAMPLE = (
    "memory/canifinetune", "memory/peft-readme", "train/unsloth-readme", "inference/llamacpp-threads",
    "kernels/stas-mamf",
)  # fmt: skip


@pytest.fixture(scope="module")
def cases() -> Published:
    return published.load(ROOT)


@pytest.fixture
def few(tmp_path: Path) -> Path:
    """A root with a few of the files, which a test may break."""
    for name in SAMPLE:
        target = tmp_path / f"data/published/{name}.csv"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / f"data/published/{name}.csv", target)
    return tmp_path


Edit = Callable[[str, int, dict[str, str]], list[str]]


@pytest.fixture
def edited(few: Path, catalog: Catalog) -> Edit:
    """``edited(file, line, {column: cell})`` overwrites cells and returns the problems as lines."""

    def apply(name: str, line: int, changes: dict[str, str]) -> list[str]:
        path = few / f"data/published/{name}.csv"
        with path.open(encoding="utf-8", newline="") as stream:
            records = list(csv.reader(stream))
        for column, cell in changes.items():
            records[line - 1][records[0].index(column)] = cell
        with path.open("w", encoding="utf-8", newline="") as stream:
            csv.writer(stream, lineterminator="\n").writerows(records)
        return [str(p) for p in published.check(few, catalog.sources)[1]]

    return apply


def test_the_repository_is_valid(catalog: Catalog) -> None:
    assert [str(p) for p in published.check(ROOT, catalog.sources)[1]] == []


def test_the_sample_is_clean(few: Path, catalog: Catalog) -> None:
    assert [str(p) for p in published.check(few, catalog.sources)[1]] == []


def test_every_row_is_there(cases: Published) -> None:
    counted = dict.fromkeys(KINDS, 0)
    for kind, family in FOUNDED:
        counted[kind] += sum(case["source_family"] == family for case in cases.of(kind))
    assert counted == ROWS


@pytest.mark.parametrize(("kind", "family"), FOUNDED)
def test_every_measurement_is_there(cases: Published, kind: str, family: str) -> None:
    found = [case for case in cases.of(kind) if case["source_family"] == family]
    measured = [case[column] for case in found for column in KINDS[kind].measured]
    total = math.fsum(value for value in measured if isinstance(value, float))
    rows, expected = FOUNDED[kind, family]
    assert len(found) == rows
    assert total == pytest.approx(expected, abs=0.001)


@pytest.mark.parametrize("kind", KINDS)
def test_rows_are_the_file_as_text(kind: str) -> None:
    expected = []
    for path in sorted((ROOT / "data/published" / kind).glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as stream:
            expected += list(csv.DictReader(stream))
    assert published.rows(ROOT, kind) == expected
    assert list(expected[0]) == list(KINDS[kind].names)


def test_cells_are_typed_and_know_their_line(cases: Published) -> None:
    case = next(case for case in cases.of("memory") if case["id"] == "M-canifinetune-0008")
    assert (case["seq_len"], case["measured_peak_gb_per_gpu"], case["gpu"]) == (4096, 13.56, "RTX 4080 16GB")
    assert (case["prompt_len"], case.row()["prompt_len"]) == (None, "")
    assert str(case.problem("gpu", "is odd", "another")) == (
        "data/published/memory/canifinetune.csv:9: gpu: is odd; expected another"
    )
    with pytest.raises(KeyError):
        case["tokens_per_s_per_gpu"]


def test_both_meters_of_one_run_stand_side_by_side(cases: Published) -> None:
    """The pairs that a measured run gives: allocated never above reserved, all else the same."""
    found = [case.row() for case in cases.of("memory") if case["source_family"] == "canifinetune"]
    for allocated, reserved in zip(found[::2], found[1::2], strict=True):
        differ = {key for key in allocated if allocated[key] != reserved[key]}
        assert differ == {"id", "measured_peak_gb_per_gpu", "what_is_measured", "raw_value"}
        assert float(allocated["measured_peak_gb_per_gpu"]) < float(reserved["measured_peak_gb_per_gpu"])


def test_one_kind_can_be_read_alone(few: Path) -> None:
    (few / "data/published/kernels/stas-mamf.csv").write_text("broken")
    assert list(published.load(few, ["train"]).cases) == ["train"]
    with pytest.raises(DataError, match="wrong columns"):
        published.load(few)


def test_every_family_is_in_the_bibliography(cases: Published, catalog: Catalog) -> None:
    families = {source_id(str(case["source_family"])) for kind in KINDS for case in cases.of(kind)}
    assert families == {name for name in catalog.sources if name.startswith("C_")}


def test_ids_and_sources_are_named_for_the_family() -> None:
    assert id_stem(KINDS["train"], "nvidia-megatron-bridge") == "T-nvidiamegatron"
    assert source_id("ms-swift-scripts") == "C_MS_SWIFT_SCRIPTS"


@pytest.mark.parametrize(
    ("unit", "first"),
    [
        ("GiB", "GiB"), ("GiB (bytes/1024^3)", "GiB"), ("GB=1e9 (bytes in source)", "GB=1e9"), ("GB", "GB"),
        ("GB/GiB as printed (integer)", "GB/GiB"), ("MB/1024", "MB"), ("MB as printed /1024", "MB"),
        ("GBit", None), ("gib", None), ("bytes", None), ("", None),
    ],
)  # fmt: skip
def test_units_of_memory(unit: str, first: str | None) -> None:
    assert memory_unit(unit) == first


def test_no_cell_quotes_or_carries_a_blank_at_an_end(cases: Published) -> None:
    for kind in KINDS:
        for case in cases.of(kind):
            assert all(cell == cell.strip() for cell in case.cells), case.cells[0]
            assert '"' not in case.row()["notes"], case.cells[0]


MEMORY, TRAIN = "memory/canifinetune", "train/unsloth-readme"
INFERENCE, KERNEL = "inference/llamacpp-threads", "kernels/stas-mamf"


@pytest.mark.parametrize(
    ("name", "changes", "says"),
    [
        (MEMORY, {"model": ""}, "model: missing; expected text (the model as the source names it)"),
        (MEMORY, {"model": "a\u200bb"}, r"model: malformed (a\u200bb); expected text on one line without control"),
        (MEMORY, {"model": "a\nb"}, r"model: malformed (a\nb); expected text on one line without control"),
        (MEMORY, {"model": "x" * 301}, "expected at most 300 characters"),
        (MEMORY, {"gpu": "A100 "}, "gpu: malformed (A100 ); expected no blanks at the ends"),
        (MEMORY, {"notes": "=HYPERLINK(1)"}, "notes: would run as a formula (=HYPERLINK(1)); expected plain text"),
        (MEMORY, {"notes": "-"}, "notes: would run as a formula (-); expected plain text"),
        (MEMORY, {"n_gpus": "0"}, "n_gpus: wrong type (0); expected a whole number, 1 or more"),
        (MEMORY, {"n_gpus": "1.5"}, "n_gpus: wrong type (1.5); expected a whole number, 1 or more"),
        (MEMORY, {"seq_len": "4k"}, "seq_len: wrong type (4k); expected a whole number, 1 or more"),
        (MEMORY, {"measured_peak_gb_per_gpu": "0"}, "measured_peak_gb_per_gpu: out of range (0); expected more than 0"),
        (MEMORY, {"measured_peak_gb_per_gpu": "-2"}, "wrong type (-2); expected a number like 12 or 0.5"),
        (MEMORY, {"measured_peak_gb_per_gpu": "nan"}, "wrong type (nan); expected a number like 12 or 0.5"),
        (MEMORY, {"measured_peak_gb_per_gpu": "1e3"}, "wrong type (1e3); expected a number like 12 or 0.5"),
        (MEMORY, {"gb_unit": "gigabytes"}, "gb_unit: unknown value (gigabytes); expected to begin with one of GiB,"),
        (MEMORY, {"gb_unit": ""}, "gb_unit: missing; expected the unit of measured_peak_gb_per_gpu"),
        (MEMORY, {"status": "fine"}, "status: malformed (fine); expected one of ok, ok (max fit), OOM, failed,"),
        (MEMORY, {"measured_peak_gb_per_gpu": "", "raw_value": ""}, "measures nothing; expected one of measured_peak"),
        (MEMORY, {"trust": "E"}, "trust: unknown value (E); expected one of 'A', 'B', 'C', 'D'"),
        (MEMORY, {"activation_checkpointing": "yess"}, "unknown value (yess) (did you mean 'yes'?)"),
        (MEMORY, {"trainable_params": "1.5M"}, "trainable_params: malformed (1.5M); expected a count, or millions"),
        (MEMORY, {"source_repo_or_url": "a book"}, "malformed (a book); expected an address like github.com/owner"),
        (MEMORY, {"source_repo_or_url": "github.com/a/b"}, "is not an address of C_CANIFINETUNE (github.com/a/b)"),
        (
            MEMORY,
            {"source_family": "peft"},
            "source_family: differs from the file name (peft); expected 'canifinetune'",
        ),
        (MEMORY, {"id": "M-canifinetune-1"}, "id: malformed (M-canifinetune-1); expected M-canifinetune-0001 or"),
        (MEMORY, {"id": "T-canifinetune-0002"}, "id: malformed (T-canifinetune-0002); expected M-canifinetune-0001"),
        (MEMORY, {"id": "M-canifinetune-0003"}, "id: used twice (M-canifinetune-0003)"),
        (TRAIN, {"mfu_pct": "101"}, "mfu_pct: out of range (101); expected 100 or less"),
        (TRAIN, {"tokens_per_s_per_gpu": ""}, "measures nothing; expected one of tokens_per_s_per_gpu, samples_per_s"),
        (TRAIN, {"mem_gb_per_gpu": "3", "mem_unit": ""}, "mem_unit: missing; expected the unit of mem_gb_per_gpu"),
        (INFERENCE, {"engine": ""}, "engine: missing; expected text (software with its version)"),
        (INFERENCE, {"decode_tok_s": "", "prefill_tok_s": ""}, "measures nothing; expected one of prefill_tok_s"),
        (KERNEL, {"unit": "TFLOP"}, "unit: unknown value (TFLOP) (did you mean 'TFLOPS'?); expected one of 'TFLOPS'"),
    ],
)
def test_a_rule_is_red(edited: Edit, name: str, changes: dict[str, str], says: str) -> None:
    lines = edited(name, 3, changes)
    assert len(lines) == 1, lines
    # A cell with a line break ends on the line after.
    assert re.match(rf"data/published/{name}\.csv:[34]: ", lines[0])
    assert says in lines[0]


@pytest.mark.parametrize(
    "status", ["OOM", "OOM (24GB class card)", "failed (no throughput)", "> 80 GB", "ok (max fit)"]
)
def test_what_did_not_fit_needs_no_peak(edited: Edit, status: str) -> None:
    assert edited(MEMORY, 3, {"status": status, "measured_peak_gb_per_gpu": "", "gb_unit": "", "raw_value": ""}) == []


def test_the_same_row_under_another_id(few: Path, edited: Edit) -> None:
    path = few / f"data/published/{MEMORY}.csv"
    line = path.read_text(encoding="utf-8").splitlines()[3]
    with path.open("a", encoding="utf-8") as stream:
        stream.write(line.replace("M-canifinetune-0003", "M-canifinetune-0099") + "\n")
    assert edited(MEMORY, 2, {}) == [
        f"data/published/{MEMORY}.csv:22: the same row as line 4; expected each measurement once"
    ]


def test_a_family_without_a_source(few: Path, catalog: Catalog) -> None:
    sources = {key: value for key, value in catalog.sources.items() if key != "C_PEFT_README"}
    assert [str(p) for p in published.check(few, sources)[1]] == [
        "data/published/memory/peft-readme.csv: source_family: unknown source (C_PEFT_README) "
        "(did you mean 'C_UNSLOTH_README'?); expected an id in data/sources.yaml"
    ]
    assert published.check(few)[1] == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"", ":1: wrong columns (); expected id,model,"),
        (b"id,model\n", ":1: wrong columns (id,model); expected id,model,params_b,"),
        (b"\xff\xfe", ":1: is not UTF-8; expected UTF-8 text"),
        (b"HEAD\na,b\n", ":2: wrong number of cells (2); expected 34 cells"),
        (b"HEAD\n\n", ":2: wrong number of cells (0); expected 34 cells"),
        (b'HEAD\n"a\n', ": not valid CSV (unexpected end of data); expected comma-separated rows"),
        (b" " * 1_000_001, ": is too large; expected at most 1,000,000 bytes"),
    ],
)
def test_an_unreadable_file_is_one_line(few: Path, text: bytes, says: str) -> None:
    head = ",".join(KINDS["memory"].names).encode()
    (few / f"data/published/{MEMORY}.csv").write_bytes(text.replace(b"HEAD", head))
    lines = [str(p) for p in published.check(few)[1]]
    assert len(lines) == 1, lines
    assert lines[0].startswith(f"data/published/{MEMORY}.csv")
    assert says in lines[0]


def test_what_does_not_belong(few: Path) -> None:
    (few / "data/published/speed").mkdir()
    (few / "data/published/memory/notes.txt").write_text("x")
    (few / "data/published/memory/folder.csv").mkdir()
    shutil.rmtree(few / "data/published/train")
    assert [str(p) for p in published.check(few)[1]] == [
        "data/published/memory/folder.csv: cannot be read (Is a directory); expected a CSV file",
        "data/published/memory/notes.txt: does not belong here; expected files named <family>.csv",
        "data/published/speed: does not belong here; expected folders named memory, train, inference, kernels",
        "data/published/train: is missing; expected a folder",
    ]


def test_validate_lists_all_of_them_and_exits_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(ROOT / "data", tmp_path / "data")
    for name in ("memory/peft-readme", "kernels/stas-mamf"):
        path = tmp_path / f"data/published/{name}.csv"
        path.write_text(path.read_text(encoding="utf-8").replace(",A,", ",Z,", 1), encoding="utf-8")
        path.write_text(path.read_text(encoding="utf-8").replace(",C,", ",Y,", 1), encoding="utf-8")
    card = tmp_path / "data/gpus/rtx-3090.yaml"
    card.write_text(card.read_text(encoding="utf-8").replace("market: geforce", "market: GeForce"), encoding="utf-8")
    monkeypatch.setattr(command_line, "ROOT", tmp_path)
    assert command_line.main(["validate"]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert any(line.startswith("data/gpus/rtx-3090.yaml:3: market: unknown value (GeForce)") for line in lines)
    assert any(re.match(r"data/published/kernels/stas-mamf\.csv:\d+: trust: unknown value \(Z\)", i) for i in lines)
    assert any(re.match(r"data/published/memory/peft-readme\.csv:\d+: trust: unknown value \([ZY]\)", i) for i in lines)
    assert lines[-1].startswith(f"{len(lines) - 1} problems in ")
    assert command_line.main(["validate", str(tmp_path / "data/published/train")]) == 0


FILES = {kind: (ROOT / f"data/published/{name}.csv").read_bytes() for kind, name in
         zip(("memory", "train", "inference", "kernels"), (MEMORY, TRAIN, INFERENCE, KERNEL), strict=True)}  # fmt: skip


def _answers(root: Path, kind: Kind, raw: bytes) -> list[Problem]:
    """What reading a file of these bytes says; the path is made when there is none."""
    path = root / f"data/published/{kind.name}/family.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(raw)
    found, problems = published.check(root, {}, [kind.name])
    for case in found.of(kind.name):
        assert len(case.cells) == len(case.values) == len(kind.columns)
    return problems


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(list(KINDS.values())), st.booleans(), st.binary(max_size=400))
def test_any_bytes_are_answered(tmp_path: Path, kind: Kind, head: bool, raw: bytes) -> None:
    problems = _answers(tmp_path, kind, (",".join(kind.names).encode() + b"\n" if head else b"") + raw)
    assert problems
    for problem in problems:
        assert LINE.match(str(problem)), problem


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_mutated_file_is_answered(tmp_path: Path, data: st.DataObject) -> None:
    """Bytes changed anywhere: still rows, or finished lines."""
    kind = KINDS[data.draw(st.sampled_from(list(FILES)))]
    raw = bytearray(FILES[kind.name])
    for _ in range(data.draw(st.integers(1, 8))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    for problem in _answers(tmp_path, kind, bytes(raw)):
        assert LINE.match(str(problem)), problem


cell = st.text(st.characters(codec="utf-8"), max_size=30) | st.sampled_from(["", "1", "0", "A", "ok", "GiB", "TFLOPS"])


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(list(KINDS.values())), st.data())
def test_any_cells_are_answered(tmp_path: Path, kind: Kind, data: st.DataObject) -> None:
    path = tmp_path / "cells.csv"
    record = data.draw(st.lists(cell, min_size=len(kind.names), max_size=len(kind.names)))
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([kind.names, record])
    problems = _answers(tmp_path, kind, path.read_bytes())
    assert problems
    for problem in problems:
        assert LINE.match(str(problem)), problem
