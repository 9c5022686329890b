"""How the second network follows the first."""


def update_target(online, target, tau=None):
    """Copies all weights, or takes a step of tau towards them."""
    new = online.get_weights()
    if tau is not None:
        pairs = zip(new, target.get_weights(), strict=True)
        new = [tau * fresh + (1.0 - tau) * old for fresh, old in pairs]
    target.set_weights(new)
