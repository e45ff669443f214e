"""Wrong answers.

What is never one and the same from run to run, or in another order, a run can't know: the
contract's checks find it.
"""

from __future__ import annotations

from misbehaving.fake import Fake


def _profile(name: str, answer: str, says: str, predict: str = "", needs: str = "") -> Fake:
    return Fake(
        f"answers-{name}", "invalid", says, "profile", predict=predict, answer=answer, needs=needs
    )


def _knockout(name: str, answer: str, says: str) -> Fake:
    methods = f"""
    def predict_knockout(self, cells, knockouts):
        rows = self.predict_expression(knockouts.remove_from(cells.assemblages()))
        return {answer}
    """
    return Fake(
        f"answers-{name}",
        "invalid",
        says,
        "singles",
        methods=methods,
        answers=("expression", "knockout"),
    )


def _impact(name: str, answer: str, says: str) -> Fake:
    methods = f"""
    def predict_impact(self, cells, knockouts):
        from kobench.api import Impacts
        impacts = np.linspace(0, 1, len(knockouts))
        return {answer}
    """
    return Fake(
        f"answers-{name}",
        "invalid",
        says,
        "singles",
        methods=methods,
        answers=("expression", "impact"),
    )


def _scores(name: str, answer: str, says: str) -> Fake:
    methods = f"def score_genes(self, cells, genes):\n    return {answer}"
    return Fake(
        f"answers-{name}",
        "invalid",
        says,
        "singles",
        methods=methods,
        answers=("expression", "genes"),
    )


ANSWERS = [
    _profile("nan", "rows * np.nan", "nan .* not finite"),
    _profile("infinity", "np.where(rows > rows.max() - 1e-9, np.inf, rows)", "inf .* not finite"),
    _profile("negative", "rows - 2 * rows.max() * (np.arange(rows.shape[1]) == 0)", ">= 0"),
    _profile("the-wrong-shape", "rows[:, :-1]", "shape .*; expected"),
    _profile("too-few-rows", "rows[:-1]", "shape .*; expected"),
    _profile("transposed", "rows.T", "shape .*; expected"),
    _profile("text", "rows.astype(str)", "dtype <U"),
    _profile("complex", "rows.astype(complex)", "dtype complex128"),
    _profile("objects", "rows.astype(object)", "dtype object"),
    _profile("structured", "rows.view([('a', float)])", "dtype|shape"),
    _profile("half-precision", "rows.astype(np.float16)", "float16"),
    _profile("ragged", "[row[:place] for place, row in enumerate(rows)]", "returned list"),
    _profile("a-list", "rows.tolist()", "returned list"),
    _profile("nothing", "None", "returned NoneType"),
    _profile("a-generator", "(row for row in rows)", "returned generator"),
    _profile(
        "a-coroutine", "later()", "returned coroutine", predict="async def later(): return rows"
    ),
    _profile("a-scalar", "0.5", "returned float"),
    _profile(
        "a-tensor", "torch.tensor(rows)", "returned Tensor", predict="import torch", needs="torch"
    ),
    _profile(
        "a-sparse-matrix",
        "scipy.sparse.csr_matrix(rows)",
        "returned csr_matrix",
        predict="import scipy.sparse",
    ),
    _profile("a-frame", "pandas.DataFrame(rows)", "returned DataFrame", predict="import pandas"),
    _profile("a-masked-array", "np.ma.masked_array(rows, rows == 0)", "returned MaskedArray"),
    _profile(
        "a-lying-array",
        "rows.view(Lying)",
        "returned Lying",
        predict=(
            "class Lying(np.ndarray):\n    dtype = shape = sum = min = max = property(lambda s: 1"
            " / 0)"
        ),
    ),
    _profile("rows-that-sum-to-2", "rows * 2", "sums to 2; every profile must sum to 1"),
    _profile("all-zero", "rows * 0", "sums to 0; every profile must sum to 1"),
    _knockout("mass-at-a-removed-gene", "np.full_like(rows, 1 / rows.shape[1])", "removed"),
    _knockout("knockouts-in-the-wrong-order", "rows[::-1].copy()", "removed"),
    _knockout("too-few-knockouts", "rows[:-1]", "shape .*; expected"),
    _impact("a-negative-impact", "Impacts(raw=-impacts, propagated=impacts)", "negative|>= 0"),
    _impact("an-infinite-impact", "Impacts(raw=impacts, propagated=impacts / 0)", "not finite"),
    _impact("a-bare-impact", "impacts", "Impacts"),
    _impact("no-impact", "None", "Impacts"),
    _scores("nan-scores", "np.full(len(genes), np.nan)", "not finite|nan"),
    _scores("too-few-scores", "np.zeros(len(genes) - 1)", "shape"),
    Fake(
        "answers-yes-to-everything",
        "invalid",
        "supports",
        "fit",
        methods="def __getattr__(self, name): return lambda *given: 'yes'",
    ),
    Fake(
        "says-odd-things-of-what-it-supports",
        "invalid",
        "supports",
        "fit",
        methods="def supports(self, genes): return [1] * len(genes)",
    ),
]

#: A run can't know that these are wrong. `kobench check` does, by the check named.
ONLY_CHECKED = {
    "permuted-events": Fake(
        "mixes-up-its-events",
        "ok",
        methods="""
        def predict_impact(self, cells, knockouts):
            from kobench.api import Impacts
            place = np.arange(len(knockouts)) + 1.0
            return Impacts(raw=place, propagated=place)
        """,
        answers=("expression", "impact"),
    ),
    "same-seed": Fake(
        "answers-differently-each-time",
        "ok",
        predict=(
            "rows = rows * np.random.default_rng().uniform(0.5, 1, rows.shape); rows = rows /"
            " rows.sum(1, keepdims=True)"
        ),
    ),
    "input-unchanged": Fake("writes-into-its-input", "ok", predict="assemblages[:] = True"),
    "global-random-state": Fake("changes-the-global-seed", "ok", fit="np.random.seed(3)"),
}
