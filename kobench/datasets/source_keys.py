"""Every key that a table [[sources]] of a card may have, and which go together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from kobench.datasets.card_keys import Key

#: Keys of a table [[sources]].
SOURCE = (
    Key(
        "name",
        "text",
        "what the recipe calls the file, without a folder; of a repository's file the last part of"
        " its path, when not given",
        example='"WT.RData"',
    ),
    Key(
        "urls",
        "texts",
        "1 to 10 addresses (http or https), tried in turn",
        example='["https://a/b"]',
    ),
    Key(
        "repository",
        "text",
        "OWNER/NAME, in place of addresses: a public repository of GitHub",
        pattern="[A-Za-z0-9_][A-Za-z0-9_.-]*/[A-Za-z0-9_][A-Za-z0-9_.-]*",
        example='"OWNER/NAME"',
    ),
    Key(
        "commit",
        "text",
        "all 40 digits of the commit, no branch or tag",
        pattern="[0-9a-f]{40}",
        example=f'"{"0" * 40}"',
    ),
    Key("path", "text", "the path of the file in it", example='"data/WT.RData"'),
    Key(
        "distribution",
        "text",
        "in place of addresses: a Python source distribution, which pip gets",
        pattern="[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?",
        example='"renge"',
    ),
    Key(
        "version",
        "text",
        "its version",
        pattern="[A-Za-z0-9]([A-Za-z0-9.!+_-]*[A-Za-z0-9])?",
        example='"0.0.5"',
    ),
    Key(
        "members",
        "texts",
        "paths of files inside the folder that it unpacks to",
        example='["data/E.csv"]',
    ),
    Key(
        "sha256",
        "text",
        "64 hexadecimal digits, the checksum; of a distribution that of the archive",
        pattern="[0-9a-fA-F]{64}",
        example=f'"{"0" * 64}"',
    ),
    Key(
        "md5",
        "text",
        "32 hexadecimal digits, in place of sha256 where the publisher gives no other",
        pattern="[0-9a-fA-F]{32}",
        example=f'"{"0" * 32}"',
    ),
    Key(
        "bytes",
        "whole number",
        "its size, where known: no more than that is downloaded",
        example="2771625",
        low=1,
    ),
)

#: The kinds of a source, each by the key that only it has: keys that it must have, and may have.
KINDS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "urls": (("name", "urls"), ("sha256", "md5", "bytes")),
    "repository": (("repository", "commit", "path"), ("name", "sha256", "md5", "bytes")),
    "distribution": (("distribution", "version", "members", "sha256"), ("bytes",)),
}

#: The kinds -> all keys of such a table, of which those that this kind must have are required.
OF_KIND: Mapping[str, tuple[Key, ...]] = {
    kind: tuple(replace(key, required=key.name in needed) for key in SOURCE)
    for kind, (needed, _) in KINDS.items()
}
