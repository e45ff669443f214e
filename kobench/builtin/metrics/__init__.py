"""The built-in metrics: of profiles, of impacts, of rankings."""

from __future__ import annotations
