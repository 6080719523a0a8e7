"""A folder as a phone's logger leaves it: two sensors at two rates, nanoseconds since 1970, and a file of labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np

START_NS = 1_698_501_144_381_773_000
LABELS = ("walking", "sitting", "walking", "standing")


def phone_recording(folder: Path, seconds_each: float = 12.0) -> Path:
    """Write what Sensor Logger writes: columns z, y, x, labels each lasting until the next. The files end a little
    after the last label's time."""
    folder.mkdir(parents=True)
    strengths = {"walking": 3.0, "sitting": 0.02, "standing": 0.05}
    for name, rate, share in (("Accelerometer", 100, 1.0), ("Gyroscope", 50, 0.3)):
        at = np.arange(round(seconds_each * len(LABELS) * rate)) / rate
        strength = np.array([strengths[LABELS[int(second // seconds_each)]] for second in at])
        wave = share * strength * np.sin(2 * np.pi * 1.9 * at)
        up = 9.8 * (name == "Accelerometer") + wave
        side = 2.0 * (strength == strengths["sitting"]) * (name == "Accelerometer")
        lines = ["time,seconds_elapsed,z,y,x"]
        lines += [
            f"{START_NS + round(second * 1e9)},{second:.3f},{z:.5f},{y:.5f},{x:.5f}"
            for second, z, y, x in zip(at, up, 0.3 * wave + side, 0.2 * np.roll(wave, 7), strict=True)
        ]
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n")
    notes = [
        f"{START_NS + round(number * seconds_each * 1e9)},{number * seconds_each:.1f},{label},80"
        for number, label in enumerate(LABELS)
    ]
    (folder / "Annotation.csv").write_text("\n".join(["time,seconds_elapsed,text,millisecond_press_duration", *notes]))
    return folder
