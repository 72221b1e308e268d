"""Studies: which runs they are made of, and the files of those."""


def datasets_of_study(study):
    """Datasets of the runs of a study."""
    return list(dict.fromkeys(run.dataset for run in STUDY_RUNS[study]))


def runs_of_study(study, dataset):
    """Runs of a study on one of its datasets."""
    return [run for run in STUDY_RUNS[study] if run.dataset == dataset]


def of_study(study, pattern):
    """An input function: the paths of a pattern for all runs of a study on a dataset."""

    def paths(wildcards):
        return all_of(pattern, runs_of_study(study, wildcards.dataset))

    return paths


def described_runs(study):
    """A params function: model, seed and declared structures of these runs, in the same order."""

    def described(wildcards):
        runs = runs_of_study(study, wildcards.dataset)
        return [[run.model, run.seed, n_generated(CONFIG, run)] for run in runs]

    return described


def hparams_of_study(study):
    """An input function: hyperparameters of its trainings, or of those that it draws with."""

    def paths(wildcards):
        runs = runs_of_study(study, wildcards.dataset)
        return [
            "<results>/models/{}/{}/seed{}/hparams.yaml".format(
                run.dataset, CONFIG.models[run.model].weights_of or run.model, run.seed
            )
            for run in runs
        ]

    return paths


def drawn_runs(study):
    """A params function: `described_runs`, whose weights each draws with, own sampling."""

    def described(wildcards):
        found = []
        for run in runs_of_study(study, wildcards.dataset):
            model = CONFIG.models[run.model]
            sampling = sampling_params(model.architecture, model.hparams(run.dataset))
            row = [
                run.model,
                run.seed,
                n_generated(CONFIG, run),
                model.weights_of or "",
            ]
            found.append([*row, sampling if model.weights_of else {}])
        return found

    return described


def study_of_crystals():
    """Tables, figures and galleries of every dataset of crystals that a run uses."""
    datasets = run_on("crystals")
    if not datasets:
        raise WorkflowError("study_crystens: no run uses a dataset of kind crystals")
    best = datasets if CONFIG.study_crystens.n_selected else []
    runs = [
        run
        for name in datasets
        for run in pictured_on(name)
        if run.kind != "baseline" or run.model == "held_out"
    ]
    return [
        "<results>/tables/crystals.parquet",
        *collect("<results>/tables/stability_{dataset}.csv", dataset=datasets),
        *collect("<results>/tables/best_{dataset}.csv", dataset=best),
        *collect("<results>/figures/{dataset}/lattice.svg", dataset=datasets),
        *all_of("<results>/figures/{dataset}/gallery/{model}_seed{seed}.png", runs),
    ]
