"""What arXiv 2510.03359 claims of real cells, measured, with what knows nothing beside it.

Run it as `python -m tests.studies.paper_real`. It prints the tables of docs/paper-real.md, and
needs kobench-baselines and the files of the data sets. The published training recipe is
`mlp:preset=paper`; `mlp` is the same network, trained better; `linear` is the paper's own baseline.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import pearsonr, spearmanr

from kobench.api import Cells, Context, Responses, normalise_rows
from kobench.api import bray_curtis as distances
from kobench.plugins.chosen import choose
from kobench.plugins.load import Registry, load_registry, resolve
from kobench.runner.prepared import Prepared
from kobench.runner.request import Request, Split

#: The real data sets: with perturbed cells, and wild type alone.
PERTURBED = ("trem2-microglia:genes=2000", "nkx2-1-lung", "hipsc-ko", "k562-crispri")
WILD_TYPE = (*PERTURBED, "pbmc68k", "retina-nuclei:genes=2000")

METHODS = ("mlp:preset=paper", "mlp", "linear")
FLOORS = ("uniform", "masked-mean", "masked-median-depth")

#: Most cells of which every single knockout is asked, for keystone scores.
MOST_CELLS = 60

#: Fewest of these cells in which a gene is asked, as in the task `keystone`.
FEWEST = 10

Floats = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class Fitted:
    """A predictor of expression that has learnt from wild-type cells.

    Attributes
    ----------
    name : str
        Its selection.
    model : object
        It has `predict_expression`.
    """

    name: str
    model: Any

    def profiles(self, assemblages: np.ndarray[Any, Any]) -> Floats:
        """(n, G) profiles for assemblages (n, G), rows that sum to 1."""
        found = np.asarray(self.model.predict_expression(assemblages), np.float64)
        return normalise_rows(np.where(assemblages > 0, np.maximum(found, 0), 0))


def fit(registry: Registry, name: str, cells: Cells, scale: str) -> Fitted:
    """A predictor fitted to cells."""
    chosen = choose(registry, "predictors", name)
    model = resolve(chosen.entry)(**chosen.params)
    model.fit(cells, Context(seed=0, scale=scale))
    return Fitted(name, model)


def bray_curtis(a: Floats, b: Floats) -> float:
    """Mean over rows of sum|a - b| / sum(a + b)."""
    return float(distances(np.atleast_2d(a), np.atleast_2d(b)).mean())


def without(profiles: Floats, gene: int) -> Floats:
    """(n, G - 1) profiles without a gene, renormalised."""
    return normalise_rows(np.delete(profiles, gene, axis=1))


def knocked_out(method: Fitted, cells: Cells, gene: int) -> tuple[Floats, Floats]:
    """Predicted profiles (n, G) of cells that express a gene: as they are, and without it."""
    before = cells.assemblages()
    after = before.copy()
    after[:, gene] = 0
    return method.profiles(before), method.profiles(after)


def impacts(wild_type: Floats, after: Floats, gene: int) -> tuple[Floats, Floats]:
    """(n,) raw and propagated impacts: BC to the wild type, and to it without the gene."""
    null = wild_type.copy()
    null[:, gene] = 0
    return distances(after, wild_type), distances(after, normalise_rows(null))


def held_out_profiles(registry: Registry, name: str) -> Iterator[str]:
    """Rows of the first table: profiles of held-out wild-type cells from their assemblage."""
    prepared = Prepared(choose(registry, "datasets", name), Request((), ()), Split("holdout"))
    asked = prepared.dataset.cells[prepared.asked]
    true, on = asked.profiles(), asked.assemblages()
    figures = []
    for method in (*METHODS, *FLOORS):
        found = fit(registry, method, prepared.training, prepared.dataset.scale).profiles(on)
        pooled = spearmanr(found.ravel(), true.ravel()).statistic
        figures.append(f"{pooled:.3f}, {bray_curtis(found, true):.4f}")
    yield f"| {name} | {1 - on.mean():.0%} | {' | '.join(figures)} |"


def of_perturbations(registry: Registry, name: str, methods: Iterable[str]) -> Iterator[str]:
    """Rows of the tables on perturbed cells of one data set."""
    prepared = Prepared(choose(registry, "datasets", name), Request((), ()), Split("halves"))
    dataset = prepared.dataset
    question = prepared.question("response")
    assert isinstance(question, Responses)
    assert dataset.perturbed is not None
    singles = [
        (label, targets[0])
        for label, targets in zip(question.names, question.targets, strict=True)
        if len(targets) == 1
    ]
    if not singles:
        yield f"after | {name} | no knockout can be asked: {question.left_out}"
        return
    labels = np.asarray(dataset.perturbed.obs["perturbation"])
    asked = question.cells
    for method in methods:
        fitted = fit(registry, method, prepared.training, dataset.scale)
        rows = []
        for label, gene in singles:
            on = asked[np.flatnonzero(asked.assemblages()[:, gene] > 0)]
            wild_type, after = knocked_out(fitted, on, gene)
            raw, propagated = impacts(wild_type, after, gene)
            perturbed = dataset.perturbed[np.flatnonzero(labels == label)]
            rows.append(
                [
                    *compared(fitted, on, perturbed, (wild_type, after), gene),
                    raw.mean(),
                    propagated.mean(),
                ]
            )
        yield from summaries(name, method, np.array(rows), question, singles)


def compared(
    fitted: Fitted, cells: Cells, perturbed: Cells, predicted: tuple[Floats, Floats], gene: int
) -> list[float]:
    """How well the mean profile after a knockout, its change and single cells are predicted.

    Returns
    -------
    list of float
        Over the genes but the removed one. Pearson's and BC of the predicted mean profile after the
        knockout to the measured one; the same of the wild-type cells as they are; Pearson's of the
        changes; BC of perturbed cells to the prediction by their own assemblage.
    """
    wild_type, after = (without(each, gene) for each in predicted)
    before = without(cells.profiles(), gene).mean(axis=0)
    profiles = perturbed.profiles()
    true = without(profiles, gene).mean(axis=0)
    found = after.mean(axis=0)
    change = pearsonr(found - wild_type.mean(axis=0), true - before).statistic
    own = fitted.profiles(perturbed.assemblages())
    return [
        pearsonr(found, true).statistic,
        bray_curtis(found, true),
        pearsonr(before, true).statistic,
        bray_curtis(before, true),
        change,
        bray_curtis(own, profiles),
    ]


def summaries(
    name: str,
    method: str,
    rows: Floats,
    question: Responses,
    singles: Sequence[tuple[str, int]],
) -> Iterator[str]:
    """The rows of one method on one data set."""
    mean = np.nanmean(rows, axis=0)
    yield (
        f"after | {name} | {method} | {len(rows)} | {mean[0]:.3f}, {mean[1]:.4f}"
        f" | {mean[2]:.3f}, {mean[3]:.4f} | {mean[4]:.3f} | {mean[5]:.4f} |"
    )
    if len(rows) < 5:
        return
    places = [question.names.index(label) for label, _ in singles]
    size, abundance = question.size[places], question.abundance[places]
    detection = (question.cells.assemblages() > 0).mean(axis=0)[[gene for _, gene in singles]]
    raw, propagated = rows[:, 6], rows[:, 7]
    figures = [
        spearmanr(a, b).statistic
        for a, b in (
            (raw, abundance),
            (raw, size),
            (propagated, abundance),
            (propagated, size),
            (abundance, size),
            (detection, size),
        )
    ]
    yield f"effect | {name} | {method} | " + " | ".join(f"{value:.2f}" for value in figures) + " |"


def keystones(registry: Registry, name: str, methods: Iterable[str]) -> Iterator[str]:
    """Rows of the last table: where the knocked-out genes stand among all by keystone score."""
    prepared = Prepared(choose(registry, "datasets", name), Request((), ()), Split("halves"))
    question = prepared.question("response")
    assert isinstance(question, Responses)
    rng = np.random.default_rng(0)
    rows = np.sort(rng.permutation(question.cells.n_obs)[:MOST_CELLS])
    cells = question.cells[rows]
    on = cells.assemblages()
    genes = np.flatnonzero(on.sum(axis=0) >= FEWEST)
    share = cells.profiles().mean(axis=0)
    targets = [targets[0] for targets in question.targets if len(targets) == 1]
    known = [gene for gene in targets if gene in set(genes.tolist())]
    if not known:
        yield f"| {name} | none of its {len(targets)} targets is asked in {FEWEST} cells |"
        return
    for method in methods:
        fitted = fit(registry, method, prepared.training, prepared.dataset.scale)
        score = np.array(
            [
                [
                    values.mean()
                    for values in impacts(
                        *knocked_out(fitted, cells[np.flatnonzero(on[:, gene])], gene), gene
                    )
                ]
                for gene in genes
            ]
        )
        above = [
            np.mean([(score[:, kind] < score[genes == gene, kind]).mean() for gene in known])
            for kind in (0, 1)
        ]
        follow = [spearmanr(score[:, kind], share[genes]).statistic for kind in (0, 1)]
        by_share = np.mean([(share[genes] < share[gene]).mean() for gene in known])
        yield (
            f"| {name} | {method} | {len(genes)} | {len(known)} of {len(targets)} | {above[0]:.0%}"
            f" | {above[1]:.0%} | {by_share:.0%} | {follow[0]:.2f} | {follow[1]:.2f} |"
        )


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=("profiles", "perturbed", "keystones"))
    only = parser.parse_args().only
    registry = load_registry()
    if only in (None, "profiles"):
        for name in WILD_TYPE:
            print(*held_out_profiles(registry, name), sep="\n", flush=True)
    if only in (None, "perturbed"):
        for name in PERTURBED:
            print(*of_perturbations(registry, name, METHODS), sep="\n", flush=True)
    if only in (None, "keystones"):
        for name in PERTURBED:
            print(*keystones(registry, name, METHODS[:2]), sep="\n", flush=True)


if __name__ == "__main__":
    main()
