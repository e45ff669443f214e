"""The first table of the page: predictors and questions, as a terminal's first screen has it."""

from __future__ import annotations

from kobench.board.overview import Asked
from kobench.board.render.html.glance import Grid, Named, Shown
from kobench.board.render.text.overview import First


def first_grid(first: First) -> Grid | None:
    """Predictors and questions; None where nobody can be ranked."""
    if not first.overview.tasks:
        return None
    heads = [Named(head.replace("\n", ", ")) for head in first.heads]
    rows = tuple(
        (
            Named(name, predictor=name),
            tuple(
                Shown(style_of(task, name), " ".join(text.split()))
                for task, text in zip(first.tasks, texts, strict=True)
            ),
        )
        for name, texts in first.rows
    )
    return Grid("predictor", tuple(heads), rows)


def style_of(task: Asked | None, name: str) -> str:
    """The colour of a cell: that of its verdict where it has one alone."""
    told = task.told.get(name, ()) if task else ()
    verdicts = {one.verdict for one in told}
    if task is None or len(verdicts) != 1 or len(told) < len(task.places):
        return ""
    (verdict,) = verdicts
    plain = {"better": "better", "same": "same", "worse": "worse"}.get(verdict, "")
    return f"{plain} hollow" if plain and all(one.hollow for one in told) else plain
