import numpy as np


def convolve2d(image, kernel, stride=1):
    # a convolution turns the kernel around
    kernel = np.flipud(np.fliplr(kernel))
    kh, kw = kernel.shape
    rows = range(0, image.shape[0] - kh + 1, stride)
    cols = range(0, image.shape[1] - kw + 1, stride)
    return np.array([[np.sum(image[r:r + kh, c:c + kw] * 1.0 * kernel) for c in cols] for r in rows])
