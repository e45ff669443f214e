"""Every rule of `kobench verify` on where records come from, their tables, and several together.

Each rule has numbers on both of its sides, worked out by hand.
"""

from __future__ import annotations

import math
from dataclasses import replace
from types import SimpleNamespace

import factories
import pytest

from kobench import __version__
from kobench.errors import INCONSISTENT
from kobench.results.parts import Record
from kobench.runner.keys import fit_key
from kobench.verify.consistent import check_consistent, without
from kobench.verify.finding import Finding, by_record
from kobench.verify.known import Known
from kobench.verify.origin import (
    check_distribution,
    check_hashes,
    check_origin,
    check_run,
    is_hash,
    number_of,
)
from kobench.verify.tables import check_table, numbers
from kobench.verify.together import (
    check_codes,
    check_datasets,
    check_floors,
    check_questions,
    check_together,
    others,
    usual,
)

TASK = factories.TASK

#: A sha256 as good as any.
HASH = "0123456789abcdef" * 4

NOTHING_KNOWN = SimpleNamespace(
    task=lambda _: None,
    metric=lambda task, shown: None,
    names_of=lambda *_: frozenset(),
    ranks_by_impacts=lambda _: False,
)


def read(document) -> Record:
    (one,) = factories.read([document])
    return one


# where it comes from


@pytest.mark.parametrize(
    ("text", "fine"),
    [
        (HASH, True),
        (HASH[:-1], False),
        (HASH + "0", False),
        (HASH.upper(), False),
        ("012345" + "0" * 58, True),
        ("01234" + "0" * 59, False),
        ("", False),
    ],
)
def test_what_can_be_a_hash(text, fine):
    assert is_hash(text) == fine


@pytest.mark.parametrize(("digits", "fine"), [(15, False), (16, True), (64, True), (65, False)])
def test_how_long_the_hash_of_a_predictors_code_is(digits, fine):
    document = sound()
    document["trial"]["predictor"]["digest"] = (HASH + "0")[:digits]
    assert bool(hashes(document)) != fine
    assert hashes({**document, "role": "line"}) == []


def sound(**more):
    """A record with hashes wherever they belong."""
    document = factories.record("mlp", 0.5, **more)
    document["trial"]["dataset"]["digest"] = document["trial"]["predictor"]["digest"] = HASH
    document["keys"] = {"fit": HASH, "questions": {"singles": HASH}, "scores": {TASK: HASH}}
    document["result"]["answers"] = {"singles": HASH}
    return document


def hashes(document):
    return list(check_hashes(read(document)))


@pytest.mark.parametrize(
    ("where", "said"),
    [
        (("keys", "fit"), "its key of fit is 'x', expected a sha256"),
        (("keys", "questions", "singles"), "its key of singles is 'x', expected a sha256"),
        (("keys", "scores", TASK), f"its key of {TASK} is 'x', expected a sha256"),
        (("trial", "dataset", "digest"), "its dataset has the digest 'x', expected a sha256"),
        (("trial", "predictor", "digest"), "its code has the digest 'x', expected a hash"),
        (("result", "answers", "singles"), "its answers to singles are 'x', expected a sha256"),
    ],
)
def test_each_hash_of_a_record_is_looked_at(where, said):
    document = sound()
    assert hashes(document) == []
    part = document
    for key in where[:-1]:
        part = part[key]
    part[where[-1]] = "x"
    assert hashes(document) == [said]


