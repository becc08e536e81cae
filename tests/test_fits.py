"""What fits where: the grids against single questions, per-card truth, who is recommended, what the pages say."""

from __future__ import annotations

import dataclasses
import random
import re

import numpy as np
import pytest

from generator import estimate, fits, grid, i18n
from generator.catalog import Card, Catalog
from generator.estimators import CannotEstimate
from generator.fits import JOB, JOBS, LENGTHS, SCRATCH, Fits, Job, Reach
from generator.question import Training
from generator.render import Site
from generator.schema.model import LanguageModel
from generator.views import fits as views
from tests.conftest import TODAY


@pytest.fixture(scope="module")
def all_fits(catalog: Catalog) -> Fits:
    return Fits(catalog)


def some(catalog: Catalog, count: int, seed: int) -> list[tuple[Job, LanguageModel, Card]]:
    """Jobs, models with a shape and cards, picked at random but always the same ones."""
    pick = random.Random(seed)
    models = [m for m in catalog.models.values() if m.shape]
    return [(pick.choice(JOBS), pick.choice(models), pick.choice(list(catalog.cards.values()))) for _ in range(count)]


def verdict_of(job: Job, model: LanguageModel, card: Card, length: int) -> str | None:
    return estimate.memory(dataclasses.replace(job.question(model, length), card=card)).verdict


def test_the_names_on_the_lists_exist(catalog: Catalog) -> None:
    assert set(fits.POPULAR) | {fits.TO_BUY, *fits.TO_RENT} <= catalog.cards.keys()
    assert {slug for _, slug in fits.SIZES} | {*fits.HOME, fits.HOME_MODEL} <= catalog.models.keys()
    assert set(fits.FAMILIES) <= {m.family for m in catalog.models.values()}
    assert {catalog.cards[slug].gpu.market for slug in fits.POPULAR} == {"geforce", "workstation", "datacenter"}


def test_lengths_that_fit_are_those_of_single_questions(catalog: Catalog, all_fits: Fits) -> None:
    for job, model, card in some(catalog, 60, seed=1):
        found = all_fits.reach(job, model, card)
        lengths = [n for n in LENGTHS if n <= (model.max_context or LENGTHS[-1])]
        verdicts = {n: verdict_of(job, model, card, n) for n in lengths}
        fitting = [n for n in lengths if verdicts[n] == "fits"]
        able = [n for n in lengths if verdicts[n] != "no"]
        assert found == Reach(max(fitting, default=0), max(able, default=0)), (job.id, model.slug, card.gpu.slug)


def test_needs_are_those_of_single_questions(catalog: Catalog, all_fits: Fits) -> None:
    for job, model, _ in some(catalog, 30, seed=2):
        memory = estimate.memory(job.question(model, all_fits.example(model)))
        need = all_fits.need(job, model)
        assert need.value == pytest.approx(memory.need_gib)
        assert need.high - need.value == pytest.approx(memory.gib.high - memory.gib.value)
        assert need.low < need.value < need.high


def test_speeds_are_those_of_single_questions(catalog: Catalog) -> None:
    models = [m for m in catalog.models.values() if m.shape][::9]
    cards = [catalog.cards[slug] for slug in (*fits.POPULAR, "l2", "p40")]
    for job in JOBS:
        questions = [job.question(model, 1024) for model in models]
        table = grid.speeds(questions, cards)
        for i, question in enumerate(questions):
            for j, card in list(enumerate(cards))[i % 4 :: 4]:
                try:
                    speed = estimate.speed(dataclasses.replace(question, card=card)).tokens_per_s
                except CannotEstimate as reason:
                    # The table is only read where the memory fits.
                    assert "do not fit" in str(reason) or np.isnan(table.value[i, j])
                    continue
                found = [float(part[i, j]) for part in (table.value, table.low, table.high)]
                assert found == pytest.approx([speed.value, speed.low, speed.high]), (job.id, card.gpu.slug)


