"""Rules for what Keras 1, Keras 2 and TensorFlow 1 had and Keras 3 has not."""

from __future__ import annotations

from typing import Final

from grader.checks.advice.codes import RelicCode as Code
from grader.checks.advice.rules import Rule, named, rule

_UNKNOWN: Final = (
    r"(?:[Uu]nrecognized keyword argument|not recognized|unexpected keyword argument).*"
)
_MISSING: Final = r"missing \d+ required positional argument"

ARGUMENTS: Final[dict[Code, tuple[str, ...]]] = {
    Code.SUBSAMPLE: ("subsample",),
    Code.BORDER_MODE: ("border_mode",),
    Code.NB_FILTER: ("nb_filter", "nb_row", "nb_col", "filter_length"),
    Code.INIT: ("init", "inner_init", "forget_bias_init"),
    Code.REGULARIZER: (
        "W_regularizer", "b_regularizer", "U_regularizer", "W_constraint", "b_constraint",
        "U_constraint",
    ),
    Code.DIM_ORDERING: ("dim_ordering",),
    Code.BATCH_INPUT_SHAPE: ("batch_input_shape",),
    Code.WEIGHTS: ("weights",),
    Code.BIAS: ("bias",),
    Code.DROPOUT_P: ("p",),
    Code.RECURRENT_OPTIONS: ("inner_activation", "dropout_W", "dropout_U", "consume_less"),
    Code.POOL_LENGTH: ("pool_length", "subsample_length"),
    Code.NB_EPOCH: ("nb_epoch",),
    Code.SAMPLES_PER_EPOCH: (
        "samples_per_epoch", "nb_val_samples", "nb_worker", "max_q_size", "workers",
        "max_queue_size", "use_multiprocessing",
    ),
    Code.MODEL_INPUT: ("input", "output"),
    Code.LEARNING_RATE: ("lr",),
    Code.OUTPUT_DIM: ("output_dim",),
    Code.DECAY: ("decay",),
}  # fmt: skip
"""Arguments that are gone, by the code that tells of them."""

NAMES: Final[dict[Code, tuple[str, ...]]] = {
    Code.FIT_GENERATOR: ("fit_generator", "evaluate_generator", "predict_generator"),
    Code.PREDICT_CLASSES: ("predict_classes", "predict_proba"),
    Code.MERGE: ("merge", "Merge"),
    Code.YAML: ("to_yaml", "model_from_yaml"),
    Code.MINIMIZE: ("minimize", "get_updates", "get_gradients"),
    Code.LAYER_SHAPES: ("output_shape", "input_shape", "get_output_at", "get_input_at"),
    Code.NP_UTILS: ("np_utils", "vis_utils", "generic_utils"),
    Code.IMAGE_ORDERING: ("set_image_dim_ordering", "image_dim_ordering"),
    Code.EXPERIMENTAL: ("experimental",),
    Code.CUDNN: ("CuDNNLSTM", "CuDNNGRU"),
    Code.OLD_LAYERS: (
        "Deconvolution2D", "AtrousConvolution2D", "AtrousConvolution1D", "TimeDistributedDense",
        "MaxoutDense", "Highway",
    ),
    Code.LOWER_CASE_OPTIMIZERS: (
        "adam", "sgd", "rmsprop", "adagrad", "adadelta", "adamax", "nadam",
    ),
    Code.IMAGE_GENERATOR: ("ImageDataGenerator",),
    Code.SESSIONS: (
        "placeholder", "Session", "InteractiveSession", "global_variables_initializer",
        "initialize_all_variables", "reset_default_graph", "get_variable", "variable_scope",
        "get_default_session", "get_default_graph", "ConfigProto", "GPUOptions",
    ),
    Code.CONTRIB: ("contrib",),
    Code.TF_LAYERS: ("layers",),
    Code.TF_TRAIN: (r"\w+Optimizer",),
    Code.TF_FUNCTIONS: (
        "log", "random_normal", "random_uniform", "truncated_normal", "to_float", "to_int32",
        "mul", "sub", "neg", "pack", "assign", "select", "square_difference", "set_random_seed",
        "argmin_v1", "mod", "arg_max",
    ),
}  # fmt: skip
"""Attributes and names that are gone, by the code that tells of them."""

_GRAPH: Final = (
    "function", "gradients", "placeholder", "get_session", "set_session", "learning_phase",
    "set_learning_phase", "update", "eval", "get_value",
)  # fmt: skip
_KERAS_ONLY: Final = frozenset({
    Code.MERGE, Code.NP_UTILS, Code.EXPERIMENTAL, Code.CUDNN, Code.OLD_LAYERS,
    Code.LOWER_CASE_OPTIMIZERS, Code.IMAGE_GENERATOR,
})  # fmt: skip
_TENSORFLOW_ONLY: Final = frozenset(
    {Code.SESSIONS, Code.CONTRIB, Code.TF_LAYERS, Code.TF_TRAIN, Code.TF_FUNCTIONS}
)


