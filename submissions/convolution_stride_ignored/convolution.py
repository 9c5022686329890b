import numpy as np


def convolve2d(image, kernel, stride=1):
    kh, kw = kernel.shape
    h = image.shape[0] - kh + 1
    w = image.shape[1] - kw + 1
    out = np.zeros((h, w))
    for i in range(h):
        for j in range(w):
            out[i, j] = np.sum(image[i:i+kh, j:j+kw].astype(float) * kernel)
    return out
