"""The built-in datasets, tasks, metrics and floors, registered by the same hooks as a stranger's plugin."""

from __future__ import annotations
