"""A place for predictors that misbehave, and the run without any of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from misbehaving.frame import Done, Place


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with Place(tmp_path_factory.mktemp("misbehaviour")) as made:
        yield made


@pytest.fixture(scope="module")
def without(place: Place) -> Done:
    """The run with the two well-behaved predictors alone."""
    done = place.run([])
    assert (done.code, {done.rows[name]["result"]["status"] for name in ("calm", "steady")}) == (
        0,
        {"ok"},
    ), done.stderr
    return done
