"""One integer per stage; a rule passes it as a param, so that new results re-run the stage.

Bump the integer in the commit that changes what a stage writes (a golden test that changes
without a bump is a bug in the commit).
"""

VERSIONS: dict[str, int] = {
    "sample_alloy": 1,
    "fit_expansion": 1,
    "melt_quench": 1,
    "slice_blocks": 2,
    "random_interfaces": 1,
    "relax_crystal": 1,
    "relax_blocks": 1,
    "build_dataset": 5,
    "read_crystals": 1,
    "build_crystals": 2,
    "zero_of_energy": 1,
    "import_dataset": 1,
    "baseline": 1,
    "train": 3,
    "import": 2,
    "generate": 2,
    "relax": 2,
    "fit_potential": 3,
    "process": 5,
    "score": 11,
    "report": 5,
    "rank": 2,
    "predict": 1,
    "train_property": 1,
    "stability": 2,
    "best": 1,
    "degrade": 3,
    "label": 1,
    "train_m3gnet": 2,
    "compare_minima": 2,
    "continue": 1,
    "study": 1,
}
