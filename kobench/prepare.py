"""A dataset made ready for its trials: loaded once, validated, split, its questions and truth built when first needed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from kobench.cells import Cells, IntArray
from kobench.data import digest, split
from kobench.data_checks import validate
from kobench.derive import source_of
from kobench.errors import UserError
from kobench.plan import Chosen, Request
from kobench.plugins import resolve
from kobench.questions import ask_profiles, ask_singles
from kobench.truth import Dataset, Profiles, Singles

#: Which answer kinds make a question set answerable.
NEEDS = {"profile": ("expression",), "singles": ("knockout", "impact", "genes")}


def answerable(asks: str, answers: tuple[str, ...]) -> bool:
    """Whether a predictor with these answers can say anything to a question set."""
    return any(source_of(kind, answers) is not None for kind in NEEDS[asks])


def load(chosen: Chosen) -> Dataset:
    """Load and validate a dataset; raises UserError, also for what a stranger's loader raises."""
    try:
        dataset = resolve(chosen.entry)(**chosen.params)
    except UserError:
        raise
    except Exception as error:
        raise UserError(
            f"dataset {chosen.selection} of {chosen.entry.distribution} can't be loaded: {type(error).__name__}: {error}"
        ) from error
    if not isinstance(dataset, Dataset):
        raise UserError(
            f"dataset {chosen.selection} of {chosen.entry.distribution} gave a {type(dataset).__name__}; expected a kobench.api.Dataset"
        )
    return validate(dataset, chosen.selection)


class Prepared:
    """One dataset and split; safe to use from several threads."""

    def __init__(self, chosen: Chosen, request: Request) -> None:
        self.chosen, self.request = chosen, request
        self.lock = threading.RLock()
        self.parts: dict[str, Any] = {}

    def _once(self, name: str, make: Callable[[], Any]) -> Any:
        with self.lock:
            if name not in self.parts:
                self.parts[name] = make()
            return self.parts[name]

    def release(self) -> None:
        """Forget the data; it is loaded again when asked for."""
        with self.lock:
            self.parts.clear()

    @property
    def dataset(self) -> Dataset:
        """The validated dataset."""
        dataset: Dataset = self._once("dataset", lambda: load(self.chosen))
        return dataset

    @property
    def rows(self) -> tuple[IntArray, IntArray]:
        """Rows of the training cells and of the asked cells."""

        def make() -> tuple[IntArray, IntArray]:
            cells, key = self.dataset.cells, self.dataset.batch_key
            return split(cells.n_obs, self.request.split, self.request.split_seed, cells.obs[key] if key else None)

        rows: tuple[IntArray, IntArray] = self._once("rows", make)
        return rows

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

    def question(self, asks: str) -> Profiles | Singles:
        """The question set `asks` with its truth."""
        if asks == "profile":
            profiles: Profiles = self._once("profile", lambda: ask_profiles(self.dataset, self.rows[1]))
            return profiles
        singles: Singles = self._once("singles", lambda: ask_singles(self.dataset, self.rows[1], self.request.row_limit))
        return singles
