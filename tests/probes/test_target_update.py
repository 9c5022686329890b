"""Which of a function's parameters takes which network."""

import pytest

from grader.probes.target_update import networks_by_name


@pytest.mark.parametrize(
    ("parameters", "online", "target"),
    [
        (("target_model", "model", "tau"), "model", "target_model"),
        (("local_model", "target_model", "tau"), "local_model", "target_model"),
        (("tau", "target_net", "q_network"), "q_network", "target_net"),
        (("q_hat", "policy_net"), "policy_net", "q_hat"),
        (("q", "q_target", "target_tau"), "q", "q_target"),
        (("online", "target", "tau"), "online", "target"),
    ],
)
def test_networks_go_where_the_names_say(parameters, online, target):
    assert networks_by_name(parameters) == {"online": online, "target": target}


@pytest.mark.parametrize(
    "parameters",
    [("a", "b", "tau"), ("model", "model_2"), ("target_a", "target_b"), ("args",), (), ("target",)],
)
def test_names_that_do_not_tell_leave_the_order_to_decide(parameters):
    assert networks_by_name(parameters) == {}
