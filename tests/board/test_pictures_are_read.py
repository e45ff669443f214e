"""Pictures can be read: nobody's mark is another's, no label lies on another or is cut, and no
predictor is a flat line because another one has a larger scale.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from factories import make_board, networks, points, record, scores
from places import REPOSITORY

from kobench.board import make
from kobench.board.pictures.plan import plan
from kobench.board.pictures.style import COLORS, MARKERS, style_at, styles_of
from kobench.results.records import read_records

Text = pytest.importorskip("matplotlib.text", reason="pictures need matplotlib").Text

#: What eyes without green cones, and without red ones, see of linear red, green and blue (Machado,
#: Oliveira & Fernandes 2009, severity 1).
EYES = {
    "all": np.eye(3),
    "no green": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "no red": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
}

#: From linear red, green and blue to X, Y and Z of the standard observer, for white D65.
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
WHITE = np.array([0.9505, 1.0, 1.089])


def lab(color, eyes):
    """CIE Lab of a colour such as "#0072B2", as these eyes see it."""
    share = np.array([int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    xyz = TO_XYZ @ np.clip(np.asarray(eyes) @ linear, 0, 1) / WHITE
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def test_every_method_has_a_colour_and_a_marker_that_no_other_has():
    found = styles_of(f"method {i}" for i in range(len(COLORS)))
    assert len({style.color for style in found.values()}) == len(found) == 24
    assert len({style.marker for style in found.values()}) == len(MARKERS) == 24
    many = {style_at(i)[:2] for i in range(200)}
    assert len(many) == 200


@pytest.mark.parametrize("eyes", EYES)
def test_no_two_colours_are_alike_to_any_eyes(eyes):
    seen = [lab(color, EYES[eyes]) for color in COLORS]
    assert min(np.linalg.norm(a - b) for a, b in combinations(seen, 2)) > 16


def method(name, value, predicted, true, **more):
    entry = scores({"spearman": value}, points=points(true, predicted, "response"), **more)
    return record(name, entry)


def test_a_predictor_of_another_scale_than_the_truth_has_its_own_axis():
    true = [-0.004, 0.0, 0.001, 0.005]
    board = make_board(
        [
            method("large", 0.7, [-1.0, 0.5, 0.2, 1.0], true),
            method("like", 0.6, [-0.003, 0.0, 0.002, 0.004], true),
            method("small", 0.5, [1e-5, 2e-5, 1e-5, 3e-5], true),
            record("own-share", 0.4, role="floor"),
        ]
    )
    (picture,) = [one for one in plan(board) if one.name.startswith("predicted")]
    figure = picture.figure()
    large, like, small = figure.axes
    assert [axis.get_title(loc="left").split("\n")[0] for axis in figure.axes] == [
        "large",
        "like",
        "small",
    ]
    assert large.get_ylim() == pytest.approx((-1.12, 1.12))
    assert like.get_ylim() == like.get_xlim() == pytest.approx((-0.00454, 0.00554))
    assert small.get_ylim() == pytest.approx((0.88e-5, 3.12e-5))
    assert [axis.get_ylabel().split("\n")[0] for axis in figure.axes] == [
        "predicted (own axis)",
        "predicted",
        "predicted (own axis)",
    ]
    said = " ".join(figure.get_suptitle().split())
    assert said.endswith("upright axes differ: predictions of another scale than the truth")


def crowded():
    """Seventeen methods of long names with almost the same scores and costs."""
    true = [0.1, 0.2, 0.3]
    records = []
    for i in range(17):
        name = f"a-method-of-a-long-name-{i}"
        fits = networks(name, [0.7 + 0.001 * i + 0.01 * seed for seed in range(5)])
        for one in fits:
            one["run"] = {"fit_seconds": 5.0 + 0.01 * i, "predict_seconds": 0.1, "peak_mb": 100}
        entry = scores({"spearman": 0.7 + 0.001 * i}, points=points(true, true, "impact"))
        fits[0]["result"]["scores"] = entry
        records += fits
    dataset = "grn:cell_types=4,genes=12345,network=scale-free"
    others = networks("a-method-of-a-long-name-1", [0.5] * 5, dataset=dataset)
    others += networks("own-share", [0.4] * 5, "floor", dataset=dataset)
    return make_board([*records, *networks("own-share", [0.4] * 5, "floor"), *others])


def published(suite):
    """A published board."""
    return make.make_board(list(read_records(REPOSITORY / "leaderboards" / suite)))


def one_panel():
    """The same on one dataset: the legend is below a narrow panel."""
    board = crowded()
    return replace(board, sections=board.sections[:1])


@pytest.mark.filterwarnings("error:constrained_layout")
@pytest.mark.parametrize(
    "board",
    [crowded, one_panel, lambda: published("transfer-datasets")],
    ids=["crowded", "one panel", "published"],
)
def test_no_label_lies_on_another_or_is_cut(board):
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    from kobench.board.pictures.style import look

    for picture in plan(board()):
        with look(picture.name):
            figure = picture.figure()
            canvas = FigureCanvasAgg(figure)
            canvas.draw()
        hidden = set().union(*map(not_drawn, figure.axes))
        boxes = [
            (text.get_text(), text.get_window_extent(canvas.get_renderer()))
            for text in figure.findobj(Text)
            if text.get_visible() and text.get_text().strip() and text not in hidden
        ]
        assert len(boxes) > 5
        for text, box in boxes:
            assert box.x0 >= -1, (picture.name, text)
            assert box.x1 <= figure.bbox.width + 1, (picture.name, text)
        for (text, box), (other, beside) in combinations(boxes, 2):
            wide = min(box.x1, beside.x1) - max(box.x0, beside.x0)
            high = min(box.y1, beside.y1) - max(box.y0, beside.y0)
            # boxes hold the gap between lines, too
            assert min(wide, high) < 4, (picture.name, text, other)


def not_drawn(axis):
    """The labels of an axis that lie beyond its ends, and of ticks that it has no use for."""
    found = set(axis.findobj(Text)) & {
        label
        for side in (axis.xaxis, axis.yaxis)
        for tick in (*side.majorTicks, *side.minorTicks)
        for label in (tick.label1, tick.label2)
    }
    for side in (axis.xaxis, axis.yaxis):
        low, high = sorted(side.get_view_interval())
        labels = zip(side.get_majorticklabels(), side.get_majorticklocs(), strict=True)
        found -= {label for label, place in labels if low <= place <= high}
    return found
