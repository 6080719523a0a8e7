"""What plain scikit-learn makes of the same windows, one subject held out at a time."""

# pyright: reportMissingImports=false
# the libraries of the `bench` extra are not installed where only the checks run

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tools.features import DURATION, for_comparison
from tools.session import Dataset, FeatureTable, Samples


def tables(dataset: Dataset, sessions: Sequence[str]) -> dict[str, Samples]:
    """What the baselines are given of these sessions: the numbers that the measuring tools print, and the features that
    the comparing tools compare by."""
    printed, features = dataset.measurements(), dataset.features()
    use = [column for column, name in enumerate(features.names) if name != DURATION]
    compared = _rows(features, sessions)[:, use]
    return {
        "printed": _rows(printed, sessions),
        "compared": for_comparison([features.names[column] for column in use], compared),
    }


def _rows(table: FeatureTable, sessions: Sequence[str]) -> Samples:
    at = {session: row for row, session in enumerate(table.sessions)}
    return table.values[[at[session] for session in sessions]]


def held_out(features: Samples, labels: Sequence[str], subjects: Sequence[str], kind: str) -> list[str]:
    """Predictions, each by a model that has seen no session of the same subject.

    Sessions with the same channels (a phone's, a watch's) have models of their own.
    """
    truth, people = np.array(labels, dtype=object), np.array(subjects, dtype=object)
    predicted = np.full(len(truth), "", dtype=object)
    there = np.isfinite(features)
    for group in _groups(there):
        columns = there[group].mean(axis=0) > 0.5
        values = features[group][:, columns]
        values = np.where(np.isfinite(values), values, np.nanmedian(values, axis=0))
        predicted[group] = _each_subject(values, truth[group], people[group], kind)
    return [str(label) for label in predicted]


def _groups(there: NDArray[np.bool_]) -> list[NDArray[np.bool_]]:
    """Rows that share most of their features."""
    left: NDArray[np.bool_] = np.ones(len(there), dtype=bool)
    groups: list[NDArray[np.bool_]] = []
    while left.any():
        first = there[np.flatnonzero(left)[0]]
        alike = left & ((there == first).mean(axis=1) > 0.8)
        groups.append(alike)
        left = left & ~alike
    return groups


def _each_subject(values: Samples, truth: NDArray[Any], people: NDArray[Any], kind: str) -> NDArray[Any]:
    predicted = np.full(len(truth), "", dtype=object)
    for person in sorted(set(people)):
        test = people == person
        if len(set(truth[~test])) < 2:
            continue
        model = _model(kind, truth[~test])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # tiny slices leave collinear features
            predicted[test] = model.fit(values[~test], truth[~test]).predict(values[test])
    return predicted


def _model(kind: str, truth: NDArray[Any]) -> Any:
    if kind == "trees":  # Geurts, Ernst & Wehenkel 2006, "Extremely randomized trees"
        return ExtraTreesClassifier(200, min_samples_leaf=2, random_state=0)
    if len(truth) <= 2 * len(set(truth)):  # no within-label spread to speak of
        from sklearn.neighbors import KNeighborsClassifier

        return make_pipeline(StandardScaler(), KNeighborsClassifier(1))
    return make_pipeline(StandardScaler(), LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto"))
