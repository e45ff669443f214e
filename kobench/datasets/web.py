"""One request for a file of the web, made so that no server can lead it astray or keep it waiting.

Only http and https are spoken, redirects are followed a few times and never to a file or to an
address of this machine or network, and an answer that drips is given up.
"""

from __future__ import annotations

import http.client
import ipaddress
import queue
import re
import socket
import ssl
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import IO, Any
from urllib.parse import urlsplit

from kobench import __version__
from kobench.datasets.sources import fault_of_url
from kobench.util.text import one_line

#: Bytes that are read at once.
CHUNK = 1 << 20

#: Bytes a second below which a connection counts as broken.
SLOWEST = 1000

#: How the first characters of a web page look.
PAGE = re.compile(rb"\s*(\xef\xbb\xbf)?\s*<(!doctype|html|head|body|\?xml)", re.IGNORECASE)

#: Answers after which the same question may be answered otherwise a little later.
LATER = frozenset({408, 425, 429})

#: Characters that are shown of what a server says.
SHOWN = 200


class AnswerError(Exception):
    """What a server answers, or that it does not, in a few words that follow its address.

    Parameters
    ----------
    says : str
        The words.
    later : bool
        Whether the same question may be answered otherwise a little later.
    """

    def __init__(self, says: str, later: bool = False) -> None:
        super().__init__(says)
        self.later = later


def broken(reason: object, later: bool = True) -> AnswerError:
    """The error of a file that cannot be downloaded for a reason."""
    return AnswerError(f"cannot be downloaded ({one_line(str(reason))[:SHOWN]})", later)


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects to other addresses of the web, a few times."""

    max_redirections = 5

    def redirect_request(
        self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> Any:
        """The request that follows; AnswerError for an address that is not asked."""
        if fault := fault_of_url(newurl):
            raise broken(f"it redirects to {newurl}, which {fault}", later=False)
        if is_inside(newurl) and not is_inside(req.full_url):
            raise broken(
                f"it redirects to {newurl}, an address of this machine or network", later=False
            )
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def is_inside(url: str) -> bool:
    """Whether an address leads to this machine, or into a private network.

    A host is asked for as the system would: many spellings of a number, and any name, may lead
    there. One that can't be found leads nowhere; where a proxy asks for it, that is its matter.

    Examples
    --------
    >>> is_inside("http://127.0.0.1:80/a"), is_inside("http://2130706433/a")
    (True, True)
    """
    host = (urlsplit(url).hostname or "").rstrip(".")
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        found = {str(entry[4][0]) for entry in socket.getaddrinfo(host, None)}
    except (OSError, UnicodeError):
        return False
    return any(not ipaddress.ip_address(each.partition("%")[0]).is_global for each in found)


def _opener() -> urllib.request.OpenerDirector:
    """What speaks http and https and nothing else (no file:, ftp: or data:)."""
    director = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.UnknownHandler(),
        _Redirects(),
    ):
        director.add_handler(handler)
    return director


def ask(url: str, start: int, patience: float) -> http.client.HTTPResponse | None:
    """Ask for a file, or for what lies behind its first bytes.

    Parameters
    ----------
    url : str
        Its address.
    start : int
        How many bytes are here already.
    patience : float
        Seconds to wait for an answer.

    Returns
    -------
    HTTPResponse or None
        None where nothing lies behind `start`.

    Raises
    ------
    AnswerError
        For any other answer than the file, or none.
    """
    headers = {"User-Agent": f"kobench/{__version__}", "Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
    request = urllib.request.Request(url, headers=headers)
    answers: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def wait() -> None:
        try:
            answers.put(_opener().open(request, timeout=patience))
        except BaseException as error:
            answers.put(error)

    # in a thread: the timeout of a socket begins anew with every byte, so that a server that sends
    # the head of its answer byte by byte would be waited for without end
    threading.Thread(target=wait, daemon=True).start()
    try:
        answer = answers.get(timeout=2 * patience)
    except queue.Empty:
        raise broken(f"no answer within {2 * patience:g} s") from None
    if not isinstance(answer, BaseException):
        return answer  # type: ignore[no-any-return]
    if isinstance(answer, urllib.error.HTTPError) and answer.code == 416 and start:
        answer.close()
        return None
    raise _as_answer(answer) from None


def _as_answer(error: BaseException) -> AnswerError:
    """What went wrong with a request; an error that says nothing of the network is raised."""
    if isinstance(error, AnswerError):
        return error
    if isinstance(error, urllib.error.HTTPError):
        error.close()
        said = str(error.reason).partition("\n")[0]
        return broken(f"{error.code} {said}", error.code >= 500 or error.code in LATER)
    if isinstance(error, urllib.error.URLError):
        if isinstance(error.reason, socket.gaierror):
            return broken("its host is not found; is this machine on the web?", later=False)
        return broken(error.reason, not isinstance(error.reason, ssl.SSLCertVerificationError))
    if isinstance(error, OSError | http.client.HTTPException | ValueError):
        return broken(str(error) or type(error).__name__)
    raise error


def pieces(answer: http.client.HTTPResponse, patience: float) -> Iterator[bytes]:
    """The body of an answer as it comes.

    Parameters
    ----------
    answer : HTTPResponse
    patience : float
        Seconds in which at least `SLOWEST` bytes a second must have come.

    Raises
    ------
    AnswerError
        Where the connection breaks or drips.
    """
    since, got = time.monotonic(), 0
    while True:
        try:
            piece = answer.read1(CHUNK)
        except (OSError, http.client.HTTPException) as error:
            raise broken(str(error) or type(error).__name__) from None
        if not piece:
            return
        yield piece
        got += len(piece)
        now = time.monotonic()
        if now - since >= patience:
            if got < SLOWEST * (now - since):
                raise broken(f"it sends less than {SLOWEST:,} bytes a second")
            since, got = now, 0


def is_page(start: bytes) -> bool:
    """Whether a file begins as a web page does, which no file of cells is.

    Examples
    --------
    >>> is_page(b"<!DOCTYPE html><html>"), is_page(b"gene,cell1")
    (True, False)
    """
    return PAGE.match(start) is not None


def described(file: IO[bytes]) -> str:
    """What a file is that is not the expected one, where that can be told; "" where it can't."""
    start = file.read(4096)
    if is_page(start):
        return "a web page"
    if start[:2] == b"\x1f\x8b":
        return "gzip-compressed"
    if start[:1] in b"{[" and start:
        return "JSON"
    return "" if start else "empty"
