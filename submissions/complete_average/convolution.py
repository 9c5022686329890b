import numpy as np


def convolve2d(image, kernel, stride=1):
    n, m = image.shape
    k, l = kernel.shape
    result = np.zeros(((n - k) // stride + 1, (m - l) // stride + 1))
    for i in range(result.shape[0]):
        for j in range(result.shape[1]):
            window = image[i * stride:i * stride + k, j * stride:j * stride + l]
            result[i, j] = (window.astype("float64") * kernel).sum()
    return result
