"""A data set under test, loaded once for all checks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from kobench.checks.datasets.contents import load_plainly, no_network
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
    """

    registry: Registry
    chosen: Chosen
    plugin_files: Sequence[str] = ()
    dataset_folders: Sequence[str] = ()

    @cached_property
    def loaded(self) -> Loaded:
        """What loading it gave."""
        dataset, why = None, ""
        with no_network() as hosts, RandomStates() as states:
            try:
                dataset = load_plainly(self.chosen)
            except UserError as error:
                why = str(error)
            except (Exception, SystemExit) as error:
                why = f"{type(error).__name__}: {error}"
        return Loaded(dataset, why, states.changed, hosts)

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
