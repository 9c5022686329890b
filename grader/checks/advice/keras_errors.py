"""Rules for errors of Keras and TensorFlow while a network is built, called or trained."""

from __future__ import annotations

from typing import Final

from grader.checks.advice.codes import KerasCode as Code
from grader.checks.advice.rules import Rule, rule
from grader.checks.network_codes import NetworkCode

_NAMES: Final = (
    "Conv1D", "Conv2D", "Conv3D", "Conv2DTranspose", "Dense", "Flatten", "Activation", "ReLU",
    "LeakyReLU", "Softmax", "MaxPooling2D", "AveragePooling2D", "GlobalAveragePooling2D",
    "Dropout", "BatchNormalization", "LayerNormalization", "Rescaling", "Permute", "Reshape",
    "Lambda", "Input", "InputLayer", "Concatenate", "Add", "Embedding", "LSTM", "GRU",
    "Normalization",
    "Sequential", "Model", "layers", "models", "optimizers", "losses", "activations", "Adam",
    "SGD", "RMSprop", "Huber", "MeanSquaredError", "relu", "softmax", "linear", "Layer", "ops",
    "initializers", "GlorotUniform", "HeNormal", "HeUniform", "compile", "fit", "predict",
    "summary", "save", "load_model", "clone_model", "to_categorical", "get_weights",
    "set_weights", "train_on_batch", "trainable_variables", "trainable_weights", "call", "build",
    "GradientTape", "reduce_mean", "reduce_sum", "one_hot", "cast", "float32", "argmax", "where",
    "apply_gradients", "learning_rate",
)  # fmt: skip
"""Names of Keras and TensorFlow that students write, for one that is spelt otherwise."""

_ARGUMENTS: Final = (
    "filters", "kernel_size", "strides", "padding", "activation", "use_bias", "data_format",
    "dilation_rate", "kernel_initializer", "bias_initializer", "kernel_regularizer", "units",
    "rate", "pool_size", "name", "dtype", "trainable", "inputs", "outputs", "shape", "batch_size",
    "learning_rate", "epochs", "verbose", "axis", "target_shape", "scale", "offset", "momentum",
)  # fmt: skip

_INCOMPATIBLE: Final = r"is incompatible with the layer: "
_SYMBOLIC_TYPE: Final = r"KerasTensor|SymbolicTensor|symbolic tf\.Tensor"

