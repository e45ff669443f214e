"""Knockdown depth: how far the target's own transcript falls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse

from kobench.audit.material import Material
from kobench.audit.pictures import intervals
from kobench.audit.report import Part, Picture, Table, Verdict, listed, plain, share
from kobench.audit.statistics import fold_interval, wilson
from kobench.cells import FloatArray, IntArray
from kobench.truth.population.measure import matched

KEY, TITLE = "knockdown", "Knockdown: does the target's own transcript fall?"

#: Working scales whose values are logarithms of 1 + something.
LOGS = ("log1p", "log1p-cp10k")

#: Where so many targets or more all fall below this fold of the wild type, it looks like CRISPRi.
FEWEST_EVEN, EVENLY = 3, 0.5

WAS_IT_CRISPRI = (
    " Every target falls to less than half, as in a knockdown: was this CRISPRi? Then say --kind"
    " knockdown (kind on the card)."
)

#: A transcript that may as well have fallen to this share as not at all is read in too few cells.
HALF = 0.5


@dataclass(frozen=True)
class Depth:
    """How far a target falls.

    Attributes
    ----------
    perturbation, target : str
        Their names.
    cells : int
        Perturbed cells.
    fold, low, high : float
        Mean of the target in perturbed cells over that in wild-type cells of the same batches, with
        its 95 % interval; NaN where no wild-type cell has it.
    on, on_low, on_high : float
        Share of perturbed cells in which it is read, with its 95 % interval.
    wild_on : float
        The same share of wild-type cells.
    """

    perturbation: str
    target: str
    cells: int
    fold: float
    low: float
    high: float
    on: float
    on_low: float
    on_high: float
    wild_on: float

    @property
    def says(self) -> str:
        """ "falls", "rises", "unclear", or "too few" where even a fall to half can't be seen."""
        if self.high < 1:
            return "falls"
        if self.low > 1:
            return "rises"
        return "unclear" if self.low > HALF else "too few"


def depths(material: Material) -> list[Depth]:
    """The depth of each target of the measured perturbations that can be asked."""
    if material.question is None:
        return []
    dataset, screened = material.measured, material.screened
    screen = screened.screen
    logs = dataset.scale in LOGS
    found = []
    for name in screened.names:
        rows, targets = screened.cells(name), screened.targets[name]
        ours, theirs = matched(screen.perturbed[rows], screen.wild_type[screen.everyone], targets)
        rows, wild = rows[ours], screen.everyone[theirs]
        batch, wild_batch = screen.perturbed.batch[rows], screen.wild_type.batch[wild]
        for target in targets:
            values = _column(screen.perturbed.X, rows, target)
            others = _column(screen.wild_type.X, wild, target)
            on = int((values > 0).sum())
            wild_on, _ = _stratified((others > 0).astype(float), wild_batch, batch)
            if logs:
                values, others = np.expm1(values), np.expm1(others)
            mean, variance = float(values.mean()), float(values.var(ddof=1)) / len(values)
            fold = fold_interval(mean, variance, *_stratified(others, wild_batch, batch))
            share_low, share_high = wilson(on, len(rows))
            if not on and wild_on > 0:  # no read has no spread: what share may hide behind it
                fold = (0.0, 0.0, share_high / wild_on)
            found.append(
                Depth(
                    name,
                    str(dataset.cells.var_names[target]),
                    len(rows),
                    *fold,
                    on / len(rows),
                    share_low,
                    share_high,
                    wild_on,
                )
            )
    return found


def _column(X: Any, rows: IntArray, gene: int) -> FloatArray:
    """(n,) values of a gene in some rows."""
    values = X[:, [gene]][rows]
    dense = values.toarray() if scipy.sparse.issparse(values) else values
    return np.asarray(dense, np.float64).ravel()


def _stratified(values: FloatArray, batch: IntArray, like: IntArray) -> tuple[float, float]:
    """Mean of values, and its variance, in the mix of batches of other cells.

    values, batch : (n,). like : (m,) batches, all of which are among those of `batch`.
    """
    mean = variance = 0.0
    for one, count in zip(*np.unique(like, return_counts=True), strict=True):
        here, share = values[batch == one], count / len(like)
        mean += share * float(here.mean())
        if len(here) > 1:
            variance += share**2 * float(here.var(ddof=1)) / len(here)
    return mean, variance


