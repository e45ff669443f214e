"""The checks of data sets: loaded here and elsewhere they are the same bytes, and they have what
their spec declares.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from kobench.checks.datasets.contents import content_of, load_plainly, no_network, some_truth
from kobench.checks.run import Bench, NotRun, run_named
from kobench.dataset import Dataset
from kobench.datasets.digest import digest
from kobench.datasets.normalise import zeros
from kobench.datasets.validate import validate
from kobench.errors import UserError
from kobench.plugins.chosen import Chosen, choose
from kobench.plugins.load import Registry, resolve
from kobench.runner.plan import make_plan
from kobench.runner.request import Request
from kobench.worker.checks.kit import NotApplicable, Wrong
from kobench.worker.checks.random_states import RandomStates
from kobench.worker.checks.result import CheckResult

#: Single knockouts of a data set that floors are asked.
EVENTS = 2000

#: Share of the cells asked for that must be there: those that come to no rest, or express nothing,
#: are left out.
KEPT = 0.9


@dataclass
class DatasetBench(Bench):
    """A data set under test. plugin_files, dataset_folders : where the registry found it, for
    another process to find it, too.
    """

    registry: Registry
    chosen: Chosen
    plugin_files: Sequence[str] = ()
    dataset_folders: Sequence[str] = ()

    @cached_property
    def outcome(self) -> tuple[Dataset | None, str, list[str], list[str]]:
        """The data set or None, why there is none, the global random states that loading changed,
        and the hosts it asked for.
        """
        with no_network() as asked, RandomStates() as states:
            try:
                loaded, why = load_plainly(self.chosen), ""
            except UserError as error:
                loaded, why = None, str(error)
            except (Exception, SystemExit) as error:
                loaded, why = None, f"{type(error).__name__}: {error}"
        return loaded, why, states.changed, asked

    @property
    def dataset(self) -> Dataset:
        """The data set; NotRun where it can't be loaded."""
        loaded = self.outcome[0]
        if loaded is None:
            raise NotRun("it could not be loaded")
        return loaded


def loads(bench: DatasetBench) -> str:
    """Its function gives a Dataset."""
    loaded, why, _, _ = bench.outcome
    if loaded is None:
        raise Wrong(why)
    bench.compared += 1
    return f"{bench.chosen.selection}: {loaded.kind}"


def valid(bench: DatasetBench) -> str:
    """Cells, genes and values are as a trial needs them: enough of both, unique names, finite, not
    negative, in the declared scale.
    """
    try:
        dataset = validate(bench.dataset, bench.chosen.selection)
    except UserError as error:
        raise Wrong(str(error)) from error
    bench.compared += 1
    cells = dataset.cells
    return (
        f"{cells.n_obs:,} cells x {cells.n_vars:,} genes, scale {dataset.scale},"
        f" {zeros(cells.X):.0%} zeros"
    )


def counts_as_declared(bench: DatasetBench) -> str:
    """There are as many cells and genes as the parameters or the card say; a simulation may have
    left out a tenth of its cells.
    """
    cells, spec = bench.dataset.cells, bench.chosen.entry.spec
    for name, found in (("cells", cells.n_obs), ("genes", cells.n_vars)):
        declared = bench.chosen.params.get(name) if spec.seeded else spec.card.get(name)
        if isinstance(declared, int) and not isinstance(declared, bool) and declared > 0:
            least = KEPT * declared if spec.seeded and name == "cells" else declared
            if not least <= found <= declared:
                raise Wrong(f"it has {found:,} {name}; {declared:,} are declared")
            bench.compared += 1
    if not bench.compared:
        raise NotApplicable("neither parameters nor a card say how many cells and genes there are")
    return f"{cells.n_obs:,} cells, {cells.n_vars:,} genes"