def test_the_key_of_a_fit_follows_from_what_its_record_says():
    record = read(sound())
    assert list(check_hashes(record)) == []  # older ones do not say of which contract and source
    fit = fit_key(3, "source", "predictor", record.trial)
    keys = replace(record.keys, fit=fit, contract=3, source="source")
    assert list(check_hashes(replace(record, keys=keys))) == []
    trial = record.trial
    for other in (
        replace(record, keys=replace(keys, contract=4)),
        replace(record, keys=replace(keys, source="other")),
        replace(record, keys=replace(keys, fit=HASH)),
        replace(record, keys=keys, role="floor"),
        replace(record, keys=keys, trial=replace(trial, threads=2)),
        replace(record, keys=keys, trial=replace(trial, fit_seed=1)),
        replace(record, keys=keys, trial=replace(trial, split=replace(trial.split, seed=1))),
        replace(
            record,
            keys=keys,
            trial=replace(trial, predictor=replace(trial.predictor, selection="mlp:width=9")),
        ),
    ):
        if other.keys == keys:
            other = replace(other, keys=replace(keys, contract=3))
        (said,) = check_hashes(other)
        assert said.startswith("its key does not follow")
    # one of the two alone is as good as none
    for half in (replace(keys, contract=None), replace(keys, source=None)):
        assert list(check_hashes(replace(record, keys=half))) == []
    # a contract or source that is there counts, though it be 0 or ""
    empty = replace(keys, contract=0, source="")
    assert len(list(check_hashes(replace(record, keys=empty)))) == 1
    fit = fit_key(0, "", "predictor", record.trial)
    assert list(check_hashes(replace(record, keys=replace(empty, fit=fit)))) == []


@pytest.mark.parametrize(
    ("name", "distribution", "fine"),
    [
        ("mlp", "mine", True),
        ("env/mlp", "mine", True),
        ("other", "mine", False),
        ("other", "not-installed", True),
    ],
)
def test_a_distribution_that_is_here_brings_the_predictor(name, distribution, fine):
    asked = []

    def names_of(who, version):
        asked.append((who, version))
        return frozenset(["mlp"]) if who == "mine" else frozenset()

    known = SimpleNamespace(names_of=names_of)
    document = sound(distribution=distribution)
    document["trial"]["predictor"]["name"] = name
    said = list(check_distribution(read(document), known))
    assert said == ([] if fine else ["it is said to come with mine 0.1.0, which brings no 'other'"])
    assert asked == [(distribution, "0.1.0")]
    assert list(check_distribution(read({**document, "role": "line"}), known)) == []


def test_what_a_distribution_brings_is_asked_of_its_version_here():
    def entry(name, distribution, version, trusted=True, answers=("knockout",)):
        spec = SimpleNamespace(name=name, answers=answers)
        return SimpleNamespace(
            spec=spec, distribution=distribution, version=version, trusted=trusted
        )

    registry = SimpleNamespace(
        predictors={
            "a": [entry("a", "mine", "1"), entry("a", "other", "1")],
            "b": [entry("b", "mine", "2"), entry("b", "mine", "1")],
        }
    )
    known = Known(registry)
    assert known.names_of("mine", "1") == known.names_of("mine", "1/3") == {"a", "b"}
    assert known.names_of("mine", "2") == {"b"}
    assert known.names_of("mine", "3") == known.names_of("nobody", "1") == frozenset()
    found = {
        "impacts": entry("x", "kobench", "1"),
        "genes": entry("x", "kobench", "1", answers=("knockout", "genes")),
        "theirs": entry("x", "mine", "1", trusted=False),
    }
    known = Known(SimpleNamespace(find=lambda kind, name: found[name]))
    assert [known.ranks_by_impacts(name) for name in found] == [True, False, False]


NUMBERS = number_of(__version__)


@pytest.mark.parametrize(
    ("version", "fine"),
    [
        (__version__, True),
        ("0.0.1", True),
        (f"{NUMBERS[0]}.{NUMBERS[1] + 1}.0", False),
        (f"{NUMBERS[0] + 1}.0", False),
        (None, True),
    ],
)
def test_no_record_is_of_a_newer_kobench(version, fine):
    record = read(sound(role="floor", run={"kobench": version}))
    assert bool(list(check_run(record))) != fine


