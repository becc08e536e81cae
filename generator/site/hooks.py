"""MkDocs hooks: two languages out of one build, a security policy on each page, a search index per language.

English stands at /, every other language below /<code>/ with the same file names. `nav` in mkdocs.yml has one tree per
language; `extra.languages` holds what the theme says in each. Generated pages (generator/site/pages.py) leave what is
known about them in `config.extra["generated"]`.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import json
import logging
import re
import sys
from html import escape
from pathlib import Path
from typing import Any

import jieba
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.plugins import get_plugin_logger
from mkdocs.structure.files import Files
from mkdocs.structure.nav import Navigation
from mkdocs.structure.pages import Page

# MkDocs loads this file by its path; the package it belongs to lies two folders up.
if (_package := str(Path(__file__).resolve().parents[2])) not in sys.path:
    sys.path.insert(0, _package)

from generator.site import blocks, worker

log = get_plugin_logger("guide")

DEFAULT = "en"
POLICY = (
    "default-src 'none'; script-src 'self' {scripts}; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "worker-src 'self'; font-src 'self'; base-uri 'none'; form-action 'self'"
)
_CHARSET = '<meta charset="utf-8">'
_SCRIPT = re.compile(r"<script([^>]*)>(.*?)</script>", re.DOTALL)
_INLINE_STYLE = re.compile(r"<style\b|<[^>]+\sstyle\s*=")
_CELL_BORDER = re.compile(r"(</t[dh]>)(?=<t[dh])")
_READ = re.compile(r"^\s*accessed:\s*['\"]?(\d{4}-\d\d-\d\d)", re.MULTILINE)

_serving = False


def on_startup(command: str, **_: Any) -> None:
    """Remember whether a reader or a developer will look: live reload needs inline scripts that change all the time."""
    global _serving
    _serving = command == "serve"


@functools.cache
def _teach_segmenter() -> None:
    """Give jieba the words of the field, once a process.

    Only atoms: 显存带宽 must fall into 显存 and 带宽, or a search for 带宽 would pass it by.
    """
    jieba.setLogLevel(logging.WARNING)
    jieba.load_userdict(str(Path(__file__).with_name("jieba.txt")))


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    _teach_segmenter()
    sources = _root(config) / "data" / "sources.yaml"
    dates = _READ.findall(sources.read_text(encoding="utf-8")) if sources.is_file() else []
    config.extra["read"] = max(dates, default=None)
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """`edit_uri` is the root of the repository; a hand-written page lies in docs/ below it."""
    docs = Path(config.docs_dir).absolute().relative_to(_root(config)).as_posix()
    generated = config.extra.setdefault("generated", {})
    for file in files.documentation_pages():
        if file.src_uri not in generated:
            file.edit_uri = f"{docs}/{file.src_uri}"
    return files


def on_nav(nav: Navigation, config: MkDocsConfig, files: Files) -> Navigation:
    """Split the navigation by language, and give generated pages their neighbours."""
    navs: dict[str, Navigation] = {}
    for tree in nav.items:
        lang = tree.title
        if lang not in config.extra["languages"] or not tree.children:
            raise PluginError(f"mkdocs.yml: nav: {lang!r} at the first level; expected one tree per language")
        pages = [item for item in tree.children if isinstance(item, Page)]
        for item in tree.children:
            item.parent = None
        for page, before, after in zip(pages, [None, *pages[:-1]], [*pages[1:], None], strict=True):
            page.previous_page, page.next_page = before, after
        navs[lang] = Navigation(tree.children, pages)
        navs[lang].homepage = pages[0]
    for path, (lang, made) in config.extra["generated"].items():
        leaf = _page(files, path)
        if leaf is not None and (made.prev or made.next):
            leaf.previous_page = _page(files, _address(made.prev, lang))
            leaf.next_page = _page(files, _address(made.next, lang))
    config.extra["navs"] = navs
    config.extra["addresses"] = {file.src_uri: file.url for file in files.documentation_pages()}
    return navs[DEFAULT]


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, **_: Any) -> str:
    """Set a generated page's HTML aside; say about it what the renderer knows beside its text."""
    if page.file.src_uri not in config.extra["generated"]:
        return markdown
    _, made = config.extra["generated"][page.file.src_uri]
    # The theme prints titles as they are: escape them here.
    page.meta["title"] = escape(made.title)
    if made.search_boost is not None:
        page.meta.setdefault("search", {}).setdefault("boost", made.search_boost)
    markdown, config.extra.setdefault("blocks", {})[page.file.src_uri] = blocks.set_aside(markdown)
    return markdown


def on_page_content(html: str, page: Page, config: MkDocsConfig, **_: Any) -> str:
    """What the search reads. A hand-written page is complete here, a generated one when it is rendered."""
    languages = config.extra["languages"]
    html = html.replace(
        f'title="{languages[DEFAULT]["permalink"]}"', f'title="{languages[_language(page, config)]["permalink"]}"'
    )
    aside = config.extra.get("blocks", {}).get(page.file.src_uri)
    if aside is None:
        _refuse_styles(html, page)
        return _CELL_BORDER.sub(r"\1 ", html)
    config.extra.setdefault("whole", {})[page.file.src_uri] = html
    return blocks.plain(html, aside)


