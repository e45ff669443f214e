"""`gbm`: the trees of all genes grown together against an estimator for each gene."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.measure import Finding, Row, Skipped, ratio

#: One gene in so many is grown plainly; all of them would take minutes.
EVERY = 8


def lung_cells() -> Any:
    """The wild-type cells of `nkx2-1-lung`; raises Skipped where they are not at hand."""
    from kobench.datasets.cards import builtin_folder, read_card
    from kobench.errors import UserError

    load: Any = read_card(builtin_folder() / "nkx2-1-lung.toml").load
    try:
        return load().cells
    except UserError as error:
        raise Skipped(str(error)) from error


def measure(runs: int) -> Finding:
    """Fit and answer for the same cells.

    Both sides use one thread, and leave no column out at random.
    """
    import xgboost
    from kobench_baselines import gbm
    from kobench_baselines.common import Table, hold_out

    from benchmarks.plain.trees import Job, gene_by_gene
    from kobench.api import Context

    cells, threads = lung_cells(), 1
    order = np.random.default_rng(0).permutation(len(cells))
    fifth = len(cells) // 5
    train, asked = cells[np.sort(order[fifth:])], cells[np.sort(order[:fifth])].assemblages()

    def together() -> gbm.GBM:
        predictor = gbm.GBM()
        predictor.columns = 1.0
        predictor.fit(train, Context(seed=0, threads=threads, device="cpu"))
        predictor.predict_expression(asked)
        return predictor

    ours, table = together(), Table.of(train)
    kept, held = hold_out(len(table), gbm.VALIDATION, np.random.default_rng(0))
    corrected = gbm.depth_helps(table[kept], table[held])
    choosing, whole = (
        Job.of(part, corrected, ours.genes, ours.components) for part in (table[kept], table)
    )
    held_values, asked_values = choosing.features(table[held].on), whole.features(asked)
    looked = min(ours.rounds, ours.chosen_rounds + gbm.PATIENCE)
    genes = ours.boosted[::EVERY]

    def one_by_one() -> npt.NDArray[Any]:
        grown = gene_by_gene(
            choosing,
            held_values,
            whole,
            asked_values,
            genes.tolist(),
            looked,
            ours.chosen_rounds,
            ours.depth,
            ours.lr,
            threads,
        )
        return np.stack([margins for _, margins in grown], axis=1)

    same = ours._margins(xgboost.DMatrix(asked_values), 0, ours.chosen_rounds)[:, ::EVERY]
    apart = float(np.abs(same - one_by_one()).max())
    return ratio(
        one_by_one,
        together,
        runs,
        target=2.0,
        part=len(genes) / len(ours.boosted),
        facts=(
            (
                f"{train.n_obs} cells x {train.n_vars:,} genes, of which {len(ours.boosted):,} get"
                f" trees; {looked} rounds on the cells that choose, {ours.chosen_rounds} chosen and"
                " grown again on all; one thread on both sides, as a trial has by default"
            ),
            (
                f"plain: {len(genes)} of the {len(ours.boosted):,} genes were grown, their seconds"
                " stand for all; preparing its features, and the common choice of the number of"
                " rounds, cost it nothing"
            ),
            (
                "both sides let each node split on every column: the default's random half is drawn"
                " in another order by single estimators"
            ),
            (
                f"largest difference of the predicted relative residuals of {len(asked)} other"
                f" cells: {apart:.1e} (largest of them {np.abs(same).max():.2g})"
            ),
        ),
    )


ROWS = [
    Row(
        "gbm",
        "`gbm`, fit and answer, 2,000 genes x 432 cells",
        "one XGBoost estimator a gene, fitted to choose and again",
        measure,
    )
]
