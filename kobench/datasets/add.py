"""`kobench datasets add`: check an AnnData file of the user's and write its card."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from kobench.datasets.cards import NAME, builtin_loaders, card_specs, read_card, user_folder
from kobench.errors import UserError
from kobench.util.resolve import resolve_reference


def add_dataset(
    file: str | Path,
    name: str,
    *,
    perturbation_key: str = "perturbation",
    control: str = "control",
    cell_type_key: str = "",
    batch_key: str = "",
    scale: str = "counts",
    normalise: str = "auto",
    totals_key: str = "",
    layer: str = "",
    raw: bool = False,
    summary: str = "",
    organism: str = "",
    source: str = "",
    licence: str = "",
    reference: str = "",
    out_folder: str | Path | None = None,
    folders: Iterable[str | Path] = (),
) -> Path:
    """Load `file` as `kobench run` would, and write `<out_folder>/<name>.toml`; the path of the
    card.

    The file stays where it is; the card holds its absolute path and sha256. out_folder None is the
    user's own folder, which is always read. folders : further card folders in use, whose names are
    taken. perturbation_key "none": every cell is wild type. Raises UserError, and writes nothing,
    where the file fails a check, the name is taken, or the card exists.
    """
    import tomli_w

    from kobench.datasets.fetch import sha256_of
    from kobench.util.files import write_atomically

    if not NAME.fullmatch(name):
        raise UserError(
            f"dataset name {name!r} must be of lower-case letters, digits and single dashes, as"
            " 'my-screen'; choose another --name"
        )
    file, folder = (
        Path(file).expanduser().resolve(),
        Path(out_folder).expanduser() if out_folder else user_folder(),
    )
    card = folder / f"{name}.toml"
    if card.exists():
        raise UserError(
            f"{card} exists already and is not overwritten; choose another --name or delete it"
        )
    loaders = builtin_loaders()
    taken = {loader: "a loader of kobench" for loader in loaders}
    taken.update(
        {
            spec.name: f"the card {spec.card['card']}"
            for spec in card_specs([*folders, folder] if folder.is_dir() else folders)[0]
        }
    )
    if name in taken:
        raise UserError(f"a dataset {name!r} exists already ({taken[name]}); choose another --name")
    parameters: dict[str, Any] = {
        "perturbation_key": perturbation_key,
        "control": control,
        "cell_type_key": cell_type_key,
        "batch_key": batch_key,
        "totals_key": totals_key,
        "layer": layer,
        "raw": raw,
    }
    dataset = resolve_reference(str(loaders["h5ad"].load))(
        path=str(file), scale=scale, normalise=normalise, **parameters
    )

    head: dict[str, Any] = {
        "name": name,
        "version": 1,
        "summary": (
            summary
            or f"{dataset.cells.n_obs:,} wild-type cells x {dataset.cells.n_vars:,} genes from {file.name}"
        ),
        "loader": "h5ad",
        "truth": "none" if dataset.perturbed is None else "population",
    }
    scales = {"scale": scale, **({} if normalise == "auto" else {"normalise": normalise})}
    origin = {"organism": organism, "source": source, "licence": licence, "reference": reference}
    told = {key: value for key, value in origin.items() if value}
    untold = "".join(f'\n{key} = "..."' for key in origin if key not in told)
    notes: dict[str, Any] = {"notes": []}
    used = {key: value for key, value in parameters.items() if value not in ("", False)}
    where = {
        "name": file.name,
        "path": str(file),
        "sha256": sha256_of(file),
        "bytes": file.stat().st_size,
    }
    parts: list[tuple[str, dict[str, Any]]] = [
        (
            (
                "A dataset of kobench, meant to be edited.\nRaise `version` when cells, genes or"
                " values change."
            ),
            head,
        ),
        (
            (
                "What the values are, and for counts what is done to them (log1p-cp10k when"
                " `normalise` is not given)."
            ),
            scales,
        ),
        (
            (
                f"Say where the data come from; in use when not behind a #:{untold}"
                if untold
                else "Where the data come from."
            ),
            told,
        ),
        (
            "Sentences shown beside every board, for instance what a reader must not conclude.",
            notes,
        ),
        ("How the file is read; see `kobench info h5ad`.", {"parameters": used}),
        (
            (
                "The file must have this sha256; it is looked for at `path`, then by `name` in the"
                " data folder."
            ),
            {"file": where},
        ),
        ("What was found when the card was written.", {"facts": dict(dataset.facts)}),
    ]
    text = "\n".join(
        "".join(f"# {line}\n" for line in comment.splitlines()) + tomli_w.dumps(part)
        for comment, part in parts
    )
    write_atomically(card, text.encode())
    read_card(card)  # what was written can be read
    return card
