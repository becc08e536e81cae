"""Every kind of page in both languages: whole, on any screen, on paper, by keyboard and without scripts."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.kinds import KINDS, LOCALE, PREFIX, TAG, address

Reader = Callable[..., Page]
ROOT = Path(__file__).resolve().parents[2]
EACH_PAGE = [(kind, lang) for lang in PREFIX for kind in KINDS]
# What makes the page wider than the screen: the outermost elements that stick out of it.
TOO_WIDE = """() => document.documentElement.scrollWidth <= innerWidth ? [] :
  [document.documentElement.scrollWidth + " > " + innerWidth, ...[...document.querySelectorAll("body *")]
    .filter((e) => e.checkVisibility() && e.getBoundingClientRect().right > innerWidth + 0.5)
    .filter((e) => !e.closest(".gfg-scroll *"))
    .slice(0, 5).map((e) => e.tagName + "." + e.className)]"""
NAVIGATION = (
    ".md-header, .md-tabs, .md-sidebar, .md-search, .md-top, .md-footer__inner, "
    ".md-content__button, .gfg-offer, .gfg-languages, .gfg-correct, .gfg-filter"
)


@pytest.mark.parametrize(("kind", "lang"), EACH_PAGE)
def test_page_is_whole(kind: str, lang: str, reader: Reader) -> None:
    """No error (the fixture), a heading, a title, a description; fits a phone; prints without navigation."""
    page = reader(locale=LOCALE[lang])
    answer = page.goto(address(kind, lang))
    assert answer is not None
    assert answer.status == (404 if kind == "missing" else 200)
    page.wait_for_load_state("networkidle")
    expect(page.locator("h1")).to_have_count(1)
    expect(page.locator("h1")).to_be_visible()
    assert page.title().strip()
    assert len(page.locator("meta[name=description]").get_attribute("content") or "") > 10
    if kind != "missing":  # one file for both languages
        expect(page.locator("html")).to_have_attribute("lang", TAG[lang])

    for width in (390, 360):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate(TOO_WIDE) == [], f"wider than a screen of {width} pixels"

    page.set_viewport_size({"width": 1280, "height": 900})
    expect(page.locator("header.md-header")).to_be_visible()
    page.emulate_media(media="print")
    printed = [e.get_attribute("class") for e in page.locator(NAVIGATION).all() if e.is_visible()]
    assert not printed, f"printed: {printed}"
    expect(page.locator("h1")).to_be_visible()


def brightness(page: Page) -> float:
    """Of the page's ground, from 0 (black) to 255."""
    ground = page.locator("body").evaluate("(body) => getComputedStyle(body).backgroundColor")
    return sum(map(float, re.findall(r"[\d.]+", ground)[:3])) / 3


@pytest.mark.parametrize("lang", PREFIX)
@pytest.mark.parametrize(("system", "chosen"), [("light", "slate"), ("dark", "default")])
def test_scheme_follows_the_system_until_the_reader_chooses(
    system: str, chosen: str, lang: str, reader: Reader
) -> None:
    page = reader(color_scheme=system, locale=LOCALE[lang])
    page.goto(address("card", lang))
    is_dark = system == "dark"
    expect(page.locator("body")).to_have_attribute("data-md-color-scheme", "slate" if is_dark else "default")
    assert (brightness(page) < 80) is is_dark

    page.locator("label[for^=__palette]:visible").click()
    expect(page.locator("body")).to_have_attribute("data-md-color-scheme", chosen)
    assert (brightness(page) < 80) is not is_dark

    for path in (address("card", lang), address("home", "zh" if lang == "en" else "en")):
        page.goto(path, wait_until="load")
        expect(page.locator("body")).to_have_attribute("data-md-color-scheme", chosen)
        assert (brightness(page) < 80) is not is_dark, "the choice is forgotten on another page"


def test_a_dark_reader_sees_no_flash_of_light(reader: Reader) -> None:
    """The scheme is set before the deferred scripts: they never come here."""
    page = reader(color_scheme="dark")
    page.route("**/bundle*.js", lambda route: route.fulfill(body="", content_type="text/javascript"))
    page.goto("/gpus/rtx-3090/")
    expect(page.locator("body")).to_have_attribute("data-md-color-scheme", "slate")


@pytest.mark.parametrize("lang", PREFIX)
@pytest.mark.parametrize("kind", ["card", "series", "architecture", "model", "software"])
def test_next_and_previous_undo_each_other(kind: str, lang: str, page: Page, site_url: str) -> None:
    page.goto(site_url + address(kind, lang))
    start = page.locator("h1").inner_text()
    forward = page.locator("a.md-footer__link--next")
    promised = forward.locator(".md-ellipsis").inner_text()
    forward.click()
    expect(page.locator("h1")).to_have_text(re.compile(re.escape(promised)))
    assert page.url.startswith(site_url + PREFIX[lang])
    page.locator("a.md-footer__link--prev").click()
    expect(page).to_have_url(site_url + address(kind, lang))
    assert page.locator("h1").inner_text() == start


