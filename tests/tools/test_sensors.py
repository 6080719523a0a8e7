from __future__ import annotations

import pytest

from tools.sensors import kind_of, position_of, positions_of, sensors_of, split_axis
from tools.session import Channel


@pytest.mark.parametrize(
    ("name", "unit", "description", "kind", "position"),
    [
        ("body_acc_x", "g", "Body acceleration, smartphone on the waist", "acceleration", "waist"),
        ("body_gyro_z", "rad/s", "Angular velocity", "gyroscope", ""),
        ("hand_acc16_x", "m/s²", "IMU on the wrist", "acceleration", "hand"),
        ("ankle_mag_y", "μT", "", "magnetometer", "ankle"),
        ("phone_accel_x", "m/s²", "phone in a pocket", "acceleration", "phone"),
        ("right_lower_arm_gyro_x", "deg/s", "", "gyroscope", "right lower arm"),
        ("heart_rate", "bpm", "Heart rate of the chest strap", "heart_rate", "chest"),
        ("ecg_1", "mV", "ECG lead 1", "ecg", ""),
        ("chest_temperature", "°C", "", "temperature", "chest"),
        ("handleAccX", "g", "", "acceleration", ""),
        ("leftAnkleAccX", "g", "", "acceleration", "left ankle"),
        ("signal", "", "", "other", ""),
    ],
)
def test_a_channel_is_read_as_a_person_reads_it(name: str, unit: str, description: str, kind: str, position: str):
    channel = Channel(name, description, unit)
    assert (kind_of(channel), position_of(channel)) == (kind, position)


@pytest.mark.parametrize(
    ("name", "split"),
    [("acc_x", ("acc", "x")), ("accY", ("acc", "y")), ("x_acc", ("acc", "x")), ("x", ("x", "")), ("max", ("ma", "x"))],
)
def test_axes_are_split_off(name: str, split: tuple[str, str]):
    assert split_axis(name) == split


def test_three_axes_make_a_sensor_and_the_rest_stand_alone():
    channels = [Channel(name) for name in ("b_z", "a_x", "a_y", "a_z", "b_x", "max", "hr")]
    sensors = [(sensor.name, sensor.names) for sensor in sensors_of(channels)]
    assert sensors == [
        ("b_z", ("b_z",)), ("a", ("a_x", "a_y", "a_z")), ("b_x", ("b_x",)), ("max", ("max",)), ("hr", ("hr",)),
    ]  # fmt: skip


def test_positions_come_in_the_channels_order():
    channels = [Channel(f"{position}_acc_{axis}", "", "g") for position in ("hand", "chest") for axis in "xyz"]
    assert positions_of(channels) == ("hand", "chest")
