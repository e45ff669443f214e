"""Kept for authors' tests, which import `kobench.checking.testing`; the checks are in `kobench.checks`."""