def knockdown(material: Material) -> Part:
    """The depth of every target, and what it means."""
    found = depths(material)
    kind = material.dataset.perturbation
    if not found:
        return Part(
            KEY,
            TITLE,
            "unknown",
            "No perturbation can be asked, so there is no target to look at.",
            {"targets": []},
        )
    seen = _seen(found)
    doubted = material.overview.doubted_kind
    verdict: Verdict = "fine"
    if doubted or (kind == "knockdown" and not seen["falls"] and not seen["too few"]):
        verdict = "bad"
    even = kind == "knockout" and falls_evenly(found)
    if verdict == "fine" and (even or seen["unclear"] or seen["rises"] or seen["too few"]):
        verdict = "look"
    shown = sorted(found, key=lambda one: (-_known(one.fold), one.perturbation))
    rows = [
        (
            one.perturbation
            if one.target == one.perturbation
            else f"{one.perturbation}: {one.target}",
            f"{one.cells:,}",
            "not known"
            if np.isnan(one.fold)
            else f"{one.fold:.2f} [{one.low:.2f}, {one.high:.2f}]",
            f"{one.on:.0%} [{one.on_low:.0%}, {one.on_high:.0%}]",
            f"{one.wild_on:.0%}",
            one.says,
        )
        for one in shown
    ]
    heads = ("target", "cells", "fold of wild type", "read in", "in wild type", "transcript")
    facts = {
        "kind": kind,
        "falls_evenly": even,
        "doubted_kind": doubted,
        **{says.replace(" ", "_"): names for says, names in seen.items()},
        "targets": [
            {key: plain(value) for key, value in vars(one).items()} | {"says": one.says}
            for one in found
        ],
    }
    drawn = [one for one in shown if not np.isnan(one.fold)]
    return Part(
        KEY,
        TITLE,
        verdict,
        _sentence(kind, seen, found, doubted) + (WAS_IT_CRISPRI if even else ""),
        facts,
        Table(heads, rows),
        Picture(
            "The target's mean in perturbed cells over that in wild-type cells of the same batches,"
            " with 95 % intervals; 1 is no change",
            lambda: intervals(
                [one.perturbation for one in drawn],
                [(one.fold, one.low, one.high) for one in drawn],
                "fold of wild type",
                1.0,
            ),
        )
        if drawn
        else None,
    )


def falls_evenly(found: list[Depth]) -> bool:
    """Whether all targets, three or more, fall surely and to less than half of the wild type.

    A knockdown does that; the transcripts of knocked-out genes fall more or less, or stay.
    """
    return len(found) >= FEWEST_EVEN and all(
        one.says == "falls" and one.fold < EVENLY for one in found
    )


def _seen(found: list[Depth]) -> dict[str, list[str]]:
    """What each target does -> the targets, each once: a double's are those of two singles."""
    order = ("falls", "too few", "unclear", "rises")
    worst: dict[str, str] = {}
    for one in found:
        before = worst.get(one.target, order[0])
        worst[one.target] = max(before, one.says, key=order.index)
    return {says: [name for name in worst if worst[name] == says] for says in order}


def _sentence(kind: str, seen: Mapping[str, list[str]], found: list[Depth], doubted: str) -> str:
    """What is seen, and what it means of such a kind."""
    folds = [one.fold for one in found if one.target in seen["falls"]]
    middle = f", in the middle to {float(np.median(folds)):.2f} of the wild type" if folds else ""
    count = sum(map(len, seen.values()))
    text = f"The transcript falls in {share(len(seen['falls']), count, 'targets')}{middle}"
    if few := seen["too few"]:
        are = "is" if len(few) == 1 else "are"
        text += f"; {listed(few)} {are} read in too few cells to tell"
    if unclear := seen["unclear"]:
        text += f"; it does not fall to half in {listed(unclear)}"
    if rises := seen["rises"]:
        text += f"; it rises in {listed(rises)}"
    if doubted:
        return f"{text}. In their own cells {doubted} (`kind` on the card)."
    if not (unclear or rises):
        return f"{text}, as a knockdown should." if kind == "knockdown" and not few else f"{text}."
    if kind == "knockdown":
        return f"{text}: a knockdown that does not fall did not work, so leave it out."
    return (
        f"{text}: transcripts of a knocked-out gene may persist, so this alone condemns no"
        " knockout; look whether these change anything else."
    )


def _known(value: float) -> float:
    return float("inf") if np.isnan(value) else value
