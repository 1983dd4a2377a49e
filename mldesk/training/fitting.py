"""One fit of an estimator with the options that are the same for all: what is done to the training rows before."""

from __future__ import annotations

import dataclasses

from mldesk.training.estimators.base import Estimator, FitContext, Fitted, Part
from mldesk.training.resampling import resample


def fit(estimator: Estimator, context: FitContext) -> Fitted:
    """Fit, on training rows evened out if ``resampling`` asks for it. Raises what the estimator raises."""
    how = context.parameters.get("resampling", "none")
    if how == "none" or not context.classes:
        return estimator.fit(context)
    codes = {index for index, _ in context.categorical}

    def evened(part: Part) -> Part:
        return resample(part, how, context.classes, codes, context.seed)

    train = evened(context.train)
    context.report.log(f"Classes are evened out ({how}): {len(train)} rows are learnt from instead of "
                       f"{len(context.train)}.")
    return estimator.fit(dataclasses.replace(context, train=train, original=context.train, resample=evened))
