"""The two languages of the site: interface strings (gettext), numbers, dates, addresses.

English is the source text; ``generator/locale/<lang>/LC_MESSAGES/guide.po`` holds the other
language and is compiled in memory, so that there is no build product to keep current.
"""

from __future__ import annotations

import datetime as dt
import gettext
import io
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from babel.dates import format_date, format_skeleton
from babel.messages import Catalog as Messages
from babel.messages import Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

LANGUAGES = ("en", "zh")
LOCALE_DIR = Path(__file__).parent / "locale"
_BABEL_LOCALE = {"en": "en_US", "zh": "zh_Hans_CN"}
HTML_LANG = {"en": "en", "zh": "zh-Hans"}
DASH = "—"
COMMENT_START, COMMENT_END = "{##", "##}"


def N_(message: str) -> str:  # noqa: N802 (gettext's own name for "translate later")
    """Mark a string for extraction where it cannot be translated yet."""
    return message


@dataclass(frozen=True)
class Language:
    """One language of the site."""

    code: str
    strings: gettext.NullTranslations

    def text(self, message: str) -> str:
        """The interface string in this language."""
        return self.strings.gettext(message)

    def date(self, value: dt.date | str | None) -> str:
        """A date as people write it; ``YYYY`` and ``YYYY-MM`` keep their precision."""
        return _date(self.code, value)


@lru_cache(maxsize=4096)
def _date(code: str, value: dt.date | str | None) -> str:
    if value is None:
        return DASH
    # Babel writes 2026年11月23日; between Chinese and digits this site sets a space.
    parts = [int(part) for part in str(value).split("-")]
    if code == "zh":
        return " ".join(f"{part} {unit}" for part, unit in zip(parts, "年月日", strict=False))
    if len(parts) == 1:
        return str(parts[0])
    day = dt.date(parts[0], parts[1], parts[2] if len(parts) > 2 else 1)
    if len(parts) == 2:
        return format_skeleton("yMMMM", day, locale=_BABEL_LOCALE[code])
    return format_date(day, "long", locale=_BABEL_LOCALE[code])


def number(value: float | None, digits: int = 3) -> str:
    """``digits`` significant digits, no trailing zeros, thousands separated: 71, 35.6, 1,008."""
    if value is None:
        return DASH
    if value == 0:
        return "0"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def billions(count: float | None) -> str:
    """A parameter count as people say it: 7.62B, 494M."""
    if count is None:
        return DASH
    return f"{number(count / 1e9)}B" if count >= 1e9 else f"{number(count / 1e6)}M"


@lru_cache(maxsize=4)
def language(code: str) -> Language:
    """The language ``en`` or ``zh``.

    Raises:
        KeyError: for any other code.
    """
    if code not in _BABEL_LOCALE:
        raise KeyError(code)
    path = po_path(code)
    if not path.exists():
        return Language(code, gettext.NullTranslations())
    buffer = io.BytesIO()
    with path.open("rb") as stream:
        write_mo(buffer, read_po(stream, locale=_BABEL_LOCALE[code]))
    buffer.seek(0)
    return Language(code, gettext.GNUTranslations(buffer))


def po_path(code: str) -> Path:
    """Where the interface strings of a language are kept."""
    return LOCALE_DIR / code / "LC_MESSAGES" / "guide.po"


def extract() -> Iterator[tuple[str, tuple[str, ...]]]:
    """Every interface string in templates and modules: ``(message, comments)``."""
    here = Path(__file__).parent
    methods = [("**.py", "python"), ("**.j2", "jinja2")]
    options = {
        "**.j2": {
            "silent": "false",
            "extensions": "jinja2.ext.do",
            "comment_start_string": COMMENT_START,
            "comment_end_string": COMMENT_END,
        }
    }
    keywords = {"_": None, "N_": None, "gettext": None}
    for _, _, message, comments, _ in extract_from_dir(
        here, methods, options, keywords, comment_tags=("i18n:",), strip_comment_tags=True
    ):
        if isinstance(message, str) and message:
            yield message, tuple(comments)
    yield from _of_options()


def _of_options() -> Iterator[tuple[str, tuple[str, ...]]]:
    """What the option tables of the formulas say about themselves and about each choice."""
    # Only here: nothing that reads strings needs the tables.
    from generator import options

    for table in options.load().tables.values():
        yield table.about, ()
        for choice in table.options.values():
            yield choice.basis, ()


def update(code: str) -> str:
    """The catalog of ``code`` brought up to date with the code: new strings empty, old ones gone."""
    known: dict[str, str] = {}
    if po_path(code).exists():
        with po_path(code).open("rb") as stream:
            old = read_po(stream, locale=_BABEL_LOCALE[code])
        known = {str(m.id): str(m.string) for m in old if isinstance(m, Message) and m.id}
    fresh = Messages(locale=_BABEL_LOCALE[code], project="GPU Field Guide", fuzzy=False,
                     creation_date=dt.datetime(2026, 1, 1), revision_date=dt.datetime(2026, 1, 1))  # fmt: skip
    for message, comments in sorted(set(extract())):
        default = message if code == "en" else ""
        fresh.add(message, known.get(message, default) or default, auto_comments=comments)
    buffer = io.BytesIO()
    write_po(buffer, fresh, width=100, no_location=True, sort_output=True, omit_header=False)
    return buffer.getvalue().decode("utf-8")


def untranslated(code: str) -> list[str]:
    """Interface strings without a translation, after :func:`update`."""
    catalog = read_po(io.BytesIO(update(code).encode("utf-8")), locale=_BABEL_LOCALE[code])
    return [str(m.id) for m in catalog if m.id and not m.string]
