"""`mlp`: the network of the DKO paper (arXiv 2510.03359), written from its formula."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from kobench.api import Cells, Context, Impacts, Knockouts, normalise_rows
from kobench_baselines.affine_impacts import AffineImpacts
from kobench_baselines.common import Floats, Table, as_assemblages, blocks_of, close_rows, hold_out
from kobench_baselines.network import Layers, profiles
from kobench_baselines.training import Settings, train

#: Share of the training cells that validate.
VALIDATION = 0.2

#: Number of multiplications in a step's product from which threads share it. Below it, threads that
#: wait for each other cost more than they gain, and a hundred times as much on a busy machine.
SHARED_WORK = 4_000_000

#: Training steps when there are too few cells to validate with.
STEPS_UNVALIDATED = 50


@dataclass(frozen=True)
class Preset:
    """Values of the parameters that are not given.

    Attributes
    ----------
    hidden : int
        Hidden units; 0 for as many as genes.
    lr : float
        Adam's learning rate.
    batch : int
        Cells a step.
    steps : int
        Most steps.
    patience : int or None
        Steps without improvement after which to stop; None for never.
    decay : tuple of float
        Weight decays that validation chooses from.
    refit : bool
        Whether to train again on all cells for the best number of steps.
    tuned : bool
        Whether to use centred coordinates and a falling learning rate.
    """

    hidden: int
    lr: float
    batch: int
    steps: int
    patience: int | None
    decay: tuple[float, ...]
    refit: bool
    tuned: bool


PRESETS = {
    "default": Preset(
        hidden=128,
        lr=0.008,
        batch=64,
        steps=1000,
        patience=100,
        decay=(0.1, 1.0, 10.0),
        refit=True,
        tuned=True,
    ),
    "paper": Preset(
        hidden=0,
        lr=0.01,
        batch=20,
        steps=5000,
        patience=None,
        decay=(0.0,),
        refit=False,
        tuned=False,
    ),
}


class ProfileNetwork:
    """Profile of an assemblage: z * |W2 (W1 z + b1) + b2| over its sum, z the assemblage over its.

    It is trained with Adam on the Bray-Curtis dissimilarity of predicted and true profiles. A fifth
    of the training cells validate; after every tenth step the weights are kept if they are the best
    on these cells. `preset=paper` is that and nothing else. The default trains the same network in
    better coordinates (`network.Coordinates`), chooses its weight decay by validation, and trains
    once more on all cells for the number of steps that was best. With fewer than 5 cells nothing is
    validated: it takes the last decay of the list and 50 steps.

    Parameters
    ----------
    preset : {"default", "paper"}
        Where the parameters come from that are not given.
    hidden, lr, batch, steps, patience, decay, refit
        See `Preset`; None for the preset's value.

    Raises
    ------
    ValueError
        If a parameter has an impossible value.
    """

    def __init__(
        self,
        preset: str = "default",
        hidden: int | None = None,
        lr: float | None = None,
        batch: int | None = None,
        steps: int | None = None,
        patience: int | None = None,
        decay: float | Sequence[float] | None = None,
        refit: bool | None = None,
    ) -> None:
        if preset not in PRESETS:
            raise ValueError(
                f"mlp: preset={preset!r} is not known; give one of {', '.join(PRESETS)}"
            )
        counts = {"hidden": hidden, "batch": batch, "steps": steps, "patience": patience}
        for name, count in counts.items():
            if count is None:
                continue
            if isinstance(count, bool) or not isinstance(count, int) or count < 1:
                raise ValueError(
                    f"mlp: {name}={count!r} is not possible; give a whole number from 1, or leave"
                    " it out"
                )
        if lr is not None and (
            isinstance(lr, bool) or not isinstance(lr, (int, float)) or not lr > 0
        ):
            raise ValueError(
                f"mlp: lr={lr!r} is not possible; give a number over 0, or leave it out"
            )
        if refit is not None and not isinstance(refit, bool):
            raise ValueError(
                f"mlp: refit={refit!r} is not possible; give true or false, or leave it out"
            )
        given: dict[str, Any] = {
            **counts,
            "lr": lr,
            "decay": None if decay is None else as_decays(decay),
            "refit": refit,
        }
        self.preset = replace(
            PRESETS[preset], **{name: value for name, value in given.items() if value is not None}
        )

    def fit(self, cells: Cells, context: Context) -> None:
        """Train the network on cells (n, G).

        Raises
        ------
        FloatingPointError
            If training diverged.
        """
        self.threads, self.device = context.threads, device_of(context.device)
        table = Table.of(cells)
        generator = torch.Generator().manual_seed(context.seed)
        kept, held = hold_out(len(table), VALIDATION, np.random.default_rng(context.seed))
        settings = self._settings(table, self.preset.decay[-1])
        work = settings.batch * settings.hidden * table.on.shape[1]
        with torch_threads(self.threads if work >= SHARED_WORK else 1):
            if len(held):
                self.layers = self._fit_validated(
                    table, table[kept], table[held], generator, context
                )
            else:
                self.layers, _, _ = train(
                    *self._tensors(table),
                    None,
                    self._mean(table),
                    settings,
                    generator,
                    stop=STEPS_UNVALIDATED,
                )

    def _fit_validated(
        self, table: Table, kept: Table, held: Table, generator: torch.Generator, context: Context
    ) -> Layers:
        """Train with each decay, keep the best on `held`, and refit where the preset says so."""
        best_error, tries = float("inf"), len(self.preset.decay)
        valid = self._tensors(held)
        for done, decay in enumerate(self.preset.decay):
            settings = self._settings(kept, decay)

            def log(step: int, last: int, done: int = done) -> None:
                context.log("step", done * last + step, tries * last)

            layers, error, steps = train(
                *self._tensors(kept), valid, self._mean(kept), settings, generator, log=log
            )
            if error < best_error:
                best_error, best = error, layers
                self.chosen = {"decay": decay, "steps": steps, "validation": error}
        if not np.isfinite(best_error):
            raise FloatingPointError(
                f"mlp: training with lr={self.preset.lr:g} diverged, no step has a finite"
                " Bray-Curtis; give a smaller lr"
            )
        if self.preset.refit:
            settings = self._settings(table, float(self.chosen["decay"]))
            steps = int(self.chosen["steps"])
            best, _, _ = train(
                *self._tensors(table), None, self._mean(table), settings, generator, stop=steps
            )
        return best

    def _settings(self, table: Table, decay: float) -> Settings:
        p, genes = self.preset, table.on.shape[1]
        # more units than genes add no function
        hidden = p.hidden if not p.tuned else min(p.hidden, genes)
        return Settings(
            hidden or genes,
            p.lr,
            p.batch,
            p.steps,
            decay,
            p.patience,
            anneal=p.tuned,
            centred=p.tuned,
        )

    def _tensors(self, table: Table) -> tuple[torch.Tensor, torch.Tensor]:
        return self._tensor(normalise_rows(table.on)), self._tensor(table.shares)

    def _mean(self, table: Table) -> torch.Tensor:
        return self._tensor(table.mean_share())

    def _tensor(self, values: Floats) -> torch.Tensor:
        return torch.from_numpy(values.astype(np.float32)).to(self.device)

    def predict_expression(self, assemblages: npt.NDArray[Any]) -> Floats:
        """Profiles (n, G), rows summing to 1, of assemblages (n, G) bool."""
        genes = len(self.layers.b2)
        on = as_assemblages(assemblages, genes)
        answer = np.zeros(on.shape)
        with torch_threads(self.threads), torch.no_grad():
            for block in blocks_of(*on.shape):
                z = torch.from_numpy(normalise_rows(on[block])).to(self.device)
                answer[block] = profiles(self.layers, z).cpu().numpy()
        return close_rows(answer, on)


class MLP(ProfileNetwork):
    """The network's profiles, and the impacts that follow from them in closed form."""

    def fit(self, cells: Cells, context: Context) -> None:
        """Train the network, and prepare its impacts."""
        super().fit(cells, context)
        self.impacts = AffineImpacts(self.layers, self.threads)

    def predict_impact(self, cells: Cells, knockouts: Knockouts) -> Impacts:
        """Raw and propagated impacts (n,) of n knockouts of the cells."""
        with torch_threads(self.threads), torch.no_grad():
            return self.impacts(cells, knockouts)


def as_decays(decay: float | Sequence[float]) -> tuple[float, ...]:
    """One weight decay or several as a tuple.

    Raises
    ------
    ValueError
        If one is not a number from 0, or there is none.
    """
    several = (
        tuple(decay) if isinstance(decay, Sequence) and not isinstance(decay, str) else (decay,)
    )
    for value in several:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not value >= 0:
            raise ValueError(
                f"mlp: decay={decay!r} is not possible; give a number from 0, or a list of such"
                " numbers"
            )
    if not several:
        raise ValueError("mlp: decay=[] leaves nothing to choose from; give at least one number")
    return tuple(float(value) for value in several)


def device_of(name: str) -> torch.device:
    """The torch device of a name; "auto" is CUDA where there is one.

    Raises
    ------
    ValueError
        If CUDA is asked for and absent.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise ValueError(
            f"mlp: device={name!r} was asked for, but torch sees no CUDA device; use device=cpu or"
            " device=auto"
        )
    return torch.device(name)


@contextmanager
def torch_threads(threads: int) -> Iterator[None]:
    """Let torch use `threads` threads inside a `with` block."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)
