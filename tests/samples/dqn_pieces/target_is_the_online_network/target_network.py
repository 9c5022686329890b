def update_target(online, target, tau=None):
    tau = 1.0 if tau is None else tau
    pairs = zip(online.get_weights(), target.get_weights())
    target.set_weights([(1 - tau) * new + tau * old for new, old in pairs])
