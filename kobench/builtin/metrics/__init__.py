"""The built-in metrics: of profiles, of impacts, of rankings; and how blocks are drawn again for intervals."""

from __future__ import annotations
