"""What `cell_eval2` gives for the ten made screens: the numbers that kobench's are compared with.

Run it as `python tests/studies/challenge.py` where cell_eval2 and scanpy are installed (`pip
install cell_eval2`, a gigabyte with what it needs). It writes tests/builtin/cell_eval2.json, with
the versions; the tests compare with that file, and run cell_eval2 itself where it is installed.
"""

from __future__ import annotations

import json
import logging
import sys
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[2]
STORED = REPOSITORY / "tests" / "builtin" / "cell_eval2.json"

# this folder has a coverage.py, which is not the package of that name
sys.path = [place for place in sys.path if Path(place) != Path(__file__).parent]
sys.path[:0] = [str(REPOSITORY), str(REPOSITORY / "tests" / "helpers")]

from counted_screens import SCREENS, MadeScreen, made_screen  # noqa: E402

#: kobench's names of the six members of the profile vcc2026.
NAMES = {
    "pds_cosine": "pds-cosine",
    "expr_mse_unbiased_capped_norm": "mse-capped",
    "de_wilcoxon_direction_fidelity_yield_raw": "direction-fidelity",
    "de_wilcoxon_direction_reach_raw": "direction-reach",
    "de_wilcoxon_sig_jaccard": "significance-jaccard",
    "de_wilcoxon_lfc_nmae": "lfc-nmae",
}

#: What the control cells are called.
CONTROL = "non-targeting"


def config() -> Any:
    """The challenge's own settings, with the rank-sum test of scanpy, which needs no GPU."""
    from cell_eval2 import EvalConfig

    preset = EvalConfig.from_preset("vcc2026")
    return replace(preset, de=replace(preset.de, backend="scanpy"), device="cpu")


def score(
    predicted: Any, real: Any, settings: Any | None = None, ends: Any | None = None
) -> tuple[dict[str, dict[str, float]], Any]:
    """By member: the answer, the mean response, a replicate, and the place between these.

    Parameters
    ----------
    predicted, real : AnnData or path
        Counts with the control cells, labels in the column that the settings say.
    settings : EvalConfig or None
        None for `config`.
    ends : the second result for the same real cells, or None
        Where it is given the ends of the scale are not made again.

    Returns
    -------
    tuple
        Numbers by member, and the two ends of the scale.
    """
    import polars
    from cell_eval2 import compute_metrics
    from cell_eval2.anchor import compute_replicate_anchor
    from cell_eval2.baseline import build_generic_baseline
    from cell_eval2.run import aggregate_metrics_wide, metric_output_names
    from cell_eval2.score import _replicate_entries
    from cell_eval2.scoring import score_one

    settings = settings or config()

    def mean(frame: Any) -> dict[str, float]:
        (row,) = frame.filter(polars.col("statistic") == "mean").drop("statistic").to_dicts()
        return dict(row)

    tidy = compute_metrics(predicted, real, config=settings)
    answer = mean(aggregate_metrics_wide(tidy, metrics=metric_output_names(settings)))
    if ends is None:
        zero = mean(build_generic_baseline(real, config=settings, allow_degenerate=True).agg)
        ends = zero, compute_replicate_anchor(real, config=settings)[1]
    zero, anchor = ends
    one = dict(zip(anchor["metric"].to_list(), anchor["replicate"].to_list(), strict=True))
    policies = _replicate_entries(zero, anchor)
    found = {
        ours: {
            "answer": float(answer[theirs]),
            "zero": float(zero[theirs]),
            "one": float(one[theirs]),
            "scaled": float(
                score_one(answer[theirs], policies[theirs].base, policies[theirs].scoring)
            ),
        }
        for theirs, ours in NAMES.items()
    }
    return found, ends


def as_anndata(screen: MadeScreen, predicted: bool) -> Any:
    """A made screen as cell_eval2 takes it, the control cells last."""
    import anndata
    import numpy as np
    import pandas
    import scipy.sparse

    cells = screen.predicted if predicted else screen.real
    names = np.array(screen.names)[screen.group].tolist() + [CONTROL] * len(screen.control)
    counts = np.concatenate([cells, screen.control]).astype(np.float32)
    obs = pandas.DataFrame({"target": names}, index=[f"c{i}" for i in range(len(names))])
    var = pandas.DataFrame(index=screen.genes.tolist())
    return anndata.AnnData(scipy.sparse.csr_matrix(counts), obs=obs, var=var)


def main() -> None:
    """Write the file."""
    logging.disable(logging.WARNING)
    screens = []
    for number in range(SCREENS):
        screen = made_screen(number)
        found, _ = score(as_anndata(screen, True), as_anndata(screen, False))
        screens.append({"digest": screen.digest, "members": found})
        print(number, {name: round(values["scaled"], 4) for name, values in found.items()})
    versions = {name: version(name) for name in ("cell_eval2", "scanpy", "scipy", "numpy")}
    STORED.write_text(json.dumps({"versions": versions, "screens": screens}, indent=1) + "\n")


if __name__ == "__main__":
    main()
