"""The harness's side of a worker: start it, ask it, watch it, take its answers, end it.

- `process` is the worker as the harness sees it, run by `settings`; `ended` says how it ended.
- `messages` reads the worker's replies, `arrays` the arrays of its answers, `guard` checks what the
  answers say, `output` keeps what the predictor prints. Nothing that comes from a worker is
  believed.
- `room` is the folder in which the worker lives.
- `limits` says what a trial may use; `enforcement` holds it to that by what `usage` measures, with
  `processes`, `memory`, `open_files` and `written`.
"""