@pytest.mark.parametrize("lang", PREFIX)
def test_a_card_is_corrected_in_its_own_file(lang: str, page: Page, site_url: str) -> None:
    page.goto(site_url + address("card", lang))
    source = "data/gpus/rtx-3090.yaml"
    assert (ROOT / source).is_file()
    links = page.locator("a[rel~=edit]")
    assert {link.get_attribute("href") for link in links.all()} == {
        f"https://github.com/gpu-field-guide/gpu-field-guide/edit/main/{source}"
    }
    expect(links.first).to_be_visible()


@pytest.mark.parametrize("lang", PREFIX)
def test_a_source_of_a_number_is_one_step_away(lang: str, page: Page, site_url: str) -> None:
    page.goto(site_url + address("card", lang))
    page.locator("a.gfg-ref:visible").first.click()
    source = page.locator("li:target")
    expect(source).to_be_in_viewport()
    source.get_by_role("link").first.click()
    expect(page).to_have_url(re.compile(re.escape(site_url + address("sources", lang)) + "#."))
    expect(page.locator("dt:target")).to_be_in_viewport()


@pytest.mark.parametrize("lang", PREFIX)
def test_a_term_of_the_glossary_has_an_address(lang: str, page: Page, site_url: str) -> None:
    """It comes to stand below the fixed header, marked; and it leads to its relatives."""
    page.goto(site_url + address("glossary", lang))
    page.wait_for_load_state("networkidle")
    everything = page.locator('.gfg-glossary dd a[href^="#"]')
    related = everything.nth(everything.count() // 2)
    target = (related.get_attribute("href") or "").removeprefix("#")
    related.click()
    term = page.locator(f'dt[id="{target}"]')
    expect(term).to_be_in_viewport()
    page.goto(f"{site_url}{address('glossary', lang)}#{target}")
    expect(term).to_be_in_viewport(ratio=1)
    header = page.locator("header.md-header").bounding_box()
    box = term.bounding_box()
    assert header is not None
    assert box is not None
    assert box["y"] >= header["height"] - 1, "the term hides below the header"
    plain = page.locator("dt:not(:target)").first
    ground = "(e) => getComputedStyle(e).backgroundColor"
    assert term.evaluate(ground) != plain.evaluate(ground)


@pytest.mark.parametrize("lang", PREFIX)
def test_all_prices_open_by_keyboard_and_are_printed(lang: str, page: Page, site_url: str) -> None:
    page.goto(site_url + address("card", lang))
    summary = page.locator("details.gfg-details > summary")
    row = page.locator("details.gfg-details tbody tr").last
    expect(row).to_be_hidden()
    page.emulate_media(media="print")
    expect(row, "closed prices are not printed").to_be_visible()
    page.emulate_media(media="screen")
    expect(row).to_be_hidden()

    summary.focus()
    expect(summary).to_be_focused()
    page.keyboard.press("Enter")
    expect(row).to_be_visible()
    page.keyboard.press("Space")
    expect(row).to_be_hidden()


@pytest.mark.parametrize("lang", PREFIX)
def test_the_hubs_are_in_reach_on_a_phone(lang: str, reader: Reader) -> None:
    page = reader(viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True, locale=LOCALE[lang])
    page.goto(address("card", lang))
    hubs = page.locator(".md-nav--primary > .md-nav__list > .md-nav__item > a.md-nav__link")
    expect(hubs.nth(2)).not_to_be_in_viewport()
    page.locator('.md-header label[for="__drawer"]').tap()
    expect(hubs).to_have_count(page.locator(".md-tabs__link").count())
    expect(hubs.nth(2)).to_be_in_viewport()
    hubs.nth(2).tap()
    expect(page).to_have_url(re.compile(re.escape(address("series-hub", lang)) + "$"))


@pytest.mark.parametrize("lang", PREFIX)
@pytest.mark.parametrize("kind", ["home", "card", "cards", "model", "glossary", "about"])
def test_reads_without_scripts(kind: str, lang: str, reader: Reader) -> None:
    page = reader(java_script_enabled=False, locale=LOCALE[lang])
    page.goto(address(kind, lang))
    expect(page.locator("h1")).to_be_visible()
    for piece in page.locator("article :is(h2, table:not(details *), dl, ul, ol)").all():
        expect(piece).to_be_visible()
    if kind == "cards":
        rows = page.locator("#cards tbody tr")
        expect(rows).to_have_count(len(list((ROOT / "data/gpus").glob("*.yaml"))))
        expect(rows.last).to_be_visible()
        expect(page.locator("#card-filter")).to_be_hidden()
    if kind == "card":
        page.locator("details.gfg-details > summary").click()
        expect(page.locator("details.gfg-details tbody tr").last).to_be_visible()
    page.locator("[data-gfg-language]").click()
    expect(page.locator("html")).to_have_attribute("lang", TAG["zh" if lang == "en" else "en"])
