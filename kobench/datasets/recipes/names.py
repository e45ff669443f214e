"""The recipes by name: the one list of them."""

from __future__ import annotations

#: Name of each recipe -> its function, named and not imported.
RECIPES = {
    name: f"kobench.datasets.recipes.{name}:make"
    for name in (
        "hipsc_ko",
        "k562_crispri",
        "nkx2_1_lung",
        "pbmc68k_counts",
        "retina_nuclei",
        "trem2_microglia",
    )
}
