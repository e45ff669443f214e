"""Results are signed by an SSH key where the user has one; a signature says who."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import replace

import pytest
from command import kobench
from tiny import PLUGIN

from kobench.results.records import read_records, write_record

TINY = "grn:genes=12,cells=60"

if shutil.which("ssh-keygen") is None:
    pytest.skip("there is no ssh-keygen here", allow_module_level=True)


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    """Keys of two people, one of them with a passphrase, and a file that names Ann's."""
    folder = tmp_path_factory.mktemp("keys")
    for name, phrase in (("ann", ""), ("bob", ""), ("shut", "a long phrase")):
        words = ("-q", "-t", "ed25519", "-N", phrase, "-C", name, "-f", folder / name)
        subprocess.run(["ssh-keygen", *map(str, words)], check=True)
    public = (folder / "ann.pub").read_text()
    (folder / "signers").write_text(f'ann@example.org namespaces="kobench" {public}')
    return folder


@pytest.fixture(scope="module")
def made(tmp_path_factory, keys):
    """A results folder of two secret networks, signed by Ann."""
    folder = tmp_path_factory.mktemp("signed")
    asked = ("-d", TINY, "-p", "good", "--plugin", PLUGIN, "-t", "profile", "--secret")
    done = kobench("run", *asked, "--networks", 2, "--out", folder, "--sign", keys / "ann")
    assert "Signed" in done.stdout
    return folder


@pytest.fixture
def folder(made, tmp_path):
    return shutil.copytree(made, tmp_path / "out")


def verified(folder, keys, code=0):
    return kobench("verify", folder, "--signers", keys / "signers", code=code).stdout


def test_each_row_says_who_signed_it(made, keys):
    text = verified(made, keys)
    assert (
        "✓ consistent: good on grn:cells=60,genes=12, holdout, 2 records, signed by ann@example.org"
    ) in text
    assert "not signed" not in text


def test_signatures_go_with_the_board_that_is_published(made, keys, tmp_path):
    """Where the secret seed is revealed, and records have no seal."""
    done = kobench("board", made, "--pack", tmp_path / "packed")
    assert "1 signature of its records went with it." in done.stdout
    assert "not signed" not in verified(tmp_path / "packed", keys)


def test_anybody_can_check_a_signature_without_kobench(made, keys):
    (signature,) = (made / "signatures").glob("*.sig")
    done = subprocess.run(
        [
            *("ssh-keygen", "-Y", "verify", "-n", "kobench", "-I", "ann@example.org"),
            *("-f", str(keys / "signers"), "-s", str(signature)),
        ],
        input=signature.with_suffix(".manifest").read_bytes(),
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_a_record_that_was_changed_is_signed_no_more(folder, keys):
    record = next(one for one in read_records(folder) if one.trial.predictor.name == "good")
    write_record(folder, replace(record, run=replace(record.run, fit_seconds=77.0)))
    text = verified(folder, keys)
    assert "good on grn:cells=60,genes=12, holdout, 2 records, 1 signed by ann@example.org" in text
    other = next(
        one
        for one in read_records(folder)
        if one.trial.predictor.name == "good" and one.run.fit_seconds != 77.0
    )
    write_record(folder, replace(other, run=replace(other.run, fit_seconds=78.0)))
    assert "good on grn:cells=60,genes=12, holdout, 2 records, not signed" in verified(folder, keys)


def test_a_manifest_that_was_changed_counts_for_nothing(folder, keys):
    (manifest,) = (folder / "signatures").glob("*.manifest")
    manifest.write_bytes(manifest.read_bytes() + b"0" * 64 + b"\n")
    text = verified(folder, keys, code=1)
    assert f"✗ signatures/{manifest.stem}: its signature is not of it" in text
    assert "2 records, not signed" in text


@pytest.mark.parametrize("namespace", ["kobench", "git"])
def test_a_signature_of_somebody_else_or_for_something_else(folder, keys, namespace):
    (manifest,) = (folder / "signatures").glob("*.manifest")
    who = "bob" if namespace == "kobench" else "ann"
    done = subprocess.run(
        ["ssh-keygen", "-Y", "sign", "-n", namespace, "-f", str(keys / who)],
        input=manifest.read_bytes(),
        capture_output=True,
        check=True,
    )
    manifest.with_suffix(".sig").write_bytes(done.stdout)
    text = verified(folder, keys, code=1)
    said = "which is none of" if who == "bob" else "its signature is not of it"
    assert said in text
    assert "not signed" in text


def again(folder, *flags, code=0, **env):
    asked = ("-d", TINY, "-p", "good", "--plugin", PLUGIN, "-t", "profile", "--secret")
    return kobench(
        "run",
        *asked,
        *("--networks", 2, "--out", folder),
        *flags,
        code=code,
        env={**os.environ, **env},
    )


def test_what_the_environment_names_gives_way_to_the_command_line(folder, keys):
    shutil.rmtree(folder / "signatures")
    again(folder, KOBENCH_SIGNING_KEY=str(keys / "ann"))
    assert "signed by ann@example.org" in verified(folder, keys)
    shutil.rmtree(folder / "signatures")
    again(folder, "--sign", keys / "bob", KOBENCH_SIGNING_KEY=str(keys / "ann"))
    assert "which is none of" in verified(folder, keys, code=1)


def test_git_may_name_the_key(folder, keys, tmp_path):
    shutil.rmtree(folder / "signatures")
    config = tmp_path / "gitconfig"
    config.write_text(f"[gpg]\n format = ssh\n[user]\n signingkey = {keys / 'ann'}\n")
    git = {"GIT_CONFIG_GLOBAL": str(config), "GIT_CONFIG_NOSYSTEM": "1"}
    again(folder, "--sign", "git", **git)
    assert "signed by ann@example.org" in verified(folder, keys)
    config.write_text("")
    done = again(folder, "--sign", "git", code=2, **git)
    assert "git signs with gpg.format 'openpgp'" in done.stderr


@pytest.mark.parametrize("name", ["shut", "nobody"])
def test_a_key_that_cannot_sign_ends_a_run_before_it_begins(folder, keys, name):
    done = again(folder, "--sign", keys / name, code=2)
    assert f"ssh-keygen can't sign with {keys / name}" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_suite_signs_nothing(folder, keys, tmp_path):
    suite = tmp_path / "mine.toml"
    suite.write_text(f'dataset = "{TINY}"\nsign = "{keys / "ann"}"\n')
    done = kobench("run", suite, "--out", tmp_path / "other", code=2)
    assert "names a key to sign with" in done.stderr
