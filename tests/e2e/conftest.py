"""A built site, served, and a real browser that refuses to let anything pass in silence."""

from __future__ import annotations

import functools
import http.server
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from tests.e2e.kinds import MISSING

ROOT = Path(__file__).resolve().parents[2]
# The same engine without the browser around it comes first: a page costs it a third of the time.
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
CHROMIUM = next((path for name in BROWSERS if (path := shutil.which(name))), None)
BUILD_ENVIRONMENT = {"NO_MKDOCS_2_WARNING": "1", "DISABLE_MKDOCS_2_WARNING": "true"}


def build(folder: Path) -> subprocess.CompletedProcess[str]:
    """One strict build of the repository's site into ``folder``."""
    return subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT, env={**os.environ, **BUILD_ENVIRONMENT}, capture_output=True, text=True,
    )  # fmt: skip


@pytest.fixture(scope="session")
def site_folder(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """The built site. All workers of one run share one build; GFG_SITE names a ready one."""
    if ready := os.environ.get("GFG_SITE"):
        return Path(ready)
    shared = tmp_path_factory.getbasetemp()
    if worker_id != "master":
        shared = shared.parent
    folder, done, lock = shared / "site", shared / "site.done", shared / "site.lock"
    try:
        lock.touch(exist_ok=False)
    except FileExistsError:
        waiting = threading.Event()
        while not done.exists():
            waiting.wait(0.2)
    else:
        result = build(folder)
        done.write_text("" if result.returncode == 0 else result.stdout + result.stderr)
    assert not done.read_text(), f"the site does not build:\n{done.read_text()}"
    return folder


class _Handler(http.server.SimpleHTTPRequestHandler):
    """Serves the folder as a static host does: 404.html for what is not there, no log."""

    def log_message(self, format: str, *args: object) -> None:
        pass

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        page = Path(self.directory) / "404.html"
        if code == 404 and page.exists():
            body = page.read_bytes()
            self.send_response(404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        else:
            super().send_error(code, message, explain)


@pytest.fixture(scope="session")
def site_url(site_folder: Path) -> Iterator[str]:
    """Address of the served site, without the final slash."""
    handler = functools.partial(_Handler, directory=str(site_folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One headless Chromium for the whole run."""
    assert CHROMIUM, "no Chromium: install Debian's chromium package"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking",
                  "--disable-component-update", "--disable-sync", "--no-first-run"],
        )  # fmt: skip
        yield browser
        browser.close()


def watch(page: Page, site_url: str) -> list[str]:
    """Collect what must not happen on a page: errors, policy violations, foreign requests."""
    faults: list[str] = []
    allowed = ("data:", "blob:", "about:", site_url)
    page.on("pageerror", lambda error: faults.append(f"error: {error}"))

    def said(message: ConsoleMessage) -> None:
        asked_for = message.location["url"].endswith(MISSING) and "404" in message.text
        if message.type == "error" and not asked_for:
            faults.append(f"console: {message.text}")

    page.on("console", said)
    page.on(
        "request",
        lambda request: (
            faults.append(f"foreign request: {request.url}") if not request.url.startswith(allowed) else None
        ),
    )
    return faults


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A fresh browser profile of an English reader on a desktop."""
    context = browser.new_context(reduced_motion="reduce", locale="en-US", viewport={"width": 1280, "height": 900})
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext, site_url: str) -> Iterator[Page]:
    """A fresh page; the test fails on console errors and on requests to other hosts."""
    page = context.new_page()
    faults = watch(page, site_url)
    yield page
    assert not faults, "\n".join(faults)


@pytest.fixture
def reader(browser: Browser, site_url: str) -> Iterator[Callable[..., Page]]:
    """Opens a fresh page for a reader with these options of a browser context; as strict as ``page``."""
    contexts: list[BrowserContext] = []
    faults: list[list[str]] = []

    def new(**options: Any) -> Page:
        defaults = {"locale": "en-US", "viewport": {"width": 1280, "height": 900}, "base_url": site_url}
        contexts.append(browser.new_context(reduced_motion="reduce", **{**defaults, **options}))
        page = contexts[-1].new_page()
        faults.append(watch(page, site_url))
        return page

    yield new
    for context in contexts:
        context.close()
    assert not any(faults), "\n".join(fault for one in faults for fault in one)
