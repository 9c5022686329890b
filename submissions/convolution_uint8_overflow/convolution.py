import numpy as np


def convolve2d(image, kernel, stride=1):
    kh, kw = kernel.shape
    oh = (image.shape[0] - kh) // stride + 1
    ow = (image.shape[1] - kw) // stride + 1
    out = np.zeros((oh, ow), dtype=image.dtype)   # same type as the picture
    for i in range(oh):
        for j in range(ow):
            y, x = i * stride, j * stride
            patch = image[y:y + kh, x:x + kw]
            out[i, j] = (patch * kernel.astype(image.dtype)).sum(dtype=image.dtype)
    return out
