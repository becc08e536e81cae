"""Pages: twins, links, escaping, and a few whole pages as they were last looked at by a person."""

from __future__ import annotations

import dataclasses
import difflib
import os
import re
from pathlib import Path

import pytest

from generator.catalog import Card, Catalog
from generator.render import Page, Site, markdown_text, render_site, yaml_text
from tests.conftest import ROOT, TODAY

GOLDEN = Path(__file__).parent / "golden"
GOLDEN_PAGES = ["gpus/rtx-3060-12gb.md", "gpus/rtx-4060-laptop.md", "gpus/p40.md", "gpus/b300-sxm-288gb.md",
                "models/qwen2.5-7b.md", "models/resnet-50.md"]  # fmt: skip


@pytest.fixture(scope="module")
def sites(catalog: Catalog) -> dict[str, dict[str, Page]]:
    """All pages of both languages by path."""
    return {lang: {p.path: p for p in Site(catalog, lang, TODAY).pages()} for lang in ("en", "zh")}


def test_both_languages_have_the_same_pages(sites: dict[str, dict[str, Page]]) -> None:
    assert list(sites["en"]) == list(sites["zh"])
    for path, page in sites["en"].items():
        assert page.source == sites["zh"][path].source
        assert (ROOT / page.source).is_file(), page.source


def test_every_thing_has_its_page(catalog: Catalog, sites: dict[str, dict[str, Page]]) -> None:
    paths = set(sites["en"])
    assert {f"gpus/{slug}.md" for slug in catalog.cards} <= paths
    assert {f"series/{slug}.md" for slug in catalog.series} <= paths
    assert {f"architectures/{slug.replace('_', '-')}.md" for slug in catalog.architectures} <= paths
    assert {"index.md", "gpus/index.md", "glossary.md", "sources.md", "software.md", "prices.md"} <= paths
    assert {"models/index.md", *(f"models/{slug}.md" for slug in catalog.models)} <= paths


def test_neighbours_exist_and_point_back(sites: dict[str, dict[str, Page]]) -> None:
    pages = sites["en"]
    for page in pages.values():
        if page.next:
            assert pages[page.next].prev == page.path


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_no_page_carries_a_style_or_a_script(lang: str, sites: dict[str, dict[str, Page]]) -> None:
    for page in sites[lang].values():
        assert not re.search(r"\sstyle=|<style|<script|\son\w+=", page.text), page.path


def test_chinese_pages_speak_chinese(sites: dict[str, dict[str, Page]]) -> None:
    """No English sentence of the interface is left: three lower-case English words in a row."""
    allowed = re.compile(r"<[^>]+>|https?://\S+|<dd>.*?</dd>|<li id=\"source.*?</li>|github:\S+", re.DOTALL)
    for path in (
        "index.md",
        "gpus/index.md",
        "gpus/rtx-3060-12gb.md",
        "series/geforce-30.md",
        "architectures/index.md",
        "models/qwen2.5-7b.md",
        "models/qwen3-30b-a3b.md",
        "models/resnet-50.md",
    ):
        text = re.sub(r"<!--search:off-->.*?<!--search:on-->", "", sites["zh"][path].text, flags=re.DOTALL)
        found = re.findall(r"\b[a-z]{3,} [a-z]{2,} [a-z]{3,}\b", allowed.sub(" ", text))
        assert found == [], path


HOSTILE = "<img src=x onerror=alert(1)>\"'`{{ 7*7 }}](javascript:alert(1))*_#"


def test_hostile_text_is_only_text(catalog: Catalog) -> None:
    """A string from a data file never becomes a tag, an attribute, a link or a template."""
    card = catalog.cards["rtx-3090"]
    note = {"topic": "trap", "en": HOSTILE, "zh": HOSTILE + "中", "sources": []}
    gpu = card.gpu.model_copy(
        update={
            "name": f"RTX {HOSTILE}",
            "notes": [type(catalog.cards["rtx-4090"].gpu.notes[0]).model_validate(note)],
            "identity": card.gpu.identity.model_copy(update={"chip": HOSTILE}),
        }
    )
    cards = {**catalog.cards, "rtx-3090": Card(gpu, card.architecture, card.path, card.prices)}
    for lang in ("en", "zh"):
        site = Site(dataclasses.replace(catalog, cards=cards), lang, TODAY)
        shown = 0
        for page in (*site.hubs(), site.card_page(cards["rtx-3090"], None, None), *site.series_pages()):
            # The front matter is YAML, where the text is data; the hook escapes it for the theme.
            body = page.text.split("\n---\n", 1)[1]
            shown += "&lt;img src=x onerror=alert(1)&gt;" in body or r"&lt;img src=x" in body
            assert "<img" not in body, page.path
            for heading in re.findall(r"^#.*$", body, re.M):
                assert not re.search(r"(?<!\\)[*_`\[]", heading.split("{#")[0]), heading
        assert shown >= 4


def test_markdown_and_yaml_text() -> None:
    assert str(markdown_text("a*b_[c](d)<e>&")) == r"a\*b\_\[c\]\(d\)&lt;e&gt;&amp;"
    assert str(yaml_text('a"b\\c')) == r'"a\"b\\c"'


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("path", GOLDEN_PAGES)
def test_golden(lang: str, path: str, sites: dict[str, dict[str, Page]]) -> None:
    """When a change is meant: look at it, then GOLDEN=write make test ARGS=tests/test_render.py."""
    golden = GOLDEN / lang / path
    text = sites[lang][path].text
    if os.environ.get("GOLDEN") == "write":
        golden.parent.mkdir(parents=True, exist_ok=True)
        golden.write_text(text, encoding="utf-8")
    expected = golden.read_text(encoding="utf-8")
    changed = "\n".join(
        difflib.unified_diff(expected.splitlines(), text.splitlines(), "golden", "now", lineterm="", n=0)
    )
    assert not changed, changed


def test_rendering_is_repeatable() -> None:
    first = [(p.path, p.text) for p in render_site(ROOT, "en")]
    assert first == [(p.path, p.text) for p in render_site(ROOT, "en")]


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(KeyError):
        list(render_site(ROOT, "fr"))
