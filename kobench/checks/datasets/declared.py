"""Checks that a data set is what its spec, its parameters or its card declare.

Each is a function of the data set under test. It returns what it found; it raises Wrong,
NotApplicable or NotRun, or what the data set raises. The first line of its docstring is what must
hold.
"""

from __future__ import annotations

import numpy as np

from kobench.checks.datasets.contents import some_truth
from kobench.checks.datasets.tested import DatasetUnderTest
from kobench.dataset import Dataset
from kobench.datasets.digest import digest
from kobench.datasets.normalise import zeros
from kobench.datasets.validate import validate
from kobench.errors import UserError
from kobench.worker.checks.result import NotApplicable, Wrong

#: Least share of the declared cells that a simulation must have: it may leave out cells that reach
#: no steady state or express nothing.
KEPT = 0.9


def loads(tested: DatasetUnderTest) -> str:
    """Its function gives a Dataset."""
    if tested.loaded.dataset is None:
        raise Wrong(tested.loaded.why)
    tested.compared += 1
    return f"{tested.chosen.selection}: {tested.loaded.dataset.kind}"


def valid(tested: DatasetUnderTest) -> str:
    """Cells, genes and values are as a trial needs them.

    There are enough cells and genes, names are unique, values are finite, not negative and in the
    declared scale.
    """
    try:
        dataset = validate(tested.dataset, tested.chosen.selection)
    except UserError as error:
        raise Wrong(str(error)) from error
    tested.compared += 1
    cells = dataset.cells
    return (
        f"{cells.n_obs:,} cells x {cells.n_vars:,} genes, scale {dataset.scale},"
        f" {zeros(cells.X):.0%} zeros"
    )


def counts_as_declared(tested: DatasetUnderTest) -> str:
    """There are as many cells and genes as the parameters or the card say.

    A simulation may have left out a tenth of its cells.
    """
    cells, spec = tested.dataset.cells, tested.chosen.entry.spec
    for name, found in (("cells", cells.n_obs), ("genes", cells.n_vars)):
        declared = tested.chosen.params.get(name) if spec.seeded else spec.card.get(name)
        if isinstance(declared, int) and not isinstance(declared, bool) and declared > 0:
            least = KEPT * declared if spec.seeded and name == "cells" else declared
            if not least <= found <= declared:
                raise Wrong(f"it has {found:,} {name}; {declared:,} are declared")
            tested.compared += 1
    if not tested.compared:
        raise NotApplicable("neither parameters nor a card say how many cells and genes there are")
    return f"{cells.n_obs:,} cells, {cells.n_vars:,} genes"


def truth_as_declared(tested: DatasetUnderTest) -> str:
    """It has the kind of truth that its spec declares, of the right form, and no other."""
    dataset, declared = tested.dataset, tested.chosen.entry.spec.truth
    # a simulation that is also measured as a screen has both, and declares which one is asked about
    there = {
        "counterfactual": dataset.truth is not None,
        "population": dataset.perturbed is not None,
    }
    kinds = " and ".join(kind for kind in there if there[kind])
    given_by_key = "perturbation_key" in tested.chosen.params
    if declared != "none" and not there[declared] and not given_by_key:
        raise Wrong(f"its spec declares truth={declared!r}; it has {kinds or 'none'}")
    if declared == "none" and kinds:
        raise Wrong(f"its spec declares truth='none'; it has {kinds}")
    found = declared if there.get(declared, False) else "none"
    tested.compared += 1
    if dataset.truth is None:
        return found
    return f"{found}, {_truth_has_the_right_form(dataset)}"


def _truth_has_the_right_form(dataset: Dataset) -> str:
    """Wrong where some of a simulated truth has another shape or impossible values."""
    wild_type, knockout, events = some_truth(dataset)
    shape = (len(events), dataset.cells.n_vars)
    for name, rows in (("wild_type", wild_type), ("knockout", knockout)):
        if np.shape(rows) != shape:
            raise Wrong(
                f"its truth's {name} has shape {np.shape(rows)} for {len(events)} events; expected"
                f" {shape}"
            )
    solved = ~np.isnan(knockout).all(axis=1)
    for name, rows in (("wild_type", wild_type), ("knockout", knockout[solved])):
        if not np.isfinite(rows).all() or (rows < 0).any():
            raise Wrong(
                f"its truth's {name} has values that are negative or not finite; only whole rows of"
                " a knockout may be NaN"
            )
    removed = events.genes[solved].astype(np.intp)
    at_removed = np.take_along_axis(knockout[solved], removed, axis=1)
    if at_removed.any():
        raise Wrong(
            f"its truth has {at_removed.max():.4g} of a gene that was knocked out; expected 0"
        )
    if not solved.any():
        raise Wrong(f"its truth has no steady state for any of {len(events)} knockouts")
    return f"{int(solved.sum())} of {len(events)} knockouts looked at have one"


def targets_present(tested: DatasetUnderTest) -> str:
    """Every perturbed gene is among the genes."""
    perturbed = tested.dataset.perturbed
    if perturbed is None:
        raise NotApplicable("it has no perturbed cells")
    of_cells = np.asarray(perturbed.obs["perturbation"], dtype=np.str_)
    labels, counts = np.unique(of_cells, return_counts=True)
    genes = set(map(str, perturbed.var_names))
    targets = {gene for label in labels for gene in str(label).split("+")}
    absent = sorted(targets - genes)
    if absent:
        raise Wrong(
            f"{len(absent)} perturbed genes are not among its genes: {', '.join(absent[:5])}; keep"
            " every target, whatever else is left out"
        )
    tested.compared += len(labels)
    return f"{len(labels)} perturbations of {counts.min():,} to {counts.max():,} cells"


def replicate_alike(tested: DatasetUnderTest) -> str:
    """A replicate has the same cells and genes, drawn anew."""
    dataset = tested.dataset
    if dataset.replicate is None:
        raise NotApplicable("it offers no replicate")
    cells, other = dataset.cells, dataset.replicate().cells
    if other.shape != cells.shape or not np.array_equal(other.var_names, cells.var_names):
        raise Wrong(
            f"its replicate has {other.n_obs} cells x {other.n_vars} genes, or other genes;"
            " expected the same"
        )
    tested.compared += 1
    same_values = ", and the same values" if digest(other) == digest(cells) else ""
    return f"the same cells and genes{same_values}"
