"""A few rows in the form of each app, device and public set, after their documents: the same signal in all of them.

A person walks for ten seconds and then rests, standing upright: x is the slow sway, y 0.02 g, z gravity and steps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

GRAVITY = 9.80665
SECONDS = 10.0


@dataclass
class Gait:
    """How the person of these recordings walks."""

    hz: float = 1.9
    """Steps a second."""
    lift: float = 0.3
    """How much each adds to gravity, in g."""


gait = Gait()


def moved(rate: float, *, walking: bool, seconds: float = SECONDS) -> np.ndarray:
    """Acceleration in g, shape (n, 3)."""
    at = np.arange(round(seconds * rate)) / rate
    up = 1 + (gait.lift * np.sin(2 * np.pi * gait.hz * at) if walking else 0.004 * np.sin(at))
    return np.stack([0.05 * np.sin(at), np.full_like(at, 0.02), up], axis=1)


def turned(rate: float, seconds: float = SECONDS) -> np.ndarray:
    """Angular velocity in rad/s, shape (n, 3)."""
    at = np.arange(round(seconds * rate)) / rate
    return np.stack([0.5 * np.sin(2 * at), 0.1 * np.cos(at), np.full_like(at, 0.01)], axis=1)


def lines(rows: Iterable[Iterable[object]], head: str = "", separator: str = ",", end: str = "") -> str:
    """Rows as text."""
    body = [separator.join(f"{cell:.6g}" if isinstance(cell, float) else str(cell) for cell in row) for row in rows]
    return "\n".join([*([head] if head else []), *(f"{line}{end}" for line in body)]) + "\n"


def motion_sense() -> dict[str, str]:
    head = ",attitude.roll,attitude.pitch,attitude.yaw," + ",".join(
        f"{sensor}.{axis}" for sensor in ("gravity", "rotationRate", "userAcceleration") for axis in "xyz"
    )
    files = {}
    for label, walking in (("wlk_7", True), ("sit_5", False)):
        acc, gyro = moved(50, walking=walking), turned(50)
        rows = [
            [n, 0.1, 0.2, 0.3, 0.0, 0.0, 1.0, *g, *(a - [0, 0, 1])]
            for n, (a, g) in enumerate(zip(acc, gyro, strict=True))
        ]
        for subject in (1, 2):
            files[f"A_DeviceMotion_data/{label}/sub_{subject}.csv"] = lines(rows, head)
    return files


def harth() -> dict[str, str]:
    head = "timestamp,back_x,back_y,back_z,thigh_x,thigh_y,thigh_z,label"
    both = np.concatenate([moved(50, walking=True), moved(50, walking=False)])
    stamps = np.datetime64("2019-01-12T00:00:00.000") + np.arange(len(both)) * np.timedelta64(20, "ms")
    rows = [
        [str(at).replace("T", " "), *a, *a, 1 if n < 500 else 7]
        for n, (at, a) in enumerate(zip(stamps, both, strict=True))
    ]
    return {"harth/S006.csv": lines(rows, head), "harth/S008.csv": lines(rows, head)}


def ku_har() -> dict[str, str]:
    files = {}
    for folder, walking in (("11.Walk", True), ("1.Sit", False)):
        acc, gyro = (moved(100, walking=walking) - [0, 0, 1]) * GRAVITY, turned(100)
        rows = [[n / 100, *a, n / 100 + 0.002, *g] for n, (a, g) in enumerate(zip(acc, gyro, strict=True))]
        files[f"1.Raw_time_domian_data/{folder}/1001_{folder[0]}_1.csv"] = lines(rows)
    return files


def sisfall() -> dict[str, str]:
    files = {}
    for label, walking in (("D01", True), ("F05", False)):
        acc, gyro = moved(200, walking=walking), turned(200) * 180 / np.pi
        rows = [
            [*(round(float(x / 0.00390625)) for x in a), *(round(float(x * 65536 / 4000)) for x in g),
             *(round(float(x * 1024)) for x in a)]
            for a, g in zip(acc, gyro, strict=True)
        ]  # fmt: skip
        files[f"SisFall_dataset/SA01/{label}_SA01_R01.txt"] = lines(rows, end=";")
    return files


def dsads() -> dict[str, str]:
    files = {}
    for label, walking in (("a09", True), ("a01", False)):
        acc, gyro = moved(25, walking=walking, seconds=5) * GRAVITY, turned(25, 5)
        rows = [[*a, *g, 0.1, 0.2, 0.3] * 5 for a, g in zip(acc, gyro, strict=True)]
        files |= {f"data/{label}/p{subject}/s0{part}.txt": lines(rows) for subject in (1, 2) for part in (1, 2)}
    return files


def opportunity() -> dict[str, str]:
    rows = []
    for code, walking in ((2, True), (4, False)):
        for acc in moved(30, walking=walking, seconds=6) * 1000:
            row: list[object] = [0.0] * 250
            row[0], row[37:40], row[243] = round(len(rows) * 1000 / 30), acc.tolist(), code
            row[108:111] = acc.tolist()
            row[1] = "NaN"
            rows.append(row)
    return {"OpportunityUCIDataset/dataset/S1-ADL1.dat": lines(rows, separator=" ")}


def realworld2016() -> dict[str, str]:
    files = {}
    for label, number, walking in (("walking", "", True), ("sitting", "_2", False)):
        acc, gyro = moved(50, walking=walking) * GRAVITY, turned(50)
        for short, values in (("acc", acc), ("gyr", gyro)):
            rows = [[n + 1, 1435997165215 + 20 * n, *row] for n, row in enumerate(values)]
            head = "id,attr_time,attr_x,attr_y,attr_z"
            for position in ("chest", "waist"):
                name = {"acc": "acc", "gyr": "Gyroscope"}[short]
                files[f"proband1/data/{short}_{label}_csv.zip/{name}_{label}{number}_{position}.csv"] = lines(
                    rows, head
                )
    return files


def hhar() -> dict[str, str]:
    head = "Index,Arrival_Time,Creation_Time,x,y,z,User,Model,Device,gt"
    rows: list[list[object]] = []
    for user in "ab":
        for device, rate in (("nexus4_1", 200), ("s3mini_1", 100)):
            for gt, walking, since in (("walk", True, 0), ("null", False, SECONDS)):
                for n, acc in enumerate(moved(rate, walking=walking) * GRAVITY):
                    at = 1424696638740000000 + round((since + n / rate) * 1e9)
                    rows.append([n, at // 10**6, at, *acc, user, device[:-2], device, gt])
    return {"Activity recognition exp/Phones_accelerometer.csv": lines(rows, head)}


def capture24() -> dict[str, str]:
    both = np.concatenate([moved(100, walking=True), moved(100, walking=False)])
    stamps = np.datetime64("2016-11-13T02:18:00.000000") + np.arange(len(both)) * np.timedelta64(10, "ms")
    notes = ["7030 sleeping;MET 0.95", "occupation;interruption;11795 walking on job;MET 3.5"]
    rows = [
        [str(at).replace("T", " "), *a, f'"{notes[n < 1000]}"']
        for n, (at, a) in enumerate(zip(stamps, both, strict=True))
    ]
    named = lines([[f'"{notes[0]}"', "sleep", "sleep"], [f'"{notes[1]}"', "walking", "light"]],
                  "annotation,label:Willetts2018,label:Walmsley2020")  # fmt: skip
    return {
        "capture24/P001.csv": lines(rows, "time,x,y,z,annotation"),
        "capture24/annotation-label-dictionary.csv": named,
    }


def hapt_raw() -> dict[str, str]:
    acc = np.concatenate([moved(50, walking=True), moved(50, walking=False)])
    gyro = np.concatenate([turned(50), turned(50)])
    return {
        "RawData/acc_exp01_user01.txt": lines(acc.tolist(), separator=" "),
        "RawData/gyro_exp01_user01.txt": lines(gyro.tolist(), separator=" "),
        "RawData/labels.txt": "1 1 1 1 500\n1 1 5 501 1000\n",
        "activity_labels.txt": "1 WALKING\n5 STANDING\n",
        "Train/X_train.txt": "0.1 0.2 0.3\n",
    }


def mhealth_kaggle() -> dict[str, str]:
    head = "alx,aly,alz,glx,gly,glz,arx,ary,arz,grx,gry,grz,Activity,subject"
    rows: list[list[object]] = []
    for subject in ("subject1", "subject2"):
        for code, walking in ((4, True), (1, False)):
            acc, gyro = moved(50, walking=walking) * GRAVITY, turned(50) * 57.3
            for a, g in zip(acc, gyro, strict=True):
                rows.append([*a, *g, *a, *g, code, subject])
    return {"mhealth_raw_data.csv": lines(rows, head)}


def pamap2_kaggle() -> dict[str, str]:
    sensors = (("acceleration", " ±16g"), ("gyroscope", ""), ("magnetometer", ""))
    columns = ["temperature (°C)", *(f"{name} {axis}{end}" for name, end in sensors for axis in "XYZ")]
    head = ",".join(
        ["activityID", "heart_rate", *(f"{at} {name}" for at in ("hand", "chest", "ankle") for name in columns)]
    )
    rows: list[list[object]] = []
    for person in (1, 2):
        for label, walking in (("Nordic walking", True), ("transient activities", True), ("lying", False)):
            for a, g in zip(moved(100, walking=walking, seconds=6) * GRAVITY, turned(100, 6), strict=True):
                rows.append([label, 80, *([33.5, *a, *g, 1.0, 2.0, 3.0] * 3), person])
    return {"dataset2.csv": lines(rows, head + ",PeopleId")}


FORMS: dict[str, Callable[[], dict[str, str]]] = {
    form.__name__: form
    for form in (motion_sense, harth, ku_har, sisfall, dsads, opportunity, realworld2016, hhar, capture24, hapt_raw,
                 mhealth_kaggle, pamap2_kaggle)
}  # fmt: skip
