"""Fine-tuning an encoder on a number that each text has, a *target*, with an effect of the text's *group* thrown away.

A linear head on the unit vector, and a constant a group, predict the standardised target by least squares; the head is
thrown away and the vectors stay. A penalty on ``1 - cos`` between new and old vector keeps texts that were alike alike.
Two ways: ``whole`` moves the model's weights, ``projection`` learns one matrix behind the frozen model.
"""

from __future__ import annotations

import contextlib
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np

from indices.tuning_state import read_state, write_state
from valuation.errors import ConfigError, InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

Method = Literal["whole", "projection"]
Precision = Literal["float32", "bfloat16"]
HEAD_RATE = 1e-2  # learning rate of the head: it starts from nothing, the encoder does not
PROJECTION_RATE = 20.0  # times the learning rate: one matrix bears larger steps than a whole model
WARM_UP = 0.1  # share of steps over which the learning rate rises; it falls to 0 over the others
LOYALTY = {"whole": 0.1, "projection": 1.0}  # weight of 1 - cos(new vector, old vector) beside the squared error
LARGEST_GRADIENT = 1.0  # its norm is cut there
POOL = 50  # batches that are sorted by length together: little padding, and still shuffled


@dataclass(frozen=True, slots=True)
class TuningPlan:
    """How an encoder is fitted.

    Attributes
    ----------
    method : {'whole', 'projection'}
    epochs, batch : int
        Passes over the texts, and texts a step.
    learning_rate : float
        The largest of the schedule.
    seed : int
        Of the order of texts and of dropout.
    precision : {'float32', 'bfloat16'}
        Of the products inside a transformer while it is fitted; weights, sums and steps are always float32.
    """

    method: Method
    epochs: int
    batch: int
    learning_rate: float
    seed: int
    precision: Precision


@dataclass(frozen=True, slots=True)
class Lesson:
    """What is learned from.

    Attributes
    ----------
    vectors : ndarray of float32, shape (n, dimension)
        The texts' vectors before, unit-norm rows.
    target : ndarray, shape (n,)
        In any unit: it is standardised here.
    group : ndarray of int, shape (n,)
        From 0; its effect on the target is estimated beside the text's and thrown away.
    length : ndarray of int, shape (n,)
        Tokens read of each text: texts of like length go together.
    """

    vectors: NDArray[np.float32]
    target: NDArray[np.float64]
    group: NDArray[np.int64]
    length: NDArray[np.int64]


class Body(Protocol):
    """The part that is kept: a torch module, and how it embeds rows of the lesson."""

    module: Any

    def embed(self, rows: NDArray[np.int64]) -> Any:  # noqa: ANN401 - a torch tensor
        """Vectors of some rows, shape (n_rows, dimension), of any length."""


def tune(
    body: Body,
    lesson: Lesson,
    plan: TuningPlan,
    *,
    state: Path,
    identity: str,
    progress: Callable[[int, int, int], None],
) -> tuple[float, ...]:
    """Fit `body` to the lesson; it is changed in place, and left in evaluation mode.

    After each epoch everything that the next one needs is written to `state`; a fit that was stopped goes on from
    there and ends with the same weights. On one machine with one number of threads the weights are the same each time.

    Parameters
    ----------
    state : Path
        File of the last finished epoch.
    identity : str
        Of the whole fit: a state of another identity is ignored.
    progress : callable
        Called with (epoch from 1, texts done in it, texts).

    Returns
    -------
    tuple of float, length epochs
        Mean squared error of the standardised target over each epoch, the penalty left out.

    Raises
    ------
    InputError
        Targets that do not vary, or are not finite.
    ConfigError
        The fit diverged.
    """
    import torch

    fitted = _Fit(body, lesson, plan)
    losses = list(read_state(state, fitted.tensors(), identity=identity))
    with _reproducible():
        for epoch in range(len(losses), plan.epochs):
            torch.manual_seed(plan.seed + epoch)  # of dropout
            losses.append(fitted.epoch(epoch, progress))
            write_state(state, fitted.tensors(), losses=losses, identity=identity)
    body.module.eval()
    return tuple(losses)


def order_of(length: NDArray[np.int64], plan: TuningPlan, epoch: int) -> Iterator[NDArray[np.int64]]:
    """Batches of one epoch: shuffled, pooled, sorted by length within a pool, the pool's batches shuffled again.

    Parameters
    ----------
    length : ndarray of int, shape (n,)

    Yields
    ------
    ndarray of int64
        At most `plan.batch` rows; every row comes once.
    """
    rng = np.random.default_rng([plan.seed, epoch])
    rows = rng.permutation(length.size)
    for begin in range(0, rows.size, plan.batch * POOL):
        pool = rows[begin : begin + plan.batch * POOL]
        pool = pool[np.argsort(length[pool], kind="stable")]
        batches = [pool[at : at + plan.batch] for at in range(0, pool.size, plan.batch)]
        for number in rng.permutation(len(batches)):
            yield batches[number]


