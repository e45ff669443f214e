"""Parameters that take one value or several: how they are declared, described and checked."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kobench.datasets.card_checks import check_parameter
from kobench.datasets.card_schema import parameter_of
from kobench.errors import UserError
from kobench.plugins.parameters import canonical, complete
from kobench.specs import DatasetSpec, Param
from kobench.util.grammar import parse
from kobench.worker.describe.spec_json import spec_from_json, spec_to_json
from kobench.worker.describe.validation import faults

SPEC = DatasetSpec("many", "some.module:load", params={"control": Param("WT", many=True, low=None)})


def test_it_comes_through_the_description() -> None:
    described = spec_from_json(json.loads(json.dumps(spec_to_json(SPEC))))
    assert described.params["control"] == SPEC.params["control"]
    assert list(faults(SPEC, reference=False)) == []
    for wrong in (Param("WT", many=1), Param(["WT"], many=True), Param(None, many=True)):
        spec = DatasetSpec("many", "some.module:load", params={"control": wrong})
        (fault,) = faults(spec, reference=False)
        assert "many is" in fault


@pytest.mark.parametrize(
    ("text", "value", "again"),
    [
        ("many", "WT", "many"),
        ("many:control=NT", "NT", "many:control=NT"),
        ('many:control=["NT", "NT"]', "NT", "many:control=NT"),
        ('many:control=["WT"]', "WT", "many"),
        ('many:control=["B", "A"]', ["B", "A"], 'many:control=["B", "A"]'),
    ],
)
def test_one_dataset_has_one_text(text: str, value: Any, again: str) -> None:
    found = complete(parse(text), SPEC.params, "dataset")
    assert found == {"control": value}
    assert canonical("many", found, SPEC.params) == again


@pytest.mark.parametrize("value", ["3", "[]", "[1]", '["A", ["B"]]', "true"])
def test_what_is_no_such_value(value: str) -> None:
    with pytest.raises(UserError, match="control of dataset 'many' is"):
        complete(parse(f"many:control={value}"), SPEC.params, "dataset")
    with pytest.raises(UserError, match="parameter control is"):
        check_parameter("control", parse(f"x:y={value}").params["y"], SPEC, "card")


def test_the_schema_of_cards_has_both() -> None:
    assert parameter_of(Param("WT", "who is left alone", many=True)) == {
        "description": "who is left alone",
        "anyOf": [
            {"type": "string"},
            {"type": "array", "items": {"type": "string"}, "minItems": 1},
        ],
    }
    assert parameter_of(Param({}))["type"] == "object"
