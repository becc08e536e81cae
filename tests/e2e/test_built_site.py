"""The built files, without a browser: twins, links, policy, sitemap, search indexes, weight."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
import xml.etree.ElementTree as ElementTree
from collections import Counter
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import pytest
import yaml

from generator.views.topics import TOPICS
from tests.e2e.kinds import KINDS, PREFIX, TAG

ROOT = Path(__file__).resolve().parents[2]
CONFIG = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
SITE_URL = re.findall(r"^site_url: (\S+)$", CONFIG, re.MULTILINE)[0]
REPOSITORY = re.findall(r"^repo_url: (\S+)$", CONFIG, re.MULTILINE)[0]
SLUGS = sorted(path.stem for path in (ROOT / "data/gpus").glob("*.yaml"))
FIRST_VIEW = 110 * 1024  # bytes on the wire before a reader does anything: page, styles, scripts

# What a browser fetches by itself. A link that a reader follows (a, area) may lead anywhere.
FETCHED = {"src", "srcset", "poster", "data", "background", "action", "formaction", "xlink:href"}
ONLY_NAMED = {"canonical", "next", "prev", "alternate"}


class Document(HTMLParser):
    """What the checks need to know of a page."""

    def __init__(self, path: Path, address: str) -> None:
        super().__init__()
        self.address = address  # below the root of the site, as a reader sees it
        self.path = path
        self.ids: list[str] = []
        self.links: list[str] = []  # where a reader may go
        self.fetched: list[str] = []  # what a browser loads
        self.named: dict[str, str] = {}  # <link rel=…>: address
        self.meta: dict[str, str] = {}
        self.scripts: list[str] = []  # inline ones
        self.edit: set[str] = set()
        self.styles = 0
        self.headings = 0
        self.lang = self.title = ""
        self.before_policy: list[str] = []
        self._in: str | None = None
        self.feed(path.read_text(encoding="utf-8"))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if "id" in values:
            self.ids.append(values["id"])
        self.styles += "style" in values or tag == "style"
        self.fetched += [values[name] for name in FETCHED & values.keys()]
        if tag in ("a", "area") and "href" in values:
            self.links.append(values["href"])
            if "edit" in values.get("rel", "").split():
                self.edit.add(values["href"])
        elif tag == "link":
            if values.get("rel") in ONLY_NAMED:
                self.named[values["rel"]] = values["href"]
            else:
                self.fetched.append(values["href"])
        elif tag in ("use", "image") and "href" in values:
            self.fetched.append(values["href"])
        elif tag == "meta":
            name = values.get("name") or values.get("http-equiv", "")
            self.meta[name.lower()] = values.get("content", "")
        elif tag == "html":
            self.lang = values.get("lang", "")
        elif tag == "h1":
            self.headings += 1
        if tag in ("script", "link", "style", "img") and "content-security-policy" not in self.meta:
            self.before_policy.append(tag)
        self._in = tag if tag == "title" or (tag == "script" and "src" not in values) else None
        if self._in == "script" and values.get("type") != "application/json":
            self.scripts.append("")
        elif self._in == "script":
            self._in = None

    def handle_endtag(self, tag: str) -> None:
        self._in = None

    def handle_data(self, data: str) -> None:
        if self._in == "title" and not self.headings:
            self.title += data
        elif self._in == "script":
            self.scripts[-1] += data


@dataclass
class Site:
    folder: Path
    pages: dict[str, Document] = field(default_factory=dict)  # by address
    missing: Document | None = None

    def of(self, lang: str) -> dict[str, Document]:
        """The pages of a language, by their address below its root."""
        if lang == "zh":
            return {address[3:]: page for address, page in self.pages.items() if address.startswith("zh/")}
        return {address: page for address, page in self.pages.items() if not address.startswith("zh/")}

    def everything(self) -> list[Document]:
        assert self.missing is not None, "no 404.html"
        return [*self.pages.values(), self.missing]


@pytest.fixture(scope="module")
def site(site_folder: Path) -> Site:
    site = Site(site_folder)
    for path in sorted(site_folder.rglob("*.html")):
        relative = path.relative_to(site_folder).as_posix()
        if relative == "404.html":
            site.missing = Document(path, relative)
        else:
            address = relative.removesuffix("index.html")
            site.pages[address] = Document(path, address)
    return site


def report(problems: list[str]) -> None:
    """All problems at once, the first forty in full."""
    assert not problems, "\n".join([f"{len(problems)} problems", *problems[:40]])


def test_every_card_series_architecture_and_model_has_its_page_in_both_languages(site: Site) -> None:
    assert len(SLUGS) == 168
    wanted = {f"gpus/{slug}/" for slug in SLUGS}
    wanted |= {f"series/{path.stem}/" for path in (ROOT / "data/series").glob("*.yaml")}
    wanted |= {f"architectures/{p.stem.replace('_', '-')}/" for p in (ROOT / "data/architectures").glob("*.yaml")}
    wanted |= {f"models/{path.stem}/" for path in (ROOT / "data/models").glob("*.yaml")}
    wanted |= {f"formulas/{topic.slug}/" for topic in TOPICS}
    for lang in PREFIX:
        assert wanted - site.of(lang).keys() == set(), f"pages missing in {lang}"
        others = site.of(lang).keys() - wanted
        assert others <= set(KINDS.values()), "a new kind of page: name it in kinds.py, so that it is tested"


def test_every_page_has_its_twin_and_says_so(site: Site) -> None:
    assert site.of("en").keys() == site.of("zh").keys()
    problems = []
    for lang, other in (("en", "zh"), ("zh", "en")):
        for own, page in site.of(lang).items():
            twin = site.of(other)[own]
            if page.lang != TAG[lang]:
                problems.append(f"{page.address}: <html lang={page.lang!r}>")
            if twin.address not in {urljoin("/" + page.address, link).lstrip("/") for link in page.links}:
                problems.append(f"{page.address}: no link to {twin.address}")
    report(problems)


def test_every_page_has_one_heading_and_its_own_title_and_description(site: Site) -> None:
    problems = []
    for lang in PREFIX:
        pages = site.of(lang).values()
        titles = Counter(page.title.strip() for page in pages)
        problems += [f"{lang}: {n} pages are called {title!r}" for title, n in titles.items() if n > 1 or not title]
        for page in pages:
            if page.headings != 1:
                problems.append(f"{page.address}: {page.headings} h1")
            if len(page.meta.get("description", "")) < 10:
                problems.append(f"{page.address}: description {page.meta.get('description')!r}")
            if page.named.get("canonical") != SITE_URL + page.address:
                problems.append(f"{page.address}: canonical {page.named.get('canonical')!r}")
    report(problems)


def test_every_page_can_be_corrected_where_it_was_made(site: Site) -> None:
    """Its edit link names a file of the repository; a card's, its own."""
    start = f"{REPOSITORY}/edit/main/"
    strange = [
        f"{page.address}: edit link {link}"
        for page in site.pages.values()
        for link in page.edit or {"none"}
        if not link.startswith(start) or not (ROOT / link.removeprefix(start)).exists()
    ]
    others = [
        f"{lang}: {slug}: not its own file"
        for lang in PREFIX
        for slug in SLUGS
        if site.of(lang)[f"gpus/{slug}/"].edit != {f"{start}data/gpus/{slug}.yaml"}
    ]
    report(strange + others)