def test_versions_are_compared_by_their_first_three_numbers():
    assert number_of("0.10.1") == number_of("0.10.1.dev3") == (0, 10, 1)
    assert number_of("12") == (12,)
    assert number_of("1.2") < number_of("1.2.1") < number_of("1.10")


@pytest.mark.parametrize(
    ("started", "fine"),
    [
        ("2025-10-01T00:00:00+00:00", True),
        ("2025-09-30T23:59:59+00:00", False),
        ("2025-10-01T00:30:00+01:00", False),
        ("2025-10-01T00:00:00", True),
        ("yesterday", False),
        (None, True),
    ],
)
def test_no_run_began_before_there_was_a_kobench(started, fine):
    record = read(sound(role="floor", run={"started": started}))
    assert bool(list(check_run(record))) != fine


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("fit_seconds", "its fit took"),
        ("predict_seconds", "its answers took"),
        ("peak_mb", "its memory was"),
    ],
)
def test_no_cost_is_below_0(what, said):
    for value, fine in ((0.0, True), (0.5, True), (-0.5, False)):
        record = read(sound(role="floor"))
        record = replace(record, run=replace(record.run, **{what: value}))
        assert list(check_run(record)) == ([] if fine else [f"{said} -0.5"])


def test_whoever_fitted_something_and_ended_well_says_how_it_was_shut_in():
    record = read(sound())
    unsaid = ["it says nothing of the sandbox in which its predictor ran"]
    run = record.run
    assert run.sandbox is None
    assert list(check_run(record)) == unsaid
    assert list(check_run(replace(record, role="floor"))) == []
    assert list(check_run(replace(record, run=replace(run, fit_seconds=None)))) == []
    assert list(check_run(replace(record, run=replace(run, fit_seconds=0.0)))) == unsaid
    failed = replace(record, result=replace(record.result, status="failed"))
    assert list(check_run(failed)) == []
    for layers, said in (([], ["its sandbox has no layers"]), (["landlock"], [])):
        sandbox = SimpleNamespace(layers=layers)
        assert list(check_run(replace(record, run=replace(run, sandbox=sandbox)))) == said


def test_all_that_is_said_of_an_origin_is_looked_at():
    document = sound(run={"started": "never"}, distribution="mine")
    document["trial"]["dataset"]["digest"] = "x"
    known = SimpleNamespace(names_of=lambda *_: frozenset(["other"]))
    said = list(check_origin(read(document), known))
    assert len(said) == 4
    for word in ("digest", "brings no", "ISO 8601", "sandbox"):
        assert word in " ".join(said)


# tables


def test_only_numbers_of_a_column_are_numbers():
    found = numbers([1, 0.5, None, True, "3"])
    assert found[:2].tolist() == [1.0, 0.5]
    assert [math.isnan(each) for each in found] == [False, False, True, True, True]


def table_said(task, metrics, table, ranks=False, known=True, predictor="mlp"):
    label = f"{task}@2"
    made = factories.scores(metrics, label, [next(iter(metrics))], table=table)
    record = read(factories.record(predictor, made))
    asked = []

    def ranks_by_impacts(name):
        asked.append(name)
        return ranks

    here = SimpleNamespace(
        task=lambda name: name if known else None, ranks_by_impacts=ranks_by_impacts
    )
    said = list(check_table(record, record.result.scores[label], here))
    assert set(asked) <= {"mlp"}
    return said


MEANS = "pearson-delta"


@pytest.mark.parametrize(
    ("column", "value", "fine"),
    [
        ([0.2, 0.4], 0.3, True),
        ([0.2, 0.4], 0.3 + 9e-6, True),
        ([0.2, 0.4], 0.3 + 1.1e-5, False),
        ([0.2, 0.4], 0.3 - 1.1e-5, False),
        ([0.2, None, 0.4], 0.3, True),
        ([None, None], 0.3, False),
        ([0.2, 0.4], None, True),
    ],
)
def test_a_mean_over_perturbations_is_that_of_its_column(column, value, fine):
    metric = factories.metric(value, missing=None if value is not None else "none")
    said = table_said("response", {MEANS: metric}, {MEANS: column})
    assert bool(said) != fine
    if not fine:
        many = sum(each is not None for each in column)
        assert f"the mean of its {many} perturbations" in said[0]


