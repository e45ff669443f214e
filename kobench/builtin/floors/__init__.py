"""Trivial predictors: what a method must beat to have learnt anything. They need numpy only."""

from __future__ import annotations
