"""The page about accuracy: what it says follows from the committed figures and points, and it stands without them."""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

import pytest

from generator import accuracy, calibration, published, why
from generator.accuracy import Point
from generator.catalog import Catalog
from generator.names import CardMatch
from generator.render import Page, Site
from generator.views import accuracy as views
from generator.views import cases, scatter
from tests.conftest import ROOT, TODAY

FIGURES = accuracy.committed(ROOT)
POINTS = accuracy.load_points(ROOT)


@pytest.fixture(scope="module")
def rows() -> dict[str, dict[str, str]]:
    return {row["id"]: row for kind in ("memory", "train", "inference") for row in published.rows(ROOT, kind)}


@pytest.fixture(scope="module")
def pages(catalog: Catalog) -> dict[str, Page]:
    return {lang: Site(catalog, lang, TODAY).accuracy_page() for lang in ("en", "zh")}


def point(family: str, measured: float, predicted: float, quantity: str = "memory", meter: str = "allocated") -> Point:
    return Point(quantity, f"{family}-{measured}-{predicted}", family, meter, measured, predicted, 0.9, 1.1)


# --- the drawing


def test_a_plot_draws_every_source_in_its_own_shape() -> None:
    found = scatter.plot([point(f, m, m * 1.09) for f in "abcdefghijkl" for m in (1, 10, 50)])
    assert len({(s.shape, s.style) for s in found.series}) == 12
    assert [s.count for s in found.series] == [3] * 12
    assert found.count == 36
    assert found.within == {0.10: 1.0, 0.25: 1.0}


def test_points_lie_in_the_frame_and_on_the_diagonal_where_they_are_right() -> None:
    found = scatter.plot([point("a", m, m) for m in (0.5, 3, 70)])
    places = [(int(x), int(y)) for x, y in re.findall(r"M(\d+) (\d+)", found.series[0].path)]
    size = scatter.SIZE
    for x, y in places:
        assert scatter.LEFT <= x <= size - scatter.PAD
        assert scatter.PAD <= y <= size - scatter.BOTTOM
        share = (x - scatter.LEFT) / (size - scatter.PAD - scatter.LEFT)
        assert share == pytest.approx((size - scatter.BOTTOM - y) / (size - scatter.BOTTOM - scatter.PAD), abs=0.01)
    assert [share for share, _ in found.guides] == [0.0, 0.10, 0.25]


def test_points_on_the_same_place_are_drawn_once() -> None:
    found = scatter.plot([point("a", 2, 2)] * 50 + [point("a", 8, 8)])
    assert found.series[0].path.count("M") == 2
    assert found.series[0].count == 51


def test_shapes_shrink_where_there_are_many() -> None:
    assert scatter._scaled("m-5 4h10l-5-9z", 0.6) == "m-3 2.4h6l-3-5.4z"
    assert scatter._scaled("h0", 0.6) == "h0"


# --- reasons


BASE = {
    "model": "meta-llama/Llama-3.1-8B", "gpu": "A100 80GB", "n_gpus": "1", "source_family": "x", "what_is_measured": "",
    "notes": "", "seq_note": "", "method": "lora", "attention_impl": "flash", "optimizer": "AdamW",
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "quantity", "words"),
    [
        ({}, "memory", "no known reason"),
        ({"seq_note": "max_length; dataset x"}, "memory", "cap"),
        ({"seq_note": "max 4096, not packed"}, "train-speed", "cap"),
        ({"gpu": "RTX 4090 + RTX 3090 Ti"}, "prefill-speed", "unlike cards"),
        ({"model": "mistralai/Mixtral-8x7B-v0.1"}, "train-speed", "mixture of experts"),
        ({"what_is_measured": "nvidia-smi peak (mean over GPUs)", "n_gpus": "4"}, "memory", "several GPUs"),
        ({"what_is_measured": "nvidia-smi peak (mean over GPUs)"}, "memory", "earlier steps"),
        ({"attention_impl": "", "optimizer": ""}, "train-speed", "names no kernels"),
        ({"method": "", "engine": "vLLM"}, "decode-speed", "version of the engine"),
        ({"method": "", "engine": "vLLM 0.4.2"}, "decode-speed", "no known reason"),
        ({"method": "", "notes": "weight dtype not in CSV"}, "prefill-speed", "format of the weights"),
        ({"n_gpus": "2", "parallelism": "layer split"}, "prefill-speed", "layers on several cards"),
    ],
)
def test_a_reason_is_what_the_row_says(change: Mapping[str, str], quantity: str, words: str, catalog: Catalog) -> None:
    assert words in why.why({**BASE, **change}, quantity, catalog)[0]


