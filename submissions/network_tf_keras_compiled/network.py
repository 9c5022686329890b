import tensorflow as tf


def create_q_model(num_actions):
    """Creates and compiles the model"""
    model = tf.keras.models.Sequential([
        tf.keras.layers.Conv2D(32, (8, 8), (4, 4), activation=tf.nn.relu,
                               input_shape=(84, 84, 4)),
        tf.keras.layers.Conv2D(64, (4, 4), (2, 2), activation=tf.nn.relu),
        tf.keras.layers.Conv2D(64, (3, 3), (1, 1), activation=tf.nn.relu),
        tf.keras.layers.Flatten(),
        tf.keras.layers.Dense(512, activation=tf.nn.relu),
        tf.keras.layers.Dense(num_actions, activation=None),
    ])
    model.compile(optimizer=tf.keras.optimizers.Adam(learning_rate=0.00025),
                  loss=tf.keras.losses.Huber())
    model.summary()
    return model
