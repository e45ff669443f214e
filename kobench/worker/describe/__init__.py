"""The part of plugin discovery that runs where the plugins live: imports them, checks their specs
and writes these down.

Standard library only (numpy comes with `kobench.api`), Python 3.9: it runs in a predictor's own
environment, too.
"""
