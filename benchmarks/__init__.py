"""How fast kobench is, measured against plain formulations in the same run: `python -m benchmarks`.

Nothing here is installed.
"""
