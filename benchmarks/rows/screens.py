"""The truth of a measured screen, and the scores of an answer to it."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from benchmarks.measure import Finding, Row, ratio

#: Wild-type cells, perturbations, cells of each, genes and batches of the made screen.
SCREEN = 4_000, 100, 100, 5_000, 8

#: How many perturbations are measured plainly; their seconds stand for all.
PLAIN = 3

#: Perturbations and genes of the answer, and how many answers are compared plainly.
ANSWER, PLAIN_ANSWERS = (200, 3_000), 2


@cache
def made_screen() -> Any:
    """A screen of sparse counts: `kobench.truth.population.screen.Screen`, and its perturbations.

    Cells share twenty factors; a perturbation takes most of its target away and moves forty genes.
    """
    from scipy.sparse import csr_matrix, vstack

    from kobench.api import Cells, Dataset
    from kobench.truth.population.screen import Screen

    wild_type, k, each, n_genes, batches = SCREEN
    rng = np.random.default_rng(0)
    base, load = rng.normal(-2.2, 1.6, n_genes), rng.normal(0, 0.25, (20, n_genes))
    targets = rng.choice(np.argsort(-base)[: n_genes // 2], k, replace=False)
    effects = np.zeros((k + 1, n_genes))
    for effect, target in zip(effects, targets, strict=False):
        effect[rng.choice(n_genes, 40, replace=False)] = rng.normal(0, 0.7, 40)
        effect[target] = -2.5
    number = np.concatenate([np.full(wild_type, k), np.repeat(np.arange(k), each)])
    parts = []
    for start in range(0, len(number), 1000):
        chosen = number[start : start + 1000]
        share = np.exp(base + rng.normal(size=(len(chosen), 20)) @ load + effects[chosen])
        share /= share.sum(axis=1, keepdims=True)
        depth = rng.lognormal(8.8, 0.35, (len(chosen), 1))
        parts.append(csr_matrix(rng.poisson(share * depth).astype(np.float32)))
    X, batch = vstack(parts, format="csr"), rng.integers(0, batches, len(number)).astype(str)
    names = np.array([f"g{gene}" for gene in range(n_genes)])
    control = number == k
    wild, perturbed = (
        Cells(X[chosen], names, obs={"batch": batch[chosen]}) for chosen in (control, ~control)
    )
    dataset = Dataset(wild, "linear", "real", perturbed=perturbed, batch_key="batch")
    rows = np.arange(wild_type)
    screen = Screen.of(dataset, perturbed, rows[::2], rows[1::2])
    perturbations = [
        (np.flatnonzero(number[~control] == place), (int(target),))
        for place, target in enumerate(targets)
    ]
    return screen, perturbations


def about() -> str:
    """The made screen in words."""
    wild_type, k, each, n_genes, batches = SCREEN
    return (
        f"made screen: {wild_type:,} wild-type cells, half of them the reference, {k}"
        f" perturbations of {each} cells, {n_genes:,} genes, {batches} batches; plain: {PLAIN} of"
        " the perturbations, their seconds stand for all"
    )


def halves(runs: int) -> Finding:
    """Changes in 20 halves, against the reference and against all wild-type cells."""
    from kobench.truth.population.measure import halved_changes
    from kobench.truth.population.presummed import HalvedCells

    screen, perturbations = made_screen()

    def plain() -> list[Any]:
        found = []
        for rows, targets in perturbations[:PLAIN]:
            for against in (screen.reference, screen.everyone):
                ours, theirs = screen._matched(rows, targets, against)
                found.append(
                    halved_changes(
                        replace(screen.perturbed[ours], by_gene=None),
                        replace(screen.wild_type[theirs], by_gene=None),
                        targets,
                        screen.halves[ours],
                        screen.wild_type_halves[theirs],
                    )
                )
        return found

    def fast(perturbations: Any = perturbations) -> list[Any]:
        shared, found = replace(screen), []  # sums are made anew
        for rows, targets in perturbations:
            known = HalvedCells.of(shared.perturbed[rows], targets, shared.halves[rows])
            for against, sums in (
                (shared.reference, shared.halved_reference),
                (shared.everyone, shared.halved_everyone),
            ):
                ours, theirs = shared._matched(rows, targets, against)
                found.append(shared._halved(ours, theirs, targets, sums, known))
        return found

    off = max(
        float(np.nanmax(np.abs(a - b))) / float(np.nanmax(np.abs(b)))
        for a, b in zip(fast(perturbations[:PLAIN]), plain(), strict=True)
    )
    same = f"largest difference over the largest change: {off:.1g}"
    part = PLAIN / len(perturbations)
    return ratio(plain, fast, runs, target=7.0, part=part, facts=(about(), same))


def rank_sums(runs: int) -> Finding:
    """Rank-sum tests of all genes, within batches."""
    from kobench.truth.population.rank_sums import Perturbed, rank_sum_ps
    from kobench.truth.population.significance import rank_sum_p

    screen, perturbations = made_screen()
    reference = screen.wild_type[screen.reference]

    def plain() -> list[Any]:
        found = []
        for rows, targets in perturbations[:PLAIN]:
            ours, theirs = screen._matched(rows, targets, screen.reference)
            cells = replace(screen.wild_type[theirs], by_gene=None)
            found.append(rank_sum_p(screen.perturbed[ours], cells, targets))
        return found

    def fast(perturbations: Any = perturbations) -> list[Any]:
        tested = [Perturbed(rows, targets) for rows, targets in perturbations]
        return list(rank_sum_ps(screen.perturbed, reference, tested))

    equal = all(
        np.array_equal(a, b) for a, b in zip(fast(perturbations[:PLAIN]), plain(), strict=True)
    )
    same = f"p values equal to the last bit: {'yes' if equal else 'no'}"
    part = PLAIN / len(perturbations)
    return ratio(plain, fast, runs, target=10.0, part=part, facts=(about(), same))


def energies(runs: int) -> Finding:
    """Energy distances with permutations."""
    from benchmarks.plain.screens import energy_and_p
    from kobench.truth.population.size import size

    screen, perturbations = made_screen()

    def plain() -> list[Any]:
        found = []
        for rows, targets in perturbations[:PLAIN]:
            ours, theirs = screen._matched(rows, targets, screen.reference)
            cells = replace(screen.wild_type[theirs], by_gene=None)
            found.append(energy_and_p(screen.perturbed[ours], cells, targets))
        return found

    def fast(perturbations: Any = perturbations) -> list[Any]:
        shared, found = replace(screen), []
        for rows, targets in perturbations:
            ours, theirs = shared._matched(rows, targets, shared.reference)
            cells = shared.perturbed[ours], shared.wild_type[theirs]
            found.append(size(*cells, targets, shared.grams))
        return found

    pairs = list(zip(fast(perturbations[:PLAIN]), plain(), strict=True))
    off = max(abs(a[0] - b[0]) for a, b in pairs)
    same = all(a[1] == b[1] for a, b in pairs)
    said = f"largest difference {off:.1g}; p values equal: {'yes' if same else 'no'}"
    part = PLAIN / len(perturbations)
    return ratio(plain, fast, runs, target=5.0, part=part, facts=(about(), said))


def made_answer() -> Any:
    """Answers and truths, (k, G) each, with a gap at the target of each perturbation."""
    rng = np.random.default_rng(1)
    truths = rng.normal(size=ANSWER)
    answers = 0.3 * truths + rng.normal(size=ANSWER)
    truths[np.arange(ANSWER[0]), np.arange(ANSWER[0])] = np.nan
    return np.where(np.isnan(truths), np.nan, answers), truths


def permuted(name: str, target: float) -> Any:
    """What measures every answer beside every truth, by one metric."""

    def measure(runs: int) -> Finding:
        from benchmarks.plain import screens
        from kobench.builtin.metrics.centroid import _shares
        from kobench.builtin.metrics.pairwise import rank_correlate_pairs
        from kobench.builtin.metrics.similarity import Similarities

        answers, truths = made_answer()
        some = slice(PLAIN_ANSWERS)
        if name == "centroid-accuracy":
            fewer = slice(20)  # every answer is compared with the square of these
            part = PLAIN_ANSWERS * 20**2 / (len(answers) * len(truths) ** 2)

            def plain() -> Any:
                return screens.centroid_shares(answers[some], truths[fewer])

            def fast() -> Any:
                return _shares(Similarities.of_rows(answers, truths))

            found = _shares(Similarities.of_rows(answers[some], truths[fewer]))
        else:
            part = PLAIN_ANSWERS / len(answers)

            def plain() -> Any:
                return screens.rank_correlations(answers[some], truths)

            def fast() -> Any:
                return rank_correlate_pairs(answers, truths)

            found = fast()[some]
        off = float(np.abs(found - plain()).max())
        facts = (
            f"{ANSWER[0]} perturbations x {ANSWER[1]:,} genes, a target each; plain: a share of"
            f" {part:.2g} of the pairs, its seconds stand for all; largest difference {off:.1g}",
        )
        return ratio(plain, fast, runs, target=target, part=part, facts=facts)

    return measure


ROWS = [
    Row(
        "halves",
        "changes of a screen in 20 halves of its cells, measured twice",
        "every perturbation's own sums over wild-type cells",
        halves,
    ),
    Row(
        "rank-sums",
        "rank-sum tests of all genes of a screen, within batches",
        "scipy's ranks, one perturbation and batch after the other",
        rank_sums,
    ),
    Row(
        "energies",
        "energy distances of a screen, with 999 permutations",
        "distances of all profiles for each perturbation",
        energies,
    ),
    Row(
        "centroid-permuted",
        "`centroid-accuracy` of every answer for every perturbation",
        "numpy's correlations, one by one",
        permuted("centroid-accuracy", 100.0),
    ),
    Row(
        "spearman-permuted",
        "`spearman-delta` of every answer for every perturbation",
        "scipy's correlations, one by one",
        permuted("spearman-delta", 10.0),
    ),
]