def test_each_mean_is_looked_at_though_another_has_no_column():
    metrics = {f"{MEANS}": 0.9, f"{MEANS}-centred": 0.9, f"{MEANS}-centred-unit": 0.9}
    table = {name: [0.1, 0.3] for name in metrics}
    assert len(table_said("response", metrics, table)) == 3
    for name in metrics:
        some = {key: column for key, column in table.items() if key != name}
        assert len(table_said("response", metrics, some)) == 2
        fewer = {key: value for key, value in metrics.items() if key != name}
        assert len(table_said("response", fewer, table)) == 2
    assert table_said("response", metrics, table, known=False) == []
    assert table_said("profile", metrics, table) == []


#: Spearman's correlation of 1, 2, 3, 4 with these is 0.8, with ties 0.949.
RANKED, TIED = [1.0, 2.0, 4.0, 3.0], [1.0, 2.0, 3.0, 3.0]


@pytest.mark.parametrize(
    ("predicted", "value", "fine"),
    [
        (RANKED, 0.8, True),
        (RANKED, 0.8009, True),
        (RANKED, 0.8011, False),
        (RANKED, 0.7989, False),
        (TIED, 0.9487, True),
        (TIED, 1.0, False),
        ([1.0, 1.0, 1.0, 1.0], 0.3, True),  # has no ranks
        ([1.0, None, None, None], 0.3, True),
        ([1.0, 2.0, None, None], 0.3, False),
        ([10.0, 20.0, None, 30.0], 1.0, True),
    ],
)
@pytest.mark.parametrize(("task", "truth"), [("response-size", "size"), ("keystone", "true")])
def test_a_correlation_of_ranks_is_that_of_its_table(task, truth, predicted, value, fine):
    table = {truth: [0.1, 0.2, 0.3, 0.4], "predicted": predicted}
    said = table_said(task, {"spearman": value}, table, ranks=True)
    assert bool(said) != fine
    if not fine:
        assert said[0].startswith(f"spearman is {value:g}, and that of its table is")


def test_a_table_of_genes_tells_where_they_are_ranked_by_impacts_alone():
    table = {"true": [0.1, 0.2, 0.3, 0.4], "predicted": RANKED, "size": [4.0, 3.0, 2.0, 1.0]}
    assert table_said("keystone", {"spearman": 0.1}, table, ranks=False) == []
    assert len(table_said("keystone", {"spearman": 0.1}, table, ranks=True)) == 1
    assert len(table_said("response-size", {"spearman": 0.1}, table, ranks=False)) == 1
    assert table_said("keystone", {"spearman": 0.1}, {"true": [0.1, 0.2]}, ranks=True) == []
    assert table_said("keystone", {"mae": 0.1}, table, ranks=True) == []
    nothing = {"spearman": factories.metric(None, missing="none")}
    assert table_said("keystone", nothing, table, ranks=True) == []
    constant = {"true": [0.1] * 4, "predicted": RANKED}
    assert table_said("keystone", {"spearman": 0.1}, constant, ranks=True) == []


# together


def named(predictor, role="predictor", seed=0, digest="cells", version=1, **more):
    document = factories.record(predictor, 0.5, role=role, seed=seed, **more)
    document["trial"]["dataset"].update(digest=digest, version=version)
    return read(document)


def digest_of(record):
    return record.trial.dataset.digest


