"""Recordings in the forms of apps and devices, after their makers' documents: ten seconds of walking."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from tests.core.datasets.presets.forms import GRAVITY, lines, moved, turned

START = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)
START_NS = round(START.timestamp()) * 10**9

Files = dict[str, str | bytes]


def sensor_logger_csv() -> Files:
    """awesome-sensor-logger, README.md and UNITS.md."""
    acc, gyro = moved(100, walking=True) * GRAVITY, turned(50)
    head = "time,seconds_elapsed,z,y,x"
    return {
        "Accelerometer.csv": lines(
            [[START_NS + 10_000_000 * n, n / 100, *row[::-1]] for n, row in enumerate(acc)], head
        ),
        "Gyroscope.csv": lines([[START_NS + 20_000_000 * n, n / 50, *row[::-1]] for n, row in enumerate(gyro)], head),
        "Location.csv": lines([[START_NS, 0.1, 1.5, 51.1, 0.2]], "time,seconds_elapsed,speed,latitude,longitude"),
        "Metadata.csv": "version,device name,platform\n3,Anna's phone,ios\n",
        "Annotation.csv": lines(
            [[START_NS, 0.0, "walking", 80]], "time,seconds_elapsed,text,millisecond_press_duration"
        ),
    }


def sensor_logger_json() -> Files:
    """The same as one list of rows, every value a string."""
    rows: list[dict[str, str]] = [{"sensor": "Metadata", "version": "3", "platform": "android", "seconds_elapsed": "0"}]
    for name, rate, values in (
        ("Accelerometer", 100, moved(100, walking=True) * GRAVITY),
        ("Gyroscope", 50, turned(50)),
    ):
        rows += [
            {"sensor": name, "time": str(START_NS + round(n / rate * 1e9)), "seconds_elapsed": str(n / rate),
             "z": str(z), "y": str(y), "x": str(x)}
            for n, (x, y, z) in enumerate(values.tolist())
        ]  # fmt: skip
    rows.append({"sensor": "Annotation", "time": str(START_NS), "seconds_elapsed": "0", "text": "walking"})
    return {"2024-05-06_07-08-09.json": json.dumps(rows)}


def phyphox() -> Files:
    """phyphox.org/wiki, Data export: quoted heads, numbers with exponents, a folder meta."""
    acc = moved(100, walking=True) * GRAVITY
    head = (
        '"Time (s)",'
        + ",".join(f'"Acceleration {axis} (m/s^2)"' for axis in "xyz")
        + ',"Absolute acceleration (m/s^2)"'
    )
    rows = [[f"{n / 100:.9E}", *(f"{x:.9E}" for x in row), f"{np.linalg.norm(row):.9E}"] for n, row in enumerate(acc)]
    return {
        "Raw Data.csv": lines(rows, head),
        "meta/device.csv": '"property","value"\n"deviceModel","Pixel"\n',
        "meta/time.csv": '"event","experiment time","system time"\n"START",0.0,1714979289.1\n',
    }


def sensorlog_ios() -> Files:
    sensors = (("accelerometerAcceleration", "G"), ("motionRotationRate", "rad/s"))
    head = "loggingTime(txt),loggingSample(N)," + ",".join(
        f"{name}{axis}({unit})" for name, unit in sensors for axis in "XYZ"
    ) + ",activity(txt),label(N)"  # fmt: skip
    rows = [
        [(START + timedelta(seconds=n / 50)).isoformat(timespec="milliseconds"), n, *a, *g, "stationary", 1]
        for n, (a, g) in enumerate(zip(moved(50, walking=True).tolist(), turned(50).tolist(), strict=True))
    ]
    return {"2024-05-06_07_08_09_my_iOS_device.csv": lines(rows, head)}


def androsensor() -> Files:
    sensors = ";".join(f"ACCELEROMETER {axis} (m/s²)" for axis in "XYZ")
    head = f"{sensors};Time since start in ms ;YYYY-MO-DD HH-MI-SS_SSS"
    acc = (moved(50, walking=True) * GRAVITY).tolist()
    rows = [[*row, 20 * n, "2024-05-06 07-08-09_000"] for n, row in enumerate(acc)]
    return {"Sensor_record.csv": lines(rows, head, ";")}


def empatica_e4() -> Files:
    """Start and rate in the first rows, then counts of 1/64 g; the heart rate begins ten seconds later."""
    begun = START_NS / 1e9

    def table(rate: float, values: Sequence[Sequence[float]], since: float = 0.0) -> str:
        first = [f"{begun + since:.6f}"] * len(values[0]), [f"{rate:.6f}"] * len(values[0])
        return lines([*(", ".join(row).split(", ") for row in first), *values])

    acc = np.round(moved(32, walking=True, seconds=20) * 64).astype(int).tolist()
    return {
        "ACC.csv": table(32, acc),
        "BVP.csv": table(64, [[float(np.sin(n / 9))] for n in range(64 * 20)]),
        "HR.csv": table(1, [[80.0 + n] for n in range(10)], 10.0),
        "IBI.csv": f"{begun:.6f}, IBI\n1.5,0.8\n",
        "tags.csv": f"{begun + 3:.2f}\n",
        "info.txt": "These files contain data from an Empatica E4.",
    }


def actigraph_csv() -> Files:
    head = "\n".join([
        "------------ Data File Created By ActiGraph GT3X+ ActiLife v6.11.9 Firmware v1.7.1 "
        "date format M/d/yyyy at 30 Hz  Filter Normal -----------",
        "Serial Number: NEO1", "Start Time 07:08:09", "Start Date 5/6/2024", "Epoch Period (hh:mm:ss) 00:00:00",
        "Download Time 09:00:00", "Download Date 5/7/2024", "Current Memory Address: 0",
        "Current Battery Voltage: 4.22     Mode = 12", "-" * 50, ",".join(f"Accelerometer {axis}" for axis in "XYZ"),
    ])  # fmt: skip
    return {"s01RAW.csv": lines(moved(30, walking=True).tolist(), head)}


def _packed(at: datetime) -> int:
    return (at.year - 2000) << 26 | at.month << 22 | at.day << 17 | at.hour << 12 | at.minute << 6 | at.second


def axivity_cwa() -> Files:
    """openmovement, ax3-technical.md: a header, then blocks of 80 samples of 16 bits, 1/256 g, at 100 Hz."""
    head = bytearray(b"\0" * 64 + b" " * 448 + b"\xff" * 512)
    struct.pack_into("<HHBHIH", head, 0, 0x444D, 1020, 0x17, 1234, 1, 0)
    struct.pack_into("<BI", head, 36, 0x4A, _packed(START))
    data, counts = bytes(head), np.round(moved(100, walking=True) * 256).astype("<i2")
    for first in range(0, len(counts), 80):
        own, at = counts[first : first + 80], START + timedelta(seconds=first / 100)
        block = bytearray(512)
        fraction = 0x8000 | -(-at.microsecond * 32768 // 10**6)
        struct.pack_into("<HHHIII", block, 0, 0x5841, 508, fraction, 1, first // 80, _packed(at))
        struct.pack_into(
            "<HHBBBBhH", block, 18, 100, 300, 0, 200, 0x4A, 0x32, -round(at.microsecond / 10_000), len(own)
        )
        block[30 : 30 + own.nbytes] = own.tobytes()
        struct.pack_into("<H", block, 510, -sum(struct.unpack("<255H", block[:510])) & 0xFFFF)
        data += bytes(block)
    return {"walk.cwa": data}


def actigraph_gt3x() -> Files:
    """GT3X-File-Format: a zip of info.txt and log.bin; samples of 12 bits as y, x, z, two in nine bytes, at 30 Hz."""
    start = START_NS // 10**9

    def record(kind: int, at: int, payload: bytes) -> bytes:
        body = struct.pack("<BBIH", 0x1E, kind, at, len(payload)) + payload
        check = 0
        for byte in body:
            check ^= byte
        return body + bytes([~check & 0xFF])

    log = record(0x15, start, struct.pack("<HHIHHI", 0, 55, 9 << 24 | 0x400000, 1, 10, 30))
    counts = np.round(moved(30, walking=True) * 256).astype(int) & 0xFFF
    for second in range(10):
        digits = "".join(f"{y:03x}{x:03x}{z:03x}" for x, y, z in counts[30 * second : 30 * second + 30].tolist())
        log += record(0x00, start + second, bytes.fromhex(digits))
    info = "Serial Number: MOS2\nDevice Type: wGT3XBT\nSample Rate: 30\nAcceleration Scale: 256.0\nTimeZone: 00:00:00\n"
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("info.txt", info)
        archive.writestr("log.bin", log)
    return {"walk.gt3x": out.getvalue()}


def _fit_check(data: bytes) -> int:
    """The checksum of the FIT protocol: CRC-16 of the polynomial 0xA001."""
    check = 0
    for byte in data:
        check ^= byte
        for _ in range(8):
            check = check >> 1 ^ (0xA001 if check & 1 else 0)
    return check


def garmin_fit() -> Files:
    """The FIT protocol: ten samples a message of accelerometer_data, and a record each second."""
    since = START_NS // 10**9 - 631065600
    acc = moved(100, walking=True)
    samples = [
        (
            since + n // 10,
            n % 10 * 100,
            *range(0, 100, 10),
            *(x for axis in acc[10 * n : 10 * n + 10].T.tolist() for x in axis),
        )
        for n in range(100)
    ]
    messages: list[tuple[int, list[tuple[int, int, int]], str, list[Any]]] = [
        (0, [(0, 1, 0x00), (1, 2, 0x84), (4, 4, 0x86)], "BHI", [(4, 1, since)]),
        (165, [(253, 4, 0x86), (0, 2, 0x84), (1, 20, 0x84), *((n, 40, 0x88) for n in (5, 6, 7))], "IH10H30f", samples),
        (20, [(253, 4, 0x86), (0, 4, 0x85), (3, 1, 0x02)], "IiB", [(since + n, 123456, 120 + n) for n in range(11)]),
    ]  # fmt: skip
    body = b""
    for number, fields, form, rows in messages:
        body += struct.pack("<BBBHB", 0x40, 0, 0, number, len(fields))
        body += b"".join(struct.pack("<BBB", *field) for field in fields)
        body += b"".join(b"\0" + struct.pack(f"<{form}", *row) for row in rows)
    head = struct.pack("<BBHI4s", 14, 0x20, 2100, len(body), b".FIT")
    data = head + struct.pack("<H", _fit_check(head)) + body
    return {"walk.fit": data + struct.pack("<H", _fit_check(data))}


DEVICES: dict[str, Callable[[], Files]] = {
    form.__name__: form
    for form in (sensor_logger_csv, sensor_logger_json, phyphox, sensorlog_ios, androsensor, empatica_e4, actigraph_csv,
                 axivity_cwa, actigraph_gt3x, garmin_fit)
}  # fmt: skip
