"""Every plugin that is there: found, described in a child process, listed in a registry."""

from kobench.plugins.entry import Entry
from kobench.plugins.load import links_of, load_registry, resolve
from kobench.plugins.registry import Registry
from kobench.plugins.sources import OWN, PluginProblem

__all__ = ["OWN", "Entry", "PluginProblem", "Registry", "links_of", "load_registry", "resolve"]
