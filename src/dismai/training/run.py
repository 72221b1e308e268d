"""One training run: Lightning with our states, history and log; resumes if it can."""

import hashlib
import json
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from ase import Atoms
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.plugins.environments import LightningEnvironment

from dismai.section import Section
from dismai.training.callbacks import History, Progress, SafetensorsIO, StateKeeper, newest_usable
from dismai.training.data import TrainingData, hash_structures
from dismai.training.schedule import Ema, Plateau, Validation
from dismai.versions import VERSIONS

logger = logging.getLogger(__name__)

STATE_FOLDER = "state"
HISTORY_FILE = "history.csv"


def fingerprint(model: str, hparams: Section, structures: list[Atoms], seed: int) -> str:
    """SHA-256 over everything that must be equal for a state to be continued."""
    identity = {
        "model": model,
        "hparams": hparams.model_dump(mode="json"),
        "training_set": hash_structures(structures),
        "seed": seed,
        "version": VERSIONS["train"],
        "threads": torch.get_num_threads(),
    }
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()


def run_training(
    module: LightningModule,
    data: TrainingData,
    workdir: Path,
    *,
    columns: tuple[str, ...],
    fingerprint: str,
    epochs: int,
    checkpoint_every: int,
    precision: str,
    device: str,
    gradient_clip: float | None = None,
    validation: Validation | None = None,
    plateau: Plateau | None = None,
    ema: Ema | None = None,
) -> None:
    """Train a module in place; `workdir` gets history.csv and, in state/, what a resume needs.

    The last weights are kept, or their moving average.

    Args:
        module: its `training_step` returns a dict of losses (with automatic optimisation `loss`
            is the one to minimise, None skips the step) and takes all randomness from
            (seed, epoch, index of the batch)
        data: training batches
        workdir: folder of this run, made if needed
        columns: losses for history.csv
        fingerprint: a state with another one is not continued
        epochs: passes over the data
        checkpoint_every: steps between states
        precision: of Lightning, e.g. 32-true
        device: of Lightning, e.g. auto, cpu, cuda
        gradient_clip: every component of the gradient is cut to this magnitude; needs automatic
            optimisation
        validation: losses of held-out structures, further columns of history.csv
        plateau: lowers the learning rate
        ema: moving average of the weights
    """
    folder = Path(workdir) / STATE_FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    steps_per_epoch = len(data.sampler)
    history = History(columns, type(module).__name__, validation)
    state = newest_usable(folder, fingerprint)
    if state:
        logger.info("resuming from %s", state)
    logger.info(
        "training on %d items, %d epochs of %d steps",
        *(data.sampler.n_items, epochs, steps_per_epoch),
    )
    with _quiet_lightning():
        trainer = Trainer(
            accelerator=device,
            devices=1,
            precision=precision,
            max_epochs=epochs,
            # Lightning's own environment: the one of SLURM requeues jobs behind Snakemake's back.
            plugins=[SafetensorsIO(), LightningEnvironment()],
            gradient_clip_val=gradient_clip,
            gradient_clip_algorithm="value" if gradient_clip else None,
            callbacks=[
                *((validation,) if validation else ()),
                history,  # before the state is saved: not what diverged
                *((plateau,) if plateau else ()),
                *((ema,) if ema else ()),
                Progress(epochs * steps_per_epoch, steps_per_epoch),
                StateKeeper(folder, fingerprint, checkpoint_every),
            ],
            default_root_dir=workdir,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            use_distributed_sampler=False,
        )
        trainer.fit(module, datamodule=data, ckpt_path=state)
    if ema:
        ema.apply(module)
    module.to("cpu")
    history.write(Path(workdir) / HISTORY_FILE, steps_per_epoch)


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
