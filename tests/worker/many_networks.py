"""Networks in the styles in which students write them; a worker loads this file as a student's.

Every function without parameters is a builder.
"""

import tempfile
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

L = keras.layers
IMAGE = (20, 20, 4)
FOLDER = Path(tempfile.gettempdir())


def sequential():
    return keras.Sequential(
        [
            keras.Input(IMAGE),
            L.Conv2D(4, 8, 4, activation="relu"),
            L.Conv2D(8, 3, activation="relu"),
            L.Flatten(),
            L.Dense(16, "relu"),
            L.Dense(3),
        ]
    )


def lambdas():
    return keras.Sequential(
        [
            keras.Input((6,)),
            L.Lambda(lambda x: x / 255.0),
            L.Dense(8),
            L.Lambda(tf.nn.relu),
            L.Dense(3),
        ]
    )


def two_inputs():
    a, b = keras.Input((6,), name="a"), keras.Input((4,), name="b")
    x = L.Concatenate()([L.Dense(5, "relu")(a), L.Dense(5, "relu")(b)])
    return keras.Model([a, b], [L.Dense(3)(x), L.Dense(1)(x)])


def dict_inputs():
    a, b = keras.Input((6,), name="a"), keras.Input((4,), name="b")
    x = L.Concatenate()([L.Dense(5, "relu")(a), L.Dense(5, "relu")(b)])
    return keras.Model({"b": b, "a": a}, {"z": L.Dense(3)(x), "y": L.Dense(1)(x)})


def swapped_inputs():
    a, b = keras.Input((6,)), keras.Input((4,))
    x = L.Concatenate()([L.Dense(5, "relu")(a), L.Dense(5, "relu")(b)])
    return keras.Model([b, a], L.Dense(3)(x))


def action_mask():
    frames, mask = keras.Input((6,), name="frames"), keras.Input((3,), name="mask")
    return keras.Model([frames, mask], L.Multiply()([L.Dense(3)(L.Dense(8, "relu")(frames)), mask]))


class TwoList(keras.Model):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.out = L.Dense(5), L.Dense(5), L.Dense(3)

    def call(self, inputs):
        x, y = inputs
        return self.out(tf.concat([self.a(x), self.b(y)], -1))


def two_list():
    return TwoList()


class TwoArgs(TwoList):
    def call(self, x, y):
        return self.out(self.a(x) + self.b(y))


def two_arguments():
    return TwoArgs()


class TwoDict(TwoList):
    def call(self, inputs):
        return {"q": self.out(self.a(inputs["a"]) - self.b(inputs["b"])), "v": self.b(inputs["b"])}


def two_dict():
    return TwoDict()


class Dueling(keras.Model):
    def __init__(self):
        super().__init__()
        self.body = keras.Sequential([L.Dense(8, "relu"), keras.Sequential([L.Dense(8, "relu")])])
        self.v, self.a = L.Dense(1), L.Dense(3)

    def call(self, x):
        x = self.body(x)
        v, a = self.v(x), self.a(x)
        return v + (a - tf.reduce_mean(a, axis=1, keepdims=True))


def dueling():
    return Dueling()


def dueling_lambda():
    i = keras.Input((6,))
    x = L.Dense(8, "relu")(i)
    v = L.Dense(1)(x)
    a = L.Dense(3)(x)
    m = L.Lambda(lambda t: keras.ops.mean(t, axis=1, keepdims=True))(a)
    return keras.Model(i, L.Add()([v, L.Subtract()([a, m])]))


def dueling_lambda_two():
    i = keras.Input((6,))
    x = L.Dense(8, "relu")(i)
    v = L.Dense(1)(x)
    a = L.Dense(3)(x)
    return keras.Model(
        i, L.Lambda(lambda t: t[0] + t[1] - keras.ops.max(t[1], axis=-1, keepdims=True))([v, a])
    )


class Holder:
    def __init__(self):
        self.q_network = sequential()

    def act(self, observation):
        return int(np.argmax(self.q_network(observation[None])))


