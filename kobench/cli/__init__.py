"""The command line: parse, call, print, exit code."""

from kobench.cli.main import main

__all__ = ["main"]
