"""Depth: whether perturbed cells were sequenced as deeply as the wild type."""

from __future__ import annotations

from typing import Any

import numpy as np

from kobench.audit.confounding import WILD_TYPE
from kobench.audit.material import Material
from kobench.audit.pictures import boxes
from kobench.audit.report import Part, Picture, Table, Verdict, named
from kobench.audit.statistics import kruskal_wallis, standardised
from kobench.cells import Cells, FloatArray
from kobench.datasets.parts import row_sums
from kobench.truth.population.profiles import Population

KEY, TITLE = "depth", "Depth: are cells sequenced alike?"

#: A standardised difference from which depth counts as different (Cohen 1988: 0.5 is medium, 0.8
#: large).
DIFFERS, DIFFERS_MUCH = 0.5, 0.8

#: Groups of which fewer cells say nothing.
FEWEST = 10


def totals(cells: Cells) -> tuple[FloatArray, str]:
    """(n,) how deeply each cell was read, and what that is.

    Counts where they are there. Values that were brought to one total say nothing of depth, so else
    the number of genes that are on.
    """
    if "counts" in cells.layers:
        return row_sums(cells.layers["counts"]), "counts"
    return Population.of(cells.X, np.zeros(0, int)).detected.astype(np.float64), "genes that are on"


def depth(material: Material) -> Part:
    """Totals by perturbation and by batch."""
    dataset = material.dataset
    wild, what = totals(dataset.cells)
    groups, read = {WILD_TYPE: wild}, [(dataset.cells, wild)]
    if dataset.perturbed is not None:
        theirs, _ = totals(dataset.perturbed)
        groups |= _by_label(dataset.perturbed.obs["perturbation"], theirs)
        read.append((dataset.perturbed, theirs))
    of_batch = _by_batch(dataset.batch_key, read)
    enough = {name: values for name, values in groups.items() if len(values) >= FEWEST}
    h, p, size = kruskal_wallis(list(enough.values()))
    batch_h, batch_p, batch_size = kruskal_wallis(
        [values for values in of_batch.values() if len(values) >= FEWEST]
    )
    logs = np.log1p(wild)
    apart = {
        name: standardised(np.log1p(values), logs)
        for name, values in enough.items()
        if name != WILD_TYPE
    }
    off = sorted(
        (name for name, d in apart.items() if abs(d) >= DIFFERS), key=lambda name: -abs(apart[name])
    )
    much = [name for name in off if abs(apart[name]) >= DIFFERS_MUCH]
    verdict: Verdict = "fine"
    if off:
        verdict = "bad" if len(much) > len(apart) / 2 else "look"
    elif batch_size >= 0.14:
        verdict = "look"
    ordered = sorted(groups, key=lambda name: (name != WILD_TYPE, -abs(apart.get(name, 0.0)), name))
    rows = [
        (
            name,
            f"{len(groups[name]):,}",
            f"{np.median(groups[name]):,.0f}",
            f"{np.percentile(groups[name], 5):,.0f} to {np.percentile(groups[name], 95):,.0f}",
            f"{apart[name]:+.2f}" if name in apart else "",
        )
        for name in ordered
    ]
    facts: dict[str, Any] = {
        "of": what,
        "kruskal_wallis": {"h": round(h, 3), "p": round(p, 6), "epsilon_squared": round(size, 4)},
        "by_batch": {
            "h": round(batch_h, 3),
            "p": round(batch_p, 6),
            "epsilon_squared": round(batch_size, 4),
            "medians": {name: float(np.median(values)) for name, values in of_batch.items()},
        },
        "standardised": {name: round(d, 4) for name, d in sorted(apart.items())},
        "medians": {name: float(np.median(values)) for name, values in groups.items()},
    }
    shown = ordered[:40]
    return Part(
        KEY,
        TITLE,
        verdict,
        _sentence(what, off, much, apart, size, len(of_batch), batch_size, float(np.median(wild))),
        facts,
        Table(
            (
                "perturbation",
                "cells",
                f"median of {what}",
                "5 % to 95 %",
                "standardised difference",
            ),
            rows,
        ),
        Picture(
            f"The {what} of a cell, by perturbation; the wild type is on the left",
            lambda: boxes([groups[name].tolist() for name in shown], shown, what),
        ),
    )


def _by_batch(key: str | None, cells: list[tuple[Cells, FloatArray]]) -> dict[str, FloatArray]:
    """Depth by batch; nothing without a batch column."""
    if key is None:
        return {}
    there = [
        (np.asarray(each.obs[key], np.str_), values) for each, values in cells if key in each.obs
    ]
    if not there:
        return {}
    labels = np.concatenate([label for label, _ in there])
    return _by_label(labels, np.concatenate([value for _, value in there]))


def _by_label(labels: Any, values: FloatArray) -> dict[str, FloatArray]:
    """The values (n,) of each label (n,)."""
    labels = np.asarray(labels, dtype=np.str_)
    order = np.argsort(labels, kind="stable")
    names, starts = np.unique(labels[order], return_index=True)
    parts = np.split(values[order], starts[1:])
    return dict(zip(names.tolist(), parts, strict=True))


def _sentence(
    what: str,
    off: list[str],
    much: list[str],
    apart: dict[str, float],
    size: float,
    batches: int,
    of_batches: float,
    middle: float,
) -> str:
    by_batch = (
        f" Batches differ, too (epsilon squared {of_batches:.2f}), and are compared within each."
        if batches > 1 and of_batches >= 0.14
        else ""
    )
    if not apart:
        return f"A wild-type cell has {middle:,.0f} {what} in the middle.{by_batch}"
    if off:
        how = ", ".join(f"{named(name)} {apart[name]:+.1f}" for name in off[:5])
        more = f" and {len(off) - 5:,} more" if len(off) > 5 else ""
        end = (
            "most perturbations differ so, which a library of their own would explain: say so on"
            " the card (confounded = true) if it is that"
            if len(much) > len(apart) / 2
            else "part of what changes there may be depth, which a floor by depth shows"
        )
        return (
            f"The {what} of a cell differ from the wild"
            " type's by"
            f" half a standard deviation or more in {how}{more}: {end}.{by_batch}"
        )
    return (
        f"The {what} of a cell lie within half a standard deviation of the wild type's for every"
        f" perturbation (epsilon squared {size:.3f}), so depth explains little.{by_batch}"
    )