def wrapper():
    return Holder()


class Caller:
    def __init__(self):
        self.parts = [L.Dense(8, "relu"), L.Dense(3)]

    def __call__(self, x):
        for p in self.parts:
            x = p(x)
        return x


def callable_object():
    return Caller()


class Block(L.Layer):
    def __init__(self, units):
        super().__init__()
        self.d = L.Dense(units)
        self.r = L.ReLU()

    def call(self, x):
        return self.r(self.d(x))


class OwnCall(keras.Model):
    def __init__(self):
        super().__init__()
        self.hidden, self.out = L.Dense(8, "relu"), L.Dense(3)

    def __call__(self, x):
        return self.out(self.hidden(x))


def own_call():
    return OwnCall()


class Sums(keras.Model):
    def __init__(self):
        super().__init__()
        self.parts, self.out = [L.Dense(4) for _ in range(3)], L.Dense(3)

    def call(self, x):
        a, b, c = (part(x) for part in self.parts)
        mean = (a + b + c) / 3
        product = a * (b * c)
        return self.out(keras.ops.maximum(mean, product) - a)


def sums():
    return Sums()


class Recurrent(keras.Model):
    def __init__(self):
        super().__init__()
        self.memory, self.out = L.LSTM(4, return_state=True), L.Dense(3)

    def call(self, x, states=None, training=False):
        x, hidden, cell = self.memory(x, initial_state=states, training=training)
        return self.out(x), [hidden, cell], None


def returns_states():
    return Recurrent()


class Function:
    def __call__(self, x):
        return tf.nn.relu(x)


def function_object():
    hidden = L.Dense(8)
    hidden.activation = Function()
    return keras.Sequential([keras.Input((6,)), hidden, L.Dense(3)])


class Unreadable:
    def __deepcopy__(self, memo):
        raise TypeError("not to be copied")

    def __repr__(self):
        raise ValueError("not to be shown")

    __str__ = __repr__


def unreadable():
    hidden = L.Dropout(0.5)
    hidden.noise_shape = Unreadable()
    return keras.Sequential([keras.Input((6,)), hidden, L.Dense(3)])


def a_layer():
    return Block(5)


def blocks():
    return keras.Sequential([Block(8), Block(8), L.Dense(3)])


class Ops(keras.Model):
    def __init__(self):
        super().__init__()
        self.c = L.Dense(12)
        self.out = L.Dense(3)

    def call(self, x):
        x = (x - 127.5) / 127.5
        x = tf.stop_gradient(x)
        x = self.c(tf.expand_dims(x, 1))
        x = tf.squeeze(x, axis=1)
        a, b = tf.split(x, 2, axis=-1)
        y = a[:, :3] * 2 + tf.reduce_max(b, axis=-1, keepdims=True) - tf.reduce_min(b, -1)[:, None]
        z = tf.stack([y, y**2], axis=1)
        w = tf.matmul(z, z, transpose_b=True)
        return self.out(tf.concat([tf.reshape(w, (-1, 4)), tf.reduce_sum(z, axis=2)], axis=-1))


def many_operations():
    return Ops()


def keras_ops():
    i = keras.Input((6,))
    x = keras.ops.expand_dims(i / 255.0, -1)
    x = L.Dense(4)(x)
    x = keras.ops.relu(x)
    x = keras.ops.transpose(x, (0, 2, 1))
    x = keras.ops.reshape(x, (-1, 24))
    x = keras.ops.maximum(x, 0.1) - keras.ops.mean(x, axis=1, keepdims=True)
    return keras.Model(i, L.Dense(3)(x))


