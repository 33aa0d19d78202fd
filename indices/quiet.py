"""Keep model libraries from talking over the command line: load reports, progress bars, warnings."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import warnings
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

TALKERS = (
    "sentence_transformers",
    "transformers",
    "huggingface_hub",
    "model2vec",
    "skeletoken",
    "safetensors",
    "torch",
)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Swallow what the libraries write to the terminal inside the block; errors still come through.

    Downloads are off too: a model is a folder on this machine or it is not there.
    """
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ["TRANSFORMERS_OFFLINE"] = "1"
    loggers = [logging.getLogger(name) for name in TALKERS]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
