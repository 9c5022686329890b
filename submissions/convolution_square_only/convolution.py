import numpy as np


def convolve2d(image, kernel, stride=1):
    n = image.shape[0]
    k = kernel.shape[0]
    m = (n - k) // stride + 1
    out = np.zeros((m, m))
    for i in range(m):
        for j in range(m):
            part = image[i * stride:i * stride + k, j * stride:j * stride + k]
            out[i, j] = np.sum(part * 1.0 * kernel)
    return out
