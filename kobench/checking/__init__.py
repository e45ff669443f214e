"""The old name of `kobench.checks`, kept for the tests of plugin authors that import from it."""
