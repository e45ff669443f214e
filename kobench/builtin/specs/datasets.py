"""Every built-in dataset and loader in one list, with the parameters that users and cards can set.

Nothing heavy is imported.
"""

from __future__ import annotations

from collections.abc import Iterator

from kobench.builtin.datasets.grn.spec import grn_spec, planted_spec
from kobench.specs import DatasetSpec, Param

GENES = Param(
    0,
    "keep this many genes, those seen in the most wild-type cells (perturbed genes always stay); 0"
    " keeps all",
    low=0,
)
CELL_TYPE = Param("", "keep the cells of this type only; empty keeps all")


def dataset_specs() -> Iterator[DatasetSpec]:
    """The datasets in the order of lists."""
    yield grn_spec()
    yield planted_spec()
    yield table_spec()
    yield h5ad_spec()
    yield pbmc_spec()


def h5ad_spec() -> DatasetSpec:
    """Any AnnData file."""
    return DatasetSpec(
        name="h5ad",
        load="kobench.builtin.datasets.h5ad:load",
        summary="an AnnData file of yours: h5ad:path=FILE,perturbation_key=COLUMN,control=LABEL",
        truth="population",
        params={
            "path": Param(
                "",
                "the file or folder: .h5ad (also .h5ad.gz), .zarr, .h5mu, or what CellRanger writes"
                " (.h5, or a folder with matrix.mtx)",
            ),
            "perturbation_key": Param(
                "perturbation",
                "column of obs with the perturbed gene(s), `A+B` for several; none: every cell is"
                " wild type",
            ),
            "control": Param(
                "control",
                "what that column says for wild-type cells; `*` stands for any text; a list for"
                ' several: control=["NT1", "NT2"], in which "" stands for cells without a label',
                many=True,
            ),
            "unassigned": Param(
                "",
                "labels of cells of which nobody knows what was perturbed; they are left out, and a"
                ' note says so; a list for several, in which "" stands for cells without a label',
                many=True,
            ),
            "join": Param(
                "", "what joins several genes in that column, beside `+`: `_` in A_B", many=True
            ),
            "guide_pattern": Param(
                "",
                "how that column calls guides: `{gene}_g{n}`, with {n} for digits and `*` for any"
                " text; empty: it names genes",
                many=True,
            ),
            "labels": Param(
                {}, "what each label of that column means, label -> genes joined by `+`; a table"
            ),
            "ignore_case": Param(
                False, "labels find genes that are written with other capital letters"
            ),
            "var_key": Param("", "column of var with the genes' names; empty: the index"),
            "kind_key": Param(
                "",
                "column of obs with what was done to each perturbed cell (knockout, knockdown or"
                " CRISPRi, overexpression or CRISPRa); empty: the same to all",
            ),
            "cell_type_key": Param("", "column of obs with the cell type; empty: none"),
            "batch_key": Param(
                "",
                "column of obs with the batch, which splits respect; `day+donor`: the combination"
                " of two; `@barcode-suffix`: the number at the end of each barcode; empty: none",
            ),
            "group_key": Param(
                "",
                "column of obs with groups of cells that belong together (donors, runs): splits"
                " keep each on one side, intervals draw groups; empty: none",
            ),
            "replicate_key": Param("", "column of obs with the biological replicate; empty: none"),
            "scale": Param(
                "counts",
                "what the values are; kobench checks it and guesses nothing",
                choices=("counts", "log1p", "log1p-cp10k", "linear"),
            ),
            "normalise": Param(
                "auto",
                "what is done to counts; auto: log1p-cp10k for counts, none for the other scales",
                choices=("auto", "log1p-cp10k", "log1p", "none"),
            ),
            "totals_key": Param(
                "",
                "column of obs with a cell's counts over all genes of the source; empty: the file's"
                " genes are all there are",
            ),
            "layer": Param("", "layer with the values; empty: X"),
            "raw": Param(False, "take the values and genes of .raw"),
            "genes": GENES,
            "cell_type": CELL_TYPE,
            "obs": Param(
                "",
                "a .csv or .tsv file with further columns of obs, barcodes in its first column;"
                " cells that are not in it are left out; empty: none",
            ),
        },
    )


def table_spec() -> DatasetSpec:
    """Wild-type cells as comma-separated numbers."""
    return DatasetSpec(
        name="table",
        load="kobench.builtin.datasets.table:load",
        summary=(
            "numbers without header, genes x cells, comma-separated (.csv or .csv.gz):"
            " table:path=FILE"
        ),
        params={
            "path": Param("", "the .csv or .csv.gz file"),
            "scale": Param(
                "linear",
                "what the values are",
                choices=("linear", "log1p", "log1p-cp10k", "counts"),
            ),
            "transpose": Param(False, "the file has one cell a line instead of one gene a line"),
            "genes": GENES,
        },
    )


def pbmc_spec() -> DatasetSpec:
    """The blood cells in the installed scanpy; the card `pbmc68k` makes the dataset of it."""
    return DatasetSpec(
        name="pbmc",
        load="kobench.builtin.datasets.pbmc:load",
        summary="700 blood cells that scanpy ships (pip install 'kobench[pbmc]')",
        params={
            "path": Param("", "the file; empty: the one in the installed scanpy"),
            "genes": GENES,
            "cell_type": CELL_TYPE,
        },
        same_cells=("pbmc68k",),
    )
