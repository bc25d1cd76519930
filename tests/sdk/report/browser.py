"""A real browser for the tests: Chromium without a window, driven through its DevTools pipe: no port, no package."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

__all__ = ["Browser", "Page", "browser", "browser_path"]

_SECONDS = 60.0


def browser_path() -> str | None:
    """Chromium or Chrome, if one is installed."""
    found = (shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome"))
    return next((path for path in found if path), None)


class Browser:
    """One running browser; messages are JSON, each ended by a zero byte."""

    def __init__(self, writer: int, reader: int) -> None:
        self._writer, self._reader = writer, reader
        self._buffer = b""
        self._last = 0
        self.events: list[dict[str, Any]] = []

    def call(self, method: str, session: str = "", **parameters: Any) -> dict[str, Any]:
        """One command and its result; events that come in between are kept."""
        self._last += 1
        message: dict[str, Any] = {"id": self._last, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self._writer, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == self._last:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return dict(answer["result"])
            self.events.append(answer)

    def _read(self) -> dict[str, Any]:
        ends = time.monotonic() + _SECONDS
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._reader], [], [], max(ends - time.monotonic(), 0))
            assert ready, "the browser does not answer"
            block = os.read(self._reader, 2**20)
            assert block, "the browser has ended"
            self._buffer += block
        message, _, self._buffer = self._buffer.partition(b"\0")
        return dict(json.loads(message))

    def wait_for(self, method: str, session: str) -> None:
        """Read until the event has come."""
        while not any(event.get("method") == method and event.get("sessionId") == session for event in self.events):
            self.events.append(self._read())

    def open(self, page: Path | str, *, width: int, scheme: str, height: int = 900) -> Page:
        """Load a file or an address as a screen of that width would, preferring `light` or `dark`."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable", session)
        screen = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.call("Emulation.setDeviceMetricsOverride", session, **screen)
        media = [{"name": "prefers-color-scheme", "value": scheme}]
        self.call("Emulation.setEmulatedMedia", session, features=media)
        self.events.clear()
        self.call("Page.navigate", session, url=page if isinstance(page, str) else page.resolve().as_uri())
        self.wait_for("Page.loadEventFired", session)
        return Page(self, target, session)


class Page:
    """One loaded page."""

    def __init__(self, owner: Browser, target: str, session: str) -> None:
        self._owner, self._target, self._session = owner, target, session

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression."""
        found = self._owner.call("Runtime.evaluate", self._session, expression=expression, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def errors(self) -> list[str]:
        """What the page threw, and what the browser logged as an error."""
        self.evaluate("1")  # whatever was under way has been told by now
        found = []
        for event in self._owner.events:
            parameters = event.get("params", {})
            if event.get("method") == "Runtime.exceptionThrown":
                found.append(str(parameters["exceptionDetails"]))
            if event.get("method") == "Log.entryAdded" and parameters["entry"]["level"] == "error":
                found.append(parameters["entry"]["text"])
        return found

    def requests(self) -> list[str]:
        """Addresses that the page asked for, itself included."""
        sent = [event for event in self._owner.events if event.get("method") == "Network.requestWillBeSent"]
        return [event["params"]["request"]["url"] for event in sent]

    def screenshot(self, path: Path, *, whole: bool = True) -> None:
        """A picture of the page, to look at."""
        picture = self._owner.call(
            "Page.captureScreenshot", self._session, captureBeyondViewport=whole, **self._clip(whole)
        )
        path.write_bytes(base64.b64decode(picture["data"]))

    def _clip(self, whole: bool) -> dict[str, Any]:
        if not whole:
            return {}
        size = self._owner.call("Page.getLayoutMetrics", self._session)["cssContentSize"]
        return {"clip": {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}}

    def close(self) -> None:
        """Close its tab."""
        self._owner.call("Target.closeTarget", targetId=self._target)


@contextlib.contextmanager
def browser(path: str, scratch: Path) -> Iterator[Browser]:
    """A browser that runs while the block does; its profile lies in `scratch`."""
    to_browser, writer = os.pipe()
    reader, from_browser = os.pipe()
    options = (
        "--headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage --hide-scrollbars --no-first-run "
        "--disable-background-networking --disable-extensions --remote-debugging-pipe"
    )
    # The browser reads commands from descriptor 3 and writes answers to 4. Through high numbers, so that neither
    # pipe is closed by the other's place being taken.
    command = ["bash", "-c", f'exec 13<&{to_browser} 14>&{from_browser}; exec 3<&13 4>&14 13<&- 14>&-; exec "$@"', "-"]
    process = subprocess.Popen(
        [*command, path, *options.split(), f"--user-data-dir={scratch / 'profile'}", "about:blank"],
        pass_fds=(to_browser, from_browser),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(to_browser)
    os.close(from_browser)
    try:
        yield Browser(writer, reader)
    finally:
        os.close(writer)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)
        os.close(reader)
