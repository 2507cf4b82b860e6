"""Chance that repeats: one random stream per subject, so that changing one subject leaves the others alone."""

from zlib import crc32

import numpy as np
from numpy.typing import NDArray

GRAIN = 0.01
"""Coordinates are multiples of this many metres."""


def stream(seed: int, subject: str) -> np.random.Generator:
    """The random stream of ``subject`` (for example ``"streets/3"``) in the city of ``seed``."""
    return np.random.default_rng([seed, crc32(subject.encode())])


def rounded(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Metres on the grain: equal places have equal bits, whatever arithmetic led there."""
    return np.round(values * 100) / 100


def waves(
    random: np.random.Generator, at: NDArray[np.float64], amplitude: float, length: float
) -> NDArray[np.float64]:
    """A smooth wander of about ``amplitude`` metres with wavelengths of ``length`` metres and half of it."""
    phase = random.uniform(0, 2 * np.pi, 2)
    stretch = random.uniform(0.85, 1.2, 2)
    turn = 2 * np.pi * at / length
    first = np.sin(stretch[0] * turn + phase[0])
    second = 0.4 * np.sin(2 * stretch[1] * turn + phase[1])
    bend: NDArray[np.float64] = amplitude * (first + second)
    return bend
