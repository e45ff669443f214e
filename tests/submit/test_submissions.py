"""A method's rows on their way to somebody's board: what is written, what is taken, and what is
named and not taken.
"""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest
from command import kobench

from kobench.cli.options import load
from kobench.results.answer_store import AnswerStore
from kobench.results.packed_answers import read_sample
from kobench.results.records import read_records
from kobench.results.signatures import sign
from kobench.results.suite_seed import SuiteSeed, find_seed
from kobench.runner.recorded import Source
from kobench.submit import faults
from kobench.submit.specification import read_submission
from kobench.submit.take import judge
from kobench.verify.known import Known

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not here")

SEED = SuiteSeed("000102030405060708090a0b0c0d0e0f")
ASKED = ("-d", "grn:genes=12,cells=120", "-t", "profile", "-t", "keystone", "--networks", 2)

MINE = """
import numpy as np
from kobench.api import PredictorSpec, hookimpl, normalise_rows

class Mine:
    def fit(self, cells, context):
        on = cells.assemblages().astype(float)
        gram = on.T @ on + 3.0 * np.eye(on.shape[1])
        self.weights = np.linalg.solve(gram, on.T @ cells.profiles())

    def predict_expression(self, assemblages):
        return normalise_rows(assemblages * (assemblages @ self.weights).clip(1e-6))

@hookimpl
def kobench_predictors():
    yield PredictorSpec("mine", Mine, reference="a paper")
"""


