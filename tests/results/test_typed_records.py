"""Records as typed parts: published ones come back byte for byte, every field is documented, and
the published JSON Schema says what the types say.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import factories
import pytest
from places import REPOSITORY

from kobench.results.faults import Fault
from kobench.results.parts import MetricScore, Record, RunLimits
from kobench.results.records import SCHEMA, parse_record
from kobench.results.schema import field_words, json_schema, parts_of
from kobench.results.typed import fields_of
from kobench.util.files import canonical_json

PACKED = sorted((REPOSITORY / "leaderboards").glob("*/records.jsonl.gz"))
TYPES = {
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "null": (type(None),),
    "object": (dict,),
    "array": (list,),
}


@pytest.fixture(params=PACKED, ids=lambda path: path.parent.name)
def lines(request: pytest.FixtureRequest) -> list[str]:
    """Published records as they were written; of a large board every seventh."""
    with gzip.open(request.param, "rt", encoding="utf-8") as file:
        every = file.read().splitlines()
    return every[:: 7 if len(every) > 1000 else 1]


def test_published_records_come_back_byte_for_byte(lines):
    for line in lines:
        assert canonical_json(Record.from_json(json.loads(line)).to_json()) == line


def test_an_upgrade_adds_to_a_record_and_changes_nothing_else(lines):
    document = json.loads(lines[0])
    upgraded = parse_record(document, "a record").to_json()
    if document["schema"] == SCHEMA:  # of this format: nothing is added
        assert upgraded == document
        return
    assert upgraded.pop("about")["dataset"]
    assert {**upgraded, "schema": document["schema"]} == document
    again = parse_record({**upgraded, "about": {}}, "a record")
    assert again.schema == SCHEMA


def wrong(value: Any, schema: Mapping[str, Any], whole: Mapping[str, Any]) -> Iterator[str]:
    """What a JSON Schema finds wrong with a value: as much of it as this schema uses."""
    if "$ref" in schema:
        schema = whole["$defs"][schema["$ref"].rpartition("/")[2]]
    if "anyOf" in schema:
        found = [list(wrong(value, one, whole)) for one in schema["anyOf"]]
        yield from [] if [] in found else found[0]
        return
    names = schema.get("type", list(TYPES))
    names = [names] if isinstance(names, str) else names
    if type(value) not in {kind for name in names for kind in TYPES[name]}:
        yield f"{value!r} is no {names}"
    elif isinstance(value, dict):
        yield from (f"{key} is missing" for key in schema.get("required", ()) if key not in value)
        for key, inner in value.items():
            of_key = schema.get("properties", {}).get(key, schema.get("additionalProperties", {}))
            yield from wrong(inner, of_key, whole)
    elif isinstance(value, list):
        for inner in value:
            yield from wrong(inner, schema["items"], whole)


def test_published_records_fit_the_json_schema(lines):
    schema = json.loads((REPOSITORY / "docs" / "records.schema.json").read_text("utf-8"))
    assert schema == json_schema()
    for line in lines[::5]:
        assert list(wrong(json.loads(line), schema, schema)) == []


@pytest.mark.parametrize(
    ("part", "key", "value"),
    [("result", "status", 3), ("trial", "fit_seed", 1.5), ("keys", "fit", None)],
)
def test_what_the_types_refuse_the_json_schema_refuses_too(part, key, value):
    document = factories.record("p", 0.5)
    document[part][key] = value
    schema = json_schema()
    (said,) = wrong(document, schema, schema)
    assert said.startswith(f"{value!r} is no ")
    with pytest.raises(Fault, match=f"{part}.{key} is"):
        Record.from_json(document)


def test_every_field_says_what_it_is():
    for part in parts_of(Record):
        assert list(field_words(part)) == [one.name for one in fields_of(part)], part


METRIC = {
    "version": 1,
    "value": 0.5,
    "draws": [],
    "direction": "higher",
    "best": 1.0,
    "low": 0.0,
    "high": 1.0,
    "nothing": None,
    "missing": None,
    "floors": {},
}


def test_a_part_made_here_has_all_keys_but_those_that_say_nothing():
    given = {name: value for name, value in METRIC.items() if name != "nothing"}
    assert MetricScore(**given).to_json() == METRIC
    assert MetricScore(**given, sampling_error=0.1).to_json() == {**METRIC, "sampling_error": 0.1}
    assert RunLimits(seconds=1.0).to_json() == {
        "seconds": 1.0,
        "memory_mb": None,
        "processes": None,
        "written_mb": None,
    }


def test_a_part_that_was_read_keeps_what_it_lacked_what_was_null_and_what_is_unknown():
    document = {**METRIC, "permuted": None, "later": [1]}
    del document["nothing"]
    found = MetricScore.from_json(document)
    assert (found.nothing, found.permuted, found.others) == (None, None, {"later": [1]})
    assert found.to_json() == document
    changed = replace(found, nothing=0.0)
    assert changed.to_json() == {**document, "nothing": 0.0}


def test_a_part_is_looked_up_as_its_document_is():
    read = MetricScore.from_json({**METRIC, "permuted": None, "later": [1]})
    made = MetricScore(**METRIC)
    for part in (read, made):
        assert (part["value"], part.get("value", 7)) == (METRIC["value"],) * 2
        assert "value" in part
        assert "sampling_error" not in part
        assert part.get("sampling_error", 7) == 7
        with pytest.raises(KeyError):
            part["sampling_error"]
        with pytest.raises(KeyError):
            part["unheard of"]
    assert ("later" in read, read["later"], read.get("later")) == (True, [1], [1])
    assert ("later" in made, made.get("later")) == (False, None)
    assert ("permuted" in read, "permuted" in made) == (True, False)
    filled = replace(made, sampling_error=0.5)
    assert (filled["sampling_error"], filled.get("sampling_error")) == (0.5, 0.5)