class Written(keras.Model):
    def __init__(self):
        super().__init__()
        self.d = [L.Dense(6) for _ in range(9)]

    def call(self, x):
        x = self.d[0](x / 255)
        x = self.d[1](keras.activations.gelu(x))
        x = self.d[2](tf.nn.silu(x))
        x = self.d[3](x * tf.sigmoid(x))
        x = self.d[4](x * tf.tanh(tf.math.softplus(x)))
        x = self.d[5](tf.where(x > 0, x, 0.01 * x))
        x = self.d[6](tf.maximum(x, 0.2 * x))
        e = tf.exp(x - tf.reduce_max(x, axis=-1, keepdims=True))
        x = self.d[7](e / tf.reduce_sum(e, axis=-1, keepdims=True))
        return self.d[8](1 / (1 + tf.exp(-x)))


def written_by_hand():
    return Written()


class Numpy(keras.Model):
    def __init__(self):
        super().__init__()
        self.d = L.Dense(6)
        self.e = L.Dense(3)

    def call(self, x):
        if not tf.executing_eagerly():
            return self.e(self.d(x))
        x = self.d(tf.convert_to_tensor(np.asarray(x) / 255.0, tf.float32))
        x = np.maximum(x.numpy(), 0)
        return self.e(x)


def through_numpy():
    m = Numpy()
    m.d.build((None, 6))
    m.e.build((None, 6))
    m.built = True
    return m


class PyFunction(keras.Model):
    def __init__(self):
        super().__init__()
        self.d = L.Dense(6)

    def call(self, x):
        return self.d(
            tf.numpy_function(lambda v: v / np.float32(255), [x], tf.float32, stateful=False)
        )


def numpy_function():
    m = PyFunction()
    m.d.build((None, 6))
    m.built = True
    return m


class MyDense(L.Layer):
    def __init__(self, u, act=None):
        super().__init__()
        self.u = u
        self.act = act

    def build(self, s):
        self.w = self.add_weight(shape=(s[-1], self.u))
        self.b = self.add_weight(shape=(self.u,))

    def call(self, x):
        x = tf.matmul(x, self.w) + self.b
        return tf.nn.relu(x) if self.act else x


def raw_dense():
    return keras.Sequential([keras.Input((6,)), MyDense(8, True), MyDense(3)])


def masked_embedding():
    i = keras.Input((5,))
    e = L.Embedding(256, 4, mask_zero=True)(i)
    return keras.Model(i, L.Dense(3)(L.LSTM(4)(e)))


class MaskedText(keras.Model):
    def __init__(self):
        super().__init__()
        self.e = L.Embedding(256, 4, mask_zero=True)
        self.l = L.GRU(4)
        self.o = L.Dense(2)

    def call(self, x):
        return self.o(self.l(self.e(x)))


def masked_subclass():
    return MaskedText()


class MaskLost(MaskedText):
    def call(self, x):
        return self.o(self.l(self.e(x) * 2.0))


def mask_lost():
    return MaskLost()


class MaskGiven(MaskedText):
    def call(self, x):
        return self.o(self.l(self.e(x) * 2.0, mask=tf.not_equal(x, 0)))


def mask_given():
    return MaskGiven()


class MaskComputed(MaskedText):
    def call(self, x):
        return self.o(self.l(self.e(x), mask=self.e.compute_mask(x)))


def mask_computed():
    return MaskComputed()


def masking():
    return keras.Sequential(
        [
            keras.Input((5, 6)),
            L.Masking(),
            L.Bidirectional(L.LSTM(4, return_sequences=True)),
            L.TimeDistributed(L.Dense(4)),
            L.GlobalAveragePooling1D(),
            L.Dense(2),
        ]
    )


def pooled_embedding():
    return keras.Sequential(
        [
            keras.Input((5,)),
            L.Embedding(256, 4, mask_zero=True),
            L.GlobalAveragePooling1D(),
            L.Dense(2),
        ]
    )


def states():
    i = keras.Input((5, 6))
    _, h, c = L.LSTM(4, return_state=True)(i)
    y = L.LSTM(4, return_sequences=True)(i, initial_state=[h, c])
    return keras.Model(i, L.Dense(2)(y))


def bi_states():
    i = keras.Input((5, 6))
    o, a, b = L.Bidirectional(L.GRU(4, return_state=True))(i)
    return keras.Model(i, L.Dense(2)(L.Concatenate()([o, a, b])))


