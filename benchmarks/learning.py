"""The command line of the benchmarks of learning: train, or score what is trained so far."""

import argparse
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

Command = Callable[[argparse.Namespace], None]


def run(
    doc: str, train: Command, score: Command, *options: tuple[str, dict[str, Any]], threads: int = 1
) -> None:
    """Run one of the two commands on a folder.

    Args:
        doc: its first line is the help
        train: trains, or goes on
        score: scores the newest state
        options: of this benchmark, as argparse takes them
        threads: default of --threads
    """
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    parser.add_argument("command", choices=["train", "score"])
    parser.add_argument("workdir", type=Path)
    for flag, settings in options:
        parser.add_argument(flag, **settings)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=threads)
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    {"train": train, "score": score}[args.command](args)
