import numpy as np


def convolve2d(image, kernel, stride=1):
    kh, kw = np.shape(kernel)
    h, w = np.shape(image)
    flat_kernel = np.array(kernel, float).ravel()
    # one row per window (im2col)
    rows = [
        np.array(image[i:i + kh, j:j + kw], float).ravel()
        for i in range(0, h - kh + 1, stride)
        for j in range(0, w - kw + 1, stride)
    ]
    values = np.stack(rows) @ flat_kernel
    return values.reshape((h - kh) // stride + 1, (w - kw) // stride + 1)
