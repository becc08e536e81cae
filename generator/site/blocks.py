"""Spare generated pages the Markdown parser and the search parser.

A generated page is headings and HTML, and both MkDocs' Markdown and the search plugin would walk
through every tag of it: two thirds of a build. So the HTML between headings is set aside while
Markdown makes the headings, their anchors and the table of contents; the search reads the plain
text of it; and the page gets it back just before its template is rendered.
"""

from __future__ import annotations

import re

_HEADING = re.compile(r"^(#{1,6} .*)$", re.MULTILINE)
_PLACE = re.compile(r'<div data-gfg-block="(\d+)"></div>')
# What a search must not find: tables of other cards, drawings, controls.
_EXCLUDED = re.compile(r"<!--search:off-->.*?(<!--search:on-->|$)|<svg\b.*?</svg>|<form\b.*?</form>", re.DOTALL)
_MARK = re.compile(r"<!--search:o(ff|n)-->\n?")
_TAG = re.compile(r"<[^>]*>")
_SPACE = re.compile(r"\s+")


def set_aside(markdown: str) -> tuple[str, list[str]]:
    """The page with a placeholder for everything between two headings, and what was there."""
    blocks: list[str] = []
    parts: list[str] = []
    for i, part in enumerate(_HEADING.split(markdown)):
        if i % 2 or not part.strip():
            parts.append(part)
            continue
        parts.append(f'\n\n<div data-gfg-block="{len(blocks)}"></div>\n\n')
        blocks.append(part.strip())
    return "\n".join(parts), blocks


def restore(content: str, blocks: list[str]) -> str:
    """The page's HTML with everything back in its place."""
    return _PLACE.sub(lambda match: _MARK.sub("", blocks[int(match.group(1))]), content)


def plain(content: str, blocks: list[str]) -> str:
    """The page's HTML as the search reads it: headings, and the words of each block."""

    def words(match: re.Match[str]) -> str:
        text = _TAG.sub(" ", _EXCLUDED.sub(" ", blocks[int(match.group(1))]))
        # Entities stay as they are: this is HTML again for the search's parser.
        return f"<p>{_SPACE.sub(' ', text).strip()}</p>"

    return _PLACE.sub(words, content)