def test_what_is_usual_is_what_floors_have_and_without_them_what_most_have():
    floors = [named("f", "floor", digest="x"), named("g", "floor", digest="y")]
    many = [named(name, digest="z") for name in "abc"]
    assert usual([*many, *floors], digest_of) == "x"  # the first by name of two as frequent
    assert usual([*many, *floors, named("h", "floor", digest="y")], digest_of) == "y"
    assert usual([*many, named("d", digest="a")], digest_of) == "z"
    found = [(one.trial.predictor.name, text) for one, text in others([*many, *floors], digest_of)]
    assert found == [("a", "x"), ("b", "x"), ("c", "x"), ("g", "x")]


def told(findings):
    return [(one.what, one.task, one.reason) for one in findings]


def test_rows_on_other_cells_or_another_version_of_a_dataset_are_named():
    floor = named("f", "floor")
    assert list(check_datasets([floor, named("a"), named("b", seed=1, digest="other")])) == []
    (found,) = check_datasets([floor, named("a", digest="others" * 4)])
    assert (found.record.trial.predictor.name, found.task) == ("a", "")
    assert found.reason == ("its cells have the digest othersothersothe, those of the floors cells")
    (found,) = check_datasets([floor, named("a", version=2)])
    assert found.reason == "its dataset has version 2, that of the floors 1"
    # a version is that of the dataset, on whichever network
    assert len(list(check_datasets([floor, named("a", seed=1, version=2)]))) == 1
    assert len(list(check_datasets([floor, named("a", version=2, digest="x")]))) == 2
    assert list(check_datasets([floor, named("a", dataset="grn:genes=9", version=2)])) == []


def coded(*codes, role="predictor", **more):
    found = []
    for seed, (version, digest) in enumerate(codes):
        document = factories.record("mlp", 0.5, role=role, seed=seed, **more)
        document["trial"]["predictor"].update(version=version, digest=digest)
        found.append(read(document))
    return found


def test_a_row_is_of_one_code():
    a, b = ("1", "a" * 16), ("1", "b" * 16)
    assert list(check_codes(coded(a, a))) == []
    for codes in ((a, b), (a, ("2", "a" * 16))):
        found = list(check_codes(coded(*codes)))
        assert len(found) == 2
        assert found[0].what == "mlp on grn:genes=100, holdout"
        assert "of 2 versions of its code: version 1 (aaaaaaaa), version" in found[0].reason
    assert len(list(check_codes(coded(a, b, role="floor")))) == 2
    assert list(check_codes(coded(a, b, role="line"))) == []
    # on another dataset or split it is another row
    assert list(check_codes([*coded(a), *coded(b, dataset="grn:genes=9")])) == []
    assert list(check_codes([*coded(a), *coded(b, split=("all", 0))])) == []
    assert len(list(check_codes([*coded(a), *coded(b, split=("holdout", 1))]))) == 2
    five = [(str(number), "a" * 16) for number in range(5)]
    reason = next(check_codes(coded(*five))).reason
    assert "of 5 versions" in reason
    assert reason.count("version ") == 4


def asked(predictor, role="predictor", task=TASK, **more):
    given = {key: more.pop(key) for key in ("seed", "split", "dataset") if key in more}
    made = factories.scores({"spearman": 0.5}, task, **more)
    return read(factories.record(predictor, made, role=role, **given))


def test_rows_of_one_task_were_asked_the_same_units():
    floor = asked("f", "floor")
    assert list(check_questions([floor, asked("a")])) == []
    (found,) = check_questions([floor, asked("a", asked=999, answered=999)])
    assert (found.task, found.reason) == (TASK, "was asked 999 units, the floors 1000 units")
    (found,) = check_questions([floor, asked("a", left_out={"silent": 2, "few": 1})])
    assert found.reason == ("was asked 1000 units, 1 few, 2 silent left out, the floors 1000 units")
    # the order in which a record names them is none of another question
    one, other = {"silent": 2, "few": 1}, {"few": 1, "silent": 2}
    assert (
        list(check_questions([asked("f", "floor", left_out=one), asked("a", left_out=other)])) == []
    )
    # who answered nothing says nothing
    nobody = asked("a", asked=999, answered=0, coverage=0.0)
    assert list(check_questions([floor, nobody])) == []
    # other cells, splits, groups and tasks are asked other units
    less = {"asked": 999, "answered": 999}
    for more in (
        {"seed": 1},
        {"split": ("all", 0)},
        {"split": ("holdout", 1)},
        {"dataset": "grn:genes=9"},
        {"task": "keystone@1"},
    ):
        assert list(check_questions([floor, asked("a", **more, **less)])) == []
    rod = asked("a", **less)
    trial = rod.trial
    rod = replace(rod, trial=replace(trial, split=replace(trial.split, train="rod")))
    assert list(check_questions([floor, rod])) == []