def git(folder: Path, *words: str) -> None:
    named = ("-c", "user.name=a", "-c", "user.email=a@b")
    subprocess.run(["git", "-C", str(folder), *named, *words], check=True, capture_output=True)


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A published board on secret networks, and a method in a git checkout that was run beside."""
    folder = tmp_path_factory.mktemp("place")
    secret = ("--secret-seed", SEED.digits, "--out", folder / "results")
    kobench("run", *ASKED, "-p", "linear", *secret)
    kobench("board", folder / "results", "--pack", folder / "board")
    code = folder / "code"
    code.mkdir()
    (code / "mine.py").write_text(MINE)
    git(code, "init", "-q")
    git(code, "add", ".")
    git(code, "commit", "-q", "-m", "it")
    git(code, "remote", "add", "origin", "https://me:secret@example.org/mine.git")
    beside = ("--beside", folder / "board", "--out", folder / "own")
    kobench("run", *ASKED, "-p", "mine", "--plugin", code / "mine.py", *beside)
    return folder


def submit(place, *more, code=0, out=None):
    words = ("submit", place / "board", "-p", "mine", "--in", place / "own")
    plugin = ("--plugin", place / "code" / "mine.py")
    written = ("-o", out or place / "submission")
    return kobench(*words, *plugin, *written, *more, code=code)


@pytest.fixture(scope="module")
def submitted(place) -> Path:
    submit(place, "--licence", "MIT")
    return place / "submission"


@pytest.fixture
def sent(submitted, tmp_path) -> Path:
    return shutil.copytree(submitted, tmp_path / "sent")


@pytest.fixture(scope="module")
def registry():
    return load((), ())


def looked_at(folder, board, registry, replacing=False, rescoring=False):
    """What is said of a submission, as one text."""
    source = Source(registry, AnswerStore(folder), find_seed(board))
    records = list(read_records(board))
    found = judge(folder, records, source, Known(registry), replacing, rescoring)
    return "\n".join(found.refused)


def changed(folder, change) -> None:
    """Write the records over, each document as a function leaves it."""
    path = folder / "records.jsonl.gz"
    documents = [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]
    found = change(documents)
    documents = documents if found is None else found
    path.write_bytes(gzip.compress("".join(f"{json.dumps(one)}\n" for one in documents).encode()))


def content_of(folder) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


# ------------------------------------------------------------------ what is written


def test_a_submission_says_what_it_is(submitted):
    said = read_submission(submitted)
    assert said.source.address == "https://example.org/mine.git", "no passwords"
    assert len(said.source.commit) == 40
    assert (said.source.folder, said.source.changed) == ("mine.py", False)
    assert (said.licence, said.reference, said.seed_known) == ("MIT", "a paper", True)
    assert said.cost.trials == 2
    assert said.board.name == "board"
    text = (submitted / "README.md").read_text()
    assert "| grn | keystone@1 | spearman ↑ |" in text
    assert "published before these runs" in text
    assert f"git -C code checkout {said.source.commit}" in text
    assert "--beside board --out results" in text
    assert read_sample(submitted).of_row is None
    assert str(Path.home()) not in json.dumps(said.to_json())


def test_the_same_results_give_the_same_bytes(place, submitted):
    before = content_of(submitted)
    submit(place, "--licence", "MIT", out=place / "again")
    assert content_of(place / "again") == before


def test_what_is_missing_is_named_and_nothing_is_written(place, tmp_path):
    other = shutil.copytree(place, tmp_path / "place")
    (path,) = [
        path
        for path in sorted((other / "own" / "records").glob("*.json"))
        if '"mine"' in path.read_text() and "secret-1" in path.read_text()
    ]
    path.unlink()
    (other / "code" / "mine.py").write_text(f"{MINE}\n# more\n")
    git(other / "code", "remote", "remove", "origin")
    done = submit(other, code=1, out=tmp_path / "out")
    for sentence in (
        "1 of 2 networks or splits were not run: grn:cells=120,genes=12,seed=secret-1",
        "mine.py has changes that none has (mine.py); commit them",
        "has no remote called origin",
        "mine was changed since",
        "a licence: declare one",
    ):
        assert sentence in done.stderr
    assert not (tmp_path / "out").exists()
    done = submit(place, "-d", "pbmc68k", "--licence", "MIT", code=2, out=tmp_path / "out")
    assert "has no result of mine on cells of" in " ".join(done.stderr.split())


def test_nothing_else_is_overwritten(place, tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "thesis.txt").write_text("years")
    done = submit(place, "--licence", "MIT", code=2, out=tmp_path / "there")
    assert "is there already and is no submission" in done.stderr
    assert (tmp_path / "there" / "thesis.txt").exists()


# ------------------------------------------------------------------ what is taken


def test_an_honest_one_is_taken_and_the_board_proves_it(place, submitted, tmp_path):
    before = content_of(place / "board")
    done = kobench("verify", submitted, "--beside", place / "board", "--rescore")
    assert "✓ consistent and re-scored: mine, 2 of 2 records" in done.stdout
    assert "has no floors of its own" in kobench("verify", submitted, code=2).stderr
    done = kobench("board", "add", place / "board", submitted, "--check")
    assert "Nothing was written" in done.stdout
    new = tmp_path / "new"
    done = kobench("board", "add", place / "board", submitted, "-o", new)
    assert f"Took mine into {new}" in done.stdout
    assert content_of(place / "board") == before
    assert "mine" in (new / "board.md").read_text()
    assert kobench("verify", new, "--rescore", "-p", "mine").stdout.startswith("✓ re-scored: mine")
    kobench("board", new, "--check", new / "board.md")
    (kept,) = (new / "submissions").glob("*.json")
    assert json.loads(kept.read_text())["licence"] == "MIT"
    kobench("board", new, "--pack", tmp_path / "packed")
    assert (tmp_path / "packed" / "submissions" / kept.name).read_bytes() == kept.read_bytes()
    # into the folder itself
    own = shutil.copytree(place / "board", tmp_path / "own")
    kobench("board", "add", own, submitted)
    assert content_of(own).keys() == content_of(new).keys()
    again = kobench("board", "add", own, submitted, code=1)
    assert "has mine already, with these very results" in again.stdout


def test_a_row_that_is_there_is_replaced_where_that_is_said(place, submitted, sent, tmp_path):
    board = tmp_path / "board"
    kobench("board", "add", place / "board", submitted, "-o", board)
    digest = "0123456789abcdef" * 4

    def newer(documents):
        for one in documents:
            one["trial"]["predictor"]["digest"] = digest
            one["keys"].pop("source")  # as older records: nothing follows from it

    changed(sent, newer)
    said = json.loads((sent / "submission.json").read_text())
    said["method"]["digest"] = digest
    (sent / "submission.json").write_text(json.dumps(said))
    before = content_of(board)
    done = kobench("board", "add", board, sent, code=1)
    assert "this replaces version" in done.stdout
    assert "(code 0123456789ab); say --replace" in done.stdout
    assert content_of(board) == before
    done = kobench("board", "add", board, sent, "--replace")
    assert "in place of 2 records" in done.stdout
    codes = {
        one.trial.predictor.digest
        for one in read_records(board)
        if one.trial.predictor.name == "mine"
    }
    assert codes == {digest}


def test_a_folder_called_add_is_a_folder(place, tmp_path):
    shutil.copytree(place / "board", tmp_path / "add")
    done = kobench("board", "./add", cwd=tmp_path)
    assert "linear" in done.stdout
    assert "Missing argument 'BOARD'" in kobench("board", "add", cwd=tmp_path, code=2).stderr
    text = kobench("board", "--help").stdout
    assert "add   Take the rows of a submission in" in text


def test_signatures_go_with_the_rows(place, tmp_path):
    if shutil.which("ssh-keygen") is None:
        pytest.skip("ssh-keygen is not here")
    other = Path(shutil.copytree(place, tmp_path / "place"))
    key = tmp_path / "key"
    words = ("-q", "-t", "ed25519", "-N", "", "-C", "me", "-f", str(key))
    subprocess.run(["ssh-keygen", *words], check=True, stdin=subprocess.DEVNULL)
    (tmp_path / "signers").write_text(f"me@home {Path(f'{key}.pub').read_text()}")
    sign(other / "own", read_records(other / "own"), str(key))
    sent = tmp_path / "sent"
    submit(other, "--licence", "MIT", out=sent)
    looked = ("--signers", tmp_path / "signers")
    done = kobench("verify", sent, "--beside", other / "board", *looked)
    assert "mine on grn:cells=120,genes=12, holdout: signed by me@home" in done.stdout
    kobench("board", "add", other / "board", sent)
    done = kobench("verify", other / "board", "-p", "mine", *looked)
    assert "signed by me@home" in done.stdout
    for path in (sent / "signatures").glob("*.sig"):
        path.write_text("no signature")
    done = kobench("verify", sent, "--beside", other / "board", *looked, code=1)
    assert "its signature is not of it" in done.stdout
    (sent / "signatures" / "run.sh").write_text("true")
    done = kobench("board", "add", other / "board", sent, code=2)
    assert "holds run.sh" in done.stderr


# ------------------------------------------------------------------ what is not


def test_a_forged_score_is_found_and_nothing_changes(place, sent, registry):
    def forge(documents):
        for one in documents:
            scores = one["result"]["scores"]["keystone@1"]["metrics"]["spearman"]
            if "secret-1" in one["trial"]["dataset"]["selection"]:
                scores["value"] = 0.95

    changed(sent, forge)
    before = content_of(place / "board")
    assert looked_at(sent, place / "board", registry) == ""  # which contradicts nothing
    done = kobench("board", "add", place / "board", sent, code=1)
    assert "wrong: mine on grn:cells=120,genes=12,seed=secret-1" in done.stdout
    assert "0.95 recorded" in done.stdout
    assert content_of(place / "board") == before


def each(where, value):
    """Writes one value over in all documents; the keys of the way joined by dots."""

    def change(documents):
        for one in documents:
            *way, last = where.split(".")
            for key in way:
                one = one[key]
            one[last] = value

    return change


def twice(documents):
    return [*documents, documents[0]]


def with_a_floor(documents):
    other = json.loads(json.dumps(documents[0]))
    other["role"] = "floor"
    other["trial"]["predictor"]["name"] = "own-share"
    return [*documents, other]


def as_ours(documents):
    for one in documents:
        one["trial"]["predictor"].update(name="mlp", selection="mlp")


def said_to_be_ours(documents):
    for one in documents:
        one["trial"]["predictor"].update(distribution="kobench-baselines", version="0.1.0")
        one["trial"]["predictor"].update(name="knn", selection="knn")


def without_the_last(documents):
    return documents[:1]


def without_seed_known(documents):
    for one in documents:
        del one["run"]["seed_known"]


def another_fit(documents):
    for one in documents:
        one["trial"]["fit_seed"] = 17


def another_network(documents):
    documents[1]["trial"]["dataset"]["selection"] = "grn:cells=120,genes=12,seed=secret-7"


def older_task(documents):
    for one in documents:
        for part in (one["result"]["scores"], one["keys"]["scores"], one["about"]["tasks"]):
            if "keystone@1" in part:
                part["keystone@0"] = part.pop("keystone@1")


def without_a_task(documents):
    for one in documents:
        for part in (one["result"]["scores"], one["keys"]["scores"], one["about"]["tasks"]):
            part.pop("keystone@1", None)


def failing(documents):
    for one in documents:
        one["result"].update(status="failed", scores={}, answers={}, message="it broke")


#: No sandbox at all.
OFF = {"mode": "off", "layers": {"x": "y"}, "readable": []}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (twice, "two records of one trial"),
        (with_a_floor, "records of 2 rows, expected those of one predictor"),
        (each("role", "line"), "expected those of one predictor"),
        (as_ours, "mlp is a name of kobench-baselines; results of another package have it as"),
        (said_to_be_ours, "says that it is knn of kobench-baselines, which has the code"),
        (each("trial.predictor.name", "m\u0456ne"), "expected letters of ASCII"),
        (each("trial.predictor.version", "9"), "says that its version is 1, its records 9"),
        (without_the_last, "1 of 2 networks or splits were not run"),
        (without_seed_known, "do not say that it was known"),
        (another_fit, "fits of the seeds 17, expected the same on every network, from 0 on"),
        (another_network, "seed=secret-7, holdout (split seed 0), which the board does not have"),
        (each("trial.dataset.digest", "0123456789abcdef" * 4), "other cells of"),
        (each("trial.dataset.version", "77"), "results on version 77 of the dataset"),
        (older_task, "which the board does not have there"),
        (without_a_task, "keystone@1 was not asked; run the suite of the board"),
        (
            each("run.sandbox", {"mode": "off", "layers": {"x": "y"}, "readable": []}),
            "switched off",
        ),
        (each("run.code_in_harness", ["a.pth"]), "ran outside of it (a.pth)"),
        (each("run.kobench", "99.0"), "inconsistent: mine on"),
    ],
)
def test_what_is_smuggled_in_is_named(place, sent, registry, change, said):
    changed(sent, change)
    if change is as_ours or change is said_to_be_ours or change.__name__ == "change":
        named = json.loads((sent / "submission.json").read_text())
        (first, *_) = read_records(sent)
        predictor = first.trial.predictor.to_json()
        keys = ("name", "selection", "distribution")
        named["method"].update({key: predictor[key] for key in keys})
        if change is said_to_be_ours:
            named["method"]["version"] = predictor["version"]
        (sent / "submission.json").write_text(json.dumps(named))
    assert said in looked_at(sent, place / "board", registry)


def test_failures_are_results(place, sent, registry):
    changed(sent, failing)
    assert "lacks" not in looked_at(sent, place / "board", registry)


def with_members(folder, change) -> None:
    path = folder / "answers.zip"
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def test_answers_that_nobody_named_lead_nowhere(place, sent, registry, tmp_path):
    with_members(sent, lambda members: members.update({"../../evil.npz": b"x"}))
    said = looked_at(sent, place / "board", registry, rescoring=True)
    assert "answers.zip has '../../evil.npz', which no record names (1 such files)" in said
    assert not (tmp_path.parent / "evil.npz").exists()


def test_answers_that_are_others_are_not_believed(place, sent, registry):
    def swap(members):
        first, second = [name for name in members if name != "sample.json"][:2]
        members[first] = members[second]

    with_members(sent, swap)
    assert "not re-scored: mine on" in looked_at(sent, place / "board", registry, rescoring=True)


def test_large_answers_are_not_opened(place, sent, registry, monkeypatch):
    monkeypatch.setattr(faults, "MOST_UNPACKED", 10)
    said = looked_at(sent, place / "board", registry, rescoring=True)
    assert "answers.zip unpacks to more than 10 bytes" in said
    monkeypatch.setattr(faults, "MOST_PACKED", 10)
    assert "has more than 10 bytes" in looked_at(sent, place / "board", registry, rescoring=True)
    (sent / "answers.zip").unlink()
    assert "it has no answers.zip" in looked_at(sent, place / "board", registry)


@pytest.mark.parametrize("kind", ["file", "folder", "link"])
def test_other_files_and_links_are_refused(place, sent, tmp_path, kind):
    if kind == "file":
        (sent / "setup.py").write_text("import os")
        said = "holds setup.py; a submission has"
    elif kind == "folder":  # it would be read before the packed ones
        (sent / "answers").mkdir()
        said = "holds answers; a submission has"
    else:
        (tmp_path / "secret").write_text("x")
        (sent / "README.md").unlink()
        os.symlink(tmp_path / "secret", sent / "README.md")
        said = "is a link"
    done = kobench("board", "add", place / "board", sent, code=2)
    assert said in done.stderr


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": 99}', "{" * 5000])
def test_a_specification_that_is_none(place, sent, text):
    (sent / "submission.json").write_text(text)
    done = kobench("board", "add", place / "board", sent, code=2)
    assert "submission.json" in done.stderr


def test_a_lock_file_is_the_one_that_was_named(place, sent, registry):
    said = json.loads((sent / "submission.json").read_text())
    said["lock"] = "0" * 64
    (sent / "submission.json").write_text(json.dumps(said))
    assert "lock.txt can't be read" in looked_at(sent, place / "board", registry)
    (sent / "lock.txt").write_text("numpy==1.0\n")
    assert "is another than the one" in looked_at(sent, place / "board", registry)
