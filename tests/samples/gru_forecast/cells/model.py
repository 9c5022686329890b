from tensorflow import keras


def create_model(steps, features, horizon):
    series = keras.layers.Input(shape=(steps, features))
    seen = keras.layers.Masking(mask_value=0.0)(series)
    first = keras.layers.RNN(keras.layers.GRUCell(32), return_sequences=True)(seen)
    second = keras.layers.RNN(keras.layers.GRUCell(16))(first)
    forecast = keras.layers.Dense(units=horizon, activation=None)(second)
    return keras.models.Model(inputs=series, outputs=forecast)