def truth_as_declared(bench: DatasetBench) -> str:
    """It has the kind of truth that its spec declares, of the right form, and no other."""
    dataset, declared = bench.dataset, bench.chosen.entry.spec.truth
    # a simulation that is measured as a screen is has both, and declares which one is asked about
    there = {
        "counterfactual": dataset.truth is not None,
        "population": dataset.perturbed is not None,
    }
    if declared != "none" and not there[declared] and "perturbation_key" not in bench.chosen.params:
        raise Wrong(
            f"its spec declares truth={declared!r}; it has"
            f" {' and '.join(kind for kind in there if there[kind]) or 'none'}"
        )
    if declared == "none" and any(there.values()):
        raise Wrong(
            "its spec declares truth='none'; it has"
            f" {' and '.join(kind for kind in there if there[kind])}"
        )
    found = declared if there.get(declared, False) else "none"
    bench.compared += 1
    if dataset.truth is None:
        return found
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
    at_removed = np.take_along_axis(knockout[solved], events.genes[solved].astype(np.intp), axis=1)
    if at_removed.any():
        raise Wrong(
            f"its truth has {at_removed.max():.4g} of a gene that was knocked out; expected 0"
        )
    if not solved.any():
        raise Wrong(f"its truth has no steady state for any of {len(events)} knockouts")
    return f"{found}, {int(solved.sum())} of {len(events)} knockouts looked at have one"


def targets_present(bench: DatasetBench) -> str:
    """Every perturbed gene is among the genes."""
    perturbed = bench.dataset.perturbed
    if perturbed is None:
        raise NotApplicable("it has no perturbed cells")
    labels, counts = np.unique(
        np.asarray(perturbed.obs["perturbation"], dtype=np.str_), return_counts=True
    )
    genes = set(map(str, perturbed.var_names))
    absent = sorted(
        {gene for label in labels for gene in str(label).split("+") if gene not in genes}
    )
    if absent:
        raise Wrong(
            f"{len(absent)} perturbed genes are not among its genes: {', '.join(absent[:5])}; keep"
            " every target, whatever else is left out"
        )
    bench.compared += len(labels)
    return f"{len(labels)} perturbations of {counts.min():,} to {counts.max():,} cells"


def replicate_alike(bench: DatasetBench) -> str:
    """A replicate has the same cells and genes, drawn anew."""
    dataset = bench.dataset
    if dataset.replicate is None:
        raise NotApplicable("it offers no replicate")
    other = dataset.replicate()
    if other.cells.shape != dataset.cells.shape or not np.array_equal(
        other.cells.var_names, dataset.cells.var_names
    ):
        raise Wrong(
            f"its replicate has {other.cells.n_obs} cells x {other.cells.n_vars} genes, or other"
            " genes; expected the same"
        )
    bench.compared += 1
    return "the same cells and genes" + (
        "" if digest(other.cells) != digest(dataset.cells) else ", and the same values"
    )


def same_bytes_again(bench: DatasetBench) -> str:
    """Loaded again it has the same content."""
    _same_content(
        bench, content_of(bench.dataset), content_of(load_plainly(bench.chosen)), "loaded again"
    )
    return f"{', '.join(content_of(bench.dataset))}: the same"