KERAS_ERRORS: Final[tuple[Rule, ...]] = (
    # the input's shape
    rule(NetworkCode.CHANNELS_FIRST, r"only supports the NHWC"),
    rule(Code.INPUT_WITH_BATCH, r"Kernel shape must have the same length as input"),
    rule(Code.INPUT_WITH_BATCH, _INCOMPATIBLE + r"expected ndim=4, found ndim=5"),
    rule(Code.NO_SEQUENCE, r"of layer '(?:lstm|gru|simple_rnn|rnn|bidirectional)\w*' "
         + _INCOMPATIBLE + r"expected ndim=3, found ndim=2"),
    rule(Code.BATCH_MISSING, _INCOMPATIBLE
         + r"expected min_ndim=(?:2|4), found ndim=(?:1|3)\. Full shape received: \(\d"),
    rule(Code.BATCH_MISSING, _INCOMPATIBLE
         + r"expected shape=\(None(?:, \d+){3}\), found shape=\(\d+(?:, \d+){0,2},?\)"),
    rule(Code.BATCH_MISSING, _INCOMPATIBLE
         + r"expected shape=\(None, \d+\), found shape=\(\d+,?\)"),
    rule(Code.INPUT_LACKS_AXIS, _INCOMPATIBLE + r"expected (?:min_)?ndim=\d, found ndim=\d"),
    rule(Code.OTHER_SIZE, _INCOMPATIBLE + r"expected (?:shape|axis)"),
    rule(Code.OTHER_SIZE, r"Invalid input shape for input"),
    rule(Code.CHANNELS_FIRST_INPUT,
         r"output size would be zero or negative.*shape=\((?:None|\d+), [1-4], \d{2,}, \d{2,}\)"),
    rule(Code.KERNEL_TOO_LARGE, r"output size would be zero or negative"),
    rule(Code.KERNEL_TOO_LARGE, r"[Nn]egative dimension size"),
    rule(Code.SHAPE_NO_TUPLE, r"Cannot convert '.*' to a shape"),
    # arguments of layers
    rule(Code.SPACE_AS_NUMBER, r"`units`.*Received: units=(?:Multi)?Discrete\("),
    rule(Code.SPACE_AS_NUMBER, r"'(?:Multi)?Discrete' object cannot be interpreted as an integer"),
    rule(Code.SPACE_AS_NUMBER, r"int\(\) argument must be .*, not '(?:Multi)?Discrete'"),
    rule(Code.SPACE_AS_NUMBER, r"operand type\(s\) for .*'(?:Multi)?Discrete'"),
    rule(Code.UNITS, r"invalid value for `units`"),
    rule(Code.FILTERS, r"invalid value for (?:argument )?`filters`"),
    rule(Code.FILTERS, r"'<=' not supported between instances of '(?:tuple|list|str)' and 'int'",
         "TypeError", line=r"Conv"),
    rule(Code.PAIR, r"argument must be a tuple of \d integers?"),
    rule(Code.PADDING, r"`padding` argument must be"),
    rule(Code.ACTIVATION, r"Could not interpret activation function identifier"),
    rule(Code.IDENTIFIER, r"Could not interpret \w+ (?:function )?identifier"),
    rule(Code.TORCH_ARGUMENTS,
         r"[Uu]nrecognized keyword argument.*'(?:in|out)_(?:channels|features)'"),
    rule(Code.TORCH_ARGUMENTS, r"missing \d+ required positional argument", "TypeError",
         line=r"\b(?:in|out)_(?:channels|features)\s*="),
    rule(Code.UNKNOWN_ARGUMENT, r"[Uu]nrecognized keyword arguments? .*?'(\w+)'",
         near=_ARGUMENTS, hint=True),
    rule(Code.UNKNOWN_ARGUMENT, r"Argument\(s\) not recognized: \{'(\w+)'", near=_ARGUMENTS,
         hint=True),
    rule(Code.UNKNOWN_ARGUMENT, r"(?:Trainer|Model|Sequential)\.\w+\(\) got an unexpected keyword "
         r"argument '(\w+)'", near=_ARGUMENTS, hint=True),
    rule(Code.MISSING_ARGUMENT, rf"(?:{'|'.join(_NAMES)})\.__init__\(\) missing \d+ required",
         "TypeError"),
    rule(Code.ARGUMENT_TWICE, rf"(?:{'|'.join(_NAMES)})\.__init__\(\) got multiple values",
         "TypeError"),
    rule(Code.NAME_TWICE, r"should have unique names|names? (?:is|are) used \d+ times"),
    rule(Code.RESHAPE, r"total size of the tensor must be unchanged"),
    rule(Code.PERMUTE, r"Invalid permutation argument `dims`"),
    rule(Code.MERGED_SHAPES, r"`Concatenate` layer requires inputs with matching shapes"),
    rule(Code.MERGED_SHAPES, r"Inputs have incompatible shapes\. Received shapes"),
    rule(Code.EMBEDDING, r"indices\[.*\] = -?\d+ is not in \[0, \d+\)"),
    # putting layers together
    rule(Code.TENSORFLOW_FUNCTION, r"KerasTensor cannot be used as input to a TensorFlow function"),
    rule(Code.SYMBOLIC_CONDITION, r"symbolic KerasTensor cannot be used as a boolean"),
    rule(Code.SYMBOLIC_CONDITION, r"Iterating over a symbolic|as a Python `bool` is not allowed"),
    rule(Code.NUMPY_FUNCTION, r"KerasTensor is symbolic.*convert it to"),
    rule(Code.NUMPY_FUNCTION, r"symbolic tf\.Tensor .* to a numpy array"),
    rule(Code.NUMPY_FUNCTION, rf"'(?:{_SYMBOLIC_TYPE})' object has no attribute 'numpy'"),
    rule(Code.LAYER_AS_TENSOR, r"All `(?:in|out)puts` values must be KerasTensors"),
    rule(Code.LAYER_AS_TENSOR, r"Only input tensors may be passed as positional arguments.*"
         r"<\w+ name=\w+, built="),
    rule(Code.LIST_AS_INPUT, r"Only input tensors may be passed as positional arguments"),
    rule(Code.TENSOR_ADDED, r"can be added to a Sequential model.*KerasTensor"),
    rule(Code.CLASS_ADDED, r"can be added to a Sequential model\. Received: <class '"),
    rule(Code.NO_LAYER_ADDED, r"can be added to a Sequential model"),
    rule(Code.LIST_MISSING, r"Expected `trainable` to be a boolean\. Received: trainable=<"),
    rule(Code.DISCONNECTED, r"is not connected to `inputs`|Graph disconnected"),
    rule(Code.FUNCTIONAL_ADD, r"'(?:Functional|Model)' object has no attribute 'add'"),
    rule(Code.NO_CALL, r"does not have a `call\(\)` method implemented"),
    rule(Code.LAYERS_IN_CALL, r"only supports singleton tf\.Variables"),
    rule(Code.LAMBDA_SHAPE, r"could not automatically infer the shape of the Lambda"),
    rule(Code.NOT_BUILT, r"isn't built|has never been called and thus has no defined"),
    rule(Code.NOT_BUILT, r"has no defined (?:in|out)put shape yet|was expecting 0 weights"),
    # training
    rule(Code.NO_GRADIENTS, r"No gradients provided for any variable"),
    rule(Code.GRADIENT_PAIRS, r"apply_gradients\(\) takes 2 positional arguments but 3"),
    rule(Code.GRADIENT_PAIRS, r"Tensor' object has no attribute '_unique_id'"),
    rule(Code.OPTIMIZER_SHARED, r"Unknown variable: .*only be called for the variables it was"),
    rule(Code.OPTIMIZER_SHARED, r"^Unknown variable: <Variable path="),
    rule(Code.TAPE_TWICE, r"non-persistent GradientTape can only"),
    rule(Code.TAPE_NUMBER, r"'(?:float|int|numpy\.\w+|ndarray)' object has no attribute '_id'"),
    rule(Code.TAPE_NUMBER, r"'(?:float|int)' object has no attribute 'dtype'", "AttributeError",
         line=r"\.gradient\("),
    rule(Code.TENSOR_ASSIGNED, r"Tensor' object does not support item assignment"),
    rule(Code.TYPES, r"was expected to be a \w+ tensor but is a \w+ tensor"),
    rule(Code.TYPES, r"Incompatible type conversion requested to type"),
    rule(Code.TYPES, r"Tensor conversion requested dtype"),
    rule(Code.TENSOR_SHAPES, r"Incompatible shapes: \[|Matrix size-incompatible"),
    rule(Code.TENSOR_SHAPES, r"Dimensions must be equal, but are"),
    rule(Code.NOT_COMPILED, r"must call `?compile\(\)`? before"),
    rule(Code.FIT_DATA, r"Data cardinality is ambiguous|Unrecognized data type: x="),
    rule(Code.OTHER_WEIGHTS, r"is not compatible with provided weight shape"),
    rule(Code.OTHER_WEIGHTS, r"weight list of length \d+, but the layer was expecting"),
    rule(Code.OTHER_WEIGHTS, r"objects could not be loaded|Layer count mismatch"),
    rule(Code.OTHER_WEIGHTS, r"expected \d+ variables, but received \d+"),
    # last, because a name that is merely like another one says little
    rule(Code.SPELLING, r"module '(?:tensorflow|keras)[\w.]*' has no attribute '(\w+)'",
         "AttributeError", near=_NAMES),
    rule(Code.SPELLING, r"cannot import name '(\w+)' from '(?:tensorflow|keras)", "ImportError",
         near=_NAMES),
    rule(Code.SPELLING, r"'(?:Sequential|Functional|Model)' object has no attribute '(\w+)'",
         "AttributeError", near=_NAMES),
)  # fmt: skip
"""In the order in which they are tried."""
