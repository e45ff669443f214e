"""A predictor that brings the simulator and tries seeds: it finds the truth behind public seeds and
not behind secret ones; and a secret is kept, gone on with, and reproduces everything.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import pytest
from tiny import PLUGIN

from kobench.errors import UserError
from kobench.plugins.chosen import choose
from kobench.plugins.load import load_registry
from kobench.plugins.parameters import complete
from kobench.results.records import read_records
from kobench.results.suite_seed import COMMITMENT, SEED, SuiteSeed, find_seed
from kobench.runner.datasets import datasets_of
from kobench.runner.folder import LOCK
from kobench.runner.load import load
from kobench.runner.plan import make_plan
from kobench.runner.prepared import Prepared
from kobench.runner.request import Request, Split
from kobench.runner.run import Run
from kobench.runner.seeds import with_secret_seed
from kobench.specs import Param
from kobench.truth.build import build
from kobench.util.grammar import Selection, parse

KNOWN = SuiteSeed("000102030405060708090a0b0c0d0e0f")
GRN = "grn:genes=15,cells=60"
TYPES = "grn:cell_types=2,genes=15,cells=60"
#: Looks like a seed, and the oracle is told it: what looks like one is found.
MARKER = "0123456789abcdef" * 2
PLANTED = "planted:genes=15,cells=60,perturbations=3,perturbed_cells=30"

#: It knows the parameters, tries seeds, and prints hashes of all that it sees and that could be a
#: seed.
ORACLE = """
import hashlib, json, os, re, sys
import numpy as np
from kobench.api import Knockouts, Param, PredictorSpec, hookimpl

class Oracle:
    def __init__(self, network="", marker=""):
        self.network, self.marker = network, marker

    def fit(self, cells, context):
        from kobench.builtin.datasets import grn
        from kobench.util.grammar import parse
        selection = parse(self.network)
        load = {"grn": grn.load, "planted": grn.load_planted}[selection.name]
        self.found = None
        wanted = {row.tobytes() for row in np.asarray(cells.X)}
        for seed in range(20):
            dataset = load(**{**selection.params, "seed": seed})
            if wanted <= {row.tobytes() for row in np.asarray(dataset.cells.X)}:
                self.found = dataset
                break
        print("ORACLE", "found" if self.found else "nothing")
        files = []
        for folder in {os.getcwd(), *map(str, context.scratch.parents)}:
            for root, _, names in os.walk(folder) if folder.count("/") > 1 else ():
                for name in names[:200]:
                    files.append(os.path.join(root, name))
                    if len(files) > 300:
                        break
        seen = [sys.argv, dict(os.environ), repr(context), self.network, self.marker, files,
                {name: sorted(map(str, set(values))) for name, values in cells.obs.items()}]
        for path in files:
            try:
                with open(path, "rb") as file:
                    seen.append(file.read(1 << 16).decode("latin1"))
            except OSError:
                pass
        tokens = set(re.findall("[0-9a-f]{30,64}|[0-9]{36,40}", json.dumps(seen)))
        print("SEEN", *sorted(hashlib.sha256(one.encode()).hexdigest()[:12] for one in tokens))

    def predict_knockout(self, cells, knockouts):
        X = knockouts.remove_from(np.array(cells.X, float))
        if self.found is not None and self.found.truth is not None:
            rows = {row.tobytes(): i for i, row in enumerate(np.asarray(self.found.cells.X))}
            at = np.array([rows[row.tobytes()] for row in np.asarray(cells.X)])
            X = self.found.truth.knockout(Knockouts(knockouts.genes, at[knockouts.cells]))
        return X / np.maximum(X.sum(1, keepdims=True), 1e-12)

@hookimpl
def kobench_predictors():
    yield PredictorSpec("oracle", Oracle, params={"network": Param(""), "marker": Param("")})
"""


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    plugin = tmp_path_factory.mktemp("oracle") / "oracle.py"
    plugin.write_text(ORACLE)
    return load_registry(plugin_files=[PLUGIN, plugin])


def hashed(word):
    return hashlib.sha256(word.encode()).hexdigest()[:12]


def run(folder, registry, predictor="good", datasets=(GRN,), jobs=1, seed=None, **more):
    request = Request(list(datasets), [predictor], suite_seed=seed, **more)
    return Run(folder).run(make_plan(registry, request), jobs)


def of_oracle(outcome):
    """The oracle's record and what it printed."""
    (record,) = [one for one in outcome.records if one.trial.predictor.name == "oracle"]
    return record, record.run.output


