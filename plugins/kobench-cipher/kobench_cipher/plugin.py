"""Describes the predictor to kobench without importing it or CIPHER."""

from __future__ import annotations

from collections.abc import Iterator

from kobench.api import Param, PredictorSpec, hookimpl


@hookimpl
def kobench_predictors() -> Iterator[PredictorSpec]:
    """`cipher`, with CIPHER's own defaults."""
    yield PredictorSpec(
        "cipher",
        "kobench_cipher.cipher_response:Cipher",
        summary=(
            "CIPHER: minus the covariance of unperturbed cells with the removed gene; its strength,"
            " which CIPHER fits, is left open"
        ),
        answers=("response",),
        response="direction",
        max_order=1,
        params={
            "normalization": Param(
                "raw",
                "what is done to counts before the covariance",
                choices=("raw", "log1p", "frequency", "libsize10k", "log1CP10k", "pflog"),
            ),
            "max_cells": Param(
                10_000, "most cells the covariance is taken over, drawn by the seed", low=2
            ),
        },
        reference="Kuznets-Speck et al. 2025, doi 10.1101/2025.06.27.661814",
    )
