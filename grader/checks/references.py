"""What the functions of an assignment must compute, in plain numpy and double precision."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view


def cross_correlation_2d(
    image: npt.NDArray[Any], kernel: npt.NDArray[Any], stride: int = 1
) -> npt.NDArray[np.float64]:
    """The 'valid' cross-correlation that a convolution layer computes, on one channel.

        out[i, j] = sum over m, n of image[i * stride + m, j * stride + n] * kernel[m, n]

    Sources: Goodfellow, Bengio and Courville, *Deep Learning* (2016), equation 9.6, for the sum
    without a flipped kernel; Dumoulin and Visin, *A guide to convolution arithmetic for deep
    learning* (arXiv:1603.07285), relationship 5, for the size of the output.

    Args:
        image: shape (height, width), any real dtype.
        kernel: shape (kernel_height, kernel_width), nowhere larger than the image, any real dtype.
        stride: pixels from one window to the next, down and across; at least 1.

    Returns:
        float64, shape ((height − kernel_height) // stride + 1, (width − kernel_width) // stride
        + 1).

    Raises:
        ValueError: an input is not two-dimensional, the kernel is empty or does not fit, or the
            stride is less than 1; whoever made the case must act.
    """
    # Converted before anything is multiplied: products of small integers would wrap around.
    pixels = np.asarray(image, dtype=np.float64)
    weights = np.asarray(kernel, dtype=np.float64)
    if pixels.ndim != 2 or weights.ndim != 2:
        raise ValueError(f"image and kernel must be 2-D, not {pixels.shape} and {weights.shape}")
    if weights.size == 0 or any(k > n for k, n in zip(weights.shape, pixels.shape, strict=True)):
        raise ValueError(f"a kernel {weights.shape} does not fit into an image {pixels.shape}")
    if stride < 1:
        raise ValueError(f"stride must be at least 1, not {stride}")
    windows = sliding_window_view(pixels, weights.shape)[::stride, ::stride]
    correlation: npt.NDArray[np.float64] = np.einsum("ijmn,mn->ij", windows, weights)
    return correlation


def huber_loss(y_true: npt.NDArray[Any], y_pred: npt.NDArray[Any], delta: float = 1.0) -> float:
    """The Huber loss, averaged over all elements.

    With e = y_pred − y_true it is e²/2 where |e| ≤ δ and δ(|e| − δ/2) beyond (Huber, *Robust
    estimation of a location parameter*, Annals of Mathematical Statistics 35:73, 1964).

    Args:
        y_true: targets, any shape.
        y_pred: predictions, of the same shape.
        delta: where the loss turns from quadratic to linear; positive.

    Raises:
        ValueError: the shapes differ, there is no element, or δ is not positive; whoever made the
            case must act.
    """
    size = np.abs(_error(y_true, y_pred, delta))
    near = np.minimum(size, delta)
    return float(np.mean(near * (size - near / 2)))


def huber_gradient(
    y_true: npt.NDArray[Any], y_pred: npt.NDArray[Any], delta: float = 1.0
) -> npt.NDArray[np.float64]:
    """The gradient of `huber_loss` with respect to the predictions.

    It is the error clipped to [−δ, δ], divided by the number of elements: the "error clipping" of
    Mnih et al., *Human-level control through deep reinforcement learning*, Nature 518:529 (2015),
    Methods.

    Args:
        y_true: targets, any shape.
        y_pred: predictions, of the same shape.
        delta: where the loss turns from quadratic to linear; positive.

    Returns:
        float64, of the shape of `y_pred`.

    Raises:
        ValueError: as for `huber_loss`.
    """
    error = _error(y_true, y_pred, delta)
    gradient: npt.NDArray[np.float64] = np.clip(error, -delta, delta) / error.size
    return gradient


def _error(
    y_true: npt.NDArray[Any], y_pred: npt.NDArray[Any], delta: float
) -> npt.NDArray[np.float64]:
    target = np.asarray(y_true, dtype=np.float64)
    prediction = np.asarray(y_pred, dtype=np.float64)
    # Shapes (n,) and (n, 1) would broadcast to (n, n) and average the wrong errors.
    if target.shape != prediction.shape or target.size == 0:
        raise ValueError(f"shapes {target.shape} and {prediction.shape} must be equal, not empty")
    if delta <= 0:
        raise ValueError(f"delta must be positive, not {delta}")
    return prediction - target
