"""A synthetic motion dataset, made from a seed: what a machine without any data starts with.

Every number is invented. The signals are built as a phone on the hip would record them: gravity seen through the
phone's mounting, a step rhythm with harmonics for the three kinds of walking, a slow sway at rest, a slip of the
pocket now and then, sensor noise and bias, and the resolution of a phone's sensor. Rhythm, strength, posture and
mounting differ between subjects; so an activity's windows look alike without being the same for everybody.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from core.datasets.archive import Raw
from core.datasets.plan import Importer, ImportOptions, NewSession, Plan, Unit
from core.datasets.windows import numbered
from tools.session import Channel

if TYPE_CHECKING:
    from tools.session import Samples

RATE_HZ = 50.0
ROWS = 250
SUBJECTS = 10
WINDOWS_PER_ACTIVITY = 7
GRAVITY = 9.81
ACTIVITIES = ("walking", "walking_upstairs", "walking_downstairs", "sitting", "standing", "laying")
CHANNELS = tuple(
    Channel(
        f"{sensor}_{axis}",
        f"{about}, {axis} axis ({way}) of a simulated phone on the right hip",
        unit,
        RATE_HZ,
    )
    for sensor, about, unit in (
        ("acc", "acceleration including gravity", "m/s²"),
        ("gyro", "angular velocity", "rad/s"),
    )
    for axis, way in (("x", "up along an upright body"), ("y", "to the left"), ("z", "to the front"))
)


@dataclass(frozen=True, slots=True)
class _Gait:
    """How a kind of walking differs from the others."""

    steps_per_sec: float
    up: float
    """Amplitude of the up-and-down acceleration at the step rate, m/s²."""
    sway: float
    """Sideways, at half the step rate, relative to `up`."""
    impact: float
    """Share of the second and third harmonic: how hard the foot lands."""
    turn: float
    """Amplitude of the hip's rotation, rad/s."""
    lean: float
    """Forward tilt of the hip, degrees."""


_GAITS = {
    "walking": _Gait(1.85, 2.6, 0.45, 0.45, 0.75, 3.0),
    "walking_upstairs": _Gait(1.55, 2.2, 0.50, 0.30, 0.65, 11.0),
    "walking_downstairs": _Gait(1.80, 3.4, 0.45, 0.80, 0.80, -2.0),
}
_POSTURES = {"sitting": (34.0, 12.0), "standing": (4.0, 7.0), "laying": (86.0, 9.0)}
"""Backward tilt of the hip and its spread between subjects, degrees."""


@dataclass(frozen=True, slots=True)
class _Subject:
    name: str
    pace: float
    strength: float
    impact: float
    mounting: Samples
    """Rotation from body to phone, shape (3, 3)."""
    tilt: dict[str, float]
    bias: Samples
    """Constant error of each channel, shape (6, 1)."""


def _plan(raw: Raw | None, options: ImportOptions) -> Plan:
    seed = 0 if options.seed is None else options.seed
    return Plan(
        title="Synthetic motion demo",
        description=(
            "Synthetic data made by a program from a seed, no person was recorded: simulated accelerometer and "
            f"gyroscope of a phone on the right hip of {SUBJECTS} invented subjects, six activities, "
            f"windows of {ROWS / RATE_HZ:g} s at {RATE_HZ:g} Hz."
        ),
        activities=ACTIVITIES,
        channels=CHANNELS,
        source=f"made by sensorloom from the seed {seed}",
        settings={"seed": seed},
        total=SUBJECTS,
        units=[Unit(f"subject {number}", 1, partial(_sessions, seed, number)) for number in range(1, SUBJECTS + 1)],
        synthetic=True,
    )


IMPORTER = Importer("demo", "a synthetic motion dataset made from a seed", False, ("seed",), _plan)


def _sessions(seed: int, number: int, dropped: Counter[str]) -> Iterator[NewSession]:
    random = np.random.default_rng([abs(seed), number])
    subject = _subject(random, number)
    labels = [label for label in range(len(ACTIVITIES)) for _ in range(WINDOWS_PER_ACTIVITY)]
    recordings = [_recorded(random, subject, ACTIVITIES[label]) for label in labels]
    windows = [
        (label, np.arange(ROWS) / RATE_HZ, values) for label, (values, _) in zip(labels, recordings, strict=True)
    ]
    facts = [{"steps": steps} for _, steps in recordings]
    names = tuple(channel.name for channel in CHANNELS)
    yield from numbered(subject.name, subject.name, ACTIVITIES, [names] * len(windows), windows, facts)


