"""Environments, actions and the rollout loop, all on the trusted side."""