def same_bytes_elsewhere(bench: DatasetBench) -> str:
    """Loaded by another process, which hashes text in another order, it has the same content."""
    request = {
        "do": "content",
        "name": bench.chosen.selection,
        "distribution": bench.chosen.entry.distribution,
        "plugin_files": list(bench.plugin_files),
        "dataset_folders": list(bench.dataset_folders),
    }
    command = [sys.executable, "-m", "kobench.checks.child", "1"]
    mine = content_of(bench.dataset)
    environment = {
        **os.environ,
        "PYTHONHASHSEED": "7" if os.environ.get("PYTHONHASHSEED") != "7" else "8",
    }
    done = subprocess.run(
        command,
        input=json.dumps(request),
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    if done.returncode:
        raise Wrong(
            "another process could not load it:"
            f" {(done.stderr.strip().splitlines() or ['no word'])[-1]}"
        )
    _same_content(
        bench, mine, json.loads(done.stdout.splitlines()[-1]), "loaded by another process"
    )
    return f"digest {mine['cells'][:12]} of its cells in both"


def _same_content(
    bench: DatasetBench, mine: dict[str, str], other: dict[str, str], when: str
) -> None:
    for name, value in mine.items():
        if other.get(name) != value:
            raise Wrong(
                f"{when}, its {name} are others; all randomness must come from a seed among its"
                " parameters"
            )
        bench.compared += 1


def other_seed_differs(bench: DatasetBench) -> str:
    """Another seed gives other cells."""
    spec, params = bench.chosen.entry.spec, bench.chosen.params
    if not spec.seeded:
        raise NotApplicable("it is not seeded")
    seed = int(params["seed"]) + 1
    other = resolve(bench.chosen.entry)(**{**params, "seed": seed})
    if digest(other.cells) == digest(bench.dataset.cells):
        raise Wrong(f"seeds {seed - 1} and {seed} give the same cells")
    bench.compared += 1
    return f"seeds {seed - 1} and {seed} give other cells"


def global_random_state(bench: DatasetBench) -> str:
    """Loading leaves the global random states as they were."""
    assert bench.dataset
    changed = bench.outcome[2]
    if changed:
        raise Wrong(
            f"loading changed the global state of {' and '.join(changed)}; use"
            " np.random.default_rng(seed)"
        )
    bench.compared += 1
    return "untouched"


def no_network_needed(bench: DatasetBench) -> str:
    """It loads without asking the network for anything."""
    _, _, _, asked = bench.outcome
    if asked:
        raise Wrong(
            f"loading asked for {asked[0]}; a data set reads files that are there, and says where"
            " they belong"
        )
    assert bench.dataset
    bench.compared += 1
    return "nothing was asked for"


def floors_run(bench: DatasetBench) -> str:
    """The floors of every task that it can be scored on run on it and are scored."""
    assert bench.dataset
    from kobench.runner.run import Run

    name = f"{bench.chosen.entry.distribution}/{bench.chosen.selection}"
    warnings: list[str] = []
    groups = make_plan(bench.registry, Request([name], [], events=EVENTS), warnings.append)
    with TemporaryDirectory(prefix="kobench-check-") as folder:
        outcome = Run(Path(folder)).run(groups)
    for record in outcome.failed:
        raise Wrong(f"floor {record.trial.predictor.name}: {record.result.message}")
    scored = {
        label
        for record in outcome.records
        if record.role == "floor"
        for label in record.result.scores
    }
    bench.compared += len(scored)
    return f"{len(outcome.records)} floors and lines, scored on {', '.join(sorted(scored))}"


#: Every check of data sets by its name, in the order in which they run.
DATASET_CHECKS: dict[str, Callable[[Any], str]] = {
    "loads": loads,
    "valid": valid,
    "counts-as-declared": counts_as_declared,
    "truth-as-declared": truth_as_declared,
    "targets-present": targets_present,
    "replicate-alike": replicate_alike,
    "same-bytes-again": same_bytes_again,
    "same-bytes-elsewhere": same_bytes_elsewhere,
    "other-seed-differs": other_seed_differs,
    "global-random-state": global_random_state,
    "no-network": no_network_needed,
    "floors-run": floors_run,
}


def run_dataset_checks(
    registry: Registry,
    name: str,
    plugin_files: Sequence[str] = (),
    dataset_folders: Sequence[str] = (),
    only: Collection[str] | None = None,
) -> Iterator[CheckResult]:
    """Run the named checks of data sets one after the other, on `name:key=value,...` of the
    registry.

    plugin_files, dataset_folders : what the registry was loaded with. Nothing that loading raises
    escapes; raises UserError where there is no such data set. A check that had nothing to compare
    has failed; "skipped" is one that does not apply.
    """
    chosen = choose(registry, "datasets", name)
    bench = DatasetBench(
        registry, chosen, tuple(map(str, plugin_files)), tuple(map(str, dataset_folders))
    )
    yield from run_named(DATASET_CHECKS, bench, only)