def _subject(random: np.random.Generator, number: int) -> _Subject:
    roll, pitch, yaw = random.normal(0, (9, 7, 14))
    return _Subject(
        name=f"s{number:02d}",
        pace=random.normal(1, 0.05),
        strength=random.lognormal(0, 0.14),
        impact=random.lognormal(0, 0.16),
        mounting=_rotation(roll, pitch, yaw),
        tilt={posture: random.normal(mean, spread) for posture, (mean, spread) in _POSTURES.items()},
        bias=np.concatenate((random.normal(0, 0.08, 3), random.normal(0, 0.01, 3)))[:, None],
    )


def _recorded(random: np.random.Generator, subject: _Subject, activity: str) -> tuple[Samples, int]:
    """What the phone writes down, shape (6, ROWS): acceleration in m/s², angular velocity in rad/s; and how many steps
    were made meanwhile."""
    gait = _GAITS.get(activity)
    acceleration, turning, steps = _walk(random, subject, gait) if gait else _rest(random, subject.tilt[activity])
    slip = _rotation(*random.normal(0, 3, 3))
    values = np.concatenate((slip @ subject.mounting @ acceleration, slip @ subject.mounting @ turning)) + subject.bias
    noise = np.repeat((0.05, 0.012), 3)[:, None]
    resolution = np.repeat((0.005, 0.0005), 3)[:, None]
    return np.round((values + random.normal(0, 1, values.shape) * noise) / resolution) * resolution, steps


def _walk(random: np.random.Generator, subject: _Subject, gait: _Gait) -> tuple[Samples, Samples, int]:
    """A step is one turn of the phase, at whose first quarter the body is pushed up most."""
    steps_per_sec = gait.steps_per_sec * subject.pace * random.normal(1, 0.05)
    wander = np.cumsum(random.normal(0, 0.015, ROWS))
    phase = 2 * np.pi * steps_per_sec * np.arange(ROWS) / RATE_HZ + wander + random.uniform(0, 2 * np.pi)
    up = gait.up * subject.strength * random.lognormal(0, 0.15)
    impact = gait.impact * subject.impact * random.lognormal(0, 0.15)
    limp = random.normal(0, 0.15)
    lag = random.normal(0.6, 0.2, 3)
    moved = np.array(
        (
            up * (np.sin(phase) + impact * np.sin(2 * phase + lag[0]) + 0.5 * impact * np.sin(3 * phase + lag[1])),
            gait.sway * up * (np.sin(phase / 2) + limp * np.sin(phase)),
            0.6 * up * (np.sin(phase + 1.2) + 0.7 * impact * np.sin(2 * phase + lag[2])),
        )
    )
    turning = (
        gait.turn
        * subject.strength
        * np.array((np.sin(phase / 2 + 0.4), 0.5 * np.sin(phase + 0.9), 0.6 * np.sin(phase / 2 + 1.7)))
    )
    tremble = random.normal(0, 0.12 * up, (3, ROWS))
    tilted = _tilted(np.full(ROWS, gait.lean + random.normal(0, 3)))
    pushes = np.floor((phase - np.pi / 2) / (2 * np.pi))
    steps = int(pushes[-1] - pushes[0])
    return tilted + moved + tremble, turning + random.normal(0, 0.08, (3, ROWS)), steps


def _rest(random: np.random.Generator, tilt: float) -> tuple[Samples, Samples, int]:
    sway_hz, depth = random.uniform(0.15, 0.5), random.lognormal(-0.6, 0.5)
    time = np.arange(ROWS) / RATE_HZ
    angle = depth * np.sin(2 * np.pi * sway_hz * time + random.uniform(0, 2 * np.pi))
    if random.random() < 0.15:  # shifts the weight, reaches for something
        angle += random.normal(0, 4) * np.exp(-(((time - random.uniform(1, 4)) / 0.4) ** 2))
    turning = np.zeros((3, ROWS))
    turning[1] = np.gradient(np.radians(angle), 1 / RATE_HZ)
    return _tilted(tilt + random.normal(0, 4) + angle), turning, 0


def _tilted(degrees: Samples) -> Samples:
    """Gravity on the body's axes when the hip tilts about the left-right axis. Shape (3, n)."""
    radians = np.radians(degrees)
    return GRAVITY * np.array((np.cos(radians), np.zeros_like(radians), np.sin(radians)))


def _rotation(roll: float, pitch: float, yaw: float) -> Samples:
    """Rotation about x, then y, then z, angles in degrees. Shape (3, 3)."""
    (a, b, c), (d, e, f) = np.cos(np.radians((roll, pitch, yaw))), np.sin(np.radians((roll, pitch, yaw)))
    about_x = np.array(((1, 0, 0), (0, a, -d), (0, d, a)))
    about_y = np.array(((b, 0, e), (0, 1, 0), (-e, 0, b)))
    about_z = np.array(((c, -f, 0), (f, c, 0), (0, 0, 1)))
    return about_z @ about_y @ about_x
