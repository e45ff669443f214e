"""What becomes of a row that was looked at, and which evidence of it counts, on records by hand."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import factories
import pytest

from kobench.errors import INCONSISTENT, UNVERIFIABLE, WRONG, UserError
from kobench.results.evidence import (
    FILE,
    OUTCOMES,
    Evidence,
    by_place,
    digest_of,
    fitting,
    joined,
    place_of,
    read_evidence,
    record_digest,
    write_evidence,
)
from kobench.verify.consistent import without
from kobench.verify.finding import Finding
from kobench.verify.outcome import (
    CONSISTENT,
    NOT_RESCORED,
    PARTLY,
    evidence_of,
    outcomes,
    unique,
)
from kobench.verify.rescored import Rescored
from kobench.verify.signed import Signatures


def made(name="mlp", seed=0, **more):
    return factories.read([factories.record(name, 0.5, seed=seed, **more)])[0]


ROW = [made(seed=0), made(seed=1)]
OTHER = [made("gbm")]


def evidence(records=ROW, outcome="re-scored", on="2026-01-01", by="a", digest=None):
    return Evidence(
        **place_of(records[0])._asdict(),
        records=digest or digest_of(records),
        outcome=outcome,
        checked=1,
        of=len(records),
        reason="",
        by=by,
        on=on,
        kobench="1",
        python="3",
        numpy="2",
        blas="b",
    )


# rows and digests


def test_records_of_a_row_on_one_dataset_and_split_belong_together():
    trained = made(seed=0)
    split = replace(trained.trial.split, train="rod")
    trained = replace(trained, trial=replace(trained.trial, split=split))
    elsewhere = [made(dataset="x"), made(split=("all", 0)), made(role="floor"), *OTHER]
    found = by_place([*ROW, trained, *elsewhere])
    assert list(found.values()) == [[*ROW, trained], *([one] for one in elsewhere)]
    assert place_of(ROW[0]).dataset == "grn:genes=100"
    assert place_of(ROW[0]) == place_of(made(split=("holdout", 4), fit_seed=2))


def test_the_digest_of_a_row_is_of_all_that_its_records_say_but_seals_and_secrets():
    assert digest_of(ROW) == digest_of(ROW[::-1]) != digest_of(ROW[:1])
    changed = (
        replace(ROW[0], fit_seed=1) if hasattr(ROW[0], "fit_seed") else made(seed=0, fit_seed=1)
    )
    assert record_digest(changed) != record_digest(ROW[0])
    document = factories.record("mlp", 0.5)
    document["trial"]["dataset"]["secret"] = {"commitment": "c" * 64, "index": 1}
    hidden = record_digest(factories.read([document])[0])
    document["trial"]["dataset"]["secret"]["seed"] = "0x5"
    assert record_digest(factories.read([document])[0]) == hidden
    document["trial"]["dataset"]["secret"]["index"] = 2
    assert record_digest(factories.read([document])[0]) != hidden


# which evidence counts


def test_evidence_is_of_just_these_records():
    place = place_of(ROW[0])
    right = evidence()
    for given in (
        [right],
        [evidence(OTHER), right],
        [right, evidence(digest="x", outcome="re-run")],
    ):
        assert fitting(given, [*ROW, *OTHER])[place] == right
    assert fitting([right], ROW[:1]) == fitting([right], OTHER) == fitting([], ROW) == {}
    both = fitting([right, evidence(OTHER)], [*ROW, *OTHER])
    assert set(both) == {place, place_of(OTHER[0])}


def test_what_is_wrong_counts_before_levels_and_of_levels_the_highest_then_the_last():
    place = place_of(ROW[0])
    ordered = [
        evidence(outcome=UNVERIFIABLE),
        evidence(),
        evidence(on="2026-01-02"),
        evidence(outcome="re-run"),
        evidence(outcome=WRONG),
        evidence(outcome=WRONG, on="2026-01-02"),
    ]
    for number in range(1, len(ordered) + 1):
        for given in permutations(ordered[max(0, number - 3) : number]):
            assert fitting(given, ROW)[place] == ordered[number - 1]


@pytest.mark.parametrize(
    ("before", "now", "digest", "stays"),
    [
        ("re-run", "re-scored", None, True),
        ("re-scored", "re-scored", None, False),
        ("re-scored", "re-run", None, False),
        ("re-run", WRONG, None, False),
        (WRONG, "re-scored", None, False),
        ("re-scored", UNVERIFIABLE, None, True),
        ("re-run", "re-scored", "of other records", False),
    ],
)
def test_newer_evidence_and_older(before, now, digest, stays):
    place = place_of(ROW[0])
    old, new = evidence(outcome=before, digest=digest), evidence(outcome=now, by="b")
    far = evidence(OTHER)
    assert joined([old, far], {place: new}) == ([old, far] if stays else [far, new])
    assert joined([old, far], {}) == [old, far]
    assert joined([], {place: new}) == [new]


def test_evidence_comes_back_from_its_file_and_without_any_there_is_none(tmp_path):
    path = tmp_path / FILE
    every = [evidence(outcome=outcome, on=outcome) for outcome in OUTCOMES]
    write_evidence(path, every)
    found = {one.on: one.to_json() for one in read_evidence(tmp_path)}
    assert found == {one.on: {**one.to_json(), "row": [*one.row]} for one in every}
    before = path.read_bytes()
    write_evidence(path, every[::-1])
    assert path.read_bytes() == before
    path.write_text(path.read_text().replace('"re-run"', '"re-ran"'))
    with pytest.raises(UserError, match="an outcome is 're-ran', expected one of wrong"):
        read_evidence(tmp_path)
    for text, why in (
        ('{"schema": 2, "rows": []}', "no schema 1"),
        ("[]", "no schema 1"),
        ('{"schema": 1, "rows": {}}', "no list"),
        ('{"schema": 1, "rows": [{}]}', "can't be read"),
        ("{", "can't be read"),
    ):
        path.write_text(text)
        with pytest.raises(UserError, match=why):
            read_evidence(tmp_path)
    write_evidence(path, [])
    write_evidence(path, [])
    assert not path.exists()
    assert read_evidence(tmp_path) == []


# what becomes of a row


def outcome(findings=(), again=None):
    (one, _) = outcomes([*ROW, *OTHER], findings, again)
    return one


def finding(record=ROW[0], reason="this"):
    return Finding(record, "mlp", "", reason)


def test_a_row_is_wrong_where_anything_is_wrong_with_any_of_its_records():
    assert outcome().word == CONSISTENT
    assert outcome([finding(OTHER[0])]).word == CONSISTENT
    assert outcome([finding(None)]).word == CONSISTENT
    again = Rescored(open=[finding(reason="no data")], checked={id(one) for one in ROW})
    found = outcome([finding(ROW[1]), finding(ROW[0]), finding(ROW[1], "that")], again)
    assert (found.word, found.wrong, found.open) == (
        WRONG,
        ["mlp: this", "mlp: that"],
        ["mlp: no data"],
    )
    assert found.records == ROW
    assert outcome((), again).word == NOT_RESCORED


def scored(*tasks):
    """What came of scoring the records of the row again, of each so many tasks."""
    labels = {id(one): frozenset(each) for one, each in zip(ROW, tasks, strict=False)}
    return Rescored(checked={id(one) for one in ROW[: len(tasks)]}, labels=labels)


TASK = factories.TASK


@pytest.mark.parametrize(
    ("tasks", "word", "without"),
    [
        ([], CONSISTENT, ()),
        ([[TASK]], "re-scored", ()),  # on one of its records is enough
        ([[TASK], [TASK]], "re-scored", ()),
        ([[], [TASK]], "re-scored", ()),
        ([[]], PARTLY, (TASK,)),
        ([[], []], PARTLY, (TASK,)),
        ([["other@1"]], PARTLY, (TASK,)),
    ],
)
def test_a_row_was_scored_again_where_each_of_its_tasks_was(tasks, word, without):
    again = scored(*tasks)
    again.checked.add(id(OTHER[0]))
    found = outcome((), again)
    assert (found.word, found.checked, found.without) == (word, len(tasks), without)
    about = evidence_of([found], "me", "2026-02-03").get(place_of(ROW[0]))
    if word == CONSISTENT:
        assert about is None
    else:
        assert (about.outcome, about.without) == ("re-scored", list(without) or None)


@pytest.mark.parametrize(
    ("out", "sampled"), [([[], []], False), ([["a"], []], True), ([["a"], ["b"]], True)]
)
def test_some_answers_of_a_row_were_not_published(out, sampled):
    known = {id(one): sets for one, sets in zip(ROW, out, strict=True) if sets}
    assert outcome((), Rescored(sampled_out=known)).sampled == sampled


def test_the_first_reason_why_there_are_no_answers():
    again = Rescored(no_answers={id(ROW[1]): "second", id(OTHER[0]): "other's"})
    assert outcome((), again).no_answers == "second"
    again.no_answers[id(ROW[0])] = "first"
    assert outcome((), again).no_answers == "first"
    assert outcome().no_answers == ""
    assert unique(["b", "a", "b"]) == ["b", "a"]


def kept(findings=(), again=None):
    return evidence_of([outcome(findings, again)], "me", "2026-02-03").get(place_of(ROW[0]))


def test_what_is_kept_of_a_row():
    found = kept((), Rescored(checked={id(ROW[0])}))
    assert (found.outcome, found.checked, found.of, found.reason) == ("re-scored", 1, 2, "")
    assert (found.by, found.on, found.records) == ("me", "2026-02-03", digest_of(ROW))
    assert found.place == place_of(ROW[0])
    found = kept([finding()], Rescored(checked={id(ROW[0])}, no_answers={id(ROW[0]): "gone"}))
    assert (found.outcome, found.reason) == (WRONG, "mlp: this")
    gone = Rescored(open=[finding(reason="no answers")], no_answers={id(ROW[1]): "gone"})
    found = kept((), gone)
    assert (found.outcome, found.reason) == (UNVERIFIABLE, "gone")
    assert kept() is None
    assert kept((), Rescored(open=[finding(reason="no data")])) is None


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_a_row_that_was_refuted_has_no_scores(outcome):
    about = {place_of(ROW[0]): replace(evidence(outcome=outcome), reason="why")}
    found = without([*ROW, *OTHER], [], about)
    assert found[2] is OTHER[0]
    for one, before in zip(found, ROW, strict=False):
        if outcome in (WRONG, UNVERIFIABLE):
            result = one.result
            assert (result.status, result.scores, result.answers) == (outcome, {}, {})
            assert result.message == "why (found by a on 2026-01-01)"
        else:
            assert one is before
    # what contradicts itself is said first
    (first, second, _) = without([*ROW, *OTHER], [finding()], about)
    assert (first.result.status, first.result.message) == (INCONSISTENT, "this")
    assert second.result.status == (outcome if outcome in (WRONG, UNVERIFIABLE) else "ok")


# signatures


def test_who_signed_a_row_in_words():
    place = place_of(ROW[0])
    said = Signatures({place: {"b": 2, "a": 1}})
    assert said.words(place, 2) == "1 signed by a and signed by b"
    assert said.words(place, 1) == "signed by a and 2 signed by b"
    assert said.words(place_of(OTHER[0]), 1) == "not signed"
