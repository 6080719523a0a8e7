"""Telling labels apart by their statistics: linear discriminant analysis with a shrunken covariance.

Fisher (1936), with the pooled within-label covariance shrunk towards a multiple of the identity as in Ledoit & Wolf
(2004), "A well-conditioned estimator for large-dimensional covariance matrices". Distances in the resulting space are
Mahalanobis distances: 1 is one standard deviation within a label.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tools.session import Samples


@dataclass(frozen=True, slots=True, eq=False)
class Discriminant:
    """Labelled rows in the space where labels are told apart best."""

    labels: tuple[str, ...]
    row_labels: NDArray[np.intp]
    """Each row's label as a place in `labels`, shape (rows,)."""
    points: Samples
    """The rows in that space, shape (rows, dimensions)."""
    centres: Samples
    """The labels' means in that space, shape (labels, dimensions)."""
    middle: Samples
    """What is taken off a row's features before the projection, shape (features,)."""
    projection: Samples
    """Features to that space, shape (features, dimensions)."""

    def projected(self, row: Samples) -> Samples:
        """A row of features in that space, shape (dimensions,)."""
        return (row - self.middle) @ self.projection

    def distances(self, row: Samples) -> Samples:
        """The row's distance to each label's mean, shape (labels,)."""
        return np.sqrt(((self.centres - self.projected(row)) ** 2).sum(axis=1))

    def row_distances(self, row: Samples) -> Samples:
        """The row's distance to each labelled row, shape (rows,)."""
        return np.sqrt(((self.points - self.projected(row)) ** 2).sum(axis=1))


def fit(rows: Samples, row_labels: Sequence[str], weight: Samples | None = None) -> Discriminant:
    """The discriminant of these labelled rows, shape (rows, features), all finite; at least one row.

    `weight` is what each row counts for, 1 on average; each counts for one when it is None.
    """
    labels = tuple(sorted(set(row_labels)))
    at = {label: code for code, label in enumerate(labels)}
    codes = np.array([at[label] for label in row_labels], dtype=np.intp)
    middle, spread = _mean_and_spread(rows, weight)
    weight = np.ones(len(rows)) if weight is None else weight
    scale = np.where(spread > 1e-9, spread, np.inf)
    standard = (rows - middle) / scale
    counts = np.bincount(codes, weights=weight, minlength=len(labels))
    centres = np.zeros((len(labels), rows.shape[1]))
    np.add.at(centres, codes, weight[:, None] * standard)
    centres /= counts[:, None]
    whitening = _whitening(np.sqrt(weight)[:, None] * (standard - centres[codes]))
    means = centres @ whitening
    _, sizes, axes = np.linalg.svd(means - means.mean(axis=0), full_matrices=False)
    telling = axes[sizes > 1e-6 * max(sizes.max(initial=0), 1e-12)]
    projection = whitening @ telling.T / scale[:, None]
    return Discriminant(labels, codes, (rows - middle) @ projection, means @ telling.T, middle, projection)


def _whitening(residuals: Samples) -> Samples:
    """Makes the residuals' shrunken covariance the identity, shape (features, features)."""
    covariance, shrinkage = ledoit_wolf(residuals)
    if not covariance.any() or shrinkage >= 1:
        level = float(np.trace(covariance)) / max(len(covariance), 1)
        return np.eye(len(covariance)) / np.sqrt(level if level > 1e-9 else 1.0)
    sizes, axes = np.linalg.eigh(covariance)
    return axes / np.sqrt(np.maximum(sizes, 1e-9))


def ledoit_wolf(centred: Samples) -> tuple[Samples, float]:
    """The shrunken covariance of centred rows and how far it was shrunk, from 0 to 1 (Ledoit & Wolf 2004, eq. 14)."""
    count, width = centred.shape
    sample = centred.T @ centred / max(count, 1)
    level = float(np.trace(sample)) / width
    dispersion = float((sample**2).sum()) / width - level**2
    if dispersion <= 1e-15:
        return sample, 1.0
    fourth = float(((centred**2).sum(axis=1) ** 2).mean())
    error = (fourth - float((sample**2).sum())) / (count * width)
    shrinkage = min(max(error, 0.0), dispersion) / dispersion
    sample *= 1 - shrinkage
    sample[np.diag_indices(width)] += shrinkage * level
    return sample, shrinkage


def most_telling(values: Samples, row_labels: Sequence[str], most: int) -> NDArray[np.intp]:
    """The columns whose means differ most between labels for their spread within, `most` at most, in order."""
    if values.shape[1] <= most:
        return np.arange(values.shape[1])
    _, codes = np.unique(np.array(row_labels, dtype=object), return_inverse=True)
    means, spreads = per_label(values, codes, int(codes.max()) + 1)
    within = (spreads**2).mean(axis=0) + 1e-6 * values.var(axis=0) + 1e-12
    return np.sort(np.argsort(-means.var(axis=0) / within, kind="stable")[:most])


def per_label(
    values: Samples, codes: NDArray[np.intp], labels: int, weight: Samples | None = None
) -> tuple[Samples, Samples]:
    """Each label's means and standard deviations, both of shape (labels, features)."""
    of_label = [codes == label for label in range(labels)]
    both = [_mean_and_spread(values[rows], None if weight is None else weight[rows]) for rows in of_label]
    return np.array([mean for mean, _ in both]), np.array([spread for _, spread in both])


def _mean_and_spread(values: Samples, weight: Samples | None) -> tuple[Samples, Samples]:
    if weight is None:
        return values.mean(axis=0), values.std(axis=0)
    mean = np.average(values, axis=0, weights=weight)
    return mean, np.sqrt(np.average((values - mean) ** 2, axis=0, weights=weight))


def without_gaps(values: Samples) -> Samples:
    """Missing features replaced by the feature's median over the rows."""
    missing = ~np.isfinite(values)
    if not missing.any():
        return values
    whole = values.copy()
    middle = np.nanmedian(np.where(missing, np.nan, values), axis=0)
    whole[missing] = middle[np.nonzero(missing)[1]]
    return whole
