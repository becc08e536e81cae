"""WCAG 2, levels A and AA, as far as axe can tell: every kind of page, both languages, light and dark."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.e2e.kinds import KINDS, LOCALE, PREFIX, address

Reader = Callable[..., Page]
AXE = Axe()
ALL = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
OF_COLOUR = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}  # what a scheme can change
# Long tables and lists are read in full once; the other times their beginnings must do.
THIN = """() => document.querySelectorAll("article :is(tbody, dl)").forEach((list) =>
  [...list.children].slice(30).forEach((row) => row.remove()))"""
PHONE = {"width": 390, "height": 844}
SCHEME = {"light": "default", "dark": "slate"}


# Something that fades in is half transparent for a moment, and axe would measure that moment. Animations that
# never end (a spinner) are not waited for.
SETTLED = """async () => {
  const ending = () => document.getAnimations().filter((a) => a.effect.getComputedTiming().endTime !== Infinity)
  for (let quiet = 0; quiet < 3; ) {
    const running = ending()
    await Promise.allSettled(running.map((a) => a.finished))
    await new Promise((done) => setTimeout(done, 50))
    quiet = ending().length ? 0 : quiet + 1
  }
}"""


def settle(page: Page) -> None:
    """Wait until nothing on the page moves or fades any more."""
    page.evaluate(SETTLED)


def assert_clean(page: Page, rules: dict[str, object] = ALL) -> None:
    """No violation; else one line for each element, with what to do."""
    settle(page)
    found = AXE.run(page, options={"resultTypes": ["violations"], "runOnly": rules}).response["violations"]
    lines = [
        f"{rule['id']}: {node['target'][0]}: {node['failureSummary'].splitlines()[-1].strip()}: {node['html'][:160]}"
        for rule in found
        for node in rule["nodes"]
    ]
    assert not lines, "\n".join([f"{len(lines)} on {page.url}", *lines[:12]])


def show(page: Page, path: str, scheme: str) -> None:
    """The page at rest, in the scheme."""
    page.goto(path)
    expect(page.locator("[data-gfg-module][hidden]")).to_have_count(0)  # our scripts have run
    expect(page.locator("body")).to_have_attribute("data-md-color-scheme", SCHEME[scheme])


# The table of all cards has a test of its own, in test_cards_table.py.
@pytest.mark.parametrize("scheme", SCHEME)
@pytest.mark.parametrize("lang", PREFIX)
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "cards"])
def test_page(kind: str, lang: str, scheme: str, reader: Reader) -> None:
    page = reader(color_scheme=scheme, locale=LOCALE[lang])
    show(page, address(kind, lang), scheme)
    if (lang, scheme) != ("en", "light"):
        page.evaluate(THIN)
    assert_clean(page, ALL if scheme == "light" else OF_COLOUR)


@pytest.mark.parametrize(("lang", "scheme"), [("en", "light"), ("zh", "dark")])
@pytest.mark.parametrize("kind", ["home", "card", "model", "series", "software"])
def test_page_on_a_phone(kind: str, lang: str, scheme: str, reader: Reader) -> None:
    page = reader(color_scheme=scheme, locale=LOCALE[lang], viewport=PHONE, is_mobile=True, has_touch=True)
    show(page, address(kind, lang), scheme)
    assert_clean(page)


@pytest.mark.parametrize("scheme", SCHEME)
def test_with_everything_open(scheme: str, reader: Reader) -> None:
    """The offer of the other language, all prices, a marked source, the answers of the search."""
    page = reader(color_scheme=scheme, locale="zh-CN")
    show(page, f"{address('card', 'en')}#source-1", scheme)
    expect(page.locator("[data-gfg-offer]")).to_be_visible()
    for summary in page.locator("article summary").all():
        summary.click()
    assert_clean(page)
    page.locator(".md-search__input").fill("bandwidth")
    expect(page.locator(".md-search-result__link").first).to_be_visible(timeout=15_000)
    assert_clean(page)


@pytest.mark.parametrize("scheme", SCHEME)
def test_drawer_on_a_phone(scheme: str, reader: Reader) -> None:
    page = reader(color_scheme=scheme, viewport=PHONE, is_mobile=True, has_touch=True)
    show(page, address("card", "en"), scheme)
    page.locator('.md-header label[for="__drawer"]').tap()
    page.wait_for_timeout(400)  # it slides in
    assert_clean(page)


@pytest.mark.parametrize("lang", PREFIX)
def test_first_tab_skips_to_the_text(lang: str, page: Page, site_url: str) -> None:
    page.goto(site_url + address("card", lang))
    page.keyboard.press("Tab")
    skip = page.locator("a.md-skip")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    inside = page.evaluate("document.querySelector('article').contains(document.activeElement)")
    assert inside, "the Tab key goes on in the header"


@pytest.mark.parametrize("scheme", SCHEME)
def test_focus_is_seen(scheme: str, reader: Reader) -> None:
    """Each of the first stops of the Tab key changes its looks, or what stands for it does."""
    page = reader(color_scheme=scheme)
    show(page, address("card", "en"), scheme)
    look = """() => { const e = document.activeElement
      const seen = e.matches(".md-option") ? e.nextElementSibling : e
      const s = getComputedStyle(seen)
      return [e.outerHTML.slice(0, 90), s.outlineStyle !== "none" && parseFloat(s.outlineWidth) > 0] }"""
    unseen = []
    for _ in range(25):
        page.keyboard.press("Tab")
        name, outlined = page.evaluate(look)
        if not outlined:
            unseen.append(name)
    assert not unseen, "\n".join(unseen)
