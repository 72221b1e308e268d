"""Input functions: the files that a rule reads, by its wildcards."""


def all_of(pattern, runs):
    """The paths of a pattern for all given runs."""
    return collect(pattern, zip, **run_columns(runs))


def run_columns(runs):
    """The run table as columns, for collect."""
    return {
        "dataset": [run.dataset for run in runs],
        "model": [run.model for run in runs],
        "seed": [run.seed for run in runs],
    }


def metrics_of_all(wildcards):
    """Metrics of every run."""
    return all_of("<results>/metrics/{dataset}/{model}/seed{seed}.parquet", RUNS)


def features_of_all(wildcards):
    """Feature rows of every run."""
    return all_of(
        "<results>/generated/{dataset}/{model}/seed{seed}/features.parquet", RUNS
    )


def runs_of_table(wildcards):
    """Every run on datasets of the kind of a table."""
    datasets = run_on(KIND_OF_TABLE[wildcards.table])
    runs = [run for run in RUNS if run.dataset in datasets]
    if not runs:
        raise WorkflowError(
            f"no run in the configuration belongs to table {wildcards.table!r}"
        )
    return runs


def metrics_of_table(wildcards):
    """Metrics of every run on datasets of the kind of a table."""
    pattern = "<results>/metrics/{dataset}/{model}/seed{seed}.parquet"
    return all_of(pattern, runs_of_table(wildcards))


def unrelaxed_of_table(wildcards):
    """Metrics of the same runs before relaxation."""
    pattern = "<results>/generated/{dataset}/{model}/seed{seed}/unrelaxed.parquet"
    return all_of(pattern, runs_of_table(wildcards))


def cards_of_table(wildcards):
    """Cards of the datasets of a table."""
    datasets = run_on(KIND_OF_TABLE[wildcards.table])
    return collect("<results>/datasets/{dataset}/card.json", dataset=datasets)


def features_of(wildcards):
    """Features of every run on one dataset."""
    runs = runs_of(wildcards.dataset)
    return all_of(
        "<results>/generated/{dataset}/{model}/seed{seed}/features.parquet", runs
    )


def cleaned_of(wildcards):
    """Cleaned structures of every run on one dataset."""
    runs = runs_of(wildcards.dataset)
    return all_of("<results>/generated/{dataset}/{model}/seed{seed}/clean.extxyz", runs)


def relaxed_of(wildcards):
    """Relaxed structures of every run on one dataset; empty files where none were relaxed."""
    runs = runs_of(wildcards.dataset)
    return all_of(
        "<results>/generated/{dataset}/{model}/seed{seed}/relaxed.extxyz", runs
    )


def models_of_runs(wildcards):
    """Models of every run on a dataset, in the order of `features_of`."""
    return [run.model for run in runs_of(wildcards.dataset)]


def histories_of(wildcards):
    """Loss curves of every model trained on one dataset."""
    runs = trained_on(wildcards.dataset)
    return all_of("<results>/models/{dataset}/{model}/seed{seed}/history.csv", runs)


def models_of_trained(wildcards):
    """Models of every training on a dataset, in the order of `histories_of`."""
    return [run.model for run in trained_on(wildcards.dataset)]


def pictured_of(wildcards):
    """The cleaned structures of the runs that are pictured."""
    return all_of(
        "<results>/generated/{dataset}/{model}/seed{seed}/clean.extxyz",
        pictured_on(wildcards.dataset),
    )


def models_of_pictured(wildcards):
    """Models of the pictured runs, in the order of `pictured_of`."""
    return [run.model for run in pictured_on(wildcards.dataset)]


def first_figures():
    """The first figure of every dataset whose kind has figures; its rule makes the others too."""
    return [
        f"<results>/figures/{dataset}/{kind.figures[0]}.svg"
        for name, kind in KINDS.items()
        if kind.figures
        for dataset in run_on(name)
    ]


def shards_of(wildcards):
    """Folders of the shards of a generated set: one, unless its structures are relaxed."""
    relaxed = potential_of(wildcards) is not None
    n_shards = min(config["shards"], n_generated_of(wildcards)) if relaxed else 1
    return collect(
        "<results>/generated/{dataset}/{model}/seed{seed}/shards/{scatteritem}",
        scatteritem=[f"{shard}-of-{n_shards}" for shard in range(1, n_shards + 1)],
        allow_missing=True,
    )


def continued_of_generated(wildcards):
    """Parts of a generated set where the engine left them."""
    return parts_of_engine(wildcards, "extxyz")


def tables_of_continued_generated(wildcards):
    """What became of them."""
    return parts_of_engine(wildcards, "parquet")


def parts_of_engine(wildcards, suffix):
    """Parts of a generated set that the engine relaxes further, a few structures each."""
    stage = CONFIG.datasets[wildcards.dataset].engine_stage
    n_parts = stage.n_jobs(n_generated_of(wildcards))
    return collect(
        "<results>/generated/{dataset}/{model}/seed{seed}/engine/{part}-of-{n_parts}.{suffix}",
        part=range(1, n_parts + 1),
        n_parts=n_parts,
        suffix=suffix,
        allow_missing=True,
    )


def match_of(wildcards):
    """Numbers of Langevin steps of a run to choose from; None: it has the one of its model."""
    matches = config["models"][wildcards.model]["match_langevin"]
    return matches.get(wildcards.dataset, None)


def chosen_steps_of(wildcards):
    """The table that chooses the Langevin steps of a run; nothing where there is no choice."""
    if match_of(wildcards) is None:
        return []
    return "<results>/models/{dataset}/{model}/seed{seed}/langevin_steps.csv"


def weights_of(wildcards):
    """The model file that a variant draws with which is not trained itself."""
    (path,) = collect(
        "<results>/models/{dataset}/{model}/seed{seed}/model.safetensors",
        dataset=wildcards.dataset,
        model=CONFIG.models[wildcards.model].weights_of,
        seed=wildcards.seed,
    )
    return path


def flags_of(wildcards):
    """The table of crystals to leave out, if there is one."""
    path = CONFIG.datasets[wildcards.dataset].leave_out
    return [] if path is None else located(path)


def pretrained_of(wildcards):
    """The model file of a `kind: pretrained` model."""
    model = CONFIG.models[wildcards.model]
    if not model.is_file:
        return str(pretrained(model.model, wildcards.dataset))
    path = model.model.replace("{dataset}", wildcards.dataset)
    return located(path.replace("{seed}", wildcards.seed))


def structures_file_of(wildcards):
    """The file of structures made elsewhere, of a `kind: file` model."""
    path = CONFIG.models[wildcards.model].path
    path = path.replace("{dataset}", wildcards.dataset)
    return located(path.replace("{seed}", wildcards.seed))