def _argument(code: Code, names: tuple[str, ...]) -> tuple[Rule, ...]:
    """A name that is refused, or one beside which another is missed."""
    given = rf"\b(?:{'|'.join(names)})\s*="
    told = rule(code, f"{_UNKNOWN}{named(*names)}", "TypeError", "ValueError")
    if code in {Code.NB_FILTER, Code.DROPOUT_P, Code.OUTPUT_DIM}:
        return told, rule(code, _MISSING, "TypeError", line=given)
    return (told,)


def _name(code: Code, names: tuple[str, ...]) -> tuple[Rule, ...]:
    owner = (
        r"module '(?:tensorflow\.)?keras[\w.]*'" if code in _KERAS_ONLY
        else r"module 'tensorflow[\w.]*'" if code in _TENSORFLOW_ONLY
        else ""
    )  # fmt: skip
    attribute = rule(code, f"{owner} ?.*has no attribute {named(*names)}", "AttributeError")
    module = r"from '(?:tensorflow\.)?(?:python\.)?keras"
    if code in _TENSORFLOW_ONLY:
        module = r"from 'tensorflow"
    imported = rule(code, f"cannot import name {named(*names)} {module}", "ImportError")
    return attribute, imported


RELICS: Final[tuple[Rule, ...]] = (
    rule(Code.KERNEL_NUMBERS, r"'int' object has no attribute 'lower'", "AttributeError",
         line=r"Conv(?:olution)?2D"),
    rule(Code.KERNEL_NUMBERS, r"`padding` argument must be .* Received: (?:relu|elu|tanh|linear)"),
    rule(Code.LAYER_MODULES, r"No module named '(?:tensorflow\.)?keras\.layers\.(?!experimental)"),
    rule(Code.EXPERIMENTAL, r"No module named '(?:tensorflow\.)?keras\.layers\.experimental"),
    rule(Code.NP_UTILS, r"No module named '(?:tensorflow\.)?keras\.utils\.\w+"),
    rule(Code.BACKEND_GRAPH, r"No module named '(?:tensorflow\.)?keras\.backend\."),
    rule(Code.MOVED_MODULES, r"No module named '(?:tensorflow\.)?keras\.\w+"),
    rule(Code.MOVED_MODULES, rf"cannot import name {named('objectives', 'engine', 'wrappers')} "
         r"from '(?:tensorflow\.)?keras'", "ImportError"),
    rule(Code.LEGACY_OPTIMIZERS, r"optimizers\.legacy` is not supported"),
    rule(Code.MIXED, r"added layer must be an instance of class Layer"),
    rule(Code.CONTRIB, r"No module named 'tensorflow\.contrib"),
    rule(Code.TF_GRADIENTS,
         r"tf\.gradients is not supported|module 'tensorflow' has no attribute 'gradients'"),
    rule(Code.FILE_ENDING, r"filename must end in `|Invalid filepath extension for saving"),
    rule(Code.FILE_ENDING, r"File format not supported: filepath="),
    rule(Code.MODEL_INPUT, rf"passed to Model: .*{named('input', 'output')}"),
    *(found for code, names in ARGUMENTS.items() for found in _argument(code, names)),
    rule(Code.LEARNING_RATE, r"has no attribute 'lr'", "AttributeError"),
    rule(Code.IMAGE_ORDERING, rf"has no attribute {named(*NAMES[Code.IMAGE_ORDERING])}"),
    rule(Code.BACKEND_GRAPH, r"module '(?:tensorflow\.)?keras[\w.]*backend[\w.]*' has no attribute "
         + named(*_GRAPH)),
    rule(Code.BACKEND_FUNCTIONS, r"module '(?:tensorflow\.)?keras[\w.]*backend[\w.]*' has no "
         r"attribute"),
    rule(Code.BACKEND_FUNCTIONS, r"cannot import name '\w+' from '(?:tensorflow\.)?keras\.backend"),
    *(found for code, names in NAMES.items() for found in _name(code, names)),
)  # fmt: skip
"""In the order in which they are tried."""


def argument_codes(text: str) -> tuple[Code, ...]:
    """Codes of all arguments of an old Keras that a message names, in the order of the table."""
    found = rule(Code.SUBSAMPLE, _UNKNOWN).message
    if found is None or found.search(text) is None:
        return ()
    tail = text.partition("{")[2] or text
    return tuple(
        code for code, names in ARGUMENTS.items() if any(f"'{name}'" in tail for name in names)
    )
