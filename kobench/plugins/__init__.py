"""Every plugin that is there: found, described in a child process, listed in a registry."""

from kobench.plugins.discovery import OWN, Problem
from kobench.plugins.load import links_of, load_registry, resolve
from kobench.plugins.registry import Entry, Registry

__all__ = ["OWN", "Entry", "Problem", "Registry", "links_of", "load_registry", "resolve"]
