"""A server of files on loopback that misbehaves as it is told."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class FileServer(ThreadingHTTPServer):
    """Serves `files` by path; each request takes the first of the `faults` for its path.

    A fault is a name with words behind it: see `Handler.misbehave`.
    """

    daemon_threads = True

    def __init__(self, files: Mapping[str, bytes]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files = dict(files)
        self.faults: dict[str, list[str]] = {}
        self.asked: list[tuple[str, str | None]] = []
        self.stop = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: FileServer
    protocol_version = "HTTP/1.0"

    def do_GET(self) -> None:
        self.server.asked.append((self.path, self.headers.get("Range")))
        faults = self.server.faults.get(self.path, [])
        fault, *words = (faults.pop(0) if faults else "none").split()
        content = self.server.files.get(self.path)
        if fault == "none" and content is None:
            self.send_error(404)
        else:
            with contextlib.suppress(OSError):  # the other side hung up
                self.misbehave(fault, words, content or b"")

    def misbehave(self, fault: str, words: list[str], content: bytes) -> None:
        start = 0
        wanted = self.headers.get("Range")
        if wanted and fault not in ("no-range", "page", "gzip-page"):
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
        if fault == "status":
            self.send_error(int(words[0]))
        elif fault == "redirect":
            self.send_response(302)
            self.send_header("Location", words[0])
            self.end_headers()
        elif fault in ("page", "gzip-page"):
            page = b"<!DOCTYPE html><html><body>Please log in</body></html>"
            import gzip

            body = gzip.compress(page) if fault == "gzip-page" else page
            coding = [("Content-Encoding", "gzip")] if fault == "gzip-page" else []
            self.send(200, body, len(body), [("Content-Type", "text/html"), *coding])
        elif fault == "cut":
            self.send_part(content, start, content[start : start + int(words[0])])
        elif fault == "endless":
            self.send_response(200)
            self.end_headers()
            while not self.server.stop.is_set():
                self.wfile.write(b"x" * 65536)
        elif fault == "drip":
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            for byte in content:
                if self.server.stop.wait(0.05):
                    return
                self.wfile.write(bytes([byte]))
        elif fault == "drip-head":
            for byte in b"HTTP/1.0 200 OK\r\n" + b"X-Long: " + b"y" * 10_000:
                if self.server.stop.wait(0.05):
                    return
                self.wfile.write(bytes([byte]))
        elif fault == "silence":
            self.server.stop.wait(60)
        elif fault == "slow":
            self.send_part(content, start, content[start : start + int(words[0])], flush=True)
            self.server.stop.wait(60)
        elif fault == "nothing":
            return
        else:
            self.send_part(content, start, content[start:])

    def send_part(self, content: bytes, start: int, body: bytes, flush: bool = False) -> None:
        """Answer with what lies behind `start`, and send `body` of it."""
        status = 206 if start else 200
        span = [("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")]
        self.send(status, body, len(content) - start, span if start else [])

    def send(self, status: int, body: bytes, length: int, more: list[tuple[str, str]]) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(length))
        for name, value in more:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on the terminal."""


@contextlib.contextmanager
def serving(files: Mapping[str, bytes]) -> Iterator[FileServer]:
    """A server that runs meanwhile."""
    with FileServer(files) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.stop.set()
            server.shutdown()
            thread.join()


def until(condition: object, seconds: float = 30.0) -> None:
    """Wait until a function gives something true."""
    end = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.02)
