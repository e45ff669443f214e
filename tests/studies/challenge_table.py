"""A made screen like that of the Virtual Cell Challenge 2026, answered and scored end to end.

Three contexts, a list of targets that nobody has seen removed anywhere, control cells and nothing
else to learn from. `kobench predict ... --what cells --format vcc` writes the cells, `cell_eval2`
scores them. In three steps, as cell_eval2 wants packages that kobench does not need::

    python tests/studies/challenge_table.py make FOLDER
    python tests/studies/challenge_table.py predict FOLDER
    python tests/studies/challenge_table.py score FOLDER     # where cell_eval2 is installed

The last one prints the table of docs/vcc.md.
"""

from __future__ import annotations

import importlib.util
import json
import logging
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

CONTEXTS = ("a", "b", "c")

#: Floors of the task, then predictors.
PREDICTORS = (
    *("no-effect", "presence-contrast"),
    *("linear", "mlp", "state-contrast", "linear-anchored"),
)

#: Cells of each target, as measured and as predicted.
CELLS = 60

#: Rows of the table that are no predictor's: the ends of the scale.
ENDS = ("mean response", "replicate")


@dataclass(frozen=True, eq=False)
class Context:
    """A made context: counts of control cells (m, G), and of the cells of each of k targets."""

    genes: np.ndarray
    control: np.ndarray
    perturbed: np.ndarray
    labels: np.ndarray


def make(context: str, seed: int = 2026, genes: int = 400, targets: int = 24) -> Context:
    """One context; all have the same genes and targets.

    A response has three parts: along the covariance of the removed gene in control cells, along a
    direction that all knockouts share, and in genes of its own, which nothing foretells.
    """
    rng = np.random.default_rng(seed)
    level = rng.normal(0, 1.3, genes)
    loads = rng.normal(0, 0.2, (8, genes))
    shared = np.where(rng.random(genes) < 0.2, rng.normal(0, 0.4, genes), 0.0)
    removed = np.sort(rng.choice(np.argsort(-level)[: genes // 2], targets, replace=False))
    strength = rng.lognormal(-1.5, 0.6, targets)
    rng = np.random.default_rng([seed, CONTEXTS.index(context)])
    level = level + rng.normal(0, 0.5, genes)
    loads = loads + rng.normal(0, 0.15, loads.shape)

    def cells(n: int, change: Any) -> np.ndarray:
        rate = np.exp(level + rng.normal(size=(n, len(loads))) @ loads + change)
        depth = rng.lognormal(np.log(4000), 0.35, (n, 1))
        return rng.poisson(depth * rate / rate.sum(axis=1, keepdims=True))

    control = cells(600, 0.0)
    perturbed = []
    for gene, size in zip(removed, strength, strict=True):
        along = loads.T @ loads[:, gene]
        change = -size * along / np.sqrt(np.mean(along**2)) + rng.uniform(0, 1) * shared
        own = rng.choice(genes, 20, replace=False)
        change[own] += rng.normal(0, 0.5, 20)
        change[gene] = -2.5
        perturbed.append(cells(CELLS, change))
    names = np.array([f"G{number:03d}" for number in range(genes)])
    return Context(names, control, np.concatenate(perturbed), np.repeat(names[removed], CELLS))


def as_anndata(context: Context, control_only: bool) -> Any:
    """A context as the challenge gives it: control cells alone, or with those that it keeps."""
    import anndata
    import pandas
    import scipy.sparse

    blocks, labels = [context.control], ["non-targeting"] * len(context.control)
    if not control_only:
        blocks.append(context.perturbed)
        labels += context.labels.tolist()
    return anndata.AnnData(
        scipy.sparse.csr_matrix(np.concatenate(blocks).astype(np.float32)),
        obs=pandas.DataFrame({"target": labels}, index=[f"c{i}" for i in range(len(labels))]),
        var=pandas.DataFrame(index=context.genes.tolist()),
    )


def write(folder: Path) -> None:
    """The files of all contexts: `control-a.h5ad` for predictors, `real-a.h5ad` for the score."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in CONTEXTS:
        context = make(name)
        as_anndata(context, True).write_h5ad(folder / f"control-{name}.h5ad")
        as_anndata(context, False).write_h5ad(folder / f"real-{name}.h5ad")
        (folder / "targets.txt").write_text("\n".join(sorted(set(context.labels))) + "\n")
        (folder / "genes.txt").write_text("\n".join(context.genes) + "\n")


def command(folder: Path, context: str, predictor: str) -> list[str]:
    """What a user would type."""
    targets = (folder / "targets.txt").read_text().split()
    dataset = f"h5ad:path={folder}/control-{context}.h5ad"
    dataset += ",perturbation_key=target,control=non-targeting"
    asked = [word for target in targets for word in ("--gene", target)]
    out = str(folder / f"{predictor}-{context}.h5ad")
    return [
        *("predict", dataset, "-p", predictor, "--what", "cells", "--format", "vcc"),
        *("--cells", str(CELLS), "--columns", str(folder / "genes.txt"), *asked, "-o", out),
    ]


def predict(folder: Path) -> None:
    """The cells of every predictor in every context."""
    kobench = Path(sys.executable).with_name("kobench")
    for context in CONTEXTS:
        for predictor in PREDICTORS:
            if not (folder / f"{predictor}-{context}.h5ad").exists():
                subprocess.run([kobench, *command(folder, context, predictor)], check=True)


def score(folder: Path) -> None:
    """Score every file by cell_eval2, and print the table: means over contexts."""
    spec = importlib.util.spec_from_file_location(
        "study_of_cell_eval2", Path(__file__).with_name("challenge.py")
    )
    assert spec is not None
    assert spec.loader is not None
    study = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(study)
    logging.disable(logging.WARNING)
    settings = replace(study.config(), pert_col="target", control="non-targeting")
    rows: dict[str, list[dict[str, float]]] = {}
    for context in CONTEXTS:
        real = str(folder / f"real-{context}.h5ad")
        ends = None
        for predictor in PREDICTORS:
            answer = str(folder / f"{predictor}-{context}.h5ad")
            found, ends = study.score(answer, real, settings, ends)
            rows.setdefault(predictor, []).append(
                {name: values["scaled"] for name, values in found.items()}
            )
            print(context, predictor, rows[predictor][-1], flush=True)
    (folder / "scores.json").write_text(json.dumps(rows, indent=1))
    print("\n".join(table(rows)))


def table(rows: dict[str, list[dict[str, float]]]) -> list[str]:
    """The table of the page, the best mean first."""
    members = list(rows[PREDICTORS[0]][0])
    mean = {
        name: {member: float(np.mean([row[member] for row in each])) for member in members}
        for name, each in rows.items()
    }
    lines = ["| | mean of six | " + " | ".join(members) + " |", "|---" * (len(members) + 2) + "|"]
    order = sorted(mean, key=lambda name: -float(np.mean(list(mean[name].values()))))
    for name in order:
        values = [float(np.mean(list(mean[name].values()))), *mean[name].values()]
        lines.append(f"| `{name}` | " + " | ".join(f"{value:.2f}" for value in values) + " |")
    for name, end in zip(ENDS, (0, 1), strict=True):
        lines.append(f"| *{name}* | " + " | ".join(f"{end:.2f}" for _ in range(7)) + " |")
    return lines


if __name__ == "__main__":
    {"make": write, "predict": predict, "score": score}[sys.argv[1]](Path(sys.argv[2]))
