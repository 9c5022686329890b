import numpy as np


def convolve2d(image, kernel, stride=1):
    h, w = image.shape
    kh, kw = kernel.shape
    oh = (h - kh) // stride + 1
    ow = (w - kw) // stride + 1
    out = np.zeros((oh, ow))
    for i in range(oh):
        for j in range(ow):
            s = 0.0
            for a in range(kh):
                for b in range(kw):
                    s += float(image[i * stride + a, j * stride + b]) * float(kernel[a, b])
            out[i, j] = s
    return out
