"""The command line: parse, call, print, exit code."""

# before all others, which import what may lie beside the program
from kobench.cli import alone
from kobench.cli.commands import main

__all__ = ["alone", "main"]