def test_no_speeds_of_a_card_whose_rates_nobody_published(catalog: Catalog) -> None:
    table = grid.speeds([JOB["run4"].question(catalog.models["qwen2.5-7b"], 1024)], [catalog.cards["b300-sxm-288gb"]])
    assert np.isnan(table.value).all()


def test_examples_and_lengths_stay_within_the_context(catalog: Catalog, all_fits: Fits) -> None:
    h100 = catalog.cards["h100-sxm5-80gb"]
    for slug, example, longest in (("gpt2", 1024, 1024), ("phi-2", 2048, 2048), ("qwen3-0.6b", 2048, 32768)):
        model = catalog.models[slug]
        assert all_fits.example(model) == example
        assert all_fits.reach(JOB["run4"], model, h100) == Reach(longest, longest)
    # Without a published limit every length is tried.
    assert all_fits.reach(JOB["run4"], catalog.models["bloom-560m"], h100).fits > 32768


def test_every_figure_is_of_one_gpu(catalog: Catalog, all_fits: Fits) -> None:
    """Several cards: what each must hold equals the single question with so many GPUs, and none is a sum."""
    checked = 0
    for slug in ("qwen2.5-7b", "llama-3.1-70b", "mixtral-8x7b"):
        model = catalog.models[slug]
        for job in JOBS:
            for found in all_fits.several(job, model):
                if found is None or found.count == 1:
                    continue
                alone = job.question(model, all_fits.example(model))
                work = dataclasses.replace(alone.work, **job.shared)
                asked = dataclasses.replace(alone, work=work, card=found.card, gpus=found.count)
                memory = estimate.memory(asked)
                assert found.gib == pytest.approx(memory.need_gib)
                assert found.verdict == memory.verdict
                assert found.gib <= found.card.gpu.memory.memory_gib
                checked += 1
    assert checked > 20


def test_a_tight_number_of_cards_is_named_only_where_none_fits(catalog: Catalog, all_fits: Fits) -> None:
    model, job = catalog.models["qwen2.5-7b"], JOB["full"]
    for card, found in zip(all_fits.popular, all_fits.several(job, model), strict=True):
        verdicts = []
        for count in fits.COUNTS:
            question = job.question(model, 2048)
            work = dataclasses.replace(question.work, **(job.shared if count > 1 else {}))
            asked = dataclasses.replace(question, work=work, card=card, gpus=count)
            verdicts.append((estimate.memory(asked).verdict, count))
        best = next((v for word in ("fits", "tight") for v in verdicts if v[0] == word), None)
        assert (found and (found.verdict, found.count)) == best


def test_heads_that_do_not_divide_are_not_shared(catalog: Catalog, all_fits: Fits) -> None:
    model = catalog.models["qwen2.5-7b"]
    assert model.shape is not None
    assert model.shape.attention.heads % 8
    assert all(found is None or found.count < 8 for found in all_fits.several(JOB["run16"], model))


def test_recommended_cards_can_be_bought_and_do_the_job(catalog: Catalog, all_fits: Fits) -> None:
    for slug in ("gpt2", "qwen2.5-7b", "llama-3.1-70b", "kimi-k2", "gpt-oss-20b"):
        model = catalog.models[slug]
        for answer in all_fits.answers(model):
            for found, verdicts in ((answer.smallest, ("fits",)), (answer.tight, ("tight",))):
                for card in found.cards if found else ():
                    assert card.gpu.market not in ("laptop", "jetson")
                    assert not card.gpu.export_variant
                    assert {g.key for g in all_fits.gates(answer.job, card)} <= {"flash_attention_2"}
                    assert verdict_of(answer.job, model, card, all_fits.example(model)) in verdicts
            sizes = [c.gib for c in (answer.tight, answer.leaner) if c]
            assert answer.smallest is None or all(gib < answer.smallest.gib for gib in sizes)
            if answer.smallest and answer.comfortable:
                assert answer.comfortable.gib >= answer.smallest.gib
            assert all(s.count > 1 for s in answer.several)


