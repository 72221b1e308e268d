"""One training run: Lightning with our states, history and log; resumes if it can."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from ase import Atoms
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.plugins.environments import LightningEnvironment
from torch.utils.data import Dataset

from dismai.base import kept
from dismai.base.atomic import write_atomically
from dismai.base.device import described, is_out_of_memory, threads_that_count
from dismai.base.errors import InputError
from dismai.base.running import running
from dismai.base.section import Section
from dismai.base.versions import VERSIONS
from dismai.files.structures import hash_structures
from dismai.training.callbacks import History, Progress, SafetensorsIO, StateKeeper, newest_usable
from dismai.training.data import TrainingData
from dismai.training.schedule import Ema, Plateau, Validation
from dismai.training.sharing import ALONE, Group, sharing

logger = logging.getLogger(__name__)

HISTORY_FILE = "history.csv"


def training_digest(
    model: str, hparams: Section, structures: list[Atoms], seed: int, device: str
) -> str:
    """SHA-256 over everything that must be equal for a state to be continued."""
    identity = {
        "model": model,
        "hparams": hparams.model_dump(mode="json"),
        "training_set": hash_structures(structures),
        "seed": seed,
        "version": VERSIONS["train"],
        "threads": threads_that_count(device),
    }
    return kept.digest(identity)


@dataclass(frozen=True)
class Training:
    """What one network is trained on and how; settings that all models have say the rest.

    module: its `training_step` returns a dict of losses (with automatic optimisation `loss` is the
        one to minimise, None skips the step) and takes all randomness from (seed, epoch, index of
        the batch)
    dataset: takes a list of indices and returns a whole batch of tensors
    columns: losses for history.csv
    epochs: passes over the data
    seed: of the order of batches
    stage: name of this training where a model has several; each keeps its state apart
    gradient_clip: every component of the gradient is cut to this magnitude; needs automatic
        optimisation
    batch: items per step, where it is not that of the model's other trainings
    validation: losses of held-out structures, further columns of history.csv
    plateau: lowers the learning rate
    ema: moving average of the weights
    """

    module: LightningModule
    dataset: Dataset
    columns: tuple[str, ...]
    epochs: int
    seed: int
    stage: str | None = None
    gradient_clip: float | None = None
    batch: int | None = None
    validation: Validation | None = None
    plateau: Plateau | None = None
    ema: Ema | None = None


def run_training(
    training: Training,
    workdir: Path,
    *,
    batch: int,
    made_for: str,
    checkpoint_every: int,
    precision: str,
    device: str,
    deterministic: bool = False,
    compiles: bool = False,
    group: Group = ALONE,
) -> None:
    """Train a module in place; `workdir` gets history.csv and, in state/, what a resume needs.

    The last weights are kept, or their moving average.

    Args:
        training: the module, its data, how it is steered
        workdir: folder of this run, made if needed
        batch: items per step
        made_for: digest of what a state must have been made for to be continued
        checkpoint_every: steps between states
        precision: as the hyperparameters call it, e.g. 32-true
        device: cpu or cuda
        deterministic: a GPU uses only kernels that give the same bytes in every run
        compiles: compile networks that are compilable
        group: the processes that do this training together

    Raises:
        InputError: a batch does not fit the memory of the device, or a loss is not finite.
    """
    module, epochs, ema = training.module, training.epochs, training.ema
    data = TrainingData(training.dataset, batch, training.seed, pinned=device.startswith("cuda"))
    folder = kept.state_of(workdir)
    folder.mkdir(parents=True, exist_ok=True)
    steps_per_epoch = len(data.sampler)
    history = History(training.columns, type(module).__name__, training.validation)
    state = group.told(newest_usable(folder, made_for) if group.leads else None)
    if state:
        logger.info("resuming from %s", state)
    logger.info(
        "training on %d items, %d epochs of %d steps",
        data.sampler.n_items,
        epochs,
        steps_per_epoch,
    )
    callbacks = [
        training.validation,
        history,  # before the state is saved: not what diverged
        training.plateau,
        ema,
        Progress(epochs * steps_per_epoch, steps_per_epoch),
        StateKeeper(folder, made_for, checkpoint_every, writes=group.leads),
    ]
    choices = {"deterministic": deterministic, "compiles": compiles}
    with (
        _quiet_lightning(),
        running(module, device, precision, **choices),
        sharing(module, group) as of_group,
    ):
        trainer = Trainer(
            accelerator=device,
            devices=1,
            precision="32-true" if precision == "tf32" else precision,
            max_epochs=epochs,
            # Lightning's own environment: the one of SLURM requeues jobs behind Snakemake's back.
            plugins=[SafetensorsIO(), LightningEnvironment()],
            gradient_clip_val=training.gradient_clip,
            gradient_clip_algorithm="value" if training.gradient_clip else None,
            callbacks=[*of_group, *(one for one in callbacks if one is not None)],
            default_root_dir=workdir,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            use_distributed_sampler=False,
        )
        with _memory_explained(type(module).__name__, batch, device):
            trainer.fit(module, datamodule=data, ckpt_path=state)
    if ema:
        ema.apply(module)
    module.to("cpu")
    if group.leads:
        history.write(Path(workdir) / HISTORY_FILE, steps_per_epoch)


@contextmanager
def _memory_explained(name: str, batch: int, device: str) -> Iterator[None]:
    """Turn a lack of memory into an InputError that names the key to change."""
    try:
        yield
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        raise InputError(
            f"{name}: batch: expected that {batch} structures a step fit the memory of "
            f"{described(device)}, found that they do not; a smaller batch, or precision: "
            "bf16-mixed, takes less"
        ) from None


def join_histories(folders: dict[str, Path], workdir: Path) -> None:
    """One history.csv of all stages, one after the other: columns of a stage carry its name."""
    parts, done = [], {"epoch": 0, "step": 0}
    for stage, folder in folders.items():
        table = pd.read_csv(folder / HISTORY_FILE)
        for column in done:
            table[column] += done[column]
            done[column] = int(table[column].iloc[-1])
        parts.append(table.rename(columns={"loss": stage, "validation": f"{stage}_validation"}))
    text = pd.concat(parts).to_csv(index=False, float_format="%.9g")
    write_atomically(workdir / HISTORY_FILE, text)


@contextmanager
def _quiet_lightning() -> Iterator[None]:
    """Without Lightning's banners and its advice on data loader workers."""
    banners = logging.getLogger("lightning.pytorch")
    level = banners.level
    banners.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="lightning.*")
            yield
    finally:
        banners.setLevel(level)
