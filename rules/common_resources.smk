"""Versions, time and GPUs that a job asks for."""


def versions_of_processing(wildcards):
    """Versions of the stages that a shard goes through, and of what its potential is made of."""
    name = potential_name_of(wildcards.dataset)
    stages = ["process", "relax"] if name else ["process"]
    if CONFIG.datasets[wildcards.dataset].kind == "crystals":
        stages.append("predict")
    return [*(VERSIONS[stage] for stage in stages), *digests_of_potential(name)]


def minutes_of_processing(wildcards, attempt):
    """Time for one shard: most of it is relaxation, where structures are relaxed."""
    return (60 if potential_name_of(wildcards.dataset) is None else 720) * attempt


def minutes_of_training(wildcards, attempt):
    """Time for one training: a job that runs out of it saves, and goes on in the next attempt."""
    architecture = CONFIG.models[wildcards.model].architecture
    return training_minutes(architecture, atoms_of(wildcards.dataset)) * attempt


def minutes_of_generation(wildcards, attempt):
    """Time to draw the structures of one run."""
    architecture = CONFIG.models[wildcards.model].architecture
    return generation_minutes(architecture, atoms_of(wildcards.dataset)) * attempt


def gpus_of_relaxation(wildcards):
    """GPUs for a shard of the relaxation of a dataset."""
    return int(relaxes_in_network(wildcards.dataset))
