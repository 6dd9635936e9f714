"""Golden values of io.fragua.image: TensorFlow's, torchvision's, JAX's and SciPy's, in f32.

    python golden_image.py > ../resources/golden/image.json

Made with tensorflow 2.21.0, torchvision 0.29.1 (torch 2.13.0), jax 0.10.2 and scipy (CPU). dm_pix says of its
functions that they are TensorFlow's, which is why TensorFlow stands for it. The names of the cases are those of
ImageCases.
"""

import json

import jax
import numpy as np
import scipy.ndimage
import tensorflow as tf
import torch
from torchvision.transforms.v2 import functional as tv

rng = np.random.default_rng(5)
N, H, W, C = 2, 6, 5, 3
x = rng.random((N, H, W, C)).astype(np.float32)
x[0, 0, 0] = 0.25  # grey
x[0, 0, 1] = 0  # black
x[0, 0, 2] = (0.5, 0.5, 0.1)  # two largest
x[0, 0, 3] = (0.1, 0.5, 0.5)
x[0, 0, 4] = (0.5, 0.1, 0.5)
x[1, 0, 0] = 1
STRENGTHS = np.array([0.6, 1.7], np.float32)
ANGLES = np.array([-75.0, 20.0], np.float32)
# x' = a x + b y + c, y' = d x + e y + f
COEFFICIENTS = np.array([[0.9, 0.2, -0.3, -0.1, 1.2, 0.4], [2, 0, -3, 0, 0.5, 1]], np.float32)


def torchvision(f):
    y = f(torch.tensor(x).permute(0, 3, 1, 2))
    return y.permute(0, 2, 3, 1).numpy()


def resized(h, w, method, antialias=True):
    return jax.image.resize(x, (N, h, w, C), method, antialias=antialias)


def each(f, strengths):
    return np.stack([f(x[i], float(s)) for i, s in enumerate(strengths)])


def affine(i, fill):
    a, b, c, d, e, f = COEFFICIENTS[i].astype(float)
    matrix, offset = np.array([[e, d], [b, a]]), [f, c]
    planes = [
        # padded by the value itself, or SciPy would cut the last half pixel off
        scipy.ndimage.affine_transform(
            np.pad(x[i, :, :, k].astype(float), 9, constant_values=fill),
            matrix, matrix @ [-9, -9] + offset + [9, 9], order=1, cval=fill,
        )[9:-9, 9:-9]
        for k in range(C)
    ]
    return np.stack(planes, -1)


def rotated(i, degrees):
    image = torch.tensor(x[i]).permute(2, 0, 1)
    return tv.rotate(image, degrees, tv.InterpolationMode.BILINEAR).permute(1, 2, 0).numpy()


cases = {
    "flip left right": tf.image.flip_left_right(x),
    "flip up down": tf.image.flip_up_down(x),
    "rot90": tf.image.rot90(x, 1),
    "rot90 thrice": tf.image.rot90(x, 3),
    "crop": tf.image.crop_to_bounding_box(x, 1, 2, 4, 2),
    "center crop": torchvision(lambda t: tv.center_crop(t, [4, 3])),
    "pad": torchvision(lambda t: tv.pad(t, [1, 2, 3, 0], 0.5)),
    "resize with crop or pad": tf.image.resize_with_crop_or_pad(x, 4, 9),
    "resize up nearest": resized(13, 7, "nearest"),
    "resize down nearest": resized(4, 3, "nearest"),
    "resize up bilinear": resized(13, 7, "bilinear"),
    "resize down bilinear": resized(4, 3, "bilinear"),
    "resize down bilinear aliased": resized(2, 2, "bilinear", False),
    "resize up bicubic": resized(13, 7, "bicubic"),
    "resize down bicubic": resized(3, 5, "bicubic"),
    "resize mixed lanczos": resized(4, 11, "lanczos3"),
    "gaussian blur": torchvision(lambda t: tv.gaussian_blur(t, [5, 5], [1.1, 1.1])),
    "gaussian blur of one": torchvision(lambda t: tv.gaussian_blur(t, [1, 1], [0.5, 0.5])),
    "rotate": np.stack([rotated(0, 30), rotated(1, 30)]),
    "rotate each": np.stack([rotated(i, float(ANGLES[i])) for i in range(N)]),
    "affine": np.stack([affine(0, 0.3), affine(1, 0.3)]),
    "brightness": tf.image.adjust_brightness(x, -0.2),
    "brightness each": each(tf.image.adjust_brightness, STRENGTHS),
    "contrast": tf.image.adjust_contrast(x, 1.6),
    "contrast each": each(tf.image.adjust_contrast, STRENGTHS),
    "saturation": tf.image.adjust_saturation(x, 0.3),
    "saturation each": each(tf.image.adjust_saturation, STRENGTHS),
    "hue": tf.image.adjust_hue(x, 0.4),
    "hue each": each(tf.image.adjust_hue, STRENGTHS - 1),
    "gamma": tf.image.adjust_gamma(x, 2.2, 0.9),
    "grayscale": tf.image.rgb_to_grayscale(x),
    "grayscale of three": torchvision(lambda t: tv.rgb_to_grayscale(t, 3)),
    "solarize": torchvision(lambda t: tv.solarize(t, 0.4)),
    "invert": torchvision(tv.invert),
    "posterize": tv.posterize(torch.tensor(np.floor(x * np.float32(255) + np.float32(1e-3)).astype(np.uint8)), 3).numpy()
    / np.float32(255),
    "rgb to hsv": tf.image.rgb_to_hsv(x),
    "hsv to rgb": tf.image.hsv_to_rgb(x),
    "normalize": torchvision(lambda t: tv.normalize(t, [0.5, 0.4, 0.3], [0.2, 0.3, 0.25])),
    "bytes": tv.to_dtype(torch.tensor(np.round(x * 255).astype(np.uint8)), torch.float32, scale=True).numpy(),
}


def data(v):
    v = np.asarray(v)
    return {"shape": list(v.shape), "values": v.astype(np.float32).reshape(-1).tolist()}


print(
    json.dumps(
        {
            "x": data(x),
            "strengths": STRENGTHS.tolist(),
            "angles": ANGLES.tolist(),
            "coefficients": COEFFICIENTS.reshape(-1).tolist(),
            "cases": {n: data(v) for n, v in cases.items()},
        },
        indent=1,
    )
)
