"""Presence: whether which genes are on differs between cells."""

from __future__ import annotations

from kobench.audit.material import Material
from kobench.audit.pictures import histogram
from kobench.audit.report import Part, Picture, Table
from kobench.datasets.parts import detected

KEY, TITLE = "presence", "Presence: does which genes are on vary?"

#: A gene varies in presence that is on in a share of cells between these.
VARIES = (0.05, 0.95)


def presence(material: Material) -> Part:
    """How often genes are on in wild-type cells."""
    cells, seen = material.dataset.cells, material.overview
    shares = detected(cells.X) / cells.n_obs
    vary = int(((shares > VARIES[0]) & (shares < VARIES[1])).sum())
    always, rare = int((shares == 1).sum()), int((shares <= VARIES[0]).sum())
    nearly = len(shares) - vary - always - rare
    if not seen.presence_varies:
        sentence = (
            f"Only {seen.zeros:.1%} of the wild-type values are zero, so which genes are on tells"
            " little of a cell, and a method that learns from that extrapolates when it is"
            " asked for"
            " a knockout: read its scores so."
        )
    else:
        sentence = (
            f"{seen.zeros:.0%} of the wild-type values are zero, and {vary:,} of"
            f" {len(shares):,} genes"
            f" are on in {VARIES[0]:.0%} to {VARIES[1]:.0%} of the cells, so methods that"
            " learn from presence have something to learn from; zeros are also what shallow"
            " sequencing leaves."
        )
    rows = [
        ("on in every cell", f"{always:,}"),
        (f"on in {VARIES[1]:.0%} or more, not in every", f"{nearly:,}"),
        (f"on in {VARIES[0]:.0%} to {VARIES[1]:.0%} of the cells", f"{vary:,}"),
        (f"on in {VARIES[0]:.0%} or fewer", f"{rare:,}"),
    ]
    return Part(
        KEY,
        TITLE,
        "fine" if seen.presence_varies and vary else "look",
        sentence,
        {
            "zeros": round(seen.zeros, 6),
            "genes": len(shares),
            "varying": vary,
            "always_on": always,
            "nearly_always_on": nearly,
            "rare": rare,
        },
        Table(("genes", "how many"), rows),
        Picture(
            "In what share of the wild-type cells genes are on",
            lambda: histogram(
                shares.tolist(), "share of wild-type cells in which a gene is on", "genes"
            ),
        ),
    )
