"""The documentation as a site: every block is a block, names of the package are there, and pages fit their windows."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from html import unescape
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

import edgeml
from docs.site_docstrings import readable
from docs.site_hooks import shown
from tests.sdk.report.browser import Browser, browser, browser_path

from .blocks import blocks_of

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs").glob("*.md"))
WIDTHS = (390, 1280)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "--site-dir", str(folder)]
    built = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    )
    assert built.returncode == 0, built.stderr
    return folder


def _text(html: str) -> str:
    return unescape(re.sub(r"<[^>]+>", "", html))


def test_every_fenced_block_is_shown_as_one_with_its_title(site: Path) -> None:
    for path in PAGES:
        article = (site / f"{path.stem}.html").read_text("utf-8").partition("<article")[2].partition("</article>")[0]
        assert "```" not in _text(article), path.name
        assert "not-run=" not in _text(article), path.name
        if path.name != "api.md":
            blocks = blocks_of(path.read_text("utf-8"))
            shown_blocks = [
                _text(found)
                for found in re.findall(r"<pre>(?:<span></span>)?<code>(.*?)</code></pre>", article, re.DOTALL)
            ]
            words = [text.split() for text in shown_blocks]
            assert all(block.text.split() in words for block in blocks), path.name
            titles = [_text(found) for found in re.findall(r'class="filename">(.*?)</span>', article)]
            assert titles == [block.values["title"] for block in blocks if "title" in block.values]


def test_the_page_of_python_names_all_that_the_package_gives_with_a_sentence_for_each_parameter(site: Path) -> None:
    page = (site / "api.html").read_text("utf-8")
    headings = {name.rpartition(".")[2] for name in re.findall(r'<h3 id="(edgeml\.[^"]+)"', page)}
    assert set(edgeml.__all__) - {"__version__"} <= headings
    assert "the form (quantized, spiking, tflite …)" in _text(page)
    assert "int32 [P, C], −1 … inputs − 1." in _text(page)


def test_a_fence_keeps_its_language_and_title_alone() -> None:
    assert shown('sh not-run="needs a board"') == "sh"
    assert shown("python slow") == "python"
    assert shown('toml title="my board.toml" exit=1') == 'toml title="my board.toml"'


def test_names_that_share_a_sentence_each_get_it() -> None:
    docstring = (
        "What.\n\nParameters\n----------\na, b : what they are;\n    more of it.\nc : last.\n\nRaises ValueError.\n"
    )
    expected = "What.\n\nArgs:\n    a: what they are; more of it.\n    b: what they are; more of it.\n    c: last.\n"
    assert readable(docstring).startswith(expected)
    assert readable("One line.") == "One line."


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    path = browser_path()
    if path is None:
        pytest.skip("no Chromium here: install Debian's package chromium")
    with browser(path, tmp_path_factory.mktemp("browser")) as running:
        yield running


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    handler = partial(SimpleHTTPRequestHandler, directory=str(site))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_is_wider_than_its_window_or_asks_another_host(chromium: Browser, address: str, scheme: str) -> None:
    for path in PAGES:
        for width in WIDTHS if scheme == "light" else WIDTHS[:1]:  # colours move nothing
            page = chromium.open(f"{address}/{path.stem}.html", width=width, scheme=scheme)
            assert page.errors() == []
            elsewhere = [url for url in page.requests() if not url.removeprefix("blob:").startswith((address, "data:"))]
            assert elsewhere == [], path.name
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (path.name, width)
            page.close()
