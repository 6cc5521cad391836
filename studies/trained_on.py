"""Digests of the images that a bundled model was trained on, from its recipe and the data sets.

Usage: python studies/trained_on.py src/breastseg/bundles/ultrasound --data BUSI=... BUS-BRA=...

Every export writes ``trained_on.json`` by itself; this is for bundles that were exported before.
Without it, `evaluate` and `compare` cannot warn that a model has seen the cases it is scored on.
The recipe is the one of the same name in ``recipes/``. Data sets must hold the
files that their authors published: a digest is of a file's bytes.
"""

from __future__ import annotations

from pathlib import Path

from _study import RECIPES, options_of
from breastseg.core.trained_on import TrainedOn
from breastseg.data.fingerprint import fingerprint_of
from breastseg.data.sources import open_data_sets
from breastseg.inference.bundle_folder import write_trained_on
from breastseg.training.chosen_cases import choose_cases
from breastseg.training.recipe_file import read_recipe


def main() -> None:
    """Write the file into the bundle."""
    parser = options_of(__doc__)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--data", nargs="+", required=True, metavar="NAME=FOLDER")
    options = parser.parse_args()
    sources = {one.name: one.cases() for one in open_data_sets(options.data)}
    chosen = choose_cases(read_recipe(RECIPES / f"{options.bundle.name}.toml"), sources, RECIPES)
    parts = {"train": chosen.train, "val": chosen.validation}
    digests = {
        part: tuple(sorted(fingerprint_of(case).image for case in cases))
        for part, cases in parts.items()
    }
    write_trained_on(options.bundle, TrainedOn(digests))
    print(
        f"{options.bundle}: " + ", ".join(f"{part} {len(found)}" for part, found in digests.items())
    )


if __name__ == "__main__":
    main()
