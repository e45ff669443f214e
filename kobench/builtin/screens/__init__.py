"""Screens of counted cells, as the Virtual Cell Challenge 2026 scores them.

`measure` turns counted cells into a table, `members` tables into six values a perturbation, and
`scale` puts these between the mean response (0) and a replicate (1). `emit` makes counted cells of
predicted changes.
"""