def test_smaller_cards_do_not_do_the_job(catalog: Catalog, all_fits: Fits) -> None:
    model = catalog.models["qwen2.5-7b"]
    for job in JOBS:
        smallest = all_fits.smallest(job, model)
        assert smallest is not None
        below = [c for c in catalog.cards.values() if c.gpu.memory.memory_gib < smallest.gib]
        assert all(verdict_of(job, model, card, 2048) != "fits" for card in below)


def test_a_model_that_no_card_holds(catalog: Catalog, all_fits: Fits) -> None:
    answer = next(a for a in all_fits.answers(catalog.models["kimi-k2"]) if a.job.id == "full")
    assert (answer.smallest, answer.tight, answer.comfortable, answer.several) == (None, None, None, ())
    assert "no single card for full fine-tuning" in views.lede(all_fits, catalog.models["kimi-k2"], str)


def test_groups_hold_every_card_once_with_its_own_answers(catalog: Catalog, all_fits: Fits) -> None:
    model = catalog.models["qwen2.5-7b"]
    groups = all_fits.groups(model)
    assert sorted(c.gpu.slug for g in groups for c in g.cards) == sorted(catalog.cards)
    assert [g.gib for g in groups] == sorted(g.gib for g in groups)
    for group in groups:
        for card in group.cards:
            assert card.gpu.memory.memory_gib == group.gib
            assert list(group.reach) == all_fits.reaches(model, card)


def test_gates_are_said_in_words(catalog: Catalog, all_fits: Fits) -> None:
    t4, p40 = catalog.cards["t4"], catalog.cards["p40"]
    told = dict(views.obstacles(all_fits, t4))
    assert told["No BF16 in hardware: use FP16 with loss scaling."] == ["QLoRA", "LoRA", "Full fine-tune"]
    assert any("FlashAttention 2" in text for text in told)
    assert not any(all_fits.blocked(job, t4) for job in JOBS)
    assert any("PyTorch no longer builds" in text for text, _ in views.obstacles(all_fits, p40))
    assert all_fits.blocked(JOB["run16"], p40)
    assert all_fits.reaches(catalog.models["qwen2.5-0.5b"], p40)[1] is None
    assert all_fits.largest(JOB["run16"], p40) is None
    assert views.obstacles(all_fits, catalog.cards["rtx-4090"]) == []


def test_the_largest_model_grows_with_the_card(catalog: Catalog, all_fits: Fits) -> None:
    cards = [catalog.cards[slug] for slug in ("rtx-3060-12gb", "rtx-3090", "l40s", "h100-sxm5-80gb", "h200-sxm-141gb")]
    for job in JOBS:
        found = [all_fits.largest(job, card) for card in cards]
        sizes = [all_fits.need(job, f.model).value for f in found if f]
        assert len(sizes) == len(cards)
        assert sizes[0] < sizes[-1]
        assert all(f and f.model.family in fits.FAMILIES and f.reach.tight >= 2048 for f in found)


def test_nothing_fits_on_the_smallest_card(catalog: Catalog, all_fits: Fits) -> None:
    assert all_fits.largest(JOB["full"], catalog.cards["gtx-1050-2gb"]) is None


def test_changes_save_what_they_say(catalog: Catalog, all_fits: Fits) -> None:
    model, job = catalog.models["qwen2.5-7b"], JOB["qlora"]
    now = estimate.memory(job.question(model, 2048)).need_gib
    saved = {c.text: c.gib for c in all_fits.changes(job, model)}
    assert saved[job.leaner_text] == pytest.approx(now - estimate.memory(job.question(model, 2048, True)).need_gib)
    assert saved["with half the tokens"] == pytest.approx(now - estimate.memory(job.question(model, 1024)).need_gib)
    assert list(saved.values()) == sorted(saved.values(), reverse=True)


