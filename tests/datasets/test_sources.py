"""What a card may say of the sources of its file: each fault is a sentence naming the card."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import tomli_w

from kobench.datasets import sources
from kobench.datasets.cards import card_specs, read_card
from kobench.datasets.right import expected_of, identity
from kobench.errors import UserError

SHA256, MD5, COMMIT = "0" * 64, "1" * 32, "a" * 40

WEB = {"name": "a.h5ad", "urls": ["https://example.org/a.h5ad"], "md5": MD5}
REPOSITORY = {
    "repository": "owner/name",
    "commit": COMMIT,
    "path": "data/WT data.csv",
    "sha256": SHA256,
}
DISTRIBUTION = {
    "distribution": "renge",
    "version": "0.0.5",
    "sha256": SHA256,
    "members": ["examples/E.csv", "examples/X.csv"],
}
#: [file] of a card with a recipe.
MADE = {"name": "a.h5ad", "content": f"sha256:{SHA256}"}


def card(*tables: Any, file: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """A card with these sources."""
    return {
        "name": "mine",
        "version": 1,
        "summary": "cells",
        "loader": "h5ad",
        "scale": "counts",
        "sources": list(tables),
        "file": {"name": "a.h5ad"} if file is None else file,
        **more,
    }


def written(folder: Path, content: dict[str, Any]) -> Path:
    path = folder / "mine.toml"
    path.write_text(tomli_w.dumps(content))
    return path


def test_the_three_kinds_of_source() -> None:
    web, repository, distribution = sources.read_sources(
        card(WEB, REPOSITORY, {**DISTRIBUTION, "bytes": 7}), "card"
    )
    assert (web.names, web.checksum.algorithm, web.size) == (("a.h5ad",), "md5", None)
    assert isinstance(repository, sources.WebFile)
    assert repository.names == ("WT data.csv",)
    assert repository.urls == (
        f"https://raw.githubusercontent.com/owner/name/{COMMIT}/data/WT%20data.csv",
    )
    assert (distribution.names, distribution.size) == (("E.csv", "X.csv"), 7)


def test_a_source_without_recipe_is_the_file_itself(tmp_path: Path) -> None:
    spec = read_card(written(tmp_path, card(WEB, opened=False)))
    assert expected_of(spec.card) == {"md5": MD5}
    assert identity(spec.card) == f"md5 {MD5}"
    both = card({**WEB, "md5": MD5}, file={"name": "a.h5ad", "sha256": SHA256.upper()})
    assert expected_of(both) == {"md5": MD5, "sha256": SHA256}
    assert identity(both) == SHA256


def test_what_decides_the_cells_stays_what_it_was(tmp_path: Path) -> None:
    """Keys of published records hold: a sha256 in [file] is what counts, with or without more."""
    file = {"name": "a.h5ad", "sha256": SHA256}
    plain = card(file=file)
    del plain["sources"]
    before = read_card(written(tmp_path, plain)).card["digest"]
    content = {**file, "content": f"sha256:{'2' * 64}"}
    made = card(REPOSITORY, file=content, recipe="nkx2_1_lung")
    assert read_card(written(tmp_path, made)).card["digest"] == before
    del content["sha256"]
    assert read_card(written(tmp_path, made)).card["digest"] != before


FAULTS = [
    (3, r"sources is \[3\]; give a list of tables"),
    ({}, "has none of them; give one of urls, repository, distribution"),
    ({**WEB, **REPOSITORY}, "has urls and repository; give one of"),
    ({**WEB, "member": "x"}, "unknown key 'member'; did you mean 'members'"),
    ({**WEB, "members": ["x"]}, "has 'members', which does not go with urls"),
    ({**WEB, "name": "../a"}, "name is '../a', which has '/' in it"),
    ({**WEB, "name": "/etc/passwd"}, "name is '/etc/passwd', which has '/' in it"),
    ({**WEB, "name": "."}, "name is '.', which stands for another folder"),
    ({**WEB, "sha256": SHA256}, "has both sha256 and md5; give one of them"),
    ({"name": "a", "urls": ["https://a/b"]}, "has neither sha256 nor md5; give one of them"),
    ({**WEB, "md5": "x" * 32}, "md5 is 'xxx.*; give 32 hexadecimal digits"),
    ({**WEB, "md5": MD5 + "\n"}, "give 32 hexadecimal digits"),
    ({**WEB, "md5": SHA256}, "give 32 hexadecimal digits"),
    ({**WEB, "bytes": -1}, "bytes is -1; give 1 or more"),
    ({**WEB, "bytes": 0}, "bytes is 0; give 1 or more"),
    ({**WEB, "bytes": "1"}, "bytes is '1'; give a whole number"),
    ({**WEB, "bytes": True}, "bytes is True; give a whole number"),
    ({**WEB, "urls": []}, "urls has 0 addresses; give 1 to 10"),
    ({**WEB, "urls": ["https://a/b"] * 11}, "urls has 11 addresses; give 1 to 10"),
    ({**WEB, "urls": "https://a/b"}, "urls is .*; give a list of texts"),
    ({**WEB, "urls": [3]}, r"urls is \[3\]; give a list of texts"),
    ({**WEB, "urls": ["https://a/" + "b" * 3000]}, "text of more than 2,000 characters"),
    *(
        ({**WEB, "urls": ["https://good.org/a", url]}, fault)
        for url, fault in [
            ("file:///etc/passwd", r"is not an http\(s\) address"),
            ("ftp://a/b", r"is not an http\(s\) address"),
            ("data:text/plain,x", r"is not an http\(s\) address"),
            ("//a/b", r"is not an http\(s\) address"),
            ("/etc/passwd", r"is not an http\(s\) address"),
            ("https:///b", "names no host"),
            ("https://user:word@a/b", "holds a user's name or password"),
            ("https://a@b/c", "holds a user's name or password"),
            ("https://a/b c", "has blanks, control or other characters"),
            ("https://a/b\r\nHost: c", "has blanks, control or other characters"),
            ("https://a/\u202eb", "has blanks, control or other characters"),
            ("https://a:99999999/b", "cannot be read"),
            ("https://[a/b", "cannot be read"),
            ("https://a\\@b/c", "holds a user's name|backslash"),
        ]
    ),
    ({**REPOSITORY, "repository": "owner"}, "repository is 'owner'; give OWNER/NAME"),
    ({**REPOSITORY, "repository": "../x"}, "give OWNER/NAME"),
    ({**REPOSITORY, "repository": "a/b/c"}, "give OWNER/NAME"),
    ({**REPOSITORY, "repository": "a/b?c"}, "give OWNER/NAME"),
    ({**REPOSITORY, "commit": "main"}, "commit is 'main'; give all 40 digits"),
    ({**REPOSITORY, "commit": "a" * 7}, "give all 40 digits"),
    ({**REPOSITORY, "path": "../x"}, "has the part '..', which stands for another folder"),
    ({**REPOSITORY, "path": "/x"}, "has the part '', which is empty"),
    ({**REPOSITORY, "path": ""}, "path is '', which is empty"),
    ({**DISTRIBUTION, "md5": MD5}, "has 'md5', which does not go with distribution"),
    ({**DISTRIBUTION, "distribution": "-r/etc/passwd"}, "distribution is '-r/etc/passwd'"),
    ({**DISTRIBUTION, "distribution": "a @ https://b/c.zip"}, "distribution is"),
    ({**DISTRIBUTION, "distribution": "a\nb"}, "distribution is"),
    ({**DISTRIBUTION, "version": "1 --index-url https://b"}, "version is"),
    ({**DISTRIBUTION, "version": "*"}, "version is"),
    ({**DISTRIBUTION, "members": []}, "members has 0 paths; give 1 to 100"),
    ({**DISTRIBUTION, "members": ["a"] * 101}, "members has 101 paths"),
    ({**DISTRIBUTION, "members": ["../setup.py"]}, "members has '../setup.py', which has the part"),
    ({**DISTRIBUTION, "members": ["/etc/passwd"]}, "members has '/etc/passwd', which has the part"),
    ({**DISTRIBUTION, "members": ["a/x.csv", "b/X.csv"]}, "two files .* are called 'x.csv'"),
]


@pytest.mark.parametrize(("table", "fault"), FAULTS)
def test_a_faulty_source_is_one_sentence(tmp_path: Path, table: Any, fault: str) -> None:
    path = written(tmp_path, card(table, recipe="nkx2_1_lung", file=MADE))
    with pytest.raises(UserError, match=fault) as caught:
        read_card(path)
    assert str(caught.value).startswith(f"card {path}")
    assert len(str(caught.value).splitlines()) == 1
    assert "mine" not in {spec.name for spec in card_specs([tmp_path])[0]}


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (card(*[WEB] * 51), r"has 51 \[\[sources\]\]; a card may have 50 at most"),
        (card(WEB, REPOSITORY), r"has no recipe but several files in \[\[sources\]\]"),
        (card(DISTRIBUTION), "has no recipe but several files"),
        (
            card({**DISTRIBUTION, "members": ["a.h5ad"]}, file=MADE),
            r"lacks sha256: the checksum in \[\[sources\]\] is the archive's",
        ),
        (card(WEB, recipe="nkx", file=MADE), "recipe 'nkx' is not known"),
        (card(WEB, recipe="../evil", file=MADE), "recipe '../evil' is not known"),
        (card(WEB, recipe="os.system", file=MADE), "recipe 'os.system' is not known"),
        (card(recipe="nkx2_1_lung", file=MADE), r"has a recipe but no \[\[sources\]\] for it"),
        (card(WEB, recipe="nkx2_1_lung"), r"\[file\] lacks content"),
        (
            card(WEB, recipe="nkx2_1_lung", file={"name": "a", "sha256": SHA256}),
            r"\[file\] lacks content",
        ),
        (card(WEB, file={}), r"has \[\[sources\]\] but no \[file\]"),
        (
            card(WEB, file={"name": "a.h5ad", "url": "https://a/b"}),
            r"\[\[sources\]\] and, in \[file\], url: two places",
        ),
        (card(WEB, file={"name": "a", "package": "os"}), r"\[\[sources\]\] and, in \[file\], pack"),
        (card(WEB, file={"name": "a", "path": "/x"}), r"\[\[sources\]\] and, in \[file\], path"),
        (
            card(REPOSITORY, file={"name": "a", "sha256": "3" * 64}),
            "sha256 is 333.* in .file. and 000.* in ..sources.., though",
        ),
        (card(WEB, file={"name": "a", "content": "sha256:x"}), "content is 'sha256:x'; give `sha"),
        (card(WEB, file={"name": "a", "content": SHA256}), "content is '000.*; give `sha256:`"),
        (card(WEB, opened="no"), "opened is 'no'; give true or false"),
        ({**card(), "sources": {}}, "sources is {}; give a list of tables"),
    ],
)
def test_sources_recipe_and_file_go_together(
    tmp_path: Path, content: dict[str, Any], fault: str
) -> None:
    path = written(tmp_path, content)
    with pytest.raises(UserError, match=fault) as caught:
        read_card(path)
    assert str(caught.value).startswith(f"card {path}")
    assert len(str(caught.value).splitlines()) == 1
