"""Where samples that were read part into two stretches."""

from __future__ import annotations


def best_split(rows: list[list[float]]) -> int:
    """Where two levels and two spreads fit the rows best: least sum of logarithms of variance (Killick et al. 2012)."""
    import numpy as np

    values = np.array(rows)
    floor = 0.05 * values.var(axis=1) + 1e-12

    def misfit(at: int) -> float:
        return sum(
            part.shape[1] * float(np.log(part.var(axis=1) + floor).sum()) for part in (values[:, :at], values[:, at:])
        )

    least = max(values.shape[1] // 10, 2)
    return min(range(least, values.shape[1] - least + 1), key=misfit)
