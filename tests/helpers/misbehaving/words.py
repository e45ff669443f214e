"""Predictors whose words are the attack: errors that can't be said, escape sequences for a
terminal, markup for a page.
"""

from __future__ import annotations

from misbehaving.fake import Fake

#: Ends a terminal's title, clears its screen, hides text; then markup for pages, and cells and rows
#: for tables.
NASTY = (
    "'\\x1b]0;owned\\x07\\x1b[2J\\x1b[8m\\x9b31m\\x00\\r\\u202e<script>alert(1)</script><img src=x"
    " onerror=alert(1)> | a | b |\\n| c | [x](javascript:alert(1)) `${7}` \\\\input{/etc/passwd}"
    " =cmd()'"
)


def _error(name: str, body: str, says: str = ".", status: str = "failed") -> Fake:
    return Fake(name, status, says, "fit", fit=body)


WORDS = [
    _error("raises-with-escape-sequences", f"raise RuntimeError({NASTY})", "RuntimeError"),
    _error(
        "raises-under-a-nasty-name",
        f"raise type({NASTY}.replace('\\0', ''), (Exception,), {{}})('quiet')",
        "quiet",
    ),
    _error(
        "raises-what-can-not-be-said",
        """
        class Mute(Exception):
            def __str__(self): raise ValueError('no words')
            __repr__ = __str__
        raise Mute
        """,
        "Mute",
    ),
    _error(
        "raises-what-is-no-text",
        """
        class Odd(Exception):
            def __str__(self): return 7
        raise Odd
        """,
        "Odd",
    ),
    _error("raises-ten-megabytes", "raise RuntimeError('long ' * 2_000_000)", "RuntimeError: long"),
    _error("raises-half-a-letter", "raise RuntimeError('half \\ud800 letter')", "half"),
    _error(
        "raises-in-a-long-line",
        "exec('raise RuntimeError(1)' + ' ' * 10 + '#' + 'x' * 10**6)",
        "RuntimeError",
    ),
    _error(
        "raises-a-group", "raise ExceptionGroup('several', [ValueError(1), KeyError(2)])", "several"
    ),
    _error("exits-with-words", f"sys.exit({NASTY})", "."),
    _error(
        "exits-with-an-odd-code",
        "class Code:\n    def __str__(self): raise ValueError\n    __repr__ ="
        " __str__\nsys.exit(Code())",
        ".",
    ),
    _error(
        "says-that-it-is-invalid",
        "from kobench.errors import InvalidAnswerError\nraise InvalidAnswerError('I say so')",
        "I say so",
        "invalid",
    ),
    _error(
        "lies-about-its-class",
        """
        class Lying(Exception):
            @property
            def __class__(self): raise ValueError('no class')
            def __getattribute__(self, name): raise ValueError('no attribute')
        raise Lying
        """,
    ),
    Fake(
        "dies-with-nasty-last-words",
        "failed",
        "code 9",
        "fit",
        fit=f"print({NASTY}.replace('\\ud800', ''), flush=True); os._exit(9)",
    ),
]
