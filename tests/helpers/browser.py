"""A real browser for tests: Chromium, spoken to through a pipe, without any package.

Chromium's DevTools protocol: messages of JSON that end in a zero byte, requests on its descriptor
3 and answers on 4.
"""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

#: What Chromium is called.
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

#: Packages that bring axe-core (https://github.com/dequelabs/axe-core), the newest first.
AXES = ("axe_playwright_python", "axe_core_python")

FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--remote-debugging-pipe", "about:blank"),
)

#: Seconds that an answer may take on a busy machine.
PATIENCE = 240.0


def axe_core() -> str:
    """The script of axe-core; skips where no package brings it."""
    for name in AXES:
        spec = find_spec(name)
        for folder in (spec.submodule_search_locations or ()) if spec else ():
            if (script := Path(folder) / "axe.min.js").is_file():
                return script.read_text()
    pytest.skip("axe-core is not here: pip install axe-core-python")


class Page:
    """A page that is open."""

    def __init__(self, browser: Browser, session: str) -> None:
        self.browser, self.session = browser, session

    def send(self, method: str, **params: Any) -> dict[str, Any]:
        """Ask the page; the answer's result."""
        return self.browser.send(method, self.session, **params)

    def run(self, script: str) -> Any:
        """The value of an expression in the page, of a promise that of its end."""
        said = self.send(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in said, said["exceptionDetails"]
        return said["result"].get("value")

    def show(self, path: Path) -> None:
        """Open a file and wait until it is loaded."""
        self.send("Page.navigate", url=path.as_uri())
        end = time.monotonic() + PATIENCE
        while self.run("location.href + document.readyState") != f"{path.as_uri()}complete":
            assert time.monotonic() < end, f"{path} is not loaded after {PATIENCE:g} s"
            time.sleep(0.05)

    def size(self, width: int, height: int = 900) -> None:
        """Give the window a size in pixels."""
        self.send(
            "Emulation.setDeviceMetricsOverride",
            **{"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False},
        )

    def like(self, scheme: str = "light", media: str = "") -> None:
        """Light or dark, on a screen or in print."""
        wanted = [{"name": "prefers-color-scheme", "value": scheme}]
        self.send("Emulation.setEmulatedMedia", media=media, features=wanted)

    def press(self, key: str, code: int) -> None:
        """Press a key, such as ("Tab", 9) or ("Enter", 13)."""
        text = {"text": "\r"} if key == "Enter" else {}
        for kind in ("keyDown", "keyUp"):
            self.send(
                "Input.dispatchKeyEvent",
                **{"type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code},
                **(text if kind == "keyDown" else {}),
            )


class Browser:
    """A running Chromium."""

    def __init__(self, read: int, write: int) -> None:
        self.read, self.write, self.count, self.rest = read, write, 0, b""

    def send(self, method: str, session: str = "", /, **params: Any) -> dict[str, Any]:
        """Ask, and wait for the answer; what happens meanwhile is passed over."""
        self.count += 1
        message = {"id": self.count, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        os.write(self.write, json.dumps(message).encode() + b"\0")
        while True:
            found = self.next()
            if found.get("id") == self.count:
                assert "error" not in found, (method, found["error"])
                return dict(found["result"])

    def next(self) -> dict[str, Any]:
        """The next message."""
        while b"\0" not in self.rest:
            ready, _, _ = select.select([self.read], [], [], PATIENCE)
            assert ready, f"the browser said nothing for {PATIENCE:g} s"
            part = os.read(self.read, 1 << 20)
            assert part, "the browser ended"
            self.rest += part
        message, _, self.rest = self.rest.partition(b"\0")
        return dict(json.loads(message))

    def page(self) -> Page:
        """A new page."""
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        return Page(self, str(session))


@contextmanager
def chromium(profile: Path) -> Iterator[Browser]:
    """A Chromium of its own with a new profile; skips where there is none, or it does not run."""
    program = next((found for name in NAMES if (found := shutil.which(name))), None)
    if program is None:
        pytest.skip(f"no browser is here: none of {', '.join(NAMES)} is on the path")
    theirs, ours = os.pipe(), os.pipe()

    def as_three_and_four() -> None:
        # above 4 first, so that neither takes the other's place
        read, write = os.dup2(theirs[0], 30), os.dup2(ours[1], 31)
        os.dup2(read, 3)
        os.dup2(write, 4)

    process = subprocess.Popen(
        [program, f"--user-data-dir={profile}", *FLAGS],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        close_fds=False,
        preexec_fn=as_three_and_four,
    )
    os.close(theirs[0])
    os.close(ours[1])
    browser = Browser(ours[0], theirs[1])
    try:
        try:
            browser.send("Browser.getVersion")
        except (AssertionError, OSError) as error:
            pytest.skip(f"{program} does not run here: {error}")
        yield browser
        browser.send("Browser.close")
        process.wait(PATIENCE)
    finally:
        process.kill()
        process.wait()
        os.close(ours[0])
        os.close(theirs[1])
