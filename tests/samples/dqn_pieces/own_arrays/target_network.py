def update_target(online, target, tau=1.0):
    for new, old in zip(online.variables, target.variables):
        old.assign(tau * new + (1 - tau) * old)
