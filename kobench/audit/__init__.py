"""What a dataset can be asked, and what a reviewer asks before believing a board on it.

`overview` is what `kobench datasets add` says at its end; `audit` makes the report of `kobench
datasets audit`. What is measured is measured by the truth itself (`kobench.truth.population`).
"""