@pytest.mark.parametrize("dataset", [GRN, TYPES, PLANTED])
def test_an_oracle_that_searches_seeds_finds_public_ones_and_no_secret_one(
    tmp_path, registry, dataset
):
    oracle = f"oracle:network='{dataset}',marker='{MARKER}'"
    task = "response" if dataset == PLANTED else "keystone"
    wanted = {"tasks": [task], "datasets": [f"{dataset},seed=3"]}
    public, said = of_oracle(run(tmp_path / "public", registry, oracle, **wanted))
    assert "ORACLE found" in said
    secret, said = of_oracle(run(tmp_path / "secret", registry, oracle, seed=KNOWN, **wanted))
    assert "ORACLE nothing" in said
    chosen = datasets_of(registry, Request(wanted["datasets"], [], suite_seed=KNOWN))[0]
    words = {KNOWN.digits, KNOWN.commitment}
    for number in (chosen.params["seed"], chosen.secret.questions):
        words |= {str(number), f"{number:x}", f"{number:032x}"}
    seen = said.partition("SEEN")[2].split()
    assert hashed(MARKER) in seen
    assert not {hashed(word) for word in words} & set(seen)
    if task == "keystone":
        scores = [
            one.result.scores["keystone@1"].metrics["spearman"].value for one in (public, secret)
        ]
        assert scores[0] == pytest.approx(1.0)
        assert scores[1] is None  # nothing but the removal itself, which ranks no gene


def test_the_secret_is_written_first_and_readable_by_its_owner_alone(
    tmp_path, registry, monkeypatch
):
    seen = []

    def first_trial(work, jobs, report, lock):
        seen.append(sorted(path.name for path in tmp_path.iterdir() if path.is_file()))
        raise KeyboardInterrupt

    monkeypatch.setattr("kobench.runner.run.work_through", first_trial)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, registry, seed=KNOWN)
    assert seen == [[LOCK, COMMITMENT, SEED]]
    assert (tmp_path / SEED).stat().st_mode & 0o077 == 0
    assert find_seed(tmp_path) == KNOWN


def test_all_results_are_the_same_again_from_the_revealed_seed(tmp_path, registry):
    tasks = ["keystone", "response", "double-knockout"]
    wanted = {"datasets": [TYPES, PLANTED], "tasks": tasks, "events": 100}
    first = run(tmp_path / "a", registry, seed=KNOWN, jobs=2, **wanted)
    assert not first.failed
    run(tmp_path / "b", registry, seed=KNOWN, **wanted)
    run(tmp_path / "c", registry, seed=SuiteSeed.draw(), datasets=[TYPES], tasks=["keystone"])

    def content(folder):
        return {
            path.name: {**json.loads(path.read_text()), "run": None, "seal": None}
            for path in (tmp_path / folder / "records").iterdir()
        }

    a, b, c = map(content, "abc")
    assert a == b
    assert a.keys() > c.keys()  # selections have the index, which is the same
    for name in c:
        assert a[name]["keys"]["fit"] != c[name]["keys"]["fit"]
        assert a[name]["trial"]["dataset"]["digest"] != c[name]["trial"]["dataset"]["digest"]
    for document in a.values():
        dataset = document["trial"]["dataset"]
        assert dataset["secret"]["commitment"] == KNOWN.commitment
        assert dataset["seed"] is None
        assert f"seed=secret-{dataset['secret']['index']}" in dataset["selection"]


def test_no_secret_is_in_any_other_file_of_the_run(tmp_path, registry, capfd):
    run(tmp_path, registry, datasets=[GRN, PLANTED], seed=KNOWN, jobs=2)
    planned = datasets_of(registry, Request([GRN, PLANTED], [], suite_seed=KNOWN))
    words = {KNOWN.digits}
    for dataset in planned:
        for number in (dataset.params["seed"], dataset.secret.questions):
            words |= {str(number), f"{number:x}"}
        assert not any(word in repr(dataset.secret) for word in words)
        assert not any(word in dataset.selection + dataset.group for word in words)
    assert len(words) == 9
    files = [path for path in tmp_path.rglob("*") if path.is_file() and path.name != SEED]
    assert len(files) > 10
    texts = [path.read_bytes().decode("latin1") for path in files]
    texts += [*map(str, files), *capfd.readouterr()]
    assert not [word for word in words for text in texts if word in text]


def test_the_same_networks_whatever_the_noise_and_others_for_each_dataset(registry):
    asked = [GRN, f"{GRN},sigma=0.3", PLANTED]
    request = Request(asked, [], networks=2, suite_seed=KNOWN)
    seeds = [dataset.params["seed"] for dataset in datasets_of(registry, request)]
    assert seeds[:2] == seeds[2:4]
    assert len(set(seeds)) == 4
    assert seeds[0] == KNOWN.network("grn", "1", 0)
    assert min(seeds) > 2**64