def _refuse_styles(html: str, page: Page) -> None:
    if _INLINE_STYLE.search(html):
        log.warning(f"{page.file.src_uri}: inline style; the security policy forbids it, use a class")


def on_page_context(context: dict[str, Any], page: Page, config: MkDocsConfig, **_: Any) -> dict[str, Any]:
    lang = _language(page, config)
    if aside := config.extra.get("blocks", {}).pop(page.file.src_uri, None):
        # The search plugin has had its turn: a hook's events run after those of the plugins.
        page.content = blocks.restore(config.extra["whole"].pop(page.file.src_uri), aside)
        _refuse_styles(page.content, page)
    own = page.file.src_uri.removeprefix(f"{lang}/") if lang != DEFAULT else page.file.src_uri
    _speak(context, lang, own, config)
    context["nav"] = config.extra["navs"][lang]
    return context


def on_template_context(context: dict[str, Any], config: MkDocsConfig, **_: Any) -> dict[str, Any]:
    """404.html and sitemap.xml belong to no language."""
    _speak(context, DEFAULT, "index.md", config)
    addresses = config.extra["addresses"]
    context["navs"] = config.extra["navs"]
    context["twins"] = {
        own: {
            config.extra["languages"][lang]["tag"]: addresses[_address(own, lang)]
            for lang in config.extra["languages"]
            if _address(own, lang) in addresses
        }
        for own in addresses
        if _language_of(own, config) == DEFAULT
    }
    return context


def on_post_page(output: str, page: Page, **_: Any) -> str:
    return _with_policy(output, page.file.src_uri)


def on_post_template(output: str, template_name: str, **_: Any) -> str:
    return _with_policy(output, template_name) if template_name.endswith(".html") else output


def on_post_build(config: MkDocsConfig) -> None:
    """One search index per language, each with addresses relative to the root of its language; a mended search."""
    site = Path(config.site_dir)
    try:
        worker.repair_site(site)
    except worker.RepairError as error:
        raise PluginError(str(error)) from None
    whole = json.loads((site / "search" / "search_index.json").read_text(encoding="utf-8"))
    for lang in config.extra["languages"]:
        prefix = "" if lang == DEFAULT else f"{lang}/"
        docs = [
            {**entry, "location": entry["location"].removeprefix(prefix)}
            for entry in whole["docs"]
            if _language_of(entry["location"], config) == lang
        ]
        target = site / prefix / "search" / "search_index.json"
        target.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps({**whole, "docs": docs}, ensure_ascii=False, separators=(",", ":"))
        target.write_text(text, encoding="utf-8")


def _root(config: MkDocsConfig) -> Path:
    return Path(config.config_file_path).absolute().parent


def _language_of(path: str, config: MkDocsConfig) -> str:
    first = path.split("/", 1)[0]
    return first if first != DEFAULT and first in config.extra["languages"] else DEFAULT


def _language(page: Page, config: MkDocsConfig) -> str:
    return _language_of(page.file.src_uri, config)


def _address(own: str | None, lang: str) -> str | None:
    return own if own is None or lang == DEFAULT else f"{lang}/{own}"


def _page(files: Files, path: str | None) -> Page | None:
    file = files.get_file_from_path(path) if path else None
    return file.page if file else None


def _speak(context: dict[str, Any], lang: str, own: str, config: MkDocsConfig) -> None:
    """Make the theme speak `lang` on the page whose address below its language's root is `own`."""
    say = config.extra["languages"][lang]
    config.theme["language"] = say["material"]
    config.site_name = say["site_name"]
    config.site_description = say["description"]
    addresses = config.extra["addresses"]
    context["lang_code"] = lang
    context["say"] = say
    context["hub"] = _address(f"{own.split('/')[0]}/index.md" if "/" in own else own, lang)
    context["languages"] = [
        {
            "code": code,
            "name": entry["name"],
            "tag": entry["tag"],
            "url": addresses.get(_address(own, code), addresses[_address("index.md", code)]),
        }
        for code, entry in config.extra["languages"].items()
    ]


def _with_policy(html: str, where: str) -> str:
    """Put the content security policy of this page, with the hashes of its own inline scripts, into its head."""
    if _serving:
        scripts = "'unsafe-inline'"
    else:
        bodies = {body for tag, body in _SCRIPT.findall(html) if " src=" not in tag and "application/json" not in tag}
        scripts = " ".join(
            f"'sha256-{base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()}'" for body in sorted(bodies)
        )
    if html.count(_CHARSET) != 1:
        raise PluginError(f"{where}: no {_CHARSET} to put the security policy after")
    policy = POLICY.format(scripts=scripts)
    return html.replace(
        _CHARSET, f'{_CHARSET}\n      <meta http-equiv="Content-Security-Policy" content="{policy}">', 1
    )