def test_more_than_memory_can_deliver_is_said_first(rows: dict[str, dict[str, str]], catalog: Catalog) -> None:
    """4,096 tokens of a model of 7 billion parameters in 0.04 s."""
    assert "ended early" in why.why(rows["I-argonnellminfe-1867"], "decode-speed", catalog)[0]
    assert "ended early" not in why.why(rows["I-exllama-0001"], "decode-speed", catalog)[0]
    assert "ended early" not in why.why(rows["I-argonnellminfe-1867"], "prefill-speed", catalog)[0]


def test_there_are_at_most_two_reasons(rows: dict[str, dict[str, str]], catalog: Catalog) -> None:
    for row in list(rows.values())[::97]:
        found = why.why(row, "memory", catalog)
        assert 1 <= len(found) <= why.MOST
        assert why.NO_REASON not in found or len(found) == 1


# --- sections


def test_a_quantity_without_figures_or_points_is_left_out(catalog: Catalog) -> None:
    assert views.sections({}, [], {}, catalog, str) == []
    only = {"memory": FIGURES["memory"]}
    found = views.sections(only, [p for p in POINTS if p.quantity == "memory"], {}, catalog, str)
    assert [section.topic.key for section in found] == ["memory"]
    assert found[0].worst == ()
    assert views.sections({"memory": FIGURES["memory"]}, [], {}, catalog, str) == []
    assert views.verdicts({}) is None


def test_sections_carry_the_committed_figures(rows: dict[str, dict[str, str]], catalog: Catalog) -> None:
    for section in views.sections(FIGURES, POINTS, rows, catalog, str):
        figures = FIGURES[section.topic.key]
        families = {k for k in figures if k != accuracy.ALL and not k.startswith("meter: ")}
        assert {score.name for score in section.families} == families
        assert section.whole.rows == figures[accuracy.ALL]["rows"] == sum(score.rows for score in section.families)
        assert sum(plot.count for _, plot in section.plots) == section.whole.answered
        low, high = section.between
        inside = [low <= 100 / (p.predicted / p.measured) <= high for p in POINTS if p.quantity == section.topic.key]
        assert sum(inside) / len(inside) == pytest.approx(0.5, abs=0.01)
        for score in section.kinds:
            assert 0 < score.answered < section.whole.answered


def test_the_largest_misses_are_ordered_by_factor(rows: dict[str, dict[str, str]], catalog: Catalog) -> None:
    for section in views.sections(FIGURES, POINTS, rows, catalog, str):
        sizes = [abs(math.log(w.factor)) for w in section.worst]
        assert sizes == sorted(sizes, reverse=True)
        assert len(section.worst) == views.WORST
        for w in section.worst:
            assert w.factor == pytest.approx(w.predicted / w.measured)
            assert w.reasons
            assert re.fullmatch(r"https://[\w./?=&%#+-]+", w.link), w.link


def test_only_so_many_misses_of_one_model_in_one_source(catalog: Catalog) -> None:
    alike = [point("a", 1, 10 + i) for i in range(5)]
    other = [point("b", 1, 1.5)]
    known = {
        p.id: {**BASE, "id": p.id, "source_repo_or_url": "github.com/a/b", "source_path": "c.md", "commit_or_date": "x"}
        for p in (*alike, *other)
    }
    figures = {"memory": {accuracy.ALL: {**FIGURES["memory"][accuracy.ALL]}}}
    section = views.sections(figures, [*alike, *other], known, catalog, str)[0]
    assert [w.family for w in section.worst] == ["a"] * views.ALIKE + ["b"]


def test_the_summary_names_the_figures() -> None:
    found = views.summary("train_speed", FIGURES, str)
    assert views.percent(FIGURES["train-speed"][accuracy.ALL]["median"]) in found
    assert views.summary("cost", FIGURES, str) == ""
    assert views.summary("train_speed", {}, str) == ""


@pytest.mark.parametrize(
    ("value", "plain", "with_sign"),
    [(0.0209, "2.1", "+2.1"), (-0.0894, "-8.9", "−8.9"), (0.0, "0", "0"), (None, "—", "—"), (1.0, "100", "+100")],
)
def test_percent(value: float | None, plain: str, with_sign: str) -> None:
    assert views.percent(value) == plain
    assert views.signed(value) == with_sign


# --- a run in words


