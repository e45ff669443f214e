"""The metrics of responses: how well the mean change of every gene is predicted."""

from __future__ import annotations

from kobench.builtin.metrics.centroid import CentroidAccuracy
from kobench.builtin.metrics.delta import (
    DeltaCorrelation,
    ProductCorrelation,
    UnitCorrelation,
)
from kobench.builtin.metrics.responders import FindingResponders, SignAccuracy

pearson_delta_centred = ProductCorrelation("pearson", centred=True)
pearson_delta_centred_unit = UnitCorrelation("pearson", centred=True)
pearson_delta = ProductCorrelation("pearson")
spearman_delta = DeltaCorrelation("spearman")
cosine_delta = ProductCorrelation("cosine")
sign_accuracy = SignAccuracy()
auprc_responding = FindingResponders()
centroid_accuracy = CentroidAccuracy()
