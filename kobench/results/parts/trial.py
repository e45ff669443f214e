"""What was asked of whom: the `trial` and `keys` parts of a record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kobench.results.typed import Part, optional


@dataclass(frozen=True, kw_only=True)
class SecretSeed(Part):
    """Where the seed of a network comes from that nobody knew while it was asked.

    Attributes
    ----------
    commitment : str
        Sha256 of the suite's secret seed, written down before the run.
    index : int
        Which of the dataset's networks it is, from 0.
    seed : str or None
        The network's seed, "0x" and 32 hexadecimal digits; there in published records.
    """

    commitment: str
    index: int
    seed: str | None = optional()


@dataclass(frozen=True, kw_only=True)
class DatasetInfo(Part):
    """The dataset of a trial.

    Attributes
    ----------
    name : str
        Its name, without parameters.
    selection : str
        Its canonical selection, `name:key=value,...`; values equal to defaults are left
        out.
    version : str or int
        Version of the data, its cells and truth.
    group : str
        The selection without the seed: what simulated networks have in common.
    seed : int or None
        Seed of a simulated network, null where the dataset has none or it was secret. One above
        2**53, which some readers of JSON round, is exact in `selection`.
    secret : SecretSeed or None
        Where a seed comes from that was secret.
    kind : str
        "simulated", where networks are independent, or "real", where cells are.
    truth : str
        "counterfactual", "population" or "none".
    digest : str
        Sha256 of the cells as given to predictors.
    notes : list of str
        Sentences shown beside every board of this dataset.
    """

    name: str
    selection: str
    version: str | int
    group: str
    seed: int | None
    secret: SecretSeed | None = optional()
    kind: str
    truth: str
    digest: str
    notes: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class SplitInfo(Part):
    """Which cells were trained on and which were asked.

    Attributes
    ----------
    name : str
        "holdout" (80/20), "halves" (by wild-type halves, for a measured truth), "all"
        (trains on and asks every cell), "cell-type" and "dataset", which train on one
        group of cells, or "tune" and "confirm", by which `kobench tune` chooses inside the
        training cells of "holdout".
    seed : int
        Seed of the split.
    train : str or None
        The group of cells that was trained on; there for "cell-type" and "dataset" alone.
    """

    name: str
    seed: int
    train: str | None = optional()


@dataclass(frozen=True, kw_only=True)
class PredictorInfo(Part):
    """The predictor, floor or line of a trial.

    Attributes
    ----------
    name : str
        Its name, without parameters.
    selection : str
        Its canonical selection, `name:key=value,...`.
    distribution : str
        The installed package that brings it.
    version : str or int
        Version of that package.
    digest : str
        Hash of all files of that package, or of its single file.
    environment : str or None
        Name of the environment it lives in; left out for kobench's own interpreter.
    readable : list of str, or None
        Hash of the content of each folder that `--readable` let it read; left out for none.
    response : str or None
        What its response means, "direction" or "affected"; left out for a change of the profile.
    max_order : int or None
        How many genes it removes at once; left out for any number.
    prior : str or None
        What it says that it knows beside the cells it was given; left out for nothing.
    developed_on : list of str, or None
        The datasets that it says it was developed on; left out for none.
    equation_of : list of str, or None
        The simulated datasets whose equation it says that it is given; left out for none.
    """

    name: str
    selection: str
    distribution: str
    version: str | int
    digest: str
    environment: str | None = optional()
    readable: Sequence[str] | None = optional()
    response: str | None = optional()
    max_order: int | None = optional()
    prior: str | None = optional()
    developed_on: Sequence[str] | None = optional()
    equation_of: Sequence[str] | None = optional()


@dataclass(frozen=True, kw_only=True)
class TrialInfo(Part):
    """What was asked of whom.

    Attributes
    ----------
    dataset : DatasetInfo
        The dataset.
    split : SplitInfo
        Which cells were trained on and which were asked.
    predictor : PredictorInfo
        The predictor, floor or line.
    fit_seed : int
        Seed given to the fit.
    threads : int
        Number of threads it might use.
    device : str
        Kind of device, "cpu" or "cuda".
    """

    dataset: DatasetInfo
    split: SplitInfo
    predictor: PredictorInfo
    fit_seed: int
    threads: int
    device: str


@dataclass(frozen=True, kw_only=True)
class Keys(Part):
    """Hashes of all that decides a result: a record is reused only where they agree with the plan.

    Attributes
    ----------
    fit : str
        Key of the fit.
    questions : mapping of str to str
        Key of each question set, by its name.
    scores : mapping of str to str
        Key of each task's scores, by task label.
    contract : int or None
        Version of the contract that predictors were asked by.
    source : str or None
        Hash of what makes the dataset: its code and files. With `contract`, and with what is said
        of the trial, it gives the key of the fit again.
    """

    fit: str
    questions: Mapping[str, str]
    scores: Mapping[str, str]
    contract: int | None = optional()
    source: str | None = optional()
