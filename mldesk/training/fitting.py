"""One fit of an estimator with the options that are the same for all: what is done to the training rows before."""

from __future__ import annotations

import dataclasses

from mldesk.core.errors import MldeskError
from mldesk.training.checkpoints import CheckpointDamaged
from mldesk.training.estimators.base import Estimator, FitContext, Fitted, Part
from mldesk.training.resampling import resample
from mldesk.wire.failures import is_gpu_out_of_memory


def fit(estimator: Estimator, context: FitContext) -> Fitted:
    """Fit, on training rows evened out if ``resampling`` asks for it. Raises what the estimator raises,
    CheckpointDamaged where it cannot go on from its checkpoint.
    """
    how = context.parameters.get("resampling", "none")
    if how == "none" or not context.classes:
        return _going_on(estimator, context)
    codes = {index for index, _ in context.categorical}

    def evened(part: Part) -> Part:
        return resample(part, how, context.classes, codes, context.seed)

    train = evened(context.train)
    context.report.log(f"Classes are evened out ({how}): {len(train)} rows are learnt from instead of "
                       f"{len(context.train)}.")
    return _going_on(estimator, dataclasses.replace(context, train=train, original=context.train, resample=evened))


def _going_on(estimator: Estimator, context: FitContext) -> Fitted:
    """Fit. What goes wrong while a checkpoint is read, whatever library says so, is the checkpoint's fault."""
    try:
        return estimator.fit(context)
    except (MldeskError, MemoryError):
        raise
    except Exception as error:
        if (name := context.checkpoints.taken_up) and not is_gpu_out_of_memory(error):
            raise CheckpointDamaged(name, error) from error
        raise
