"""Every kind of report in a real browser: no script errors, no sideways scrolling, readable in light and dark."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .browser import Browser, browser, browser_path

KINDS = ("cpu", "mcu", "fpga", "spiking", "tflite", "explore")
WIDTHS = (360, 768, 1400)
LEAST_CONTRAST = 4.5  # WCAG 2.2, level AA

# The smallest contrast of any text with the background that it stands on, and that text.
CONTRAST = """(() => {
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const rgba = colour => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    const found = canvas.getImageData(0, 0, 1, 1).data;
    return [found[0], found[1], found[2], found[3] / 255];
  };
  const over = (top, below) => [0, 1, 2].map(i => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
  const light = c => {
    const [r, g, b] = c.slice(0, 3).map(v => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  let worst = [99, ""];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].filter(n => n.nodeType === 3).map(n => n.data).join("").trim();
    if (!own || !element.checkVisibility() || element.tagName === "LEGEND") continue;
    const layers = [];
    for (let e = element; e; e = e.parentElement) layers.push(rgba(getComputedStyle(e).backgroundColor));
    const below = layers.reverse().reduce((below, layer) => over(layer, below), [255, 255, 255, 1]);
    const style = getComputedStyle(element);
    const ink = over(rgba(element.closest("svg") ? style.fill : style.color), below);
    const [high, low] = [light(ink), light(below)].sort((a, b) => b - a);
    const contrast = (high + 0.05) / (low + 0.05);
    if (contrast < worst[0]) worst = [contrast, own.slice(0, 60)];
  }
  return worst;
})()"""


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    path = browser_path()
    if path is None:
        pytest.skip("no Chromium here: install Debian's package chromium")
    with browser(path, tmp_path_factory.mktemp("browser")) as running:
        yield running


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("kind", KINDS)
def test_no_errors_no_requests_no_overflow_and_text_that_can_be_read(
    chromium: Browser, pages: dict[str, Path], kind: str, scheme: str
) -> None:
    for width in WIDTHS:
        page = chromium.open(pages[kind], width=width, scheme=scheme)
        assert page.errors() == []
        assert page.requests() == [pages[kind].resolve().as_uri()]
        across = "[document.documentElement.scrollWidth, document.documentElement.clientWidth, innerWidth]"
        assert page.evaluate(across) == [width, width, width]
        assert page.evaluate("document.querySelectorAll('main section').length") >= 3
        assert page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches") == (scheme == "dark")
        contrast, text = page.evaluate(CONTRAST)
        assert contrast >= LEAST_CONTRAST, f"{text!r} has a contrast of {contrast:.2f} in {scheme}"
        page.close()


def test_the_reader_can_choose_light_or_dark(chromium: Browser, pages: dict[str, Path]) -> None:
    page = chromium.open(pages["cpu"], width=768, scheme="light")
    background = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(background)
    page.evaluate("document.querySelector('#dark').click()")
    dark = page.evaluate(background)
    assert dark != light
    page.evaluate("document.querySelector('#light').click()")
    assert page.evaluate(background) == light
    page.close()


def test_a_script_that_got_into_a_page_would_not_run(chromium: Browser, pages: dict[str, Path], tmp_path: Path) -> None:
    broken = tmp_path / "broken.html"
    broken.write_text(
        pages["cpu"].read_text("utf-8").replace("<main>", "<main><script>window.ran = 1</script>"), "utf-8"
    )
    page = chromium.open(broken, width=768, scheme="light")
    assert page.evaluate("window.ran === undefined")
    assert any("Content Security Policy" in error for error in page.errors())
    page.close()