def test_every_page_lives_under_a_strict_policy(site: Site) -> None:
    problems = []
    for page in site.everything():
        parts = [part.split() for part in page.meta.get("content-security-policy", "").split(";")]
        policy = {part[0]: set(part[1:]) for part in parts if part}
        if policy.get("default-src") != {"'none'"} or policy.get("style-src") != {"'self'"}:
            problems.append(f"{page.address}: policy {page.meta.get('content-security-policy')!r}")
        allowed = set().union(*policy.values())
        if loose := {source for source in allowed if re.match(r"'unsafe|\*|http", source)}:
            problems.append(f"{page.address}: policy allows {loose}")
        if page.before_policy:
            problems.append(f"{page.address}: {page.before_policy} before the policy")
        for script in page.scripts:
            digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
            if f"'sha256-{digest}'" not in policy.get("script-src", set()):
                problems.append(f"{page.address}: the policy stops the script {script[:60]!r}")
        if page.styles:
            problems.append(f"{page.address}: {page.styles} inline styles")
    report(problems)


def test_nothing_comes_from_another_host(site: Site) -> None:
    foreign = re.compile(r"\s*(https?:)?//", re.IGNORECASE)
    problems = [f"{page.address}: {what}" for page in site.everything() for what in page.fetched if foreign.match(what)]
    for sheet in site.folder.rglob("*.css"):
        text = sheet.read_text(encoding="utf-8")
        named = re.findall(r"url\(\s*[\"']?([^)\"']+)|@import\s+[\"']([^\"']+)", text)
        problems += [f"{sheet.name}: {a or b}" for a, b in named if foreign.match(a or b)]
    report(problems)