def cells():
    return keras.Sequential(
        [
            keras.Input((5, 6)),
            L.RNN(L.LSTMCell(4), return_sequences=True),
            L.RNN([L.GRUCell(4), L.GRUCell(3)]),
            L.Dense(2),
        ]
    )


class ZeroState(keras.Model):
    def __init__(self):
        super().__init__()
        self.l = L.LSTM(4)
        self.o = L.Dense(2)

    def call(self, x):
        z = tf.zeros((tf.shape(x)[0], 4))
        return self.o(self.l(x, initial_state=[z, z]))


def zero_state():
    return ZeroState()


def attentions():
    i = keras.Input((5, 6))
    x = L.MultiHeadAttention(2, 4)(query=i, value=i, key=i, use_causal_mask=True)
    y = L.Attention(use_scale=True)([x, i])
    z = L.AdditiveAttention()([x, i, i], use_causal_mask=True)
    w, scores = L.MultiHeadAttention(2, 4)(i, x, return_attention_scores=True)
    return keras.Model(i, [L.Dense(2)(L.Flatten()(L.Add()([x, y, z, w]))), scores])


class OwnAttention(keras.Model):
    def __init__(self):
        super().__init__()
        self.q, self.k, self.v, self.o = [L.Dense(4) for _ in range(4)]

    def call(self, x):
        q, k, v = self.q(x), self.k(x), self.v(x)
        s = tf.matmul(q, k, transpose_b=True) / tf.sqrt(tf.cast(tf.shape(k)[-1], tf.float32))
        s += (1.0 - tf.linalg.band_part(tf.ones((5, 5)), -1, 0)) * -1e9
        return self.o(tf.einsum("bij,bjd->bid", tf.nn.softmax(s, axis=-1), v))


def own_attention():
    return OwnAttention()


class Positions(keras.Model):
    def __init__(self):
        super().__init__()
        self.e = L.Embedding(256, 4)
        self.p = L.Embedding(5, 4)
        self.o = L.Dense(2)

    def call(self, x):
        return self.o(self.e(x) + self.p(tf.range(5)))


def positions():
    return Positions()


class OneHot(keras.Model):
    def __init__(self):
        super().__init__()
        self.o = L.Dense(2)

    def call(self, x):
        return self.o(L.Flatten()(tf.one_hot(tf.cast(x, tf.int32) % 256, 256)))


def modulo():
    return OneHot()


class OneHot2(OneHot):
    def call(self, x):
        return self.o(L.Flatten()(tf.one_hot(tf.cast(x, tf.int32), 256)))


def one_hot():
    return OneHot2()


def first():
    return keras.Sequential(
        [
            keras.Input((4, 20, 20)),
            L.Conv2D(4, 8, 4, activation="relu", data_format="channels_first"),
            L.Conv2D(3, 3, padding="same", data_format="channels_first"),
            L.MaxPooling2D(2, data_format="channels_first"),
            L.Flatten(),
            L.Dense(3),
        ]
    )


def first_1d():
    return keras.Sequential(
        [
            keras.Input((4, 20)),
            L.Conv1D(4, 8, 2, padding="causal", data_format="channels_first"),
            L.Flatten(data_format="channels_first"),
            L.Dense(3),
        ]
    )


def mixed():
    keras.mixed_precision.set_global_policy("mixed_float16")
    try:
        return keras.Sequential(
            [
                keras.Input(IMAGE),
                L.Rescaling(1 / 255),
                L.Conv2D(4, 8, 4, activation="relu"),
                L.Conv2D(8, 3, activation="relu"),
                L.Flatten(),
                L.Dense(16, "relu"),
                L.Dense(3, dtype="float32"),
            ]
        )
    finally:
        keras.mixed_precision.set_global_policy("float32")


