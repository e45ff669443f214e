"""What the parts of an audit look at: the dataset, and what the truth measures in it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from kobench.audit.drawn import THOROUGH, draw
from kobench.audit.overview import Overview, overview
from kobench.cells import IntArray
from kobench.dataset import Dataset
from kobench.datasets.split import rows_of
from kobench.question import Responses
from kobench.truth.population import Screened, ask_responses


@dataclass(frozen=True, eq=False)
class Material:
    """A dataset under audit.

    Attributes
    ----------
    dataset : Dataset
        All of it.
    measured : Dataset
        The part that is measured; all where it is small enough.
    overview : Overview
        What can be asked of the whole dataset.
    drawn : tuple of str
        What was drawn for that, in sentences.
    seed : int
        The seed of every draw.
    """

    dataset: Dataset
    measured: Dataset
    overview: Overview
    drawn: tuple[str, ...]
    seed: int

    @classmethod
    def of(cls, dataset: Dataset, seed: int = 0) -> Material:
        """Choose what is measured."""
        whole = cls(dataset, dataset, overview(dataset), (), seed)
        if dataset.perturbed is None or not whole.overview.askable:
            return whole
        drawn = draw(whole.screened, seed, THOROUGH)
        if not drawn.said:
            return whole
        rows = np.sort(np.concatenate([*drawn.rows.values()]))
        smaller = replace(
            dataset,
            cells=dataset.cells[drawn.screened.screen.everyone],
            perturbed=dataset.perturbed[rows],
            truth=None,  # its rows are those of all cells
            replicate=None,
        )
        return replace(whole, measured=smaller, drawn=drawn.said)

    @cached_property
    def rows(self) -> tuple[IntArray, IntArray]:
        """Rows of the measured wild-type cells: to train on, and the reference."""
        return rows_of(self.measured, "halves", 0)

    @cached_property
    def screened(self) -> Screened:
        """The measured perturbations; only where one can be asked."""
        assert self.measured.perturbed is not None
        return Screened.of(self.measured, self.measured.perturbed, *self.rows)

    @property
    def caveat(self) -> str:
        """Why a measured difference may be that of libraries, "" where there is no reason to."""
        dataset, perturbed = self.dataset, self.dataset.perturbed
        if dataset.kind != "real" or perturbed is None:
            return ""
        if dataset.confounded:
            return "the card says that the two groups differ in more than the gene"
        if dataset.batch_key is None:
            return "no batch column says that perturbed and wild-type cells share libraries"
        return ""

    @cached_property
    def question(self) -> Responses | None:
        """What the truth measures; None where nothing can be asked."""
        if self.measured.perturbed is None or not self.overview.askable:
            return None
        return ask_responses(self.measured, *self.rows)

    @cached_property
    def agreement(self) -> dict[str, float]:
        """Perturbation -> how well halves of its cells agree."""
        if self.measured is self.dataset and not self.overview.drawn:
            return dict(self.overview.agreement)
        screened = self.screened
        return {
            name: screened.screen.agreement(screened.cells(name), screened.targets[name])
            for name in screened.names
        }
