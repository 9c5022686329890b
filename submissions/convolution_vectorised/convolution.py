import numpy as np


def convolve2d(image, kernel, stride=1):
    windows = np.lib.stride_tricks.sliding_window_view(image, kernel.shape)
    windows = windows[::stride, ::stride].astype(float)
    return np.tensordot(windows, kernel, axes=((2, 3), (0, 1)))
