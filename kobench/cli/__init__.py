"""The command line: parse, call, print, exit code."""

from kobench.cli.commands import main

__all__ = ["main"]
