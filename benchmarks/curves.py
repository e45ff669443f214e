"""The growth curves of the methods: what steps, fits and impacts cost as cells and genes grow."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from benchmarks.curves_of_harness import CURVES as OF_HARNESS
from benchmarks.growth import Curve, Work
from benchmarks.limits import fastest

#: Hidden units and cells a step of the network, as by default.
HIDDEN, BATCH = 128, 64


@cache
def made_cells(cells: int, genes: int, expressed: int) -> Any:
    """Cells in which `expressed` random genes are on.

    A gene is twice as high where its neighbour is on, so that every method has something to learn.
    """
    from kobench.api import Cells

    rng = np.random.default_rng(0)
    on = np.zeros((cells, genes), bool)
    np.put_along_axis(
        on,
        rng.random((cells, genes)).argpartition(expressed - 1, axis=1)[:, :expressed],
        True,
        axis=1,
    )
    level = (
        np.exp(rng.normal(0, 1, genes))
        * np.where(np.roll(on, -1, axis=1), 2.0, 1.0)
        * np.exp(rng.normal(0, 0.1, (cells, genes)))
    )
    return Cells((on * level).astype(np.float32), np.array([f"g{gene}" for gene in range(genes)]))


def fitted(predictor: Any, cells: Any) -> Any:
    """The predictor fitted on one thread."""
    from kobench.api import Context

    predictor.fit(cells, Context(seed=0, threads=1, device="cpu"))
    return predictor


def step_seconds(cells: Any) -> float:
    """Seconds of one training step.

    They are the difference of a long and a short training, which have all else in common.
    """
    from kobench_baselines.mlp import MLP

    def training(steps: int) -> float:
        return fastest(
            lambda: fitted(
                MLP(hidden=HIDDEN, steps=steps, patience=10_000, decay=0.0, refit=False), cells
            ),
            3,
        )

    return max(training(120) - training(20), 1e-9) / 100


@cache
def idle_step() -> float:
    """Seconds of a step of next to no numbers."""
    return step_seconds(made_cells(20, 4, 2))


def mlp_step(cells: int, genes: int) -> Work:
    """A step of the network's training.

    It is five products of a batch, and every tenth time a look at the held-out fifth.
    """
    seconds, entries = step_seconds(made_cells(cells, genes, genes // 5)), genes * HIDDEN
    operations = 5 * 2 * BATCH * entries + 2 * 2 * cells / 5 / 10 * entries
    # both layers: weights read by two passes, their gradient written, then Adam reads four arrays
    # and writes three
    return Work(
        seconds,
        operations,
        moved=2 * 4 * entries * (2 + 1 + 7),
        held=2 * 4 * entries * 4,
        idle=idle_step(),
        kind="float32",
    )


def closed_form(cells: int, genes: int, expressed: int) -> Work:
    """Impacts of every expressed gene of every cell by a fitted network.

    Its table of columns is there already.
    """
    from kobench_baselines.mlp import MLP

    from kobench.api import Knockouts

    table = made_cells(cells, genes, expressed)
    predictor = fitted(
        MLP(hidden=HIDDEN, steps=10, decay=0.0, refit=False), made_cells(40, genes, expressed)
    )
    events = Knockouts.singles(table.assemblages())
    seconds = fastest(lambda: predictor.predict_impact(table, events), 3)
    # an event looks at each gene that is on: it reads one entry of W and one of the cell's values,
    # which it adds, scales, takes absolute values of and sums: about eight operations
    pairs = len(events) * expressed
    return Work(
        seconds, operations=8.0 * pairs, moved=16.0 * pairs, held=16.0 * genes * min(cells, 512)
    )


def gbm_fit(cells: int, genes: int) -> Work:
    """Four rounds to choose the number of rounds, and four more on all cells."""
    from kobench_baselines.gbm import GBM

    table = made_cells(cells, genes, genes // 2)
    features = min(genes, 128) + 1 + (16 if genes > 128 else 0)
    # each tree of depth 2 adds every cell's gradient and weight to one bin of each feature, twice:
    # read a byte, read and write two numbers
    moved = 8.0 * genes * 2 * cells * features * (1 + 2 * 16)
    return Work(
        fastest(lambda: fitted(GBM(rounds=4, targets=genes), table), 2),
        moved=moved,
        held=float(cells * features),
    )


def linear_fit(cells: int, genes: int) -> Work:
    """A ridge of given penalty.

    It is the cells' kernel, and a system of equations a gene solved by iteration, each of at least
    one product.
    """
    from kobench_baselines.linear import Linear

    table = made_cells(cells, genes, genes // 5)
    return Work(
        fastest(lambda: fitted(Linear(penalty=10.0), table), 2),
        operations=2 * 2.0 * cells * cells * genes,
        kind="float32",
    )


CURVES = [
    Curve(
        "mlp-step-genes",
        "`mlp`, a training step, 256 cells, 128 hidden units",
        "genes",
        (250, 500, 1000, 2000, 4000),
        1,
        "every product and every weight is proportional to the genes; with few of them the calls of"
        " a step cost as much as its arithmetic.",
        lambda genes: mlp_step(256, genes),
    ),
    Curve(
        "mlp-step-cells",
        "`mlp`, a training step, 1,000 genes",
        "cells",
        (125, 250, 500, 1000, 2000),
        0,
        "a step sees 64 cells however many there are; the look at the held-out fifth, every tenth"
        " step, is what grows.",
        lambda cells: mlp_step(cells, 1000),
    ),
    Curve(
        "impacts-cells",
        "`mlp`, closed-form impacts, 2,000 genes, 300 on",
        "cells",
        (64, 128, 256, 512, 1024),
        1,
        "cells are independent; more of them share a column of the table while it is in the cache.",
        lambda cells: closed_form(cells, 2000, 300),
    ),
    Curve(
        "impacts-genes",
        "`mlp`, closed-form impacts, 128 cells, 200 genes on",
        "genes",
        (1000, 2000, 4000, 8000),
        0,
        "an event looks at the genes that are on only; what grows is the table, which leaves one"
        " cache after the other, and the product that gives each cell's values.",
        lambda genes: closed_form(128, genes, 200),
    ),
    Curve(
        "impacts-expressed",
        "`mlp`, closed-form impacts, 128 cells, 4,000 genes",
        "expressed genes",
        (100, 200, 400, 800, 1600),
        2,
        "as many events as genes on, and each looks at all of them; with few on, what is done for"
        " all genes of a cell weighs more.",
        lambda expressed: closed_form(128, 4000, expressed),
    ),
    Curve(
        "gbm-genes",
        "`gbm`, 4 rounds twice, 250 cells",
        "genes",
        (125, 250, 500, 1000),
        1,
        "a tree a gene and round; the features are at most 145 however many genes there are.",
        lambda genes: gbm_fit(250, genes),
    ),
    Curve(
        "gbm-cells",
        "`gbm`, 4 rounds twice, 250 genes",
        "cells",
        (125, 250, 500, 1000, 2000),
        1,
        "a tree's histograms add up every cell; with few cells the tree's own bookkeeping weighs"
        " more, with thousands the principal components of the assemblages do: an eigenproblem of"
        " cells x cells, cells cubed.",
        lambda cells: gbm_fit(cells, 250),
    ),
    Curve(
        "linear-genes",
        "`linear`, one penalty, 400 cells",
        "genes",
        (500, 1000, 2000, 4000),
        1,
        "the kernel is cells x cells whatever the genes are; each gene is one more right-hand"
        " side.",
        lambda genes: linear_fit(400, genes),
    ),
    Curve(
        "linear-cells",
        "`linear`, one penalty, 1,000 genes",
        "cells",
        (100, 200, 400, 800),
        2,
        "every iteration multiplies a kernel of cells x cells by all genes; with few cells the work"
        " on cells x genes weighs more.",
        lambda cells: linear_fit(cells, 1000),
    ),
    *OF_HARNESS,
]
