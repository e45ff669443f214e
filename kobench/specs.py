"""Frozen records by which plugins describe datasets, predictors, metrics and tasks without
importing them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, Union

#: "module:attribute", or the object itself when the plugin's own file defines it.
Reference = Union[str, Callable[..., Any]]

#: What a predictor can answer, in the order in which missing answers are derived from given ones.
ANSWERS = ("expression", "knockout", "impact", "response", "interaction", "genes")

#: The method of a predictor behind each answer kind.
METHODS = {
    "expression": "predict_expression",
    "knockout": "predict_knockout",
    "impact": "predict_impact",
    "response": "predict_response",
    "interaction": "predict_interaction",
    "genes": "score_genes",
}


#: Kinds of units, which is what a metric scores.
Of = Literal["profile", "impact", "ranking", "response", "interaction"]


@dataclass(frozen=True)
class Param:
    """One parameter of a dataset or predictor, as `name:key=value` sets it.

    The type is that of `default`; `None` as default accepts any TOML value.
    `low` and `high` are inclusive bounds; `choices` lists every accepted value.
    """

    default: Any
    help: str = ""
    choices: tuple[Any, ...] | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class PredictorSpec:
    """A predictor that kobench can fit and ask.

    `make(**params)` returns an object with `fit` and at least one answering method
    (`kobench.api.Predictor`). `answers` is read off `make` when it is a class in the plugin's own
    file and `answers` is empty. `wants` is the form of the cells it is given: "dense" (float32
    array in X), "sparse" (scipy CSR in X) or "anndata" (a real AnnData). `response` says what
    `predict_response` returns: "profile-change" (units of the profile), "direction" (sign and order
    mean something) or "affected" (unsigned). `order_matters` declares that the columns' order has a
    part in the answers, as in a network whose first weights are drawn column by column: the same
    genes in another order then get other answers, which `kobench check` calls a fault where it is
    not declared. `floor` marks a trivial predictor, run for every task that lists it without being
    asked for.
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


@dataclass(frozen=True)
class DatasetSpec:
    """A dataset that kobench can load.

    `load(**params)` returns a `kobench.api.Dataset`. `truth` is the kind of knockout truth it has:
    "counterfactual" (the same cell with and without the gene), "population" (other cells in which
    the gene was knocked out) or "none". `seeded` datasets take a parameter `seed`; each seed is one
    independent network. `card` holds the facts of a TOML card (source, licence, sha256, scale,
    ...), empty for generators.
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


@dataclass(frozen=True)
class MetricSpec:
    """A metric on one kind of units.

    `score(units)` returns a float (NaN when the answer gives no value, for instance a constant
    where a ranking is needed) or `kobench.api.Parts`; it raises `kobench.api.NotComputed` where no
    answer could be scored. `of` is the kind of units. Names are unique for each kind of units, not
    across them. A score may offer `redrawn(units, often, block)` or `prepare(units)`, functions of
    how often each block or unit was drawn, to make its bootstrap quick (see `kobench.scoring.bootstrap`);
    `ceiling(units)`, what an answer without error would score against a truth that has noise (a
    float or Parts; without it such units have no ceiling and no skill); and `permuted(units, n,
    seed)`, its (n,) values when the answers are permuted among the perturbations. `tasks` restricts
    it to named tasks; None is every task with units of that kind. `direction` says which end is
    better, `best` is the value of the truth itself, `low` and `high` the range (`low` may be -inf).
    `nothing` is the value of the true answer in which nothing responds, where the metric knows one:
    no floor counts below it. `descriptive` declares that the value does not depend on the truth: it
    says what an answer follows, for readers, and ranks nobody.
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

    @property
    def span(self) -> float:
        """Width of the range; 1 where the range is open (0 = a floor by construction, 1 = the
        truth).
        """
        width = self.high - self.low
        return width if width < float("inf") else 1.0


@dataclass(frozen=True)
class TaskSpec:
    """A question put to every predictor, and how its answers become units for the metrics.

    `asks` is the question set ("profile": held-out assemblages; "transfer": those of every cell
    type or dataset; "singles": every single knockout of the asked cells; "response": the mean
    change in each perturbation; "doubles", "triples": several knockouts at once). `truth` is what
    the dataset must offer: "wild-type" cells, "counterfactual" truth, or "any" truth of knockouts
    (counterfactual or population). `units(view)` takes a `kobench.api.TaskView` and returns
    `kobench.api.TaskUnits`; the first variant is "" and an absent variant means "not answered".
    `primary` names one metric, or two co-primary ones, each as it is shown: `name`, or
    `name[variant]`. `floors` are the trivial predictors that count, `lines` what else is drawn.
    `block` is the unit inside one dataset that is drawn again in the bootstrap.
    """

    name: str
    units: Reference
    of: Of
    asks: Literal["profile", "transfer", "singles", "response", "doubles", "triples"]
    truth: Literal["wild-type", "counterfactual", "any"]
    primary: tuple[str, ...]
    floors: tuple[str, ...]
    lines: tuple[str, ...] = ()
    block: Literal["cell", "gene", "perturbation", "pair"] = "cell"
    summary: str = ""
    version: int = 1

    @property
    def label(self) -> str:
        """Name and version together, as they are always shown."""
        return f"{self.name}@{self.version}"


# where a field of a spec may be None it is a Union: Python 3.9 can't read `X | None` while a
# program runs, and specs are checked so
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

_TUPLES = ("answers", "tasks", "primary", "floors", "lines")


def kind_of(spec: Spec) -> str:
    """ "predictors", "datasets", "metrics" or "tasks"."""
    return next(kind for kind, cls in KINDS.items() if isinstance(spec, cls))


def spec_to_json(spec: Spec) -> dict[str, Any]:
    """A spec as plain JSON values; its reference must be a string by now.

    Infinite bounds become "inf" and "-inf".
    """
    kind = kind_of(spec)
    values = {entry.name: getattr(spec, entry.name) for entry in fields(KINDS[kind])}
    if "params" in values:
        values["params"] = {key: _plain(vars(param)) for key, param in values["params"].items()}
    return {"kind": kind, **_plain(values)}


def spec_from_json(document: Mapping[str, Any]) -> Spec:
    """The spec that `spec_to_json` wrote; raises KeyError, TypeError or ValueError for anything
    else.
    """
    values = dict(document)
    cls = KINDS[values.pop("kind")]
    values = {
        key: tuple(value) if key in _TUPLES and value is not None else value
        for key, value in values.items()
    }
    for bound in ("best", "low", "high"):
        if bound in values:
            values[bound] = _number(values[bound])
    if "params" in values:
        values["params"] = {key: _param(param) for key, param in values["params"].items()}
    return cls(**values)


def _param(document: Mapping[str, Any]) -> Param:
    choices = document["choices"]
    bounds = {
        bound: None if document[bound] is None else _number(document[bound])
        for bound in ("low", "high")
    }
    return Param(**{**document, **bounds, "choices": None if choices is None else tuple(choices)})


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    if isinstance(value, float) and value in (float("inf"), float("-inf")):
        return str(value)
    return value


def _number(value: Any) -> Any:
    return float(value) if value in ("inf", "-inf") else value
