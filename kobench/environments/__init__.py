"""Environments: a predictor's own interpreter and packages, each in a folder of its own.

- `environment` reads what has been made, `folder` says where it lies and holds its locks.
- `create` makes and removes environments: `interpreters` finds what one is made from, `pip`
  or `uv` (which is told pip's settings by `pip_settings`) installs into it, `wheels` sees to it
  that nothing is built where wheels alone are named, `lock` writes down
  what, `own` puts the worker's part of kobench there, `ours` tells what may be removed.
- `seen` says what an environment has; `inside` is the script that finds it.
"""