def brain_float():
    keras.config.set_dtype_policy("bfloat16")
    try:
        return keras.Sequential(
            [keras.Input((6,)), L.Rescaling(1 / 255), L.Dense(16, "relu"), L.Dense(3)]
        )
    finally:
        keras.config.set_dtype_policy("float32")


def saved():
    sequential().save(FOLDER / "m.keras")
    return keras.models.load_model(FOLDER / "m.keras")


def saved_h5():
    sequential().save(FOLDER / "m.h5")
    return keras.models.load_model(FOLDER / "m.h5")


def saved_lambda():
    lambdas().save(FOLDER / "l.keras")
    return keras.models.load_model(FOLDER / "l.keras", safe_mode=False)


def saved_weights():
    m = sequential()
    m.save_weights(FOLDER / "w.weights.h5")
    n = sequential()
    n.load_weights(FOLDER / "w.weights.h5")
    return n


def tf_keras():
    return tf.keras.Sequential(
        [tf.keras.layers.Dense(8, activation=tf.keras.activations.relu), tf.keras.layers.Dense(3)]
    )


def leaky_activations():
    return keras.Sequential(
        [
            keras.Input((6,)),
            L.Dense(8, activation=L.LeakyReLU(0.3)),
            L.Dense(8, activation=lambda x: tf.nn.leaky_relu(x, 0.05)),
            L.Dense(8, activation=L.ReLU()),
            L.Dense(8, activation=keras.activations.mish),
            L.Dense(3),
        ]
    )


def residual_dropout():
    i = keras.Input((6,))
    x = L.Dropout(0.5)(i)
    return keras.Model(i, L.Dense(3)(L.Add()([L.Dense(6)(x), i])))


class FrozenNorm(keras.Model):
    def __init__(self):
        super().__init__()
        self.n = L.BatchNormalization()
        self.o = L.Dense(3)

    def call(self, x):
        return self.o(self.n(x, training=True))


def norm_in_training():
    return FrozenNorm()


def shared_branches():
    d = L.Dense(5, "relu")
    a, b = keras.Input((6,)), keras.Input((6,))
    return keras.Model([a, b], L.Dense(1)(keras.ops.absolute(d(a) - d(b))))


class Inception(keras.Model):
    def __init__(self):
        super().__init__()
        self.p = [L.Conv2D(3, k, padding="same") for k in (1, 3, 5)]
        self.o = L.Dense(3)

    def call(self, x):
        x = x[..., ::2] / [255.0, 128.0]
        x = tf.nn.relu(tf.concat([p(x) for p in self.p], axis=3))
        x = tf.nn.max_pool2d(tf.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]]), 2, 2, "VALID")
        return self.o(tf.reduce_mean(x, axis=[1, 2]))


def inception():
    return Inception()


class Fold(keras.Model):
    def __init__(self):
        super().__init__()
        self.d = L.Dense(4)

    def call(self, x):
        b = tf.shape(x)[0]
        return tf.reshape(self.d(tf.reshape(x, (-1, 6))), (b, 5, 4))


def folds_time():
    return Fold()


class HiddenLayer(keras.Model):
    def __init__(self):
        super().__init__()
        self.shown = L.Dense(3)
        self._box = (lambda d: lambda: d)(L.Dense(3))

    def call(self, x):
        return self._box()(x)


def untracked():
    return HiddenLayer()


def scaled_constants():
    i = keras.Input((6,))
    x = L.Dense(3)(i) * np.arange(3, dtype="float32") + np.ones((1, 3), "float32")
    return keras.Model(i, x)


class Clip(keras.Model):
    def __init__(self):
        super().__init__()
        self.d = L.Dense(3)

    def call(self, x):
        x = tf.clip_by_value(self.d(x), -1.0, 1.0)
        return 1.0 - x / tf.norm(x, axis=-1, keepdims=True)


def clips():
    return Clip()


class ReluConv(L.Conv2D):
    def __init__(self, filters, size):
        super().__init__(filters, size, activation="relu")


def preset_subclass():
    return keras.Sequential([keras.Input(IMAGE), ReluConv(4, 3), L.Flatten(), L.Dense(3)])


