"""The big table in a real browser: sorting, filters, columns, address, copying, no scripts, phone, paper."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from .conftest import watch

USUAL = ["name", "launch", "memory", "bandwidth", "training", "tensor_fp16_fp16acc", "tdp", "msrp"]
LANGUAGES = pytest.mark.parametrize("prefix", ["", "zh/"], ids=["en", "zh"])

# What a reader sees: laid out, whatever class or attribute made it so.
SHOWN_TABLE = """() => {
  const seen = (e) => e.getClientRects().length > 0
  const table = document.getElementById("cards")
  const heads = [...table.tHead.rows[0].cells].filter(seen)
  const read = (cell) => ({ text: cell.innerText.trim(), v: cell.dataset.v ?? null })
  const rows = [...table.tBodies[0].rows].filter(seen)
  return {
    columns: heads.map((th) => th.dataset.col),
    units: heads.map((th) => th.dataset.unit ?? ""),
    rows: rows.map((tr) => [...tr.cells].filter(seen).map(read)),
    slugs: rows.map((tr) => tr.dataset.slug),
  }
}"""
# Some columns of the table with every row, hidden ones too, in the order of the table.
COLUMNS = """(ids) => {
  const table = document.getElementById("cards")
  const heads = [...table.tHead.rows[0].cells].map((th) => th.dataset.col)
  const at = ids.map((id) => heads.indexOf(id))
  return [...table.tBodies[0].rows].map((tr) => ({
    slug: tr.dataset.slug, format: tr.dataset.format, hidden: tr.hidden,
    cells: at.map((i) => tr.cells[i]).map((c) => ({ text: c.textContent.trim(), v: c.dataset.v ?? null })),
  }))
}"""


def number(cell: dict[str, Any]) -> float | None:
    """The number of a cell, None where it shows a dash or a word."""
    if cell["v"] is not None:
        return float(cell["v"])
    text = cell["text"].replace(",", "")
    return float(text) if re.fullmatch(r"\d+(\.\d+)?", text) else None


def ready(page: Page) -> None:
    """Wait for the script. (A failed `expect` describes the page, which takes seconds on a table of this size.)"""
    page.locator("#card-filter").wait_for(state="visible")


def go(page: Page, site_url: str, query: str = "", prefix: str = "") -> Page:
    page.goto(f"{site_url}/{prefix}gpus/{query}")
    ready(page)
    return page


def shown(page: Page) -> dict[str, Any]:
    result: dict[str, Any] = page.evaluate(SHOWN_TABLE)
    return result


def column(page: Page, name: str) -> list[float | None]:
    """The numbers of a column in the shown rows, top down."""
    return [number(row["cells"][0]) for row in page.evaluate(COLUMNS, [name]) if not row["hidden"]]


def texts(page: Page, name: str) -> list[str]:
    return [row["cells"][0]["text"] for row in page.evaluate(COLUMNS, [name]) if not row["hidden"]]


def names(page: Page) -> list[str]:
    return texts(page, "name")


def field(page: Page, name: str) -> Locator:
    return page.locator(f"#card-filter [name={name}]")


def header(page: Page, name: str) -> Locator:
    return page.locator(f"#cards th[data-col={name}]")


def count(page: Page) -> int:
    """How many rows the live count says are shown; it must be true."""
    text = page.locator(".gfg-count").inner_text()
    numbers = sorted(int(n) for n in re.findall(r"\d+", text))
    rows = len(shown(page)["rows"])
    assert rows in numbers and numbers[-1] == page.locator("#cards tbody tr").count(), text
    return rows


def query(page: Page) -> dict[str, str]:
    """The query string once it has caught up."""
    page.wait_for_timeout(250)
    return {key: value[0] for key, value in parse_qs(urlsplit(page.url).query, keep_blank_values=True).items()}


# ── Sorting ──────────────────────────────────────────────────────────────────


def assert_sorted(values: list[float | None], descending: bool) -> None:
    known = [v for v in values if v is not None]
    assert values == sorted(known, reverse=descending) + [None] * (len(values) - len(known))
    assert known


@LANGUAGES
def test_numbers_sort_highest_first_and_missing_last(page: Page, site_url: str, prefix: str) -> None:
    go(page, site_url, prefix=prefix)
    for name in ("memory", "bandwidth", "training", "tensor_fp16_fp16acc"):
        for descending, word in ((True, "descending"), (False, "ascending"), (True, "descending")):
            header(page, name).get_by_role("button").click()
            assert header(page, name).get_attribute("aria-sort") == word
            assert_sorted(column(page, name), descending)
        assert page.locator("#cards [aria-sort]").count() == 1


def test_less_is_better_sorts_lowest_first(page: Page, site_url: str) -> None:
    go(page, site_url, "?cols=all")
    for name in ("tdp", "msrp", "msrp_per_gib"):
        header(page, name).get_by_role("button").click()
        assert header(page, name).get_attribute("aria-sort") == "ascending"
        assert_sorted(column(page, name), descending=False)
        header(page, name).get_by_role("button").click()
        assert_sorted(column(page, name), descending=True)


@LANGUAGES
def test_words_of_absence_sort_last(page: Page, site_url: str, prefix: str) -> None:
    """Not supported, emulated and unknown are no numbers, in either language."""
    go(page, site_url, "?sort=-tensor_fp4", prefix)
    assert_sorted(column(page, "tensor_fp4"), descending=True)
    header(page, "tensor_fp4").get_by_role("button").click()
    assert_sorted(column(page, "tensor_fp4"), descending=False)
    assert len(set(texts(page, "tensor_fp4")[-40:])) >= 1 and column(page, "tensor_fp4")[-1] is None


@LANGUAGES
def test_dates_and_text_sort(page: Page, site_url: str, prefix: str) -> None:
    go(page, site_url, prefix=prefix)
    for descending in (True, False):
        header(page, "launch").get_by_role("button").click()
        values = texts(page, "launch")
        known = [v for v in values if v != "—"]
        assert values == sorted(known, reverse=descending) + ["—"] * (len(values) - len(known))
        assert all(re.fullmatch(r"\d{4}-\d\d-\d\d", v) for v in known)
    header(page, "name").get_by_role("button").click()
    expect(header(page, "name")).to_have_attribute("aria-sort", "ascending")
    up = names(page)
    header(page, "name").get_by_role("button").click()
    assert up == list(reversed(names(page)))
    assert up.index("GeForce GTX 1050 Ti") < up.index("GeForce GTX 1080") < up.index("GeForce RTX 2080")


def test_sorting_is_stable(page: Page, site_url: str) -> None:
    go(page, site_url, "?sort=-launch")
    before = [row["slug"] for row in page.evaluate(COLUMNS, ["memory"]) if row["cells"][0]["text"] == "24"]
    header(page, "memory").get_by_role("button").click()
    own = [row["slug"] for row in page.evaluate(COLUMNS, ["memory"]) if row["cells"][0]["text"] == "24"]
    header(page, "memory").get_by_role("button").click()
    assert own == [row["slug"] for row in page.evaluate(COLUMNS, ["memory"]) if row["cells"][0]["text"] == "24"]
    assert sorted(own) == sorted(before)


def test_sorting_by_keyboard(page: Page, site_url: str) -> None:
    go(page, site_url)
    button = header(page, "memory").get_by_role("button")
    button.focus()
    page.keyboard.press("Enter")
    expect(header(page, "memory")).to_have_attribute("aria-sort", "descending")
    page.keyboard.press("Space")
    expect(header(page, "memory")).to_have_attribute("aria-sort", "ascending")
    expect(button).to_be_focused()


# ── Filters ──────────────────────────────────────────────────────────────────


NUMBER_FILTERS = [
    ("memory", ">=16", 16, 1e9), ("memory", ">16", 16.0001, 1e9), ("memory", "<=8", 0, 8),
    ("memory", "24", 24, 24), ("memory", "=24", 24, 24), ("memory", "8-16", 8, 16),
    ("memory", "8..16", 8, 16), ("memory", "＞＝ 16", 16, 1e9), ("memory", "≤ 8", 0, 8),
    ("bandwidth", ">=1,008", 1008, 1e9), ("bandwidth", "=1008", 1008, 1008), ("training", "≥100", 100, 1e9),
    ("tdp", "<300", 0, 299.9999), ("msrp", "<1000", 0, 999.9999), ("msrp", "8 – 400", 8, 400),
]  # fmt: skip


@LANGUAGES
def test_number_filters(page: Page, site_url: str, prefix: str) -> None:
    go(page, site_url, prefix=prefix)
    for name, text, low, high in NUMBER_FILTERS:
        values = column(page, name)
        field(page, name).fill(text)
        assert column(page, name) == [v for v in values if v is not None and low <= v <= high], text
        assert 0 < count(page) < len(values), text
        assert page.locator(".gfg-filter-problem").is_hidden(), text
        field(page, name).fill("")


@LANGUAGES
def test_wrong_number_filter_says_so_and_filters_nothing(page: Page, site_url: str, prefix: str) -> None:
    go(page, site_url, prefix=prefix)
    total = count(page)
    problem = page.locator("#card-filter [role=alert]")
    for text in ("lots", "16 GB", "=>16", "8-16-24", "<img src=x onerror=alert(1)>"):
        field(page, "memory").fill(text)
        assert problem.is_visible()
        assert text in problem.inner_text()
        assert field(page, "memory").get_attribute("aria-invalid") == "true"
        assert count(page) == total
        field(page, "memory").fill("24")
        assert problem.is_hidden()
        assert field(page, "memory").get_attribute("aria-invalid") is None
        assert count(page) < total


def test_half_written_filter_is_not_shouted_at(page: Page, site_url: str) -> None:
    go(page, site_url)
    problem = page.locator("#card-filter [role=alert]")
    field(page, "memory").press_sequentially(">=")
    expect(problem).to_be_hidden()
    field(page, "memory").blur()
    expect(problem).to_be_visible()
    field(page, "memory").press("End")
    field(page, "memory").press_sequentially("16")
    expect(problem).to_be_hidden()


@LANGUAGES
def test_name_filter(page: Page, site_url: str, prefix: str) -> None:
    go(page, site_url, prefix=prefix)
    for text in ("rtx4090", "RTX 4090", "4090", "geforce-rtx 4090", " ４０９０ "):
        field(page, "name").fill(text)
        found = names(page)
        assert "GeForce RTX 4090" in found
        assert all("4090" in name for name in found)
        assert count(page) == len(found)


def test_all_words_of_a_name_must_match(page: Page, site_url: str) -> None:
    go(page, site_url)
    field(page, "name").fill("3060 12")
    assert names(page) == [name for name in names(page) if "3060" in name and "12" in name] != []
    field(page, "name").fill("no such card")
    assert count(page) == 0


@LANGUAGES
def test_choices(page: Page, site_url: str, prefix: str) -> None:
    go(page, site_url, prefix=prefix)
    total = count(page)
    choices = {"market": "laptop", "series": "geforce-30", "generation": "Ada Lovelace", "format": "fp8"}
    for name, value in choices.items():
        field(page, name).select_option(value)
        assert 0 < count(page) < total
        kept = page.locator("#cards tbody tr:not([hidden])")
        for other in kept.evaluate_all(f"rows => rows.map((row) => row.dataset.{name})"):
            assert value in other.split(" ") if name == "format" else value == other
        assert query(page) == {name: value}
        field(page, name).select_option("")


def test_every_choice_has_cards(page: Page, site_url: str) -> None:
    """A choice that finds nothing is a mistake of the page, not of the reader."""
    go(page, site_url)
    for name in ("market", "series", "generation", "format"):
        for value in field(page, name).locator("option").evaluate_all("all => all.map((o) => o.value).filter(Boolean)"):
            field(page, name).select_option(value)
            assert page.locator("#cards tbody tr:not([hidden])").count() > 0, (name, value)
        field(page, name).select_option("")


def test_filters_together_and_reset(page: Page, site_url: str) -> None:
    go(page, site_url, "?cols=memory,tdp")
    total = count(page)
    field(page, "memory").fill(">=16")
    field(page, "tdp").fill("<300")
    field(page, "market").select_option("geforce")
    header(page, "memory").get_by_role("button").click()
    assert 0 < count(page) < total
    assert all(v is not None and v >= 16 for v in column(page, "memory"))
    assert all(v is not None and v < 300 for v in column(page, "tdp"))
    page.locator("#card-filter button[type=reset]").click()
    assert count(page) == total
    assert page.locator("#cards [aria-sort]").count() == 0
    assert shown(page)["columns"] == ["name", "memory", "tdp"]  # the reader's columns stay
    assert query(page) == {"cols": "memory,tdp"}


def test_enter_in_a_field_does_not_leave_the_page(page: Page, site_url: str) -> None:
    go(page, site_url)
    field(page, "memory").fill(">=16")
    field(page, "memory").press("Enter")
    assert query(page) == {"memory": ">=16"}
    assert all(v is not None and v >= 16 for v in column(page, "memory"))


# ── Columns ──────────────────────────────────────────────────────────────────


@LANGUAGES
def test_columns(page: Page, site_url: str, prefix: str) -> None:
    go(page, site_url, prefix=prefix)
    assert shown(page)["columns"] == USUAL
    page.locator(".gfg-columns-picker summary").click()
    box = page.locator("#card-filter input[name=cols]")
    for name in ("fp64", "nvlink"):
        page.locator(f"#card-filter input[name=cols][value={name}]").check()
    page.locator("#card-filter input[name=cols][value=msrp]").uncheck()
    table = shown(page)
    assert set(table["columns"]) == {*USUAL, "fp64", "nvlink"} - {"msrp"}
    assert {len(row) for row in table["rows"]} == {len(table["columns"])}
    assert query(page)["cols"].split(",") == table["columns"][1:]

    field(page, "name").fill("4090")  # whatever else a reader does, the columns stay
    header(page, "memory").get_by_role("button").click()
    assert shown(page)["columns"] == table["columns"]
    page.reload()
    ready(page)
    assert shown(page)["columns"] == table["columns"]

    page.locator(".gfg-columns-picker summary").click()
    page.locator("#card-filter [data-columns=all]").click()
    assert len(shown(page)["columns"]) == box.count() + 1 > 40
    assert query(page)["cols"] == "all"
    page.locator("#card-filter [data-columns=usual]").click()
    assert shown(page)["columns"] == USUAL
    assert "cols" not in query(page)


def test_no_columns_at_all(page: Page, site_url: str) -> None:
    go(page, site_url, "?cols=memory")
    page.locator(".gfg-columns-picker summary").click()
    page.locator("#card-filter input[name=cols][value=memory]").uncheck()
    assert shown(page)["columns"] == ["name"]
    assert query(page) == {"cols": "name"}
    page.reload()
    ready(page)
    assert shown(page)["columns"] == ["name"]


# ── Address ──────────────────────────────────────────────────────────────────


@LANGUAGES
def test_state_survives_being_shared(page: Page, context: BrowserContext, site_url: str, prefix: str) -> None:
    go(page, site_url, prefix=prefix)
    field(page, "name").fill("rtx")
    field(page, "memory").fill(">=16")
    field(page, "generation").select_option("Ada Lovelace")
    page.locator(".gfg-columns-picker summary").click()
    page.locator("#card-filter input[name=cols][value=cc]").check()
    header(page, "memory").get_by_role("button").click()
    assert query(page) == {
        "name": "rtx", "memory": ">=16", "generation": "Ada Lovelace", "sort": "-memory",
        "cols": "cc,launch,memory,bandwidth,training,tensor_fp16_fp16acc,tdp,msrp",
    }  # fmt: skip
    assert "cols=cc,launch" in page.url and "memory=%3E=16" in page.url  # plain words, few escapes
    friend = context.new_page()
    friend.goto(page.url)
    ready(friend)
    assert shown(friend) == shown(page)
    assert field(friend, "memory").input_value() == ">=16"
    expect(header(friend, "memory")).to_have_attribute("aria-sort", "descending")


@pytest.mark.parametrize(("sort", "descending"), [("msrp", False), ("-msrp", True)])
def test_links_from_other_pages(page: Page, site_url: str, sort: str, descending: bool) -> None:
    go(page, site_url, f"?memory=%3E%3D16&sort={sort}")
    assert all(v is not None and v >= 16 for v in column(page, "memory"))
    assert_sorted(column(page, "msrp"), descending)
    assert 0 < count(page) < 168


def test_a_hidden_column_sorted_by_is_shown(page: Page, site_url: str) -> None:
    go(page, site_url, "?sort=-fp64")
    assert "fp64" in shown(page)["columns"]
    assert_sorted(column(page, "fp64"), descending=True)


def test_back_from_a_card_finds_the_table_as_it_was(page: Page, site_url: str) -> None:
    go(page, site_url)
    field(page, "name").fill("4090")
    header(page, "memory").get_by_role("button").click()
    before, url = shown(page), None
    page.wait_for_timeout(250)
    url = page.url
    page.locator("#cards tbody tr:not([hidden]) a").first.click()
    page.wait_for_url(re.compile(r"/gpus/[a-z0-9-]+/$"))
    page.go_back()
    ready(page)
    assert page.url == url
    assert shown(page) == before
    assert field(page, "name").input_value() == "4090"
    page.reload()
    ready(page)
    assert shown(page) == before


def test_typing_fast_and_leaving_keeps_the_last_word(page: Page, site_url: str) -> None:
    go(page, site_url)
    field(page, "name").press_sequentially("4090")
    page.locator("#cards tbody tr:not([hidden]) a").first.click()
    page.wait_for_url(re.compile(r"/gpus/[a-z0-9-]+/$"))
    page.go_back()
    ready(page)
    assert field(page, "name").input_value() == "4090"


def test_the_other_language_shows_the_same(page: Page, site_url: str) -> None:
    go(page, site_url, "?memory=%3E%3D48&sort=-memory")
    slugs = shown(page)["slugs"]
    page.locator("a[data-gfg-language]").first.click()
    page.wait_for_url(re.compile(r"/zh/gpus/\?"))
    ready(page)
    assert shown(page)["slugs"] == slugs


HOSTILE = [
    "?name=<script>document.title='broken'</script>",
    "?name=%22%3E%3Cimg%20src=x%20onerror=document.title='broken'%3E",
    "?memory=<img src=x onerror=document.title='broken'>",
    "?memory=" + "9" * 10_000,
    "?name=" + "卡" * 3_000,
    "?sort=<script>document.title='broken'</script>",
    "?sort=__proto__&cols=constructor&market=toString&format=__proto__",
    "?cols=" + "x," * 5_000,
    "?cols=" + "memory," * 1_000,
    "?market=javascript:document.title='broken'",
    "?%E0%A4%A=%&name=%&memory=%FF&sort=%00",
    "?__proto__[x]=1&constructor=1&a=" + "b" * 10_000,
    "?name={text}{shown}$&%24%60&memory={text}",
]


@pytest.mark.parametrize(("number", "prefix"), [*((i, "") for i in range(len(HOSTILE))), (0, "zh/"), (2, "zh/")])
def test_hostile_addresses(page: Page, site_url: str, number: int, prefix: str) -> None:
    go(page, site_url, "?" + quote(HOSTILE[number][1:], safe="=&%,"), prefix)
    assert page.title() != "broken"
    assert page.locator("#card-filter script, #card-filter img, #cards img").count() == 0
    form = page.locator("#card-filter")
    assert len(form.inner_text()) < 6_000
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    count(page)
    assert shown(page)["columns"][0] == "name"
    # and the table still works
    page.locator("#card-filter button[type=reset]").click()
    field(page, "memory").fill("24")
    header(page, "memory").get_by_role("button").click()
    assert set(column(page, "memory")) == {24}
    assert {"memory", "sort"} <= set(query(page)) <= {"memory", "sort", "cols"}
    assert page.evaluate("({}).x") is None


@LANGUAGES
def test_nonsense_in_the_address_is_told_and_ignored(page: Page, site_url: str, prefix: str) -> None:
    go(page, site_url, "?sort=beauty&market=moon&memory=24", prefix)
    note = page.locator(".gfg-filter-ignored")
    expect(note).to_contain_text("sort=beauty")
    expect(note).to_contain_text("market=moon")
    assert set(column(page, "memory")) == {24}
    field(page, "name").fill("rtx")
    expect(note).to_be_empty()
    assert query(page) == {"memory": "24", "name": "rtx"}


# ── Taking it away ───────────────────────────────────────────────────────────


def expected_csv(table: dict[str, Any], labels: list[str]) -> list[list[str]]:
    head = [f"{label} ({unit})" if unit else label for label, unit in zip(labels, table["units"], strict=True)]

    def cell(c: dict[str, Any]) -> str:
        if c["v"] is not None:
            return f"{float(c['v']):g}" if float(c["v"]) < 1e6 else c["v"]
        return "" if c["text"] == "—" else str(c["text"])

    return [head, *([cell(c) for c in row] for row in table["rows"])]


def head_labels(page: Page) -> list[str]:
    return [text.strip() for text in page.locator("#cards thead th:not(.x) .gfg-sort").all_inner_texts()]


@LANGUAGES
def test_copy_csv_is_what_is_seen(page: Page, context: BrowserContext, site_url: str, prefix: str) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    go(page, site_url, "?memory=>=24&sort=-bandwidth&cols=chip,memory,bandwidth,tensor_fp4,ecc,nvlink,msrp", prefix)
    button = page.locator("#card-filter [data-copy=csv]")
    usual = button.inner_text()
    button.click()
    expect(button).to_have_text(button.get_attribute("data-done") or "")
    expect(page.locator(".gfg-filter-said")).not_to_be_empty()
    text = page.evaluate("navigator.clipboard.readText()")
    rows = list(csv.reader(io.StringIO(text)))
    assert rows == expected_csv(shown(page), head_labels(page))
    assert rows[0][2].endswith(" (GiB)") and rows[0][3].endswith(" (GB/s)")
    assert not any("," in row[3] for row in rows)  # raw numbers
    expect(button).to_have_text(usual, timeout=4000)


@LANGUAGES
def test_copy_markdown(page: Page, context: BrowserContext, site_url: str, prefix: str) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    go(page, site_url, "?name=4090&cols=memory,bandwidth", prefix)
    page.locator("#card-filter [data-copy=markdown]").click()
    expect(page.locator(".gfg-filter-said")).not_to_be_empty()
    lines = page.evaluate("navigator.clipboard.readText()").splitlines()
    table = shown(page)
    assert lines[1] == "| --- | ---: | ---: |"
    assert lines[2:] == ["| " + " | ".join(c["text"] for c in row) + " |" for row in table["rows"]]
    assert lines[0].count("|") == 4 and "(GB/s)" in lines[0]


def test_download_csv(page: Page, site_url: str) -> None:
    go(page, site_url, "?generation=Hopper&cols=all")
    with page.expect_download() as waiting:
        page.locator("#card-filter [data-download=csv]").click()
    download = waiting.value
    assert download.suggested_filename == "gpus.csv"
    raw = download.path().read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")  # spreadsheets take it for UTF-8
    rows = list(csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline="")))
    assert rows == expected_csv(shown(page), head_labels(page))
    assert {len(row) for row in rows} == {len(shown(page)["columns"])}


def test_copy_where_the_clipboard_is_refused(page: Page, site_url: str) -> None:
    page.add_init_script("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    go(page, site_url, "?name=4090")
    button = page.locator("#card-filter [data-copy=csv]")
    button.click()
    expect(button).to_have_text(button.get_attribute("data-done") or "")
    expect(page.locator(".gfg-filter-text")).to_have_count(0)
    page.evaluate("document.execCommand = () => false")
    other = page.locator("#card-filter [data-copy=markdown]")
    other.click()
    box = page.locator(".gfg-filter-text")
    expect(box).to_be_focused()
    assert "RTX 4090" in page.evaluate("getSelection().toString()")
    assert box.input_value().startswith("| ")


# ── Without scripts, on a phone, on paper ────────────────────────────────────


@pytest.fixture
def scriptless(browser: Browser, site_url: str) -> Iterator[Page]:
    context = browser.new_context(java_script_enabled=False, viewport={"width": 1280, "height": 900})
    page = context.new_page()
    faults = watch(page, site_url)
    yield page
    context.close()
    assert not faults


@LANGUAGES
def test_without_scripts(scriptless: Page, site_url: str, prefix: str) -> None:
    scriptless.goto(f"{site_url}/{prefix}gpus/?memory=24")
    expect(scriptless.locator("#card-filter")).to_be_hidden()
    assert scriptless.locator("#card-filter").bounding_box() is None  # nor does it keep a place free
    table = shown(scriptless)
    assert table["columns"] == USUAL
    assert len(table["rows"]) == 168
    assert scriptless.locator("#cards button").count() == 0
    box = scriptless.locator("#all-columns")
    expect(box).to_be_visible()
    box.check()
    assert len(shown(scriptless)["columns"]) > 40
    box.uncheck()
    assert shown(scriptless)["columns"] == USUAL


def test_with_scripts_the_line_for_others_is_gone(page: Page, site_url: str) -> None:
    go(page, site_url)
    expect(page.locator(".gfg-noscript")).to_be_hidden()


def test_form_keeps_its_place_while_scripts_load(page: Page, site_url: str) -> None:
    """The table must not jump when the form comes alive."""
    page.route("**/modules/cards.js", lambda route: None)
    page.goto(f"{site_url}/gpus/", wait_until="commit")
    page.locator("#cards tbody tr").last.wait_for(state="attached")
    page.wait_for_timeout(300)
    before = page.locator("#cards").bounding_box()
    page.unroute_all(behavior="ignoreErrors")
    go(page, site_url)
    after = page.locator("#cards").bounding_box()
    assert before and after and abs(before["y"] - after["y"]) < 2


STUCK = """() => {
  const box = document.querySelector(".gfg-scroll-tall"), frame = box.getBoundingClientRect()
  const head = box.querySelector("thead th").getBoundingClientRect()
  const rows = [...box.querySelectorAll("tbody th")].map((th) => th.getBoundingClientRect())
  const row = rows.find((r) => r.top > head.bottom)
  return { frame, head, row, width: document.documentElement.scrollWidth, inner: innerWidth,
    top: box.scrollTop, left: box.scrollLeft, tall: frame.height, view: innerHeight }
}"""


@pytest.mark.parametrize("size", [(390, 844), (1280, 900), (320, 640)], ids=["phone", "desktop", "small"])
@LANGUAGES
def test_head_and_first_column_stay(page: Page, site_url: str, prefix: str, size: tuple[int, int]) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    go(page, site_url, "?cols=all", prefix)
    page.evaluate("document.querySelector('.gfg-scroll-tall').scrollTo(400, 700)")
    seen = page.evaluate(STUCK)
    assert seen["top"] == 700 and seen["left"] == 400
    assert abs(seen["head"]["top"] - seen["frame"]["top"]) < 3
    assert abs(seen["head"]["left"] - seen["frame"]["left"]) < 3
    assert abs(seen["row"]["left"] - seen["frame"]["left"]) < 3
    assert seen["tall"] < seen["view"]
    assert seen["head"]["width"] < size[0] * 0.5  # room for the numbers
    assert seen["width"] <= seen["inner"]  # the page itself does not scroll sideways
    on_top = page.evaluate(
        """({ x, y }) => document.elementFromPoint(x, y)?.closest("th")?.scope""",
        {"x": seen["row"]["left"] + 20, "y": min(seen["row"]["top"] + 5, seen["view"] - 5)},
    )
    if seen["row"]["top"] + 5 < seen["view"]:
        assert on_top == "row"


def test_phone_has_the_table_near_the_top(page: Page, site_url: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    go(page, site_url, "?memory=%3E%3D16&sort=msrp")
    box = page.locator("#cards").bounding_box()
    assert box and box["y"] < 700
    expect(page.locator(".gfg-filter-more > summary")).to_contain_text("(1)")
    page.locator(".gfg-filter-more > summary").click()
    expect(field(page, "memory")).to_be_visible()
    go(page, site_url, "?memory=lots")
    expect(field(page, "memory")).to_be_visible()  # what is wrong is in sight


def test_sorting_goes_to_the_top(page: Page, site_url: str) -> None:
    go(page, site_url)
    page.evaluate("document.querySelector('.gfg-scroll-tall').scrollTo(0, 1500)")
    header(page, "memory").get_by_role("button").click()
    assert page.evaluate("document.querySelector('.gfg-scroll-tall').scrollTop") == 0


@LANGUAGES
def test_print(page: Page, site_url: str, prefix: str) -> None:
    go(page, site_url, prefix=prefix)
    page.emulate_media(media="print")
    table = shown(page)
    assert table["columns"] == USUAL
    assert len(table["rows"]) == 168
    expect(page.locator("#card-filter")).to_be_hidden()
    box = page.locator(".gfg-scroll-tall").evaluate(
        "b => [b.scrollHeight - b.clientHeight, b.scrollWidth - b.clientWidth]"
    )
    assert box[0] <= 1 and box[1] <= 1  # nothing is cut off
    assert page.pdf(format="A4")[:4] == b"%PDF"


# ── Access and speed ─────────────────────────────────────────────────────────


@LANGUAGES
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe(browser: Browser, site_url: str, prefix: str, scheme: Any, width: int) -> None:
    context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 900})
    page = context.new_page()
    go(page, site_url, "?memory=wrong&market=moon&sort=-bandwidth", prefix)
    page.locator(".gfg-columns-picker summary").click()
    result = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]})
    context.close()
    assert not result.response["violations"], result.generate_report()


def test_labels(page: Page, site_url: str) -> None:
    go(page, site_url)
    assert header(page, "memory").get_by_role("button").evaluate("e => e.textContent") == "Memory GiB"
    for control in page.locator("#card-filter input, #card-filter select").all():
        assert control.evaluate("e => e.labels.length") == 1
    assert page.locator("#cards caption").count() == 1


SPEED = """async (all) => {
  const form = document.getElementById("card-filter"), box = document.querySelector(".gfg-scroll-tall")
  const timed = (what) => {
    const start = performance.now()
    what()
    box.getBoundingClientRect(); document.getElementById("cards").offsetHeight
    return performance.now() - start
  }
  const type = (name, text) => timed(() => {
    const field = form.elements.namedItem(name)
    field.value = text
    field.dispatchEvent(new Event("input", { bubbles: true }))
  })
  const press = (selector) => timed(() => document.querySelector(selector).click())
  const frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))
  const result = {}
  const record = async (name, what) => {
    const times = []
    for (let i = 0; i < 9; i++) { times.push(what(i)); await frame() }
    times.sort((a, b) => a - b)
    result[name] = { median: times[4], worst: times[8] }
  }
  await record("name filter", (i) => type("name", ["rtx", "", "4090"][i % 3]))
  type("name", "")
  await record("number filter", (i) => type("memory", [">=16", "", "<300"][i % 3]))
  type("memory", "")
  await record("sort numbers", () => press("#cards th[data-col=memory] button"))
  await record("sort names", () => press("#cards th[data-col=name] button"))
  await record("all / usual columns", (i) => press(`[data-columns=${i % 2 ? "usual" : "all"}]`))
  return result
}"""


@pytest.mark.parametrize("cols", ["", "?cols=all"], ids=["usual", "all"])
def test_speed_is_printed(page: Page, site_url: str, cols: str) -> None:
    """Times of script, style and layout together; to be read with -s, never asserted."""
    go(page, site_url, cols)
    for name, times in page.evaluate(SPEED).items():
        print(
            f"\n  {cols or 'usual':10} {name:20} median {times['median']:6.1f}, worst {times['worst']:6.1f} ms", end=""
        )
