"""Ending early without loss: SIGTERM or SIGUSR1 asks a job to finish its piece, save and end.

A piece is a step of training, a batch of structures, one relaxation. What cannot wait so long is
killed by the queue in the end, which costs that piece and nothing else.
"""

import logging
import signal
import sys
import threading
from types import FrameType
from typing import NoReturn

logger = logging.getLogger(__name__)

SIGNALS = (signal.SIGTERM, signal.SIGUSR1)
EXIT_CODE = 75
"""EX_TEMPFAIL of sysexits.h: try again later."""

_listening = threading.Event()
_asked = threading.Event()


def listen() -> None:
    """From now on the signals do not end this process, but are kept for `leave_if_asked`."""
    _listening.set()
    for number in SIGNALS:
        signal.signal(number, _remember)


def listen_again() -> None:
    """Take the signals back from a library that installed handlers of its own."""
    if _listening.is_set():
        listen()


def asked() -> bool:
    """Whether this process has been asked to end."""
    return _asked.is_set()


def leave_if_asked() -> None:
    """End this process, with an exit code of its own, if a signal has asked for it.

    To be called where everything that is finished has been saved.
    """
    if asked():
        leave("asked to end by a signal")


def leave(reason: str) -> NoReturn:
    """End this process with the exit code that asks for another try."""
    logger.warning("%s: finished work is kept, the next call goes on", reason)
    sys.exit(EXIT_CODE)


def _remember(number: int, frame: FrameType | None) -> None:
    _asked.set()
