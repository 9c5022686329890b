"""A forecast with two GRUs.

Cho et al., "Learning Phrase Representations using RNN Encoder–Decoder", EMNLP 2014, section 2.3.
"""

import keras
from keras import layers


def create_model(steps: int, features: int, horizon: int) -> keras.Model:
    """Builds the network that maps a series of measurements to the next ones.

    Args:
        steps: Length of a series.
        features: Measurements at each step.
        horizon: Steps that are forecast.

    Returns:
        An uncompiled model from series, float32, shape (batch, steps, features), to forecasts,
        float32, shape (batch, horizon). Steps at which all features are 0 are not read.
    """
    series = keras.Input(shape=(steps, features), name="series")
    x = layers.Masking(mask_value=0.0)(series)
    x = layers.GRU(32, return_sequences=True)(x)
    x = layers.GRU(16)(x)
    # Linear: a measurement may take any sign and size.
    forecast = layers.Dense(horizon, name="forecast")(x)
    return keras.Model(series, forecast, name="gru_forecast")
