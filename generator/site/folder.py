"""The same pages as the site's, written to a plain folder: for other site generators, and for reading a change."""

from __future__ import annotations

from pathlib import Path

from generator.render import Page, render_site

LANGUAGES = ("en", "zh")


def address(page: Page, lang: str) -> str:
    """Where a page stands below the root of both languages: English at the top, the others in their own folder."""
    return page.path if lang == "en" else f"{lang}/{page.path}"


def write_site(root: Path, out_dir: Path) -> int:
    """Write every page of both languages below `out_dir` and return how many there are."""
    count = 0
    for lang in LANGUAGES:
        for page in render_site(root, lang):
            target = out_dir / address(page, lang)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(page.text, encoding="utf-8")
            count += 1
    return count
