import numpy as np


def convolve2d(image, kernel, stride=1):
    kh, kw = kernel.shape
    # zeros around so that the size stays the same
    padded = np.pad(image.astype(float), ((kh // 2, (kh - 1) // 2), (kw // 2, (kw - 1) // 2)))
    result = np.zeros(image.shape)
    for i in range(image.shape[0]):
        for j in range(image.shape[1]):
            result[i, j] = np.sum(padded[i:i + kh, j:j + kw] * kernel)
    return result[::stride, ::stride]
