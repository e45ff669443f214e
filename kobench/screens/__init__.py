"""Screens of counted cells: made of predicted changes, and scored as the challenge of 2026 does.

`measure` turns counted cells into a table, `members` tables into six values a perturbation, and
`scale` puts these between the mean response (0) and a replicate (1). `emit` makes counted cells of
predicted changes.
"""
