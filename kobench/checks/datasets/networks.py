"""Checks of what a simulated truth tells of its network, and of networks that seeds share."""

from __future__ import annotations

import numpy as np

from kobench.cells import BoolArray
from kobench.checks.datasets.contents import some_truth
from kobench.checks.datasets.tested import DatasetUnderTest
from kobench.datasets.edges import edges_digest, edges_of
from kobench.errors import UserError
from kobench.worker.checks.result import NotApplicable, Wrong

#: A gene has changed where it differs by more than this, and this share of what it was.
LEAST, SHARE = 1e-6, 1e-4


def edges_point_on(tested: DatasetUnderTest) -> str:
    """Edges of a truth are (m, 2) columns of its genes, each once, from regulator to target.

    Knockouts change the genes that an edge leads to more often than those that it comes from.
    """
    dataset = tested.dataset
    if getattr(dataset.truth, "edges", None) is None:
        raise NotApplicable("its truth tells no edges, which it need not")
    n_genes = dataset.cells.n_vars
    try:
        edges = edges_of(dataset.truth, n_genes, "it")
    except UserError as error:
        raise Wrong(str(error)) from error
    tested.compared += 1
    if twice := len(edges) - len(np.unique(edges, axis=0)):
        raise Wrong(f"its truth lists {twice} of {len(edges)} edges twice; list each once")
    regulates = np.zeros((n_genes, n_genes), dtype=bool)
    regulates[edges[:, 0], edges[:, 1]] = True
    wild_type, knockout, events = some_truth(dataset)
    removed = events.genes[:, 0]
    moved = np.abs(knockout - wild_type) > LEAST + SHARE * np.abs(wild_type)
    solved: BoolArray = np.asarray(np.isfinite(knockout).all(axis=1))
    seen = (wild_type > 0) & solved[:, None]
    seen[np.arange(len(removed)), removed] = False
    ahead, behind = regulates[removed], regulates.T[removed]
    targets, regulators = ahead & ~behind & seen, behind & ~ahead & seen
    shares = [float(moved[of].mean()) if of.any() else 0.0 for of in (targets, regulators)]
    if shares[1] > shares[0]:
        raise Wrong(
            f"its edges point the other way: a knockout changes {shares[1]:.0%} of the regulators"
            f" that they name of the gene and {shares[0]:.0%} of its targets; give each edge as"
            " (regulator, target)"
        )
    return (
        f"{len(edges):,} edges; a knockout changes {shares[0]:.0%} of the targets and"
        f" {shares[1]:.0%} of the regulators of a gene"
    )


def networks_as_declared(tested: DatasetUnderTest) -> str:
    """Seeds whose networks have the same edges say that they share one, and no others do."""
    if not tested.chosen.entry.spec.seeded:
        raise NotApplicable("it is not seeded")
    first, second = tested.dataset, tested.other
    named = bool(first.network) and first.network == second.network
    seeds = tested.seeds
    if getattr(first.truth, "edges", None) is None or getattr(second.truth, "edges", None) is None:
        if not named:
            raise NotApplicable("its truth tells no edges, by which networks could be compared")
        tested.compared += 1
        return f"seeds {seeds} share the network {first.network!r}, it says"
    digests = {
        edges_digest(edges_of(one.truth, one.cells.n_vars), one.cells.n_vars)
        for one in (first, second)
    }
    tested.compared += 1
    if len(digests) == 1 and not named:
        raise Wrong(
            f"seeds {seeds} have the same edges, so they are draws of one network and count once on"
            " a board; give both the same Dataset.network, or draw another network for each seed"
        )
    if len(digests) > 1 and named:
        raise Wrong(
            f"seeds {seeds} say that they share the network {first.network!r}, and their edges"
            " differ; give Dataset.network another text for each network"
        )
    return f"seeds {seeds} {'share one network' if named else 'have networks of their own'}"
