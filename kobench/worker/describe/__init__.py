"""The part of plugin discovery that runs where the plugins live.

It imports them, checks their specs and writes these down. It needs the standard library and what
`kobench.api` needs (numpy), and runs on Python 3.9, because it runs in a predictor's own
environment, too.
"""
