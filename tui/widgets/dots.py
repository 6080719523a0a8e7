"""Dots in the cells of a terminal: eight a cell in braille, four as quarter blocks, which every font has."""

from __future__ import annotations

import numpy as np

_BRAILLE = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])
"""The bit of each dot of a braille cell (Unicode 15, chapter 21.1)."""
_QUARTERS = np.array([[1, 2], [4, 8]])
_QUADRANTS = np.array([ord(char) for char in " ▘▝▀▖▌▞▛▗▚▐▜▄▙▟█"], dtype=np.uint32)
_SPACE = ord(" ")


def dots_a_cell(braille: bool) -> tuple[int, int]:
    """Rows and columns of dots in a cell."""
    return (4, 2) if braille else (2, 2)


def cell_bits(dots: np.ndarray, *, braille: bool) -> np.ndarray:
    """The bits of each cell, shape (height, width), of dots of shape (height * dots, width * dots)."""
    tall, wide = dots_a_cell(braille)
    bits = _BRAILLE if braille else _QUARTERS
    cells = dots.reshape(dots.shape[0] // tall, tall, dots.shape[1] // wide, wide) * bits[None, :, None, :]
    return cells.sum(axis=(1, 3)).astype(np.uint32)


def codes_of(bits: np.ndarray, *, braille: bool) -> np.ndarray:
    """The characters of cells with these bits, as code points; a space where there is none."""
    return np.where(bits > 0, 0x2800 + bits, _SPACE).astype(np.uint32) if braille else _QUADRANTS[bits]


def cell_codes(dots: np.ndarray, *, braille: bool) -> np.ndarray:
    """Dots as the code points of characters, shape (height, width)."""
    return codes_of(cell_bits(dots, braille=braille), braille=braille)
