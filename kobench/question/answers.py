"""What a predictor answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from kobench.cells import BoolArray, FloatArray


@dataclass(frozen=True, eq=False)
class Answers:
    """What a predictor answered, reduced; None where it was not asked or cannot answer.

    Entries of events whose gene is not supported are NaN. To score a floor on just the units that a
    predictor answered, replace the floor's `supported` and `max_order` by the predictor's: tasks
    read these and nothing else to leave units out.

    Attributes
    ----------
    profile : (n, G) float
        Of `Profiles` and `Transfers`: profile rows.
    wild_type : (m, G) float
        Of `Singles`: the predictor's own wild-type profiles of the asked cells.
    raw, propagated : (n,) or (R,) float
        Of `Singles`: the impacts of every event. Of `Responses`: their means by answer row.
    rows : (s, G) float
        Of `Singles`: profiles after the sampled events.
    gene_scores : (G,) float
        Of `Singles` and `Responses`: the predictor's own scores of genes, NaN for genes not asked.
    response : (R, G) float
        Of `Responses`: the mean over an answer row's events of knockout minus own wild type, the
        targets taken out of both and rows renormalised first.
    interaction : (n,) float
        Of `Multiples`: the interaction of every event.
    cells : (k * n, G) float
        Of `PerturbedCells`: counts of n cells of each perturbation, one perturbation after another.
    supported : (G,) bool
        The genes that the predictor can remove.
    max_order : int or None
        How many genes it can remove at once; None for any number.
    response_kind : str
        What `response` means, see `PredictorSpec.response`.
    """

    profile: FloatArray | None = None
    wild_type: FloatArray | None = None
    raw: FloatArray | None = None
    propagated: FloatArray | None = None
    rows: FloatArray | None = None
    gene_scores: FloatArray | None = None
    response: FloatArray | None = None
    interaction: FloatArray | None = None
    cells: FloatArray | None = None
    supported: BoolArray | None = None
    max_order: int | None = None
    response_kind: str = "profile-change"

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, Any], **more: Any) -> Answers:
        """Answers from stored arrays by their names; names that are no field are passed over."""
        known = {field.name for field in fields(cls)}
        return cls(**{name: values for name, values in arrays.items() if name in known}, **more)
