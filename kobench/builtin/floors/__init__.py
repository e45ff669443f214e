"""Trivial predictors: what a method must beat to have learnt anything.

Ordinary predictors; they need numpy only.
"""

from __future__ import annotations
