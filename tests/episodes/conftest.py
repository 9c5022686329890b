import base64
import io
import math
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from grader.records.films import Film


def _pixels(film: Film) -> np.ndarray:
    """All frames, shape (frames, height, width, 3)."""
    with Image.open(io.BytesIO(base64.b64decode(film.sheet))) as image:
        sheet = np.asarray(image.convert("RGB"))
    height, width = film.frame_height, film.frame_width
    rows = math.ceil(len(film.frames) / film.columns)
    assert sheet.shape == (rows * height, film.columns * width, 3)
    cells = sheet.reshape(rows, height, film.columns, width, 3).swapaxes(1, 2)
    return cells.reshape(-1, height, width, 3)[: len(film.frames)]


@pytest.fixture(scope="session")
def pixels() -> Callable[[Film], np.ndarray]:
    """Reads all frames of a film out of its sheet."""
    return _pixels
