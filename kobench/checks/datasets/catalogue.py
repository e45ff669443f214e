"""The checks of data sets by name."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence

from kobench.checks.datasets import declared, floors, loading
from kobench.checks.datasets.tested import DatasetUnderTest
from kobench.plugins.chosen import choose
from kobench.plugins.registry import Registry
from kobench.worker.checks.result import CheckResult
from kobench.worker.checks.run import run_named

#: Every check of data sets by its name, in the order in which they run.
DATASET_CHECKS: dict[str, Callable[[DatasetUnderTest], str]] = {
    "loads": declared.loads,
    "valid": declared.valid,
    "counts-as-declared": declared.counts_as_declared,
    "truth-as-declared": declared.truth_as_declared,
    "targets-present": declared.targets_present,
    "replicate-alike": declared.replicate_alike,
    "same-bytes-again": loading.same_bytes_again,
    "same-bytes-elsewhere": loading.same_bytes_elsewhere,
    "other-seed-differs": loading.other_seed_differs,
    "global-random-state": loading.global_random_state,
    "no-network": loading.no_network_needed,
    "floors-run": floors.floors_run,
}


def run_dataset_checks(
    registry: Registry,
    name: str,
    plugin_files: Sequence[str] = (),
    dataset_folders: Sequence[str] = (),
    only: Collection[str] | None = None,
) -> Iterator[CheckResult]:
    """Run the checks of data sets one after the other.

    Parameters
    ----------
    registry : Registry
        Where the data set is found.
    name : str
        Its name with parameters, `name:key=value,...`.
    plugin_files, dataset_folders : sequence of str
        What the registry was loaded with.
    only : collection of str, optional
        Names of the checks to run; None for all.

    Yields
    ------
    CheckResult
        One result a check. "skipped" is a check that does not apply. A check that had nothing to
        compare has failed. Nothing that loading raises escapes.

    Raises
    ------
    UserError
        If there is no such data set.
    """
    chosen = choose(registry, "datasets", name)
    files, folders = tuple(map(str, plugin_files)), tuple(map(str, dataset_folders))
    tested = DatasetUnderTest(registry, chosen, files, folders)
    yield from run_named(DATASET_CHECKS, tested, only)
