"""Frozen records by which plugins describe predictors, datasets, metrics and tasks.

They refer to code as text, so that what there is can be listed without importing it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Union

#: "module:attribute", or the object itself when the plugin's own file defines it.
Reference = Union[str, Callable[..., Any]]

#: What a predictor can answer, in the order in which missing answers are derived from given ones.
ANSWERS = ("expression", "knockout", "impact", "response", "interaction", "genes", "cells")

#: The method of a predictor behind each answer kind.
METHODS = {
    "expression": "predict_expression",
    "knockout": "predict_knockout",
    "impact": "predict_impact",
    "response": "predict_response",
    "interaction": "predict_interaction",
    "genes": "score_genes",
    "cells": "predict_cells",
}

#: What may have been done to the perturbed cells of a dataset; only the first two are asked.
PERTURBATIONS = ("knockout", "knockdown", "overexpression", "near-null")

#: Kinds of units, which is what a metric scores.
Of = Literal["profile", "impact", "ranking", "response", "interaction", "screen", "structure"]


@dataclass(frozen=True)
class Param:
    """One parameter of a dataset or predictor, as `name:key=value` sets it.

    Attributes
    ----------
    default : any plain value
        Text, a finite number, True or False, a list or mapping of these; a given value must have
        its type. None accepts any TOML value.
    help : str
        One line on what it does.
    choices : tuple or None
        Every accepted value; None where the type alone decides.
    low, high : float or None
        Bounds, both inclusive; None without a bound.
    only_with : (str, value), or None
        Another parameter, and the value of it without which this one means nothing.
    says : str or None
        What a board says of it, in one line; None says `help`, "" nothing.
    many : bool
        Whether a list of such values may be given, too.
    """

    default: Any
    help: str = ""
    choices: tuple[Any, ...] | None = None
    low: float | None = None
    high: float | None = None
    only_with: tuple[str, Any] | None = None
    says: Union[str, None] = None
    many: bool = False


@dataclass(frozen=True)
class PredictorSpec:
    """A predictor that kobench can fit and ask.

    Attributes
    ----------
    name : str
        Lower-case letters and digits joined by dashes.
    make : str or callable
        `make(**params)` returns an object with `fit` and at least one answering method, see
        `kobench.api.Predictor`.
    summary : str
        One line for lists.
    answers : tuple of str
        Which of `ANSWERS` it gives. Where it is empty and `make` is a class in the plugin's own
        file, it is read off the methods of that class.
    params : mapping of str to Param
        The parameters of `make`.
    reference : str
        Where the method is published.
    version : int
        Raised when the same parameters give other answers than before.
    wants : str
        The form of the cells it is given: "dense" (float32 array in X), "sparse" (scipy CSR in X)
        or "anndata" (a real AnnData).
    response : str
        What `predict_response` returns: "profile-change" (units of the profile), "direction" (sign
        and order mean something) or "affected" (unsigned).
    max_order : int or None
        How many genes it can remove at once; None for any number.
    floor : bool
        A trivial predictor: it is run, without being asked for, for every task that lists it.
    order_matters : bool
        The order of the columns has a part in the answers, as in a network whose first weights are
        drawn column by column: the same genes in another order then get other answers. `kobench
        check` calls that a fault where it is not declared.
    prior : str
        What it knows beside the cells that it is given, in one line: a table of genes, weights
        trained on other cells; "" for nothing. Boards mark such a predictor, and rank it among its
        like.
    developed_on : tuple of str
        Names of the datasets whose knockouts were looked at while the method was made: boards say
        that its scores there are no evidence.
    tolerance : float
        How far the answers of two fits with one seed may be apart, as a share of the largest
        answer; at most 0.1. `kobench verify --rerun` compares by it. More than the default is for a
        method that draws numbers without the seed, or computes on a device that rounds as it likes.
    equation_of : tuple of str
        Names of the simulated datasets whose equation it is given: boards say that its scores there
        are what a method with the right model reaches, and no evidence.
    """

    name: str
    make: Reference
    summary: str = ""
    answers: tuple[str, ...] = ()
    params: Mapping[str, Param] = field(default_factory=dict)
    reference: str = ""
    version: int = 1
    wants: Literal["dense", "sparse", "anndata"] = "dense"
    response: Literal["profile-change", "direction", "affected"] = "profile-change"
    max_order: Union[int, None] = None
    floor: bool = False
    order_matters: bool = False
    prior: str = ""
    developed_on: tuple[str, ...] = ()
    tolerance: float = 1e-6
    equation_of: tuple[str, ...] = ()

    @property
    def meaning(self) -> str:
        """What the response that tasks see of it means: its own, or the one that is derived."""
        return self.response if "response" in self.answers else "profile-change"


@dataclass(frozen=True)
class DatasetSpec:
    """A dataset that kobench can load.

    Attributes
    ----------
    name : str
        Lower-case letters and digits joined by dashes.
    load : str or callable
        `load(**params)` returns a `kobench.api.Dataset`.
    summary : str
        One line for lists.
    params : mapping of str to Param
        The parameters of `load`.
    version : int
        Raised when the same parameters give other data than before.
    truth : str
        The kind of knockout truth it has: "counterfactual" (the same cell with and without the
        gene), "population" (other cells in which the gene was knocked out) or "none".
    seeded : bool
        It takes a parameter `seed`, and each seed is one independent network, unless the datasets
        say that they share one (`kobench.api.Dataset.network`).
    reference : str
        Where the data are published.
    card : mapping
        The facts of a TOML card (source, licence, sha256, scale, ...); empty for generators.
    same_cells : tuple of str
        Names of other datasets with some of its cells, in whatever form. No two strangers' trials
        run side by side on the same cells where a sandbox is required.
    """

    name: str
    load: Reference
    summary: str = ""
    params: Mapping[str, Param] = field(default_factory=dict)
    version: int = 1
    truth: Literal["counterfactual", "population", "none"] = "none"
    seeded: bool = False
    reference: str = ""
    card: Mapping[str, Any] = field(default_factory=dict)
    same_cells: tuple[str, ...] = ()


@dataclass(frozen=True)
class MetricSpec:
    """A metric on one kind of units.

    Attributes
    ----------
    name : str
        Unique among the metrics of one kind of units, not across kinds.
    score : str or callable
        `score(units)` returns a float or `kobench.api.Parts`. NaN says that the answer gives no
        value, for instance a constant where a ranking is needed. It raises
        `kobench.api.NotComputed` where no answer could be scored. What else it may offer: see
        Notes.
    of : str
        The kind of units.
    direction : str
        Which end is better, "higher" or "lower".
    best : float
        The value of the truth itself.
    low, high : float
        The range of values; `low` may be -inf.
    summary : str
        One line for lists.
    tasks : tuple of str or None
        The tasks it is restricted to; None for every task with units of that kind.
    reference : str
        Where the metric is published.
    version : int
        Raised when the same units give another value than before.
    nothing : float or None
        The value of the true answer in which nothing responds, where the metric knows one; of
        screens of counted cells that of the mean response. No floor counts below it.
    descriptive : bool
        The value does not depend on the truth: it says what an answer follows, for readers, and
        ranks nobody.
    tolerance : float
        The largest relative difference between two values of the same answers that may come of the
        machine, such as the order in which sums are taken. 0: exact, as counts are. A larger one is
        no value that can be checked; see `kobench score --replay`.

    Notes
    -----
    A score may have these methods, too:

    `redrawn(units, often, block)` or `prepare(units)`
        Functions of how often each block or unit was drawn, which make its bootstrap quick; see
        `kobench.scoring.bootstrap`.
    `ceiling(units)`
        What an answer without error would score against a truth that has noise, a float or Parts.
        Without it such units have no ceiling and no skill.
    `permuted(units, orders)`
        Its (n,) values when the answers are permuted among the perturbations; see
        `kobench.units.OffersPermuted`.
    """

    name: str
    score: Reference
    of: Of
    direction: Literal["higher", "lower"] = "higher"
    best: float = 1.0
    low: float = 0.0
    high: float = 1.0
    summary: str = ""
    tasks: Union[tuple[str, ...], None] = None
    reference: str = ""
    version: int = 1
    nothing: Union[float, None] = None
    descriptive: bool = False
    tolerance: float = 1e-8

    @property
    def span(self) -> float:
        """Width of the range; 1 where it is open.

        An open range is one where a floor is 0 by construction and the truth is 1.
        """
        width = self.high - self.low
        return width if width < float("inf") else 1.0


@dataclass(frozen=True)
class TaskSpec:
    """A question put to every predictor, and how its answers become units for the metrics.

    Attributes
    ----------
    name : str
        Lower-case letters and digits joined by dashes.
    units : str or callable
        `units(view)` takes a `kobench.api.TaskView` and returns `kobench.api.TaskUnits`. Its first
        variant is ""; a variant that is absent was not answered.
    of : str
        The kind of units, which decides what metrics score it.
    asks : str
        The question set: "profile" (held-out assemblages), "transfer" (those of every cell type or
        dataset), "singles" (every single knockout of the asked cells), "response" (the mean change
        in each perturbation), "cells" (counted cells of each perturbation), "doubles" or "triples"
        (several knockouts at once).
    truth : str
        What the dataset must offer: "wild-type" cells, "counterfactual" truth, "population" (cells
        that were perturbed), or "any" truth of knockouts (one of the last two).
    primary : tuple of str
        One metric, or two co-primary ones, each as it is shown: `name`, or `name[variant]`.
    floors : tuple of str
        The trivial predictors that count.
    lines : tuple of str
        The reference lines that are drawn beside them.
    block : str
        The unit inside one dataset that is drawn again in the bootstrap: "cell", "gene",
        "perturbation" or "pair".
    summary : str
        One line for lists.
    version : int
        Raised when the same answers become other units than before.
    says : str
        What is asked, in one line of plain words, for readers of boards; "" for the label alone.
    demand : float
        How much it demands of a predictor. Boards tell tasks from the highest demand down.
    of_knockouts : bool
        Whether it asks about knockouts, and not about unperturbed cells alone.
    by_name : bool
        Whether it is scored only where it is named.
    """

    name: str
    units: Reference
    of: Of
    asks: str
    truth: Literal["wild-type", "counterfactual", "population", "any"]
    primary: tuple[str, ...]
    floors: tuple[str, ...]
    lines: tuple[str, ...] = ()
    block: Literal["cell", "gene", "perturbation", "pair"] = "cell"
    summary: str = ""
    version: int = 1
    says: str = ""
    demand: float = 0.0
    of_knockouts: bool = True
    by_name: bool = False

    @property
    def label(self) -> str:
        """Name and version together, as they are always shown."""
        return f"{self.name}@{self.version}"


# The types of fields are read while the program runs, to check specs. Python 3.9 can't read
# `X | None` then, so fields that may be None are a Union.
Spec = Union[PredictorSpec, DatasetSpec, MetricSpec, TaskSpec]

#: Kinds of specs, by the last word of their hook.
KINDS: dict[str, type[Spec]] = {
    "predictors": PredictorSpec,
    "datasets": DatasetSpec,
    "metrics": MetricSpec,
    "tasks": TaskSpec,
}

#: The field of each kind that refers to code.
REFERENCES = {"predictors": "make", "datasets": "load", "metrics": "score", "tasks": "units"}


def kind_of(spec: Spec) -> str:
    """Return the key of `KINDS` that a spec belongs to.

    Examples
    --------
    >>> kind_of(PredictorSpec("mine", make="my_package:Mine"))
    'predictors'
    """
    return next(kind for kind, cls in KINDS.items() if isinstance(spec, cls))
