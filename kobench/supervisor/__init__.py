"""The harness's side of a worker: start it, ask it, watch it, take its answers with care, end it."""