def time_seq():
    cnn = keras.Sequential([L.Conv2D(4, 3, activation="relu"), L.Flatten(), L.Dense(5, "relu")])
    return keras.Sequential(
        [keras.Input((3, 8, 8, 1)), L.TimeDistributed(cnn), L.LSTM(4), L.Dense(2)]
    )


def time_fun():
    i = keras.Input((8, 8, 1))
    x = L.Conv2D(4, 3, activation="relu")(i)
    x = L.Flatten()(x)
    y = L.Dense(5)(x)
    cnn = keras.Model(i, L.Add()([y, L.Dense(5)(x)]))
    return keras.Sequential(
        [keras.Input((3, 8, 8, 1)), L.TimeDistributed(cnn), L.LSTM(4), L.Dense(2)]
    )


class BlockT(L.Layer):
    def __init__(self, dim, heads, ff, rate=0.1):
        super().__init__()
        self.att = L.MultiHeadAttention(heads, dim)
        self.n1 = L.LayerNormalization(epsilon=1e-6)
        self.n2 = L.LayerNormalization(epsilon=1e-6)
        self.ffn = keras.Sequential([L.Dense(ff, activation="relu"), L.Dense(6)])
        self.d1 = L.Dropout(rate)
        self.d2 = L.Dropout(rate)

    def call(self, x, training=False):
        a = self.d1(self.att(x, x), training=training)
        o = self.n1(x + a)
        f = self.d2(self.ffn(o), training=training)
        return self.n2(o + f)


def transformer():
    i = keras.Input((5, 6))
    return keras.Model(i, L.Dense(2)(L.GlobalAveragePooling1D()(BlockT(4, 2, 8)(i))))


class TokenPos(L.Layer):
    def __init__(self, n, v, d):
        super().__init__()
        self.t = L.Embedding(v, d, mask_zero=True)
        self.p = L.Embedding(n, d)

    def call(self, x):
        return self.t(x) + self.p(keras.ops.arange(0, keras.ops.shape(x)[-1], 1))

    def compute_mask(self, *a, **k):
        return self.t.compute_mask(*a, **k)


def token_position():
    i = keras.Input((5,))
    x = TokenPos(5, 256, 6)(i)
    x = L.MultiHeadAttention(2, 3)(x, x)
    return keras.Model(i, L.Dense(2)(L.GlobalAveragePooling1D()(x)))


def normalization():
    n = L.Normalization()
    n.adapt(np.random.default_rng(0).normal(3, 5, (50, 6)).astype("float32"))
    return keras.Sequential([keras.Input((6,)), n, L.Dense(3)])


def resizing():
    return keras.Sequential(
        [
            keras.Input((20, 20, 4)),
            L.Resizing(10, 10),
            L.CenterCrop(8, 8),
            L.RandomFlip(),
            L.Conv2D(3, 3),
            L.UpSampling2D(2),
            L.Cropping2D(1),
            L.Conv2DTranspose(2, 3),
            L.GlobalMaxPooling2D(),
            L.Dense(2),
        ]
    )


class Slices(keras.Model):
    def __init__(self):
        super().__init__()
        self.l = L.GRU(6, return_sequences=True)
        self.o = L.Dense(2)
        self.p = L.Dense(6)

    def call(self, x):
        h = self.l(x)
        last = h[:, -1]
        first = h[:, 0, :]
        a, b, c = tf.unstack(tf.reshape(self.p(last), (-1, 3, 2)), axis=1)
        g = tf.gather(h, [0, 2], axis=1)
        r = h[:, ::-1]
        z = keras.ops.einsum("btd,bsd->bts", h, r)
        return self.o(
            tf.concat(
                [
                    last * first,
                    a,
                    b - c,
                    tf.reduce_mean(g, 1),
                    tf.reshape(z, (-1, 25)),
                    tf.tile(a, [1, 2]),
                    tf.repeat(b, 2, axis=1),
                ],
                -1,
            )
        )


