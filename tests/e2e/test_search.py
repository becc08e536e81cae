"""The search of each language finds what its readers type, in their language."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from playwright.sync_api import Page, expect

from tests.e2e.kinds import PREFIX

ROOT = Path(__file__).resolve().parents[2]
Reader = Callable[..., Page]
INPUT = ".md-search__input"
META = ".md-search-result__meta"
RESULT = ".md-search-result__item > .md-search-result__link"  # one an article; its sections are folded away
COUNTED = re.compile(r"^\s*\d")


def ask(page: Page, query: str) -> list[str]:
    """Type a query, wait for the answer, return the addresses of the articles found, best first."""
    page.locator(INPUT).fill("")
    expect(page.locator(META)).not_to_have_text(COUNTED)
    page.locator(INPUT).fill(query)
    expect(page.locator(META)).to_have_text(COUNTED, timeout=15_000)
    links = page.locator(RESULT)
    expect(links.first).to_be_visible()
    return [link.get_attribute("href") or "" for link in links.all()]


# What is typed, and where the best answer must lie, below the root of the language.
QUERIES = {
    "en": {
        "3090": r"gpus/rtx-3090/",
        "rtx4090": r"gpus/rtx-4090/",
        "rtx 4090 laptop": r"gpus/rtx-4090-laptop/",
        "rtx 3060 12gb": r"gpus/rtx-3060-12gb/",
        "bandwidth": r"",
        "tensor core": r"",
    },
    "zh": {
        "4090": r"gpus/rtx-4090/",
        "rtx4090": r"gpus/rtx-4090/",
        "带宽": r"",
        "显存": r"",
        "解码": r"",
        "张量核心": r"",
    },
}


@pytest.mark.parametrize(("lang", "query"), [(lang, query) for lang in QUERIES for query in QUERIES[lang]])
def test_finds(lang: str, query: str, page: Page, site_url: str) -> None:
    root = site_url + PREFIX[lang]
    page.goto(root)
    found = ask(page, query)
    foreign = [url for url in found if not url.startswith(root) or (lang == "en" and url.startswith(f"{root}zh/"))]
    assert not foreign, f"results in another language: {foreign}"
    best = QUERIES[lang][query]
    if best:
        assert found[0].removeprefix(root).split("?")[0].split("#")[0] == best, f"found first: {found[:4]}"
    else:  # no page is the only right one: then the best must at least say the words
        words = query.split() if lang == "en" else [query]
        page.goto(found[0])
        text = page.locator("article").inner_text().lower()
        assert all(word in text for word in words), f"{found[0]} does not say {query!r}"


@pytest.mark.parametrize(("query", "words"), [("带宽", ["带宽"]), ("张量核心", ["张量", "核心"]), ("量化", ["量化"])])
def test_searches_for_whole_chinese_words(query: str, words: list[str], page: Page, site_url: str) -> None:
    """What is marked in the answers is what was searched for: the word, not all that its first character begins."""
    page.goto(f"{site_url}/zh/")
    ask(page, query)
    marked = {mark.replace("\u200b", "") for mark in page.locator(".md-search-result mark").all_text_contents()}
    assert all(any(mark.startswith(word) for mark in marked) for word in words), f"marked: {sorted(marked)}"
    strange = {mark for mark in marked if not mark.startswith(tuple(words))}
    assert not strange, f"marked, and not asked for: {sorted(strange)}"


# Asks the worker of the search as the theme does, without its keyboard and drawing: {query: [addresses, best first]}.
ASK_WORKER = """async (queries) => {
  const { base, search } = JSON.parse(document.getElementById("__config").textContent)
  const { config, docs } = await (await fetch(new URL(base + "/search/search_index.json", location))).json()
  const worker = new Worker(new URL(search, location))
  const send = (message) => new Promise((done) => {
    worker.onmessage = ({ data }) => done(data)
    worker.postMessage(message)
  })
  await send({ type: 0, data: { config, docs, options: { suggest: true } } })
  const found = {}
  for (const query of queries) {
    const { data } = await send({ type: 2, data: query })
    found[query] = data.items.map((sections) => sections[0].location.split("#")[0])
  }
  return found
}"""


@pytest.mark.parametrize("lang", PREFIX)
def test_every_card_is_found_by_its_name(lang: str, page: Page, site_url: str) -> None:
    """Among the first five; and no number makes the search fail, as some do when two of its words are confused."""
    names = {}
    for path in sorted((ROOT / "data/gpus").glob("*.yaml")):
        names[yaml.safe_load(path.read_text(encoding="utf-8"))["name"]] = f"gpus/{path.stem}/"
    numbers = ["8", "11", "12", "16", "24", "32", "48", "80", "3060 12", "4090 24gb"]
    page.goto(site_url + PREFIX[lang])
    found = page.evaluate(ASK_WORKER, [*names, *numbers])
    assert len(names) == 168
    assert [query for query in found if not found[query]] == []
    assert {name: found[name][:5] for name, own in names.items() if own not in found[name][:5]} == {}


def test_a_result_leads_to_its_page(page: Page, site_url: str) -> None:
    page.goto(f"{site_url}/zh/series/")
    page.keyboard.press("/")
    expect(page.locator(INPUT)).to_be_focused()
    ask(page, "rtx4090")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(rf"^{site_url}/zh/gpus/rtx-4090/"))
    expect(page.locator("h1")).to_contain_text("RTX 4090")


def test_finds_on_a_phone(reader: Reader, site_url: str) -> None:
    page = reader(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page.goto("/gpus/")
    page.locator('.md-header__button[for="__search"]').tap()
    assert ask(page, "rtx4090")
    page.locator(RESULT).first.tap()
    expect(page).to_have_url(re.compile(rf"^{site_url}/gpus/rtx-4090"))


def test_text_that_comes_without_a_key_is_searched(page: Page, site_url: str) -> None:
    """Pasted with the mouse, or picked from an input method by touch."""
    page.goto(f"{site_url}/zh/")
    page.locator(INPUT).focus()
    page.keyboard.insert_text("显存")
    expect(page.locator(META)).to_have_text(COUNTED, timeout=15_000)


def test_a_shared_search_opens(page: Page, site_url: str) -> None:
    page.goto(f"{site_url}/?q=rtx4090")
    expect(page.locator(RESULT).first).to_be_visible(timeout=15_000)
    expect(page.locator(INPUT)).to_have_value("rtx4090")


def test_says_when_nothing_is_found(page: Page, site_url: str) -> None:
    page.goto(f"{site_url}/zh/")
    page.locator(INPUT).press_sequentially("xyzzy")
    expect(page.locator(META)).to_contain_text("没有", timeout=15_000)
    expect(page.locator(RESULT)).to_have_count(0)
