"""What a convolution layer computes, on one channel and without a framework."""

import operator

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray


def convolve2d(image: ArrayLike, kernel: ArrayLike, stride: int = 1) -> NDArray[np.float64]:
    """Computes the 'valid' cross-correlation of an image with a kernel.

    Deep-learning frameworks call this operation a convolution although the kernel is not flipped
    (Goodfellow, Bengio and Courville, "Deep Learning", MIT Press 2016, equation 9.6)::

        out[i, j] = sum over m, n of image[i * stride + m, j * stride + n] * kernel[m, n]

    Args:
        image: Shape (height, width), any real dtype.
        kernel: Shape (kernel_height, kernel_width), nowhere larger than the image.
        stride: Pixels from one window to the next, down and across; at least 1.

    Returns:
        float64, shape ((height - kernel_height) // stride + 1, (width - kernel_width) // stride +
        1): one value for each place at which the whole kernel lies inside the image.

    Raises:
        ValueError: An input is not two-dimensional, the kernel is empty or larger than the image,
            or the stride is not a positive whole number.
    """
    # float64 before anything is multiplied: products of uint8 pixels would wrap around at 256.
    pixels = np.asarray(image, dtype=np.float64)
    weights = np.asarray(kernel, dtype=np.float64)
    if (pixels.ndim, weights.ndim) != (2, 2):
        raise ValueError(
            f"image and kernel must be 2-D, received shapes {pixels.shape} and {weights.shape}"
        )
    if weights.size == 0:
        raise ValueError(f"kernel must not be empty, received shape {weights.shape}")
    if weights.shape[0] > pixels.shape[0] or weights.shape[1] > pixels.shape[1]:
        raise ValueError(
            f"kernel of shape {weights.shape} does not fit into image of shape {pixels.shape}"
        )
    try:
        step = operator.index(stride)
    except TypeError:
        raise ValueError(f"stride must be a whole number, received {stride!r}") from None
    if step < 1:
        raise ValueError(f"stride must be at least 1, received {step}")

    # A view (out_height, out_width, kernel_height, kernel_width) that copies no pixel.
    windows = sliding_window_view(pixels, weights.shape)[::step, ::step]
    correlation: NDArray[np.float64] = np.einsum("ijmn,mn->ij", windows, weights)
    return correlation