def slices():
    return Slices()


def masks_attention():
    q, v = keras.Input((5,)), keras.Input((5,))
    e = L.Embedding(256, 4, mask_zero=True)
    a, b = e(q), e(v)
    x = L.Attention()([a, b])
    y = L.AdditiveAttention()([b, a])
    return keras.Model([q, v], L.Dense(2)(L.GlobalAveragePooling1D()(L.Concatenate()([x, y]))))


def conv_lstm():
    return keras.Sequential(
        [
            keras.Input((3, 8, 8, 2)),
            L.ConvLSTM2D(3, 3, return_sequences=True),
            L.Conv3D(2, 2),
            L.MaxPooling3D((2, 2, 2)),
            L.Flatten(),
            L.Dense(2),
        ]
    )


def prelu_groups():
    return keras.Sequential(
        [
            keras.Input((20, 20, 4)),
            L.Conv2D(8, 3, groups=2, dilation_rate=2, use_bias=False),
            L.GroupNormalization(4),
            L.PReLU(shared_axes=[1, 2]),
            L.SpatialDropout2D(0.3),
            L.DepthwiseConv2D(3, activation="silu"),
            L.UnitNormalization(),
            L.GlobalAveragePooling2D(),
            L.Dense(2),
        ]
    )


class Policy(keras.Model):
    def __init__(self):
        super().__init__()
        self.h = L.Dense(8, "tanh")
        self.mu = L.Dense(2)
        self.ls = self.add_weight(shape=(2,), initializer="zeros")

    def call(self, x):
        h = self.h(x)
        return self.mu(h), tf.exp(self.ls) * tf.ones_like(self.mu(h))


def policy():
    return Policy()


class Rainbow(keras.Model):
    def __init__(self):
        super().__init__()
        self.h = L.Dense(8, "relu")
        self.v = L.Dense(11)
        self.a = L.Dense(33)
        self.z = tf.linspace(-10.0, 10.0, 11)

    def call(self, x):
        h = self.h(x)
        v = tf.reshape(self.v(h), (-1, 1, 11))
        a = tf.reshape(self.a(h), (-1, 3, 11))
        p = tf.nn.softmax(v + a - tf.reduce_mean(a, axis=1, keepdims=True), axis=-1)
        return tf.reduce_sum(p * self.z, axis=-1)


def rainbow():
    return Rainbow()


class Frozen(keras.Model):
    def __init__(self):
        super().__init__()
        self.base = keras.Sequential([L.BatchNormalization(), L.Dense(4), L.Dropout(0.2)])
        self.o = L.Dense(2)

    def call(self, x):
        return self.o(self.base(x, training=False))


def frozen():
    return Frozen()


def per_image():
    i = keras.Input((20, 20, 4))
    x = L.Lambda(lambda t: tf.image.per_image_standardization(t))(i)
    x = L.Lambda(lambda t: tf.image.resize(t, (10, 10)))(x)
    return keras.Model(i, L.Dense(2)(L.Flatten()(x)))


def dense_activation_softmax3d():
    return keras.Sequential(
        [
            keras.Input((5, 6)),
            L.Dense(4, activation=keras.ops.softmax),
            L.Dense(4, activation=keras.ops.tanh),
            L.Activation(tf.nn.softmax),
            L.Activation(lambda t: t * tf.sigmoid(t)),
            L.Dense(2),
        ]
    )


def std():
    i = keras.Input((6,))
    m = keras.ops.mean(i, axis=-1, keepdims=True)
    s = keras.ops.std(i, axis=-1, keepdims=True)
    return keras.Model(i, L.Dense(2)((i - m) / (s + 1e-6)))


def compiled():
    m = sequential()
    m.compile("adam", "mse", jit_compile=False)
    m.fit(np.zeros((2, 20, 20, 4)), np.zeros((2, 3)), verbose=0)
    return m


BUILDERS = dict(globals())


def build(name):
    return BUILDERS[name]()
