"""A dataset made ready for its trials: loaded once, validated, split, its questions and truth built
when first needed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from kobench.cells import Cells, IntArray
from kobench.dataset import Dataset
from kobench.datasets.digest import digest
from kobench.datasets.split import split
from kobench.plugins.chosen import Chosen
from kobench.question import Question
from kobench.runner.load import labels_of, load
from kobench.runner.request import Request, Split
from kobench.truth.multiples import ask_multiples
from kobench.truth.population import ask_responses, ask_simulated_responses
from kobench.truth.singles import ask_profiles, ask_singles
from kobench.truth.transfer import ask_transfers, groups_of, training_rows
from kobench.worker.derive import source_of

#: Which answer kinds make a question set answerable.
NEEDS = {
    "profile": ("expression",),
    "transfer": ("expression",),
    "singles": ("knockout", "impact", "genes"),
    "response": ("response", "knockout", "impact", "genes"),
    "doubles": ("interaction",),
    "triples": ("interaction",),
}

#: How many genes each event of a question set removes.
ORDERS = {"doubles": 2, "triples": 3}


def answerable(asks: str, answers: tuple[str, ...]) -> bool:
    """Whether a predictor with these answers can say anything to a question set."""
    return any(source_of(kind, answers) is not None for kind in NEEDS[asks])


class Prepared:
    """One dataset and split, for one thread: each job of a run is a process with its own."""

    def __init__(self, chosen: Chosen, request: Request, split: Split) -> None:
        self.chosen, self.request, self.split = chosen, request, split
        self.parts: dict[str, Any] = {}

    def _once(self, name: str, make: Callable[[], Any]) -> Any:
        if name not in self.parts:
            self.parts[name] = make()
        return self.parts[name]

    def release(self) -> None:
        """Forget the data; it is loaded again when asked for."""
        self.parts.clear()

    @property
    def dataset(self) -> Dataset:
        """The validated dataset."""
        dataset: Dataset = self._once("dataset", lambda: load(self.chosen))
        return dataset

    @property
    def rows(self) -> tuple[IntArray, IntArray]:
        """Rows of the training cells and of the asked cells; under "halves" the training cells are
        asked and the others are kept back.
        """
        rows: tuple[IntArray, IntArray] = self._once("rows", self._rows)
        return rows

    def _rows(self) -> tuple[IntArray, IntArray]:
        cells, key, seed = self.dataset.cells, self.dataset.batch_key, self.request.split_seed
        if self.split.train:
            trained = training_rows(self.labels, groups_of(self.labels)[0], self.split.train, seed)
            return trained, np.setdiff1d(np.arange(cells.n_obs), trained)
        training, other = split(cells.n_obs, self.split.name, seed, cells.obs[key] if key else None)
        return (training, training) if self.split.name == "halves" else (training, other)

    @property
    def labels(self) -> npt.NDArray[Any]:
        """The group of each cell, for a transfer."""
        return labels_of(self.dataset, self.split.name, self.chosen.selection)

    @property
    def training(self) -> Cells:
        """The cells a predictor learns from."""
        cells: Cells = self._once("training", lambda: self.dataset.cells[self.rows[0]])
        return cells

    @property
    def digest(self) -> str:
        """sha256 of the cells as given to predictors."""
        text: str = self._once("digest", lambda: digest(self.dataset.cells))
        return text

    def question(self, asks: str) -> Question:
        """The question set `asks` with its truth."""
        question: Question = self._once(asks, lambda: self._question(asks))
        return question

    def _question(self, asks: str) -> Question:
        dataset, asked = self.dataset, self.rows[1]
        if asks == "profile":
            return ask_profiles(dataset, asked)
        if asks == "transfer":
            return ask_transfers(
                dataset,
                self.labels,
                groups_of(self.labels)[0],
                self.split.train,
                self.request.split_seed,
            )
        if asks == "response" and self.split.name == "halves":
            training = self.rows[0]
            return ask_responses(
                dataset, training, np.setdiff1d(np.arange(dataset.cells.n_obs), training)
            )
        if asks == "response":
            return ask_simulated_responses(dataset, asked)
        if asks in ORDERS:
            return ask_multiples(dataset, asked, ORDERS[asks])
        return ask_singles(dataset, asked, self.request.row_limit, self.request.events)