def test_every_link_and_fragment_leads_somewhere(site: Site) -> None:
    anchors = {f"/{page.address}": set(page.ids) for page in site.everything()}
    files = {f"/{path.relative_to(site.folder).as_posix()}" for path in site.folder.rglob("*") if path.is_file()}
    # The theme's “back to top” and its empty fragments lead to the top of the page.
    problems = []
    for page in site.everything():
        for link in {*page.links, *page.fetched}:
            parts = urlsplit(urljoin(f"http://here/{page.address}", link))
            if parts.netloc != "here" or parts.scheme != "http":
                if parts.scheme not in ("http", "https", "mailto", "data"):
                    problems.append(f"{page.address}: {link}")
                continue
            target = unquote(parts.path)
            if target not in anchors and target not in files:
                problems.append(f"{page.address}: no file for {link}")
            elif parts.fragment and unquote(parts.fragment) not in anchors.get(target, set()):
                problems.append(f"{page.address}: no anchor for {link}")
    report(problems)


def test_no_id_stands_twice_on_a_page(site: Site) -> None:
    report([
        f"{page.address}: {n} × id={name!r}"
        for page in site.everything()
        for name, n in Counter(page.ids).items()
        if n > 1
    ])  # fmt: skip


def test_sitemap_lists_every_page_with_its_twin(site: Site) -> None:
    tree = ElementTree.parse(site.folder / "sitemap.xml")
    ns = {"s": "http://www.sitemaps.org/schemas/sitemap/0.9", "x": "http://www.w3.org/1999/xhtml"}
    found = {
        url.findtext("s:loc", "", ns): {link.get("hreflang"): link.get("href") for link in url.findall("x:link", ns)}
        for url in tree.getroot().findall("s:url", ns)
    }
    twins = {own: {TAG["en"]: f"{SITE_URL}{own}", TAG["zh"]: f"{SITE_URL}zh/{own}"} for own in site.of("en")}
    assert found == {address: both for both in twins.values() for address in both.values()}


@pytest.mark.parametrize("lang", PREFIX)
def test_search_index_holds_the_pages_of_its_language(lang: str, site: Site) -> None:
    pages = site.of(lang)
    index = json.loads((site.folder / PREFIX[lang].strip("/") / "search/search_index.json").read_text("utf-8"))
    assert "\\u200b" in index["config"]["separator"], "words of Chinese are not told apart"
    problems = []
    for entry in index["docs"]:
        address, _, fragment = entry["location"].partition("#")
        if address.removeprefix("./") not in pages:
            problems.append(f"{entry['location']}: not a page of {lang}")
        elif fragment and unquote(fragment) not in pages[address].ids:
            problems.append(f"{entry['location']}: no such anchor")
    indexed = {entry["location"].partition("#")[0].removeprefix("./") for entry in index["docs"]}
    problems += [f"{address}: not in the index" for address in pages.keys() - indexed]
    report(problems)
    names = {entry["location"]: entry["title"] for entry in index["docs"]}
    for slug in ("rtx-3090", "h100-sxm5-80gb"):
        card = yaml.safe_load((ROOT / f"data/gpus/{slug}.yaml").read_text(encoding="utf-8"))
        assert names[f"gpus/{slug}/"] == card["name"]


def test_first_view_is_light(site: Site) -> None:
    """The page with its styles and scripts, as a host sends them. The search index comes with the first question."""
    weights: dict[Path, int] = {}

    def weight(path: Path) -> int:
        if path not in weights:
            weights[path] = len(gzip.compress(path.read_bytes(), 6))
        return weights[path]

    modules = [path for path in (site.folder / "assets/js").glob("*.js") if path.name != "main.js"]
    problems = []
    for page in site.everything():
        parts = {urlsplit(urljoin(f"http://here/{page.address}", what)).path.lstrip("/") for what in page.fetched}
        files = [site.folder / part for part in parts]
        total = sum(weight(file) for file in (page.path, *modules, *files) if file.is_file())
        if total > FIRST_VIEW:
            problems.append(f"{page.address}: {total / 1024:.1f} KiB")
    report(problems)
