"""Fitted objects of scikit-learn: `MLPClassifier`, `MLPRegressor`, pipelines of scalers before them."""

from __future__ import annotations

import sys
from typing import ClassVar

from ..format import Reader, Request
from ..mlp import Mlp

__all__ = ["ScikitLearnFormat"]


class ScikitLearnFormat(Reader):
    """A live estimator. Its files are pickles, which edgeml does not load."""

    description: ClassVar[str] = "an MLP of scikit-learn (MLPClassifier, MLPRegressor, behind scalers too)"

    def takes(self, request: Request) -> bool:
        """Whether it is an estimator of scikit-learn."""
        base = sys.modules.get("sklearn.base")
        return base is not None and isinstance(request.source, base.BaseEstimator)

    def read(self, request: Request) -> Mlp:
        """The estimator as an `Mlp`, held against what it gives itself.

        Raises
        ------
        InputError : it is another kind of estimator, is not fitted, or has a step that edgeml does not read.
        CheckFailed : it computes something else than what was read.
        """
        from ..scikit_learn.reader import read_estimator

        return read_estimator(request)
