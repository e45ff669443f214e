"""Which rows are signed, by whom, and which signatures count for nothing."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from kobench.results.evidence import Place, by_place, record_digest
from kobench.results.parts import Record
from kobench.results.signatures import FOLDER, read_signed, signer_of
from kobench.verify.finding import Finding


@dataclass(frozen=True)
class Signatures:
    """What the signatures of a folder say of its rows.

    Attributes
    ----------
    signers : dict of Place to dict of str to int
        Of each row how many of its records somebody signed, by signer.
    findings : list of Finding
        Signatures that count for nothing.
    """

    signers: dict[Place, dict[str, int]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def words(self, place: Place, records: int) -> str:
        """Who signed a row, as its line says it."""
        found = self.signers.get(place, {})
        if not found:
            return "not signed"
        return " and ".join(
            f"signed by {name}" if count == records else f"{count} signed by {name}"
            for name, count in sorted(found.items())
        )


def check_signatures(folder: Path, records: Iterable[Record], signers: Path) -> Signatures:
    """Who signed the rows of a folder.

    Parameters
    ----------
    folder : Path
        The results folder or published one.
    records : iterable of Record
        Its records.
    signers : Path
        Whose keys are known, see `kobench.results.signatures.signer_of`.
    """
    found = Signatures()
    rows = {
        place: {record_digest(record) for record in members}
        for place, members in by_place(records).items()
    }
    with tempfile.TemporaryDirectory(prefix="kobench-") as scratch:
        for signed in read_signed(folder):
            signer = signer_of(signed, signers, Path(scratch))
            if signer.problem:
                where = f"{FOLDER}/{signed.name}"
                found.findings.append(Finding(None, where, "", signer.problem))
                continue
            for place, digests in rows.items():
                if count := len(digests & signed.digests):
                    of_row = found.signers.setdefault(place, {})
                    of_row[signer.name] = min(of_row.get(signer.name, 0) + count, len(digests))
    return found
