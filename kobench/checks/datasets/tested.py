"""A data set under test, loaded once for all checks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from kobench.checks.datasets.contents import load_plainly, no_network
from kobench.checks.datasets.parts import LOADING, Measured, Parts
from kobench.dataset import Dataset
from kobench.errors import UserError
from kobench.plugins.chosen import Chosen
from kobench.plugins.registry import Registry
from kobench.worker.checks.random_states import RandomStates
from kobench.worker.checks.result import NotRun
from kobench.worker.checks.run import UnderTest


@dataclass(frozen=True)
class Loaded:
    """What loading a data set gave.

    Attributes
    ----------
    dataset : Dataset or None
        None where it could not be loaded.
    why : str
        Why it could not be loaded.
    states : list of str
        The global random states that loading changed.
    hosts : list of str
        The hosts that loading asked for.
    """

    dataset: Dataset | None
    why: str
    states: list[str]
    hosts: list[str]


@dataclass
class DatasetUnderTest(UnderTest):
    """A data set under test.

    Attributes
    ----------
    registry : Registry
        Where it was found.
    chosen : Chosen
        The data set with its parameters.
    plugin_files, dataset_folders : sequence of str
        What the registry was loaded with, so that another process can find it, too.
    parts : Parts
        The watch on what its parts take.
    slow : str
        Why there is no time for checks that take long; "" where there is.
    """

    registry: Registry
    chosen: Chosen
    plugin_files: Sequence[str] = ()
    dataset_folders: Sequence[str] = ()
    parts: Parts = field(default_factory=Parts)
    slow: str = ""

    @cached_property
    def loaded(self) -> Loaded:
        """What loading it gave."""
        dataset, why = None, ""
        with no_network() as hosts, RandomStates() as states:
            try:
                dataset = self.load()
            except UserError as error:
                why = str(error)
            except (Exception, SystemExit) as error:
                why = f"{type(error).__name__}: {error}"
        return Loaded(dataset, why, states.changed, hosts)

    def load(self, **other: Any) -> Dataset:
        """Load the data set by calling its function, with other parameters where given.

        Its truth is measured.

        Raises
        ------
        Wrong
            If the function gives anything but a Dataset.
        """
        params = {**self.chosen.params, **other}
        with self.parts.measure(LOADING):
            found = load_plainly(replace(self.chosen, params=params))
        if found.truth is not None:
            found = replace(found, truth=Measured(found.truth, self.parts))
        return found

    @property
    def seeds(self) -> str:
        """The two seeds that are compared, in words."""
        seed = int(self.chosen.params["seed"])
        return f"{seed} and {seed + 1}"

    @cached_property
    def other(self) -> Dataset:
        """The data set with the next seed; of seeded ones alone."""
        return self.load(seed=int(self.chosen.params["seed"]) + 1)

    @property
    def dataset(self) -> Dataset:
        """The data set.

        Raises
        ------
        NotRun
            If it can't be loaded.
        """
        if self.loaded.dataset is None:
            raise NotRun("it could not be loaded")
        return self.loaded.dataset