def test_training_from_scratch_keeps_everything_in_fp32(catalog: Catalog, all_fits: Fits) -> None:
    """Weights, gradients and two states of 4 bytes each are the least: 16 bytes for each parameter."""
    model = catalog.models["qwen2.5-7b"]
    assert all_fits.need(SCRATCH, model).value > 7.6e9 * 16 / 2**30
    assert all_fits.need(SCRATCH, model).value > all_fits.need(JOB["full"], model).value


def test_bars_add_up_to_the_need(catalog: Catalog, all_fits: Fits) -> None:
    for slug in ("qwen2.5-7b", "gpt2", "mixtral-8x7b"):
        memory = all_fits.breakdown(JOB["qlora"], catalog.models[slug])
        bars = views.bars(memory)
        dropped = sum(t.value for t in memory.terms if t.value < views.LEAST)
        assert sum(b.gib for b in bars) == pytest.approx(memory.need_gib - dropped)
        assert all(0 <= b.share <= 100 for b in bars)


def test_every_assumed_default_is_said_in_words(catalog: Catalog) -> None:
    model = catalog.models["qwen2.5-7b"]
    for job in JOBS:
        assert [item for item in job.question(model, 2048).assumed if item not in views.ASSUMED] == [], job.id
    told = [item for part in views.assumptions(model) for item in part.items]
    assert any("checkpointing" in item for item in told)
    assert any("AdamW" in item for item in told)
    assert any("rank 16" in item for item in told)
    training = [job.question(model, 2048).work for job in JOBS if job.kind is Training]
    assert {(w.micro_batch, w.rank) for w in training if isinstance(w, Training)} == {(1, 16)}


@pytest.mark.parametrize(("value", "text"), [(0.456, "0.46"), (4.84, "4.8"), (14, "14.0"), (132.66, "133"),
                                             (1642.4, "1,642")])  # fmt: skip
def test_gib(value: float, text: str) -> None:
    assert views.gib(value) == text


def test_cells_say_the_verdict_in_words_beside_the_sign() -> None:
    cells = views.Cells(str, "../")
    row = cells.reach_row([Reach(8192, 8192), Reach(2048, 4096), Reach(0, 512), Reach(0, 0), None])
    assert re.findall(r'<td class="is-(\w+)">([^<]+)', row) == [
        ("yes", "up to 8,192"), ("yes", "up to 2,048"), ("tight", "tight at 512"), ("no", "does not fit"),
        ("no", "not supported"),
    ]  # fmt: skip
    assert "◐ tight at 4,096" in row
    assert cells.speed_row([None]) == '<td class="gfg-num">—</td>'


def test_models_without_an_estimate_say_why(catalog: Catalog) -> None:
    chinese = i18n.language("zh").text
    without = [m for m in catalog.models.values() if m.shape is None]
    assert {m.kind for m in without} >= {"cnn", "encoder", "vit", "diffusion", "recommender", "encoder_decoder"}
    for model in without:
        reason = views.reason(model)
        assert reason.startswith("Memory is not estimated: ")
        assert chinese(reason) != reason
    assert "state-space" in views.reason(catalog.models["nemotron-3-nano-30b-a3b"])


