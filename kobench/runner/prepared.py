"""A dataset made ready for its trials: loaded, split, and asked, each when first needed."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from kobench.cells import Cells, IntArray
from kobench.dataset import Dataset
from kobench.datasets.digest import digest
from kobench.datasets.groups import labels_of_groups
from kobench.datasets.nested import CHOOSE, CONFIRM, nested_rows
from kobench.datasets.split import rows_of
from kobench.plugins.chosen import Chosen
from kobench.question import Question
from kobench.question.sets import ByAssemblage
from kobench.runner.load import labels_of, load
from kobench.runner.request import Request, Split
from kobench.scoring.grouped import CellGroups
from kobench.truth.build import Material, build
from kobench.truth.transfer import groups_of, kept_back, training_rows


class Prepared:
    """One dataset and split, for one thread: each job of a run is a process with its own.

    Parameters
    ----------
    chosen : Chosen
        The dataset.
    request : Request
        What the run asks for: sizes.
    split : Split
        Which cells train.
    """

    def __init__(self, chosen: Chosen, request: Request, split: Split) -> None:
        self.chosen, self.request, self.split = chosen, request, split
        self._questions: dict[str, Question] = {}

    def take_over(self, before: Prepared) -> None:
        """Share what another one has loaded, if it is of the same choice: the next split of it."""
        if before.chosen is self.chosen:
            for name in ("dataset", "digest"):
                if name in before.__dict__:
                    self.__dict__[name] = before.__dict__[name]

    def release(self) -> None:
        """Forget the data; it is loaded again when asked for."""
        self._questions.clear()
        for name in ("dataset", "material", "training", "digest"):
            self.__dict__.pop(name, None)

    @cached_property
    def dataset(self) -> Dataset:
        """The validated dataset."""
        return load(self.chosen)

    @cached_property
    def training(self) -> Cells:
        """The cells that a predictor learns from."""
        return self.dataset.cells[self.material.training]

    @property
    def asked(self) -> IntArray:
        """Rows of the asked cells."""
        return self.material.asked

    @cached_property
    def digest(self) -> str:
        """sha256 of the cells as given to predictors."""
        return digest(self.dataset.cells)

    def question(self, name: str) -> Question:
        """The question set `name` with its truth."""
        if name not in self._questions:
            self._questions[name] = build(name, self.material)
        return self._questions[name]

    def groups(self, name: str) -> CellGroups | None:
        """The groups of cells of the question set `name`, by the ids that units give cells.

        None for a dataset without groups.
        """
        labels = labels_of_groups(self.dataset)
        if labels is None or self.dataset.group_key is None:
            return None
        whole = isinstance(self.question(name), ByAssemblage)  # its ids are the dataset's rows
        return CellGroups(self.dataset.group_key, labels if whole else labels[self.asked])

    @cached_property
    def material(self) -> Material:
        """The dataset and its split: what questions are built from."""
        dataset, request = self.dataset, self.request
        cells, seed = dataset.cells, self.split.seed
        labels, reference, secret = None, None, self.chosen.secret
        if self.split.train:
            labels = labels_of(dataset, self.split.name, self.chosen.selection)
            back, groups = kept_back(dataset, labels, seed), groups_of(labels)[0]
            training = training_rows(labels, groups, self.split.train, seed, back)
            asked = np.setdiff1d(np.arange(cells.n_obs), training)
        elif self.split.name in (CHOOSE, CONFIRM):
            training, asked = nested_rows(dataset, self.split.name, seed)
        else:
            training, asked = rows_of(dataset, self.split.name, seed)
        if self.split.name == "halves":  # asked in the cells that train; the others are kept back
            reference, asked = asked, training
        return Material(
            dataset,
            training,
            asked,
            reference,
            labels,
            group=self.split.train,
            split_seed=seed,
            row_limit=request.row_limit,
            events=request.events,
            questions_seed=None if secret is None else secret.questions,
        )
