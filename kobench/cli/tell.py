"""What commands say of a dataset: of one that they have opened, and of one that nobody has."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from kobench.cli.output import say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kobench.audit.overview import Overview
    from kobench.dataset import Dataset
    from kobench.plugins.entry import Entry
    from kobench.runner.keys import Group


def tell(dataset: Dataset, seen: Overview) -> None:
    """Print what a reader of scores on a new dataset has to know, and what can be asked of it."""
    from kobench.audit.block import block
    from kobench.util.text import one_line

    for note in dataset.notes:
        say(f"Note: {one_line(note)}.")
    for line in block(seen):
        say(line)


#: Parameters of the loader that are options of `kobench datasets add`, called alike.
PARAMETERS = (
    *("perturbation_key", "kind_key", "cell_type_key", "batch_key", "group_key", "replicate_key"),
    *("totals_key", "var_key", "guide_pattern", "ignore_case", "normalise", "control", "scale"),
    *("layer", "raw", "join"),
)

#: A parameter with its value, or one that is called by a word of its own.
_PARAMETER = re.compile(
    rf"(?<![\w/.'\"-])(?:({'|'.join(PARAMETERS)})=('[^']*'|[^\s;,()]+)"
    rf"|({'|'.join(each for each in PARAMETERS if '_' in each)})(?![\w/.'\"=-]))"
)


def as_options(said: str, assumed: bool = False) -> str:
    """A message of the loader as one of `kobench datasets add`, whose options are spelt otherwise.

    Parameters
    ----------
    said : str
        The message.
    assumed : bool
        Whether nobody said that the values are counts.

    Examples
    --------
    >>> as_options("mine.h5ad: X is empty; set layer=counts (the layer holds whole numbers)")
    'mine.h5ad: X is empty; set --layer counts (the layer holds whole numbers)'
    >>> as_options("set raw=true, or batch_key to one it has; obs['batch_key'] is none")
    "set --raw, or --batch-key to one it has; obs['batch_key'] is none"
    """

    def option(found: re.Match[str]) -> str:
        name, value, alone = found.groups()
        called = "--" + (name or alone).replace("_", "-")
        return called if alone or value == "true" else f"{called} {value}"

    said = _PARAMETER.sub(option, said).replace("give path=FILE.h5ad", "give one that is there")
    if assumed:
        said = said.replace(
            "--scale counts is declared, but",
            "counts are expected unless --scale says otherwise, but",
        )
    return said.replace(
        "obs has no column ''; set --perturbation-key to one it has",
        "Missing option '--perturbation-key': give the column of obs that says what was perturbed",
    )


def tell_unopened(entries: Iterable[Entry]) -> None:
    """Say of the datasets that nobody has opened that their cards may be wrong, each once."""
    from kobench.datasets.opened import NOT_OPENED, is_opened

    for name in sorted({one.shown_name for one in entries if not is_opened(one.spec.card)}):
        say(f"Dataset {name}: {NOT_OPENED}; `kobench datasets verify {name}` looks.", err=True)


def tell_splits(groups: Sequence[Group]) -> None:
    """Say which datasets are split several times, so that every predictor is fitted as often."""
    names: dict[int, list[str]] = {}
    for group in groups:
        known = names.setdefault(group.split.of, [])
        if group.split.of > 1 and group.dataset.group not in known:
            known.append(group.dataset.group)
    for of, found in sorted(names.items()):
        if of > 1:
            say(
                f"Knockouts are measured in {of} splits of the wild-type cells of"
                f" {', '.join(found)}, and each predictor is fitted in each (--splits).",
                err=True,
            )


def must_name_genes(file: Path, dataset: Dataset) -> None:
    """UserError where a dataset has perturbed cells, and no label names a gene of its file.

    Parameters
    ----------
    file : Path
        What was loaded.
    dataset : Dataset
        The dataset.
    """
    from kobench.errors import UserError

    named = dataset.facts.get("perturbed genes", 0)
    if dataset.perturbed is None or dataset.facts.get("perturbed genes measured", named):
        return
    offers = [note for note in dataset.notes if note.startswith("did you mean")]
    remedy = "; ".join(offers) or (
        "say which column of obs names genes (--perturbation-key), which column of var names them"
        " (--var-key), or what each label means (--labels FILE.csv)"
    )
    raise UserError(
        f"nothing could be asked of {file}: none of its {named:,} perturbed genes is among its"
        f" genes, so no card was written; {remedy}"
    )