def test_chinese_pages_of_models_speak_chinese(catalog: Catalog, all_fits: Fits) -> None:
    """No English sentence of the interface is left, also where the search does not read."""
    site = Site(catalog, "zh", TODAY, all_fits)
    names = re.compile(r"<[^>]+>|" + "|".join(re.escape(views.short(card)) for card in catalog.cards.values()))
    for page in site.model_pages():
        text = names.sub(" ", page.text.split("{#notes}")[0].split("{#sources}")[0])
        other = catalog.models[page.path.removeprefix("models/").removesuffix(".md")].other_shape
        text = text.replace(other.layers, "") if other else text
        assert re.findall(r"\b[a-z]{3,} [a-z]{2,} [a-z]{3,}\b", text) == [], page.path
    card = site.card_page(catalog.cards["p40"], None, None).text
    block = card[card.index("{#fits}") : card.index("{#standing}")]
    assert re.findall(r"\b[a-z]{3,} [a-z]{2,} [a-z]{3,}\b", re.sub(r"<[^>]+>", " ", block)) == []


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_pages_of_models_and_cards(lang: str, catalog: Catalog, all_fits: Fits) -> None:
    site = Site(catalog, lang, TODAY, all_fits)
    pages = {page.path: page for page in site.model_pages()}
    assert set(pages) == {f"models/{slug}.md" for slug in catalog.models}
    page = pages["models/qwen2.5-7b.md"].text
    for anchor in ("which", "length", "several", "speed", "breakdown", "assumed", "sources"):
        assert f"{{#{anchor}}}" in page
    assert page.index("{#which}") < page.index("{#length}") < page.index("{#assumed}")
    assert 'href="https://huggingface.co/Qwen/Qwen2.5-7B"' in page
    assert "{#which}" not in pages["models/resnet-50.md"].text
    assert len(max((p.text for p in pages.values()), key=len)) < 60_000

    thor = catalog.cards["jetson-agx-thor-t5000"]
    shared = i18n.language(lang).text("One memory for CPU and GPU.")
    assert shared in site.card_page(thor, None, None).text
    assert shared not in site.card_page(catalog.cards["rtx-3090"], None, None).text


def test_every_estimate_leads_to_its_proof(catalog: Catalog, all_fits: Fits) -> None:
    site = Site(catalog, "en", TODAY, all_fits)
    pages = [next(iter(site.hubs())), next(iter(site.model_pages())), next(iter(site.card_pages()))]
    for page in pages:
        up = "../../" if "/" in page.path else ""
        assert f'href="{up}accuracy/"' in page.text
        assert f'href="{up}formulas/"' in page.text


def test_the_home_page_names_its_example(catalog: Catalog, all_fits: Fits) -> None:
    home = next(iter(Site(catalog, "en", TODAY, all_fits).hubs())).text
    for job in fits.HOME_JOBS:
        assert f"<h3>{job.title}</h3>" in home
        assert f">{views.gib(all_fits.need(job, catalog.models[fits.HOME_MODEL]).value)}</span>" in home
    assert home.count("Qwen2.5-7B, 2,048 tokens") == len(fits.HOME_JOBS)


def test_hostile_names_are_only_text(catalog: Catalog) -> None:
    """A name from a data file never becomes a tag, on the page of a model, in its tables and in its lists of cards."""
    hostile = "<img src=x onerror=alert(1)>"
    card = catalog.cards["rtx-3090"]
    cards = {**catalog.cards, "rtx-3090": dataclasses.replace(card, gpu=card.gpu.model_copy(update={"name": hostile}))}
    model = catalog.models["qwen2.5-7b"].model_copy(update={"name": hostile, "aliases": [hostile], "license": hostile})
    site = Site(dataclasses.replace(catalog, cards=cards, models={model.slug: model}), "en", TODAY)
    body = next(iter(site.model_pages())).text.split("\n---\n", 1)[1]
    assert "<img" not in body
    assert body.count("&lt;img src=x onerror=alert(1)&gt;") > 5


def test_a_catalog_of_few_cards(catalog: Catalog) -> None:
    """None of the popular cards but one, no card for some jobs: pages are still made."""
    few = {slug: catalog.cards[slug] for slug in ("rtx-3090", "rtx-4060-laptop")}
    models = {slug: catalog.models[slug] for slug in ("qwen2.5-7b", "kimi-k2", "resnet-50")}
    small = Fits(dataclasses.replace(catalog, cards=few, models=models))
    assert [c.gpu.slug for c in small.popular] == ["rtx-3090"]
    assert small.sizes == []
    found = {a.job.id: a for a in small.answers(models["qwen2.5-7b"])}
    assert found["full"].smallest is None
    assert found["run4"].smallest is not None
    assert [c.gpu.slug for c in found["run4"].smallest.cards] == ["rtx-3090"]
