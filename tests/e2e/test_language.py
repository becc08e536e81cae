"""Two languages: every page has its twin behind the menu, and nobody is sent there unasked."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.kinds import KINDS, LOCALE, PREFIX, TAG, address

Reader = Callable[..., Page]
OTHER = {"en": "zh", "zh": "en"}
OFFER = "[data-gfg-offer]"


def menu(page: Page, lang: str) -> None:
    """Choose a language in the menu and wait for the page."""
    with page.expect_navigation():
        page.locator(f'[data-gfg-language="{lang}"]').click()


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "missing"])
def test_menu_leads_to_the_twin_and_back(kind: str, page: Page, site_url: str) -> None:
    page.goto(site_url + address(kind, "en"))
    english = page.locator("h1").inner_text()
    expect(page.locator("html")).to_have_attribute("lang", TAG["en"])

    menu(page, "zh")
    assert page.url == site_url + address(kind, "zh")
    expect(page.locator("html")).to_have_attribute("lang", TAG["zh"])
    expect(page.locator(".md-tabs__link").first).to_have_text("首页")

    menu(page, "en")
    assert page.url == site_url + address(kind, "en")
    expect(page.locator("html")).to_have_attribute("lang", TAG["en"])
    assert page.locator("h1").inner_text() == english


@pytest.mark.parametrize("lang", PREFIX)
def test_a_missing_page_speaks_the_language_of_its_address(lang: str, page: Page, site_url: str) -> None:
    answer = page.goto(site_url + address("missing", lang))
    assert answer is not None
    assert answer.status == 404
    first = page.locator("[data-gfg-missing] > section").first
    expect(first).to_have_attribute("lang", TAG[lang])
    expect(first).to_be_in_viewport()
    first.get_by_role("link").nth(1).click()
    expect(page).to_have_url(site_url + address("cards", lang))
    page.goto(site_url + address("missing", lang))
    menu(page, OTHER[lang])
    assert page.url == site_url + address("home", OTHER[lang])


@pytest.mark.parametrize("lang", PREFIX)
def test_another_readers_language_is_offered_and_not_forced(lang: str, reader: Reader, site_url: str) -> None:
    page = reader(locale=LOCALE[OTHER[lang]])
    page.goto(address("card", lang))
    line = page.locator(OFFER)
    expect(line).to_be_visible()
    expect(line).to_have_attribute("lang", TAG[OTHER[lang]])
    assert page.url == site_url + address("card", lang), "the reader was sent to another page"

    line.get_by_role("button").click()
    expect(line).to_be_hidden()
    for path in (address("card", lang), address("home", lang)):
        page.goto(path)
        page.wait_for_load_state("networkidle")
        expect(page.locator(OFFER), "the offer came back").to_be_hidden()


@pytest.mark.parametrize("lang", PREFIX)
def test_who_follows_the_offer_is_not_asked_again(lang: str, reader: Reader, site_url: str) -> None:
    page = reader(locale=LOCALE[OTHER[lang]])
    page.goto(address("home", lang))
    page.locator(OFFER).get_by_role("link").click()
    expect(page).to_have_url(site_url + address("home", OTHER[lang]))
    expect(page.locator("html")).to_have_attribute("lang", TAG[OTHER[lang]])
    page.goto(address("card", lang))
    page.wait_for_load_state("networkidle")
    expect(page.locator(OFFER)).to_be_hidden()


def test_escape_closes_the_offer(reader: Reader) -> None:
    page = reader(locale="zh-CN")
    page.goto("/")
    page.locator(OFFER).get_by_role("button").focus()
    page.keyboard.press("Escape")
    expect(page.locator(OFFER)).to_be_hidden()


@pytest.mark.parametrize("lang", PREFIX)
def test_a_reader_at_home_is_offered_nothing(lang: str, reader: Reader) -> None:
    page = reader(locale=LOCALE[lang])
    page.goto(address("card", lang))
    page.wait_for_load_state("networkidle")
    expect(page.locator(OFFER)).to_be_hidden()
