"""The growth curves themselves."""

from __future__ import annotations

from benchmarks.growth import Curve

CURVES: list[Curve] = []
