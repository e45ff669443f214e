"""Correlations of answers with truths, over the columns that another truth has as well."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from kobench.builtin.metrics.pairwise import (
    CANCELLED,
    correlate_rows,
    gaps_of,
    prepared,
    ratio,
    vanished,
)
from kobench.cells import BoolArray, FloatArray, IntArray

#: Numbers of a block, which stays in a processor's cache.
NUMBERS_A_BLOCK = 16_384


@dataclass(frozen=True, eq=False)
class Similarities:
    """Pearson's correlations of n answers and m truths, rows of G columns with gaps.

    What a third row lacks is taken off sums that are worked out once, by products of matrices.
    Where that leaves next to nothing, a correlation is computed by itself.

    Attributes
    ----------
    x, y : (n, G), (m, G) float
        Rows about their means, 0 at the gaps.
    on_x, on_y : (n, G), (m, G) bool
        Where they have no gaps.
    sums : (6, m, n) float
        Number of common columns, sums of x, of y, of x x, y y and x y over them.
    columns : (m, g) int
        Columns of the gaps of each truth, -1 after the last one.
    known, at_gaps : (g, m, m) float
        Whether truth q has the gap of truth j, 1 or 0, and y there, in [q, j].
    """

    x: FloatArray
    y: FloatArray
    on_x: BoolArray
    on_y: BoolArray
    sums: FloatArray
    columns: IntArray
    known: FloatArray
    at_gaps: FloatArray

    @classmethod
    def of_rows(cls, answers: FloatArray, truths: FloatArray) -> Similarities:
        """Prepare answers (n, G) and truths (m, G), NaN at the gaps."""
        on_x, on_y = ~np.isnan(answers), ~np.isnan(truths)
        x, y = prepared(answers, on_x, True), prepared(truths, on_y, True)
        of_x, of_y = on_x.astype(np.float64), on_y.astype(np.float64)
        sums = np.empty((6, len(y), len(x)))
        sums[0], sums[1], sums[2] = of_y @ of_x.T, of_y @ x.T, y @ of_x.T
        sums[3], sums[4], sums[5] = of_y @ (x * x).T, (y * y) @ of_x.T, y @ x.T
        columns = gaps_of(truths)
        known = np.array([of_y[:, column] * (column >= 0) for column in columns.T])
        at_gaps = np.array([y[:, column] * (column >= 0) for column in columns.T])
        return cls(x, y, on_x, on_y, sums, columns, known, at_gaps)

    @property
    def n_answers(self) -> int:
        """How many answers there are."""
        return len(self.x)

    @property
    def n_truths(self) -> int:
        """How many truths there are."""
        return len(self.y)

    def blocks(self, answer: int) -> Iterator[tuple[slice, FloatArray]]:
        """Some truths after the other, with their correlations, see `of`."""
        everyone = np.arange(self.n_truths)
        step = max(1, NUMBERS_A_BLOCK // max(1, self.n_truths))
        for start in range(0, self.n_truths, step):
            rows = slice(start, start + step)
            yield rows, self.of(answer, everyone[rows], everyone)

    def of(self, answer: int, rows: IntArray, others: IntArray) -> FloatArray:
        """Correlations of one answer with some truths, without the gaps of some others.

        Parameters
        ----------
        answer : int
        rows : (r,) int
            The truths that it is correlated with.
        others : (c,) int
            Truths whose gaps are left out as well.

        Returns
        -------
        (r, c) float64
            As `kobench.builtin.metrics.pairwise.correlate_rows` defines them.
        """
        n, sum_x, sum_y, xx, yy, xy = self.sums[:, rows, answer, None]
        place = rows[:, None], others
        for column, known, at_gaps in zip(
            self.columns[others].T, self.known, self.at_gaps, strict=True
        ):
            there = self.on_x[answer, column]
            off, of_y = known[place] * there, at_gaps[place] * there
            of_x = self.x[answer, column] * off
            n, sum_x, sum_y = n - off, sum_x - of_x, sum_y - of_y
            xx, yy, xy = xx - of_x * of_x, yy - of_y * of_y, xy - of_x * of_y
        n = np.maximum(n, 1.0)
        xx, yy, xy = xx - sum_x * sum_x / n, yy - sum_y * sum_y / n, xy - sum_x * sum_y / n
        found = ratio(xy, xx, yy)
        found = np.broadcast_to(found, (len(rows), len(others))) if not len(self.known) else found
        x, y = self.x[answer], self.y[rows]
        whole_x, whole_y = float(x @ x), np.einsum("ij,ij->i", y, y)[:, None]
        unsure = ((xx < CANCELLED * whole_x) & (whole_x > 0)) | (
            (yy < CANCELLED * whole_y) & (whole_y > 0)
        )
        for i, j in zip(*np.nonzero(unsure), strict=True):
            common = (self.on_x[answer] & self.on_y[rows[i]] & self.on_y[others[j]])[None]
            left = vanished(x[None], common, np.array([whole_x]), True)
            right = vanished(y[[i]], common, whole_y[i], True)
            found[i, j] = correlate_rows(left, right)[0]
        return found
