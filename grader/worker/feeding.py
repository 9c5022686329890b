"""How a network takes its inputs: as one tensor, a list, a dictionary or several arguments."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field
from typing import Any, Final

import keras

Shape = tuple[int | None, ...]

_NO_INPUTS: Final = frozenset({"self", "training", "mask"})


@dataclass
class Feed:
    """Gives a model its inputs.

    Attributes:
        model: the network.
        names: of the inputs that the assignment asks for.
        places: for each input of the model, in its own order, which array it gets.
        extra: shapes of the model's inputs beyond those asked for, batch axis left out.
        outputs: names of the outputs asked for; the keys of a dictionary, in their order.
    """

    model: Any
    names: tuple[str, ...] = ("input",)
    places: tuple[int, ...] = ()
    extra: tuple[tuple[int, ...], ...] = ()
    form: str = field(default="")
    outputs: tuple[str, ...] = ()

    def __call__(self, tensors: Any, training: bool) -> Any:
        """What the model answers to its inputs, in the order asked for and the extra ones."""
        items = list(tensors)
        if self.places:
            structure = keras.tree.pack_sequence_as(
                self.model.input, [items[place] for place in self.places]
            )
            return self._asked(training, structure)
        declared = 1 if isinstance(self.model, keras.Sequential) else len(_own_inputs(self.model))
        if 0 < declared < len(items):
            # Keras would leave the others out.
            raise ValueError(f"the network has {declared} input, and {len(items)} are given to it")
        if len(items) == 1:
            return self._asked(training, items[0])
        if not self.form:
            return self._first(items, training)
        return self._in_form(self.form, items, training)

    def _first(self, items: list[Any], training: bool) -> Any:
        """The first call of a model that does not say how it takes several inputs."""
        forms = ("arguments",) if self._several_arguments() else ("list", "dict")
        problem: Exception | None = None
        for form in forms:
            try:
                result = self._in_form(form, items, training)
            except Exception as error:  # noqa: BLE001  the student's code may raise anything
                problem = problem or error
                continue
            self.form = form
            return result
        if problem is None:
            raise ValueError("the network takes no inputs")
        raise problem

    def _in_form(self, form: str, items: list[Any], training: bool) -> Any:
        named = dict(zip(self.names, items, strict=False))
        if form == "dict":
            return self._asked(training, named)
        if form == "list":
            return self._asked(training, items)
        names = self._arguments()
        if set(names[: len(items)]) == set(named):
            items = [named[name] for name in names[: len(items)]]
        return self._asked(training, *items)

    def _asked(self, training: bool, *items: Any) -> Any:
        if _takes_training(type(self.model).__call__):
            result = self.model(*items, training=training)
        else:
            result = self.model(*items)
        if isinstance(result, dict) and result.keys() == set(self.outputs):
            return {name: result[name] for name in self.outputs}
        return result

    def _arguments(self) -> list[str]:
        parameters = inspect.signature(self.model.call).parameters.values()
        positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        return [
            single.name
            for single in parameters
            if single.kind in positional and single.name not in _NO_INPUTS
        ]

    def _several_arguments(self) -> bool:
        try:
            return len(self._arguments()) > 1
        except (TypeError, ValueError):
            return False


def _takes_training(function: Any) -> bool:
    """Whether a `__call__` can be told; one of the student's own may not."""
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):
        return True
    return "training" in parameters or any(
        single.kind is inspect.Parameter.VAR_KEYWORD for single in parameters.values()
    )


def feed_for(
    model: Any, names: tuple[str, ...], shapes: tuple[tuple[tuple[int, ...], ...], ...]
) -> Feed:
    """How a model is to be given its inputs.

    Args:
        model: a Keras model.
        names: of the inputs asked for.
        shapes: accepted shapes of each, batch axis left out.
    """
    own = _own_inputs(model)
    alone = len(own) == 1 and not isinstance(model.input, dict)
    if alone or len(own) < len(names):
        return Feed(model, names)
    free = list(range(len(own)))
    taken: dict[int, int] = {}
    for fits in (_named, _shaped, _any):
        for asked, name in enumerate(names):
            if asked in taken.values():
                continue
            found = next((at for at in free if fits(own[at], name, shapes[asked])), None)
            if found is not None:
                free.remove(found)
                taken[found] = asked
    extra: list[tuple[int, ...]] = []
    for at in free:
        taken[at] = len(names) + len(extra)
        extra.append(tuple(1 if side is None else int(side) for side in own[at].shape[1:]))
    places = tuple(taken[at] for at in range(len(own)))
    return Feed(model, names, places, tuple(extra))


def _own_inputs(model: Any) -> list[Any]:
    """Inputs that a model declares; none for a subclassed or an unbuilt one."""
    if not hasattr(model, "_inputs_struct"):
        return []
    inputs = getattr(model, "inputs", None)
    return list(inputs) if isinstance(inputs, list | tuple) else []


def _named(tensor: Any, name: str, _: Any) -> bool:
    return bool(tensor.name == name)


def _shaped(tensor: Any, _: str, shapes: tuple[tuple[int, ...], ...]) -> bool:
    own = tuple(tensor.shape[1:])
    return any(
        len(shape) == len(own) and all(b is None or a == b for a, b in zip(shape, own, strict=True))
        for shape in shapes
    )


def _any(*_: Any) -> bool:
    return True