def test_floors_that_a_task_names_have_records():
    made = factories.scores({"spearman": 0.5}, floors=["own-share"], lines=[])
    row = read(factories.record("a", made))
    floor = read(factories.record("own-share", made, role="floor"))
    assert list(check_floors([row, floor])) == []
    (found,) = check_floors([row])
    assert found.record is None
    assert (found.what, found.task) == ("grn:genes=100, holdout", TASK)
    assert "own-share" in found.reason


def test_all_that_records_say_together_is_looked_at():
    floor = asked("own-share", "floor", floors=["abundance"], lines=[])
    other = asked("a", asked=9, answered=9, floors=["abundance"], lines=[])
    more = [named("b", digest="x"), *coded(("1", "a" * 16), ("1", "b" * 16)), named("b", seed=3)]
    said = " / ".join(one.reason for one in check_together([floor, other, *more]))
    for words in (
        "cells have the digest",
        "versions of its code",
        "was asked 9 units",
        "with gaps",
        "abundance",
    ):
        assert words in said


# findings


def test_records_with_findings_lose_their_scores_and_say_the_first_reason():
    one, two, three = (named(name) for name in "abc")
    findings = [
        Finding(two, "b", TASK, "this"),
        Finding(None, "all rows", "", "nobody's"),
        Finding(two, "b", "", "that"),
        Finding(three, "c", "", "alone"),
    ]
    assert by_record(findings) == {
        id(two): [findings[0], findings[2]],
        id(three): [findings[3]],
    }
    first, second, third = without([one, two, three], findings)
    assert first is one
    assert second.result.message == f"{TASK}: this, and 1 more"
    assert third.result.message == "alone"
    for record in (second, third):
        result = record.result
        assert (result.status, result.stage) == (INCONSISTENT, "verify")
        assert (result.scores, result.answers) == ({}, {})
    assert second.trial == two.trial
    assert without([two], findings[:1])[0].result.message == f"{TASK}: this"
    assert str(findings[0]) == f"b, {TASK}: this"
    assert str(findings[3]) == "c: alone"


def test_every_kind_of_rule_is_asked_of_all_records():
    """First those of single records, in their order, then those of several."""
    bad = sound(run={"started": "never", "fit_seconds": None})
    bad["result"]["scores"] = factories.scores(
        {"spearman": 2.0}, "response-size@1", table={"size": [1, 2], "predicted": [2, 1]}
    )
    bad["keys"]["scores"] = {"response-size@1": HASH}
    good = sound(role="line")
    good["result"] |= {"scores": {}, "answers": {}}
    known = SimpleNamespace(
        **{
            **vars(NOTHING_KNOWN),
            "task": lambda name: SimpleNamespace(spec=SimpleNamespace(version=9)),
        }
    )
    records = [read(good), read(bad)]
    found = check_consistent(records, known)
    reasons = [one.reason for one in found]
    assert "started at 'never'" in reasons[0]
    assert [one.task for one in found[:3]] == ["", "response-size@1", "response-size@1"]
    assert reasons[1] == "spearman the value is 2, outside of its range, -1 to 1"
    assert "that of its table is -1" in reasons[2]
    assert all(one.record is records[1] for one in found[:3])
    assert found[3].record is None
    assert "so nothing is compared" in reasons[3]
