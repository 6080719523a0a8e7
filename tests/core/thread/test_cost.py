from __future__ import annotations

import pytest

from core.thread.cost import cost_in, cost_of, cost_of_all, cost_shown


@pytest.mark.parametrize(
    ("cost", "shown"), [(0.0, "0"), (0.000078, "0.000078"), (0.021, "0.021"), (0.168, "0.17"), (12.4, "12.40")]
)
def test_a_cost_is_shown_with_two_digits_and_no_power_of_ten(cost: float, shown: str) -> None:
    assert cost_shown(cost) == shown


def test_what_is_not_known_costs_nothing_and_is_not_free() -> None:
    assert cost_of(1_000_000, 500_000, 3.0, 15.0) == 10.5
    assert cost_of(1_000_000, 500_000, None, 2.0) == 1.0 and cost_of(0, None, 3.0, 15.0) == 0
    assert cost_of(None, None, 3.0, 15.0) is cost_of(5, 5, None, None) is cost_of_all([{}, {"usage": {}}]) is None
    assert cost_in({"usage": {"cost": 10**400}}) is cost_in({"usage": {"cost": float("inf")}}) is None
    assert cost_in({"usage": {"cost": True}}) is cost_in({"usage": "much"}) is None
    assert cost_of_all([{"usage": {"cost": 1}}, {}, {"usage": {"cost": 0.5}}]) == 1.5
