"""What the rows of a board are called, and what marks are at the end of their names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from kobench.board.numbers.series import row_key
from kobench.board.numbers.values import Key
from kobench.board.sections.tuned import tuned_here
from kobench.board.words import EQUATION, MADE_ON, PRIOR, marked, unmarked
from kobench.results.parts import Record
from kobench.results.upgrades import equation_of


def prior_of(records: Iterable[Record]) -> dict[Key, str]:
    """What rows say that they know beside the cells: of a row whose records differ all of it.

    So one record that leaves it out takes no row out of its group.
    """
    said: dict[Key, set[str]] = defaultdict(set)
    for record in records:
        if record.role == "predictor" and record.trial.predictor.prior:
            said[row_key(record)].add(record.trial.predictor.prior)
    return {key: "; ".join(sorted(texts)) for key, texts in said.items()}


def developed_on(record: Record) -> str:
    """The dataset of a record where its predictor says that it was developed on it, else ""."""
    name = record.trial.dataset.name
    return name if name in (record.trial.predictor.developed_on or ()) else ""


def given_equation(record: Record) -> str:
    """The dataset of a record where its predictor is given the equation of it, else ""."""
    name = record.trial.dataset.name
    return name if name in equation_of(record.trial.predictor) else ""


def signs_by_row(records: Iterable[Record], priors: Mapping[Key, str]) -> dict[Key, str]:
    """The marks of rows: prior knowledge, made on these data, given their equation."""
    found: dict[Key, set[str]] = defaultdict(set)
    for record in records:
        if record.role != "predictor":
            continue
        signs = {
            PRIOR: row_key(record) in priors,
            MADE_ON: bool(developed_on(record)) or tuned_here(record),
            EQUATION: bool(given_equation(record)),
        }
        found[row_key(record)] |= {sign for sign, given in signs.items() if given}
    order = (PRIOR, MADE_ON, EQUATION)
    return {key: "".join(sign for sign in order if sign in signs) for key, signs in found.items()}


def name_rows(records: Iterable[Record], priors: Mapping[Key, str]) -> dict[Key, str]:
    """A name for every row: its selection.

    With distribution, threads or device where these alone tell rows apart, and with its marks.
    """
    records = list(records)
    signs = signs_by_row(records, priors)
    keys = sorted({row_key(record) for record in records})
    alike: dict[tuple[str, ...], list[Key]] = defaultdict(list)
    for key in keys:
        alike[key[:2]].append(key)
    names = {}
    for key in keys:
        if key[0] != "predictor":
            names[key] = key[1]
            continue
        twins = alike[key[:2]]
        distribution, threads, device = ([other[part] for other in twins] for part in (2, 3, 4))
        extra = [f"threads={key[3]}"] if len(set(threads)) > 1 else []
        extra += [f"device={key[4]}"] if len(set(device)) > 1 else []
        prefix = f"{key[2]}/" if len(set(distribution)) > 1 else ""
        name = f"{prefix}{key[1]}{' (' + ', '.join(extra) + ')' if extra else ''}"
        names[key] = marked(name, signs.get(key, ""))
    return names


def by_key(explained: Mapping[str, str], row_names: Mapping[Key, str]) -> dict[Key, str]:
    """Explanations by row; those of rows that are not on the board are left out."""
    plain = {unmarked(name): why for name, why in explained.items()}
    return {
        key: plain[unmarked(name)]
        for key, name in row_names.items()
        if key[0] == "predictor" and unmarked(name) in plain
    }
