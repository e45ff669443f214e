"""`mlp`: fitting the network and every knockout of every cell.

A further row is how soon it is good at 2,000 genes.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.measure import Finding, Row, ratio, seconds_of

#: The network that draws the cells, the held-out cells and both trainings.
SEED = 0

#: Part of the steps and knockouts of the paper's method that is done for all of them.
PART = 0.1

#: Steps of the paper preset among which its best one is looked for at 2,000 genes; that is before
#: the 600th.
PAPER_STEPS = 1000

#: Steps of the plain method at 2,000 genes; one takes 0.3 s.
FEW_STEPS = 20


@dataclass(frozen=True, eq=False)
class Task:
    """Cells, and what `mlp` makes of them.

    Attributes
    ----------
    cells : Cells
        The cells.
    kept, held : tuple of two (n, G) tensors
        Assemblages and profiles of the cells it trains on, and of those it validates with.
    mean_share : (G,) tensor
        Mean shares over the cells it trains on.
    threads : int
        Threads on both sides.
    """

    cells: Any
    kept: tuple[Any, Any]
    held: tuple[Any, Any]
    mean_share: Any
    threads: int

    @classmethod
    def of(cls, cells: Any, threads: int) -> Task:
        """The task of some cells."""
        import torch
        from kobench_baselines.common import Table, hold_out
        from kobench_baselines.mlp import VALIDATION

        from kobench.api import normalise_rows

        def tensor(values: npt.NDArray[Any]) -> Any:
            return torch.from_numpy(values.astype(np.float32))

        table = Table.of(cells)
        torch.set_num_threads(threads)
        rows = hold_out(len(table), VALIDATION, np.random.default_rng(SEED))
        kept, held = (
            (tensor(normalise_rows(table.on[part])), tensor(table.shares[part])) for part in rows
        )
        return cls(cells, kept, held, tensor(table[rows[0]].mean_share()), threads)

    def events(self) -> Any:
        """Every expressed gene of every cell."""
        from kobench.api import Knockouts

        of, genes = np.nonzero(self.cells.assemblages())
        return Knockouts(genes[:, None].astype(np.int32), of.astype(np.int32))

    def fast(self, preset: str) -> tuple[Any, Any]:
        """The fitted predictor and the impacts of all events."""
        from kobench_baselines.mlp import MLP

        from kobench.api import Context

        predictor = MLP(preset=preset)
        predictor.fit(self.cells, Context(seed=SEED, threads=self.threads, device="cpu"))
        return predictor, predictor.predict_impact(self.cells, self.events())

    def plain_training(self, steps: int) -> tuple[Any, float, int]:
        """The paper's method, some of its 5,000 steps."""
        import torch

        from benchmarks.plain import mlp as plain

        generator, genes = torch.Generator().manual_seed(SEED), self.kept[0].shape[1]
        return plain.train(
            *self.kept,
            self.held,
            plain.first_layers(genes, genes, generator),
            generator,
            steps=steps,
        )

    def plain_look(self, predictor: Any) -> float:
        """The Bray-Curtis on the validation cells, cell by cell."""
        from benchmarks.plain import mlp as plain

        return plain.mean_bray_curtis(
            tuple(tensor.float() for tensor in predictor.layers.tensors()), *self.held
        )

    def plain_impacts(self, layers: Any, cells: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        """(events, 2) impacts of all events of some cells, one at a time."""
        from benchmarks.plain.impacts import Network, impacts

        network = Network(*(np.asarray(tensor, np.float64) for tensor in layers))
        return np.array(
            [impacts(network, cell, [int(gene)]) for cell in cells for gene in np.flatnonzero(cell)]
        )


def paper_task() -> Task:
    """The task of the paper: the default `grn`."""
    from kobench.builtin.datasets.grn import load

    # with more threads, torch loses more to waiting than it gains at this size
    task = Task.of(load(seed=SEED).cells, threads=1)
    task.plain_training(1), task.fast("default")  # what is imported late is imported now
    return task


def agreement(task: Task, predictor: Any, impacts: Any) -> str:
    """How far the impacts of the first cells are from plain ones with the same layers, in words."""
    expected = task.plain_impacts(predictor.layers.tensors(), task.cells.assemblages()[:25])
    found = np.stack([impacts.raw, impacts.propagated], axis=1)[: len(expected)]
    return (
        f"largest difference of the impacts of {len(expected):,} knockouts from those worked out"
        f" one at a time with the same layers: {np.abs(found - expected).max():.1e}"
    )


def measure_paper(runs: int) -> Finding:
    """The paper's preset against the same method done plainly, all of it."""
    task, errors = paper_task(), []
    everything = task.cells.assemblages()

    def plainly() -> None:
        layers, error, _ = task.plain_training(5000)
        errors.append(error)
        task.plain_impacts(layers, everything)

    predictor, impacts = task.fast("paper")
    finding = ratio(plainly, lambda: task.fast("paper"), runs, target=40.0)
    look = seconds_of(lambda: task.plain_look(predictor))[0]
    seldom = float(
        np.median(
            [
                (slow - 4500 * look) / fast
                for slow, fast in zip(finding.plain_seconds, finding.seconds, strict=True)
            ]
        )
    )
    facts = (
        (
            f"{task.cells.n_obs} cells x {task.cells.n_vars} genes of `grn`, 5,000 steps of 20"
            f" cells, {len(task.events()):,} knockouts; the plain side does all of it; threads on"
            f" both sides: {task.threads}, float32"
        ),
        (
            f"validation Bray-Curtis {predictor.chosen['validation']:.5f}, plain {errors[0]:.5f},"
            " from the same held-out cells, first weights and batches; the plain side looks at the"
            " held-out cells after every step, as published, ours after every tenth"
        ),
        (
            f"if the plain side looked after every tenth too, 4,500 looks of {look * 1000:.1f} ms"
            f" fewer, the ratio would be {seldom:.0f}"
        ),
        agreement(task, predictor, impacts),
    )
    return replace(finding, facts=facts)


def measure_default(runs: int) -> Finding:
    """The default preset against the paper's method done plainly."""
    task = paper_task()
    some = task.cells.assemblages()[: round(PART * task.cells.n_obs)]
    predictor, impacts = task.fast("default")
    first = tuple(tensor.float() for tensor in predictor.layers.tensors())

    def plainly() -> None:
        task.plain_training(round(PART * 5000))
        task.plain_impacts(first, some)

    seconds, (paper, _) = seconds_of(lambda: task.fast("paper"))
    finding = ratio(plainly, lambda: task.fast("default"), runs, target=100.0, part=PART)
    own, steps = own_schedule(task)
    facts = (
        (
            f"plain is the paper's method, of which {PART:.0%} of the steps and of the cells'"
            f" knockouts stand for all; threads on both sides: {task.threads}"
        ),
        (
            f"validation Bray-Curtis {predictor.chosen['validation']:.5f}; paper preset"
            f" {paper.chosen['validation']:.5f} in {seconds:.1f} s"
        ),
        (
            f"the default takes {steps:,} steps of 64 cells where the paper takes 5,000 of 20: done"
            f" plainly they take {own:.0f} s, {own / np.median(finding.seconds):.0f} times as long"
        ),
        agreement(task, predictor, impacts),
    )
    return replace(finding, facts=facts)


def own_schedule(task: Task) -> tuple[float, int]:
    """What the default preset's own steps cost when done plainly.

    Returns
    -------
    seconds : float
        Seconds of all of them, from a few.
    steps : int
        How many they are.
    """
    import torch
    from kobench_baselines.mlp import MLP
    from kobench_baselines.training import LOOK_EVERY

    from benchmarks.plain import mlp as plain
    from kobench.api import Context

    looks: list[int] = []
    predictor = MLP()
    predictor.fit(
        task.cells,
        Context(
            seed=SEED,
            threads=task.threads,
            device="cpu",
            report=lambda _, step, last: looks.append(step),
        ),
    )
    # the chosen steps are trained once more on all cells, without looks
    steps = LOOK_EVERY * len(looks) + int(predictor.chosen["steps"])
    generator, genes = torch.Generator().manual_seed(SEED), task.cells.n_vars
    layers = plain.first_layers(genes, genes, generator)
    seconds, _ = seconds_of(
        lambda: plain.train(
            *task.kept,
            task.held,
            layers,
            generator,
            FEW_STEPS,
            size=64,
            decay=1.0,
            look_every=LOOK_EVERY,
        )
    )
    return seconds / FEW_STEPS * steps, steps


def measure_genes(runs: int) -> Finding:
    """Real cells: until the default is as good as the paper's method ever gets.

    That is on the validation cells.
    """
    import torch
    from kobench_baselines.mlp import MLP
    from kobench_baselines.training import Settings, train

    from benchmarks.rows.gbm import lung_cells

    task = Task.of(lung_cells(), threads=os.cpu_count() or 1)
    genes = task.cells.n_vars

    def fit(preset: str, tries: int, stop: int) -> tuple[float, int]:
        """Best error and its step in the last of `tries` tries, which ends at step `stop`.

        There is one try a weight decay, in their order.
        """
        p, generator = MLP(preset=preset).preset, torch.Generator().manual_seed(SEED)
        for number, decay in enumerate(p.decay[:tries], start=1):
            chosen = Settings(
                p.hidden or genes,
                p.lr,
                p.batch,
                p.steps,
                decay,
                p.patience,
                anneal=p.tuned,
                centred=p.tuned,
            )
            found = train(
                *task.kept,
                task.held,
                task.mean_share,
                chosen,
                generator,
                stop=stop if number == tries else None,
            )
        return found[1:]

    goal, paper_steps = fit("paper", 1, PAPER_STEPS)
    errors = [fit("default", tries, 1000)[0] for tries in range(1, len(MLP().preset.decay) + 1)]
    tries = next(
        (number for number, error in enumerate(errors, start=1) if error <= goal), len(errors)
    )
    steps = first_reaching(goal, lambda stop: fit("default", tries, stop)[0])
    task.plain_training(1)
    part = FEW_STEPS / paper_steps
    finding = ratio(
        lambda: task.plain_training(FEW_STEPS),
        lambda: fit("default", tries, steps),
        runs,
        target=200.0,
        part=part,
    )
    facts = (
        (
            f"{task.cells.n_obs} cells x {genes:,} genes of `nkx2-1-lung` (those of its 2,000 that"
            f" a wild-type cell expresses), {len(task.held[0])} validate; threads on both sides:"
            f" {task.threads}"
        ),
        (
            f"goal: Bray-Curtis {goal:.5f}, the paper preset's best of {PAPER_STEPS:,} steps, at"
            f" step {paper_steps} (found by the fast code, the same mathematics; it rises from"
            " there)"
        ),
        (
            "the default's tries, a weight decay each, reach"
            f" {', '.join(f'{error:.5f}' for error in errors)}; the goal is reached at step {steps}"
            f" of try {tries}, and its seconds hold the tries before"
        ),
        (
            f"plain: {FEW_STEPS} steps of the paper's method were taken, {paper_steps} times their"
            " mean stands for it"
        ),
    )
    return replace(finding, facts=facts)


def first_reaching(
    goal: float, best_after: Callable[[int], float], steps: int = 1000, every: int = 10
) -> int:
    """The first look whose best error so far is no more than the goal.

    Parameters
    ----------
    goal : float
        The error to reach.
    best_after : callable
        Step -> best error so far, which only falls.
    steps : int
        The last step.
    every : int
        Steps between two looks.

    Returns
    -------
    int
        The step of that look.

    Raises
    ------
    ValueError
        If the goal is never reached.
    """
    if best_after(steps) > goal:
        raise ValueError(f"no step up to {steps} reaches {goal:.5f}; the row's goal is not met")
    low, high = 0, steps // every
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if best_after(middle * every) <= goal else (middle, high)
    return high * every


ROWS = [
    Row(
        "mlp-paper",
        "MLP, preset=paper: fit of 5,000 steps and every knockout, 500 cells x 100 genes",
        "one cell at a time, autograd",
        measure_paper,
    ),
    Row(
        "mlp-default",
        "MLP, default preset: fit and every knockout, 500 cells x 100 genes",
        "the paper's method, one cell at a time",
        measure_default,
    ),
    Row(
        "mlp-2000-genes",
        "MLP, default preset on 540 real cells: until as good as the paper's method gets",
        "one cell at a time, autograd",
        measure_genes,
    ),
]