class _Fit:
    """Owns the tensors of one fit: body, head and the optimiser's moments."""

    def __init__(self, body: Body, lesson: Lesson, plan: TuningPlan) -> None:
        import torch

        target = lesson.target
        if not np.isfinite(target).all() or target.size < 2 or float(target.std()) <= 0:
            raise InputError(f"{target.size} targets that do not vary or are not finite: nothing can be learned")
        self.body, self.lesson, self.plan = body, lesson, plan
        self.standard = torch.from_numpy(((target - target.mean()) / target.std()).astype(np.float32))
        self.old = torch.from_numpy(np.ascontiguousarray(lesson.vectors, dtype=np.float32))
        self.group = torch.from_numpy(lesson.group)
        sizes = {"slope": self.old.shape[1], "level": 1, "effect": int(lesson.group.max()) + 1}
        self.head = {name: torch.nn.Parameter(torch.zeros(size)) for name, size in sizes.items()}
        faster = PROJECTION_RATE if plan.method == "projection" else 1.0
        self.rates = (faster * plan.learning_rate, HEAD_RATE)
        moved = [one for one in body.module.parameters() if one.requires_grad]
        groups = [{"params": moved}, {"params": list(self.head.values())}]
        self.optimiser = torch.optim.AdamW(groups, lr=plan.learning_rate, weight_decay=0.0)
        for group in self.optimiser.param_groups:
            for one in group["params"]:  # made now, so that a state can be read into them
                self.optimiser.state[one] = {
                    "step": torch.zeros(()), "exp_avg": torch.zeros_like(one), "exp_avg_sq": torch.zeros_like(one)
                }  # fmt: skip

    def tensors(self) -> dict[str, Any]:
        """Everything that an epoch changes, by name; the tensors themselves, not copies."""
        named = {f"body.{name}": tensor for name, tensor in self.body.module.state_dict().items()}
        named |= {f"head.{name}": tensor.data for name, tensor in self.head.items()}
        every = [one for group in self.optimiser.param_groups for one in group["params"]]
        for number, one in enumerate(every):
            named |= {f"optimiser.{number}.{name}": tensor for name, tensor in self.optimiser.state[one].items()}
        return named

    def epoch(self, epoch: int, progress: Callable[[int, int, int], None]) -> float:
        """Pass over the texts once, the epoch counted from 0; returns its mean squared error."""
        self.body.module.train()
        n, steps = len(self.lesson.target), math.ceil(len(self.lesson.target) / self.plan.batch)
        total, done, step = 0.0, 0, epoch * steps
        for rows in order_of(self.lesson.length, self.plan, epoch):
            progress(epoch + 1, done, n)
            total += self._step(rows, _schedule(step, steps * self.plan.epochs)) * rows.size
            if not math.isfinite(total):
                raise ConfigError(
                    f"the fit diverged in epoch {epoch + 1}; training.learning_rate = {self.plan.learning_rate:g} "
                    "is too large for this encoder: set it lower"
                )
            done, step = done + rows.size, step + 1
        progress(epoch + 1, n, n)
        return total / n

    def _step(self, rows: NDArray[np.int64], share: float) -> float:
        """One step on a batch; returns its mean squared error."""
        import torch

        for group, rate in zip(self.optimiser.param_groups, self.rates, strict=True):
            group["lr"] = share * rate
        at = torch.from_numpy(rows)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=self.plan.precision == "bfloat16"):
            embedded = self.body.embed(rows)
        vectors = torch.nn.functional.normalize(embedded.float(), dim=1)
        predicted = vectors @ self.head["slope"] + self.head["level"] + self.head["effect"][self.group[at]]
        error = ((predicted - self.standard[at]) ** 2).mean()
        strayed = (1.0 - (vectors * self.old[at]).sum(dim=1)).mean()
        self.optimiser.zero_grad()
        (error + LOYALTY[self.plan.method] * strayed).backward()
        torch.nn.utils.clip_grad_norm_(self.optimiser.param_groups[0]["params"], LARGEST_GRADIENT)
        self.optimiser.step()
        return float(error.detach())


def _schedule(step: int, steps: int) -> float:
    """Share of the largest learning rate: rises over the first tenth of the steps, then falls in a line to 0."""
    rise = max(1, round(WARM_UP * steps))
    return (step + 1) / rise if step < rise else (steps - step) / max(1, steps - rise)


def fastest_precision() -> Precision:
    """Return bfloat16 where the processor multiplies it itself (it nearly halves the time), else float32."""
    import torch

    return "bfloat16" if torch.ops.mkldnn._is_mkldnn_bf16_supported() else "float32"


@contextlib.contextmanager
def _reproducible() -> Iterator[None]:
    """Deterministic kernels inside the block; torch's own generator is put back after it."""
    import torch

    before = torch.are_deterministic_algorithms_enabled()
    with torch.random.fork_rng(devices=[]):
        torch.use_deterministic_algorithms(True)
        try:
            yield
        finally:
            torch.use_deterministic_algorithms(before)
