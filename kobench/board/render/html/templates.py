"""The templates of the page, and what they may call. All text is escaped by them."""

from __future__ import annotations

import json
import re
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

if TYPE_CHECKING:
    from jinja2 import Environment

#: The package whose folder `templates` holds those of boards.
PACKAGE = "kobench.board.render.html"


@cache
def environment(package: str = PACKAGE) -> Environment:
    """Jinja with escaping switched on, and an error for every name that is not there.

    Parameters
    ----------
    package : str
        The package whose folder `templates` holds the templates.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    made = Environment(
        loader=PackageLoader(package),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters["minus"] = minus
    made.filters["size"] = size
    return made


def minus(text: str) -> str:
    """Numbers in a text with a true minus sign; names, and a dash for nothing, stay.

    >>> minus("-0.1 [-0.2, 0.1]"), minus("mean-2"), minus("-")
    ('−0.1 [−0.2, 0.1]', 'mean-2', '-')
    """
    return re.sub(r"(?<!\w)-(?=\d)", "\u2212", text)


def size(svg: str) -> dict[str, int]:
    """The width and height of a picture in pixels, so that a page has room for it before it loads.

    >>> size('<svg width="72pt" height="36.6pt" viewBox="0 0 72 36.6">')
    {'width': 96, 'height': 49}
    """
    found = re.findall(r'\b(width|height)="([\d.]+)pt"', svg.partition(">")[0])
    return {name: round(float(points) * 4 / 3) for name, points in found}


def file_text(name: str) -> Markup:
    """The text of a file beside this module, which goes into the page as it is."""
    file = resources.files(PACKAGE).joinpath(name)
    return Markup(file.read_text(encoding="utf-8").strip())


def in_script(value: Any) -> Markup:
    """JSON that ends no script, whatever a name in it tries.

    >>> in_script(["</script>"])
    Markup('["\\\\u003c/script>"]')
    """
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return Markup(text.replace("<", "\\u003c").replace("\u2028", "\\u2028"))
