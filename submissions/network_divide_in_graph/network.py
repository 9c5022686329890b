import keras
from keras import layers

def create_q_model(num_actions):
  img = layers.Input(shape=(84, 84, 4))
  x = img / 255.0
  x = layers.Conv2D(32, 8, 4, activation='relu')(x)
  x = layers.Conv2D(64, 4, 2, activation='relu')(x)
  x = layers.Conv2D(64, 3, activation='relu')(x)
  x = layers.Flatten()(x)
  x = layers.Dense(512, activation='relu')(x)
  q = layers.Dense(num_actions)(x)
  return keras.Model(img, q)
