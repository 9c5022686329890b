from keras.layers import *
from keras.models import *

def create_q_model(num_actions):
    i = Input((84, 84, 4))
    c1 = Conv2D(32, 8, strides=4, padding='valid', activation='relu')(i)
    c2 = Conv2D(64, 4, strides=2, padding='valid', activation='relu')(c1)
    c3 = Conv2D(64, 3, strides=1, padding='valid', activation='relu')(c2)
    d1 = Dense(512, activation='relu')(Flatten()(c3))
    o = Dense(num_actions, activation='linear')(d1)
    return Model(i, o)
