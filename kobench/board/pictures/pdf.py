"""A figure as PDF, for LaTeX: the same bytes each time, text that stays text."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING

from kobench.board.pictures.style import look
from kobench.board.pictures.svg import as_it_is

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: TrueType fonts inside, which journals ask for.
TRUETYPE = 42


def pdf_of(draw: Callable[[], Figure]) -> bytes:
    """A figure as PDF; without a date, so that the same figure gives the same bytes."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_pdf import FigureCanvasPdf

    with look("pdf"), rc_context({"pdf.fonttype": TRUETYPE}):
        figure = draw()
        as_it_is(figure)
        buffer = io.BytesIO()
        FigureCanvasPdf(figure).print_pdf(buffer, metadata={"CreationDate": None})  # type: ignore[no-untyped-call]
    return buffer.getvalue()
