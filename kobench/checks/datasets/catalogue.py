"""The checks of data sets by name."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence

from kobench.checks.datasets import declared, floors, loading, networks, quick
from kobench.checks.datasets.parts import Parts
from kobench.checks.datasets.tested import DatasetUnderTest
from kobench.plugins.chosen import choose
from kobench.plugins.registry import Registry
from kobench.worker.checks.result import CheckResult
from kobench.worker.checks.run import run_named

#: Every check of data sets by its name, in the order in which they run.
DATASET_CHECKS: dict[str, Callable[[DatasetUnderTest], str]] = {
    "loads": declared.loads,
    "valid": declared.valid,
    "quick-enough": quick.quick_enough,
    "counts-as-declared": declared.counts_as_declared,
    "truth-as-declared": declared.truth_as_declared,
    "edges-point-on": networks.edges_point_on,
    "targets-present": declared.targets_present,
    "replicate-alike": declared.replicate_alike,
    "same-bytes-again": loading.same_bytes_again,
    "same-bytes-elsewhere": loading.same_bytes_elsewhere,
    "other-seed-differs": loading.other_seed_differs,
    "networks-as-declared": networks.networks_as_declared,
    "global-random-state": loading.global_random_state,
    "no-network": loading.no_network_needed,
    "floors-run": floors.floors_run,
}

#: The checks that load the data set again, or ask for many knockouts: they are not run where
#: `quick-enough` found that there is no time for them.
TAKE_LONG = (
    "truth-as-declared",
    "edges-point-on",
    "replicate-alike",
    "same-bytes-again",
    "same-bytes-elsewhere",
    "other-seed-differs",
    "networks-as-declared",
    "floors-run",
)


def in_time(
    name: str, check: Callable[[DatasetUnderTest], str]
) -> Callable[[DatasetUnderTest], str]:
    """A check that is not run where there is no time for it."""

    def run(tested: DatasetUnderTest) -> str:
        if name in TAKE_LONG:
            quick.refuse_slow(tested)
        return check(tested)

    return run


def run_dataset_checks(
    registry: Registry,
    name: str,
    plugin_files: Sequence[str] = (),
    dataset_folders: Sequence[str] = (),
    only: Collection[str] | None = None,
    parts: Parts | None = None,
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
    parts : Parts, optional
        The watch on what its parts take, with the time that there is; None for no limit.

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
    tested = DatasetUnderTest(registry, chosen, files, folders, parts or Parts())
    checks = {each: in_time(each, check) for each, check in DATASET_CHECKS.items()}
    yield from run_named(checks, tested, only)