def test_a_run_in_words_and_its_place() -> None:
    row = {
        **BASE, "batch_size": "4", "seq_len": "2048", "sharding": "fsdp (FULL_SHARD)", "n_gpus": "8",
        "source_repo_or_url": "github.com/a/b", "source_path": "docs/x.md:L12", "commit_or_date": "24bdadb 2025-02-07",
    }  # fmt: skip
    assert cases.what(row, str) == ("meta-llama/Llama-3.1-8B, LoRA, fsdp (FULL_SHARD), 4 × 2,048 tokens, 8 × A100 80GB")
    assert cases.link(row) == "https://github.com/a/b/blob/24bdadb/docs/x.md?plain=1#L12"
    assert cases.link({**row, "source_path": "a.csv:L3"}) == "https://github.com/a/b/blob/24bdadb/a.csv#L3"
    assert cases.link({**row, "source_repo_or_url": "https://github.com/a/b/pull/1"}) == "https://github.com/a/b/pull/1"
    asked = {**BASE, "method": "", "prompt_len": "128", "gen_len": "256", "batch": "2", "engine": "vLLM"}
    assert cases.what(asked, str) == "meta-llama/Llama-3.1-8B, vLLM, 2 × (128 + 256) tokens, A100 80GB"


# --- the page


def test_what_is_said_to_be_missing_is_missing(rows: dict[str, dict[str, str]], catalog: Catalog) -> None:
    """Sentences of the page that name no figure: they must be written again when such rows come."""
    sections = {s.topic.key: s for s in views.sections(FIGURES, POINTS, rows, catalog, str)}
    markets = {card.gpu.name: card.gpu.market for card in catalog.cards.values()}
    assert {markets[name] for name, _ in sections["train-speed"].cards} == {"datacenter"}
    tuned = [p for p in POINTS if p.quantity == "memory" and rows[p.id]["method"] != "inference"]
    cards = {p.id: catalog.names.card(rows[p.id]["gpu"]) for p in tuned if rows[p.id]["gpu"]}
    consumer = [i for i, match in cards.items() if isinstance(match, CardMatch) and match.card.gpu.market == "geforce"]
    assert len(consumer) == 20
    assert {rows[i]["source_family"] for i in consumer} == {"canifinetune"}
    assert not any(re.search("tensor|pipeline|context|zero", rows[p.id]["other_parallelism"].lower()) for p in tuned)
    assert not any("zero" in rows[p.id]["sharding"].lower() for p in tuned)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_page_shows_every_source_and_every_count(lang: str, pages: dict[str, Page]) -> None:
    text = pages[lang].text
    for quantity, groups in FIGURES.items():
        if quantity == "fits":
            for counts in groups["counts"].values():
                cells = "".join(f'<td class="gfg-num">{n}</td>' for n in counts.values())
                assert cells in text
            continue
        assert f"{{#{quantity}}}" in text
        for family in groups:
            if family != accuracy.ALL and not family.startswith("meter: "):
                assert f">{family}</a>" in text


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_drawings_are_well_formed_and_told_in_words(lang: str, pages: dict[str, Page]) -> None:
    text = pages[lang].text
    drawings = re.findall(r"<svg\b.*?</svg>", text, re.DOTALL)
    plots = [d for d in drawings if 'role="img"' in d]
    assert len(plots) == 6
    for drawing in drawings:
        tree = ET.fromstring(drawing.replace("&nbsp;", " "))
        if 'role="img"' in drawing:
            named = (tree.get("aria-labelledby") or "").split()
            assert {node.get("id") for node in tree if node.tag in ("title", "desc")} == set(named)
        else:
            assert tree.get("aria-hidden") == "true"


def test_chinese_page_speaks_chinese(pages: dict[str, Page]) -> None:
    text = pages["zh"].text
    # Runs are named in the words of their sources.
    for pattern in (r"<strong>[^<]*</strong>\n<p>", r"<[^>]+>", r"^---.*?^---"):
        text = re.sub(pattern, " ", text, flags=re.DOTALL | re.MULTILINE)
    assert re.findall(r"\b[a-z]{3,} [a-z]{2,} [a-z]{3,}\b", text) == []


def test_the_page_stands_before_anything_was_compared(
    catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = Site(catalog, "en", TODAY)
    monkeypatch.setattr("generator.render.calibration", SimpleNamespace(ROOT=tmp_path, load=calibration.load))
    text = site.accuracy_page().text
    assert "has not been run" in text
    assert "<svg" not in text
    assert "{#not-covered}" in text
