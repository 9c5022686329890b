"""Makes the environments that episodes are played in, all of them in this trusted process."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Final

import gymnasium
from gymnasium.envs.registration import load_env_creator
from gymnasium.error import DependencyNotInstalled, DeprecatedEnv, UnregisteredEnv

from grader.assignments.environments import EXTRAS, Extra, extra_of, unknown_environment
from grader.assignments.problems import did_you_mean
from grader.episodes.doom_files import doom_files, ignored_arguments
from grader.episodes.extras import MissingExtra, bring_in
from grader.episodes.minatar_games import MinAtarGame
from grader.episodes.protocols import Plan, plan
from grader.episodes.wrapping import Env, skips_steps, wrapped
from grader.errors import GraderFault
from grader.records.environments import PlayedEnvironment, Where

_NO_LIMIT: Final = -1
_UNEXPECTED: Final = re.compile(r"unexpected keyword argument '(\w+)'")


class CannotBeMade(GraderFault):
    """An environment cannot be made; the assignment's author must act.

    Attributes:
        where: the setting that is wrong.
        reason: what is wrong with it.
    """

    def __init__(self, environment_id: str, where: Where, reason: str) -> None:
        self.where = where
        self.reason = reason
        super().__init__(f"{environment_id} cannot be made: {reason}")


@contextmanager
def environment(settings: PlayedEnvironment, render_mode: str | None = None) -> Iterator[Env]:
    """A fresh environment as an assignment describes it, closed on leaving.

    What it starts beside itself, such as the process of ViZDoom, ends with it, also on errors.

    Args:
        settings: which environment.
        render_mode: `rgb_array` where its pictures are wanted; what happens in it is the same.

    Raises:
        CannotBeMade: it cannot be made; the instructor must act (install an extra, mend the id).
    """
    with ExitStack() as stack:
        yield _made(settings, plan(settings), render_mode, stack)


def _made(
    settings: PlayedEnvironment, planned: Plan, render_mode: str | None, stack: ExitStack
) -> Env:
    name = settings.environment_id
    kwargs: dict[str, Any] = {**planned.kwargs}
    try:
        bring_in(name)
        extra = extra_of(name)
        if extra is not None and extra.name == "doom":
            _refuse_ignored(name, ignored_arguments(kwargs))
            kwargs = {**stack.enter_context(doom_files()), **kwargs}
        if render_mode is not None:
            kwargs["render_mode"] = render_mode
        if settings.max_episode_steps is not None:
            kwargs["max_episode_steps"] = _NO_LIMIT
        env: Env = gymnasium.make(name, disable_env_checker=True, **kwargs)
    except CannotBeMade:
        raise
    except (MissingExtra, ModuleNotFoundError) as error:
        raise CannotBeMade(name, ("environment_id",), str(error)) from error
    except (UnregisteredEnv, DeprecatedEnv) as error:
        is_told = ":" in name or isinstance(error, DeprecatedEnv)
        text = _first_line(error) if is_told else unknown_environment(name)
        raise CannotBeMade(name, ("environment_id",), text) from error
    except Exception as error:
        raise CannotBeMade(name, *_said_of_kwargs(name, error)) from error
    # Closed by way of the outermost wrapper, which closes what is inside.
    outermost = [env]
    stack.callback(lambda: outermost[0].close())
    if extra is not None and extra.name == "minatar":
        outermost[0] = MinAtarGame(env)
    _wrap(settings, planned, extra, outermost)
    return outermost[0]


def _wrap(
    settings: PlayedEnvironment, planned: Plan, extra: Extra | None, outermost: list[Env]
) -> None:
    """Puts on the wrappers, and the step limit where it counts the agent's steps."""
    entries = planned.wrappers
    limit = settings.max_episode_steps
    inside = max((i + 1 for i, entry in enumerate(entries) if skips_steps(entry)), default=0)
    for index in range(len(entries) + 1):
        if index == inside and limit is not None:
            outermost[0] = gymnasium.wrappers.TimeLimit(outermost[0], limit)
        if index == len(entries):
            return
        try:
            outermost[0] = wrapped(outermost[0], entries[index])
        except Exception as error:
            listed = index - planned.listed_from
            is_listed = 0 <= listed < len(settings.wrappers)
            where: Where = ("wrappers", listed) if is_listed else ("protocol",)
            reason = _why_not_put_on(entries[index].wrapper, error, extra)
            raise CannotBeMade(settings.environment_id, where, reason) from error


def _why_not_put_on(wrapper: str, error: Exception, extra: Extra | None) -> str:
    if isinstance(error, DependencyNotInstalled):
        return (
            f"{wrapper} needs OpenCV, which is not installed; run: {(extra or EXTRAS[0]).command()}"
        )
    reason = _first_line(error)
    if reason.startswith("Disable frame-skipping"):
        return (
            f"{wrapper} skips frames itself; write `environment_kwargs = {{ frameskip = 1 }}`, or "
            "use a `protocol`"
        )
    return f"{wrapper} cannot be put on: {reason}"


def _refuse_ignored(name: str, ignored: list[str]) -> None:
    if ignored:
        reason = f"neither {name} nor the configuration of its game takes this name and value"
        raise CannotBeMade(name, ("environment_kwargs", ignored[0]), reason)


def _first_line(error: BaseException) -> str:
    # The text of a KeyError is its argument's repr.
    text = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
    return text.strip().partition("\n")[0] or type(error).__name__


def _said_of_kwargs(name: str, error: Exception) -> tuple[Where, str]:
    unexpected = _UNEXPECTED.search(str(error))
    if unexpected is None:
        return ("environment_kwargs",), _first_line(error)
    taken = _arguments(name)
    hint = did_you_mean(unexpected[1], taken)
    listed = f" It takes: {', '.join(taken)}." if taken and not hint else ""
    text = f"{name} takes no argument of this name{hint or '.'}{listed}"
    return ("environment_kwargs", unexpected[1]), text


def _arguments(name: str) -> list[str]:
    """Names of the arguments that an environment takes; none where its constructor hides some."""
    entry_point = gymnasium.spec(name).entry_point
    creator: Any = load_env_creator(entry_point) if isinstance(entry_point, str) else entry_point
    parameters = inspect.signature(creator).parameters.values()
    if any(each.kind is each.VAR_KEYWORD for each in parameters):
        return []
    return [each.name for each in parameters if each.name != "render_mode"]