def test_drawn_questions_follow_from_the_secret(registry):
    dataset = "grn:genes=40,cells=60"
    drawn = []
    for secret in (None, KNOWN):
        request = Request([dataset], [], events=100, suite_seed=secret)
        (chosen,) = datasets_of(registry, request)
        material = Prepared(chosen, request, Split("holdout")).material
        assert material.questions_seed == (chosen.secret and chosen.secret.questions)
        # of the same cells, so that the draw alone makes the difference
        seeds = (None, KNOWN.questions("grn", "1", 0), 5)
        for name in ("singles", "doubles"):
            asked = [build(name, replace(material, questions_seed=seed)).events for seed in seeds]
            texts = {(one.genes.tobytes(), one.cells.tobytes()) for one in asked}
            drawn.append(len(texts))
    assert drawn == [3, 3, 3, 3]


def test_a_run_goes_on_with_its_secret_and_with_no_other_seeds(tmp_path, registry):
    run(tmp_path / "secret", registry, seed=KNOWN)
    again = run(tmp_path / "secret", registry, seed=KNOWN)
    assert set(again.actions) == {"nothing"}
    with pytest.raises(UserError, match="come from another secret seed"):
        run(tmp_path / "secret", registry, seed=SuiteSeed.draw())
    with pytest.raises(UserError, match="add --secret to go on with it"):
        run(tmp_path / "secret", registry)
    run(tmp_path / "public", registry)
    with pytest.raises(UserError, match=r"on networks of public seeds \(grn:cells=60,genes=15\)"):
        run(tmp_path / "public", registry, seed=KNOWN)
    assert find_seed(tmp_path / "public") is None


def test_real_data_have_no_seed_to_keep(tmp_path, registry):
    table = tmp_path / "cells.csv"
    rows = [[(gene + cell) % 5 + 1 for cell in range(40)] for gene in range(6)]
    table.write_text("\n".join(",".join(map(str, row)) for row in rows))
    real = f"table:path='{table}'"
    with pytest.raises(UserError, match="none of the datasets is simulated"):
        run(tmp_path / "real", registry, datasets=[real], seed=KNOWN)
    assert find_seed(tmp_path / "real") is None
    run(tmp_path / "both", registry, datasets=[real])
    outcome = run(tmp_path / "both", registry, datasets=[real, GRN], seed=KNOWN)
    assert outcome.actions["nothing"]  # what is real has the same key with and without a secret
    of_real = [one for one in outcome.records if one.trial.dataset.name == "table"]
    assert {one.trial.dataset.secret for one in of_real} == {None}


def test_joined_datasets_are_labelled_without_a_seed(registry):
    asked = ["grn:cells=60,genes=25", "grn:cells=60,genes=25,seed=1"]
    (joined,) = datasets_of(registry, Request(asked, [], split="dataset", suite_seed=KNOWN))
    assert joined.secret.commitment == KNOWN.commitment
    labels = set(load(joined).cells.obs["dataset"])
    assert labels == {
        "grn:cells=60,genes=25,seed=secret-0",
        "grn:cells=60,genes=25,seed=secret-1",
    }


def test_a_simulator_with_small_seeds_is_refused(registry):
    chosen = choose(registry, "datasets", GRN)
    params = {**chosen.entry.spec.params, "seed": Param(0, low=0, high=2**32 - 1)}
    small = replace(
        chosen, entry=replace(chosen.entry, spec=replace(chosen.entry.spec, params=params))
    )
    with pytest.raises(UserError, match="which can be searched"):
        with_secret_seed(small, KNOWN)


def test_wide_seeds_go_through_grammar_parameters_and_records(tmp_path, registry):
    wide = KNOWN.network("grn", "1", 0)
    for text in (f"{GRN},seed={wide}", f"{GRN},seed={wide:#034x}"):
        (dataset,) = datasets_of(registry, Request([text], []))
        assert dataset.params["seed"] == wide
        assert parse(dataset.selection).params["seed"] == wide
        assert complete(Selection("grn", params={"seed": wide}), dataset.entry.spec.params)
    outcome = run(tmp_path, registry, datasets=[f"{GRN},seed={wide}"], tasks=["profile"])
    (seed,) = {one.trial.dataset.seed for one in read_records(tmp_path)}
    assert seed == wide
    secret = run(tmp_path / "secret", registry, seed=KNOWN, tasks=["profile"])
    digests = {one.trial.dataset.digest for one in (*outcome.records, *secret.records)}
    assert len(digests) == 1  # the revealed seed of a network is a seed like any other
