"""Rules for imports, for the source text, and for errors of Python, numpy and Gymnasium."""

from __future__ import annotations

from typing import Final

from grader.checks.advice.codes import ImportCode, RunCode, SourceCode
from grader.checks.advice.rules import Rule, rule


def _package(code: ImportCode, *names: str) -> Rule:
    return rule(code, rf"No module named '(?:{'|'.join(names)})(?:\.[\w.]+)?'$", *_NOT_FOUND)


_NOT_FOUND: Final = ("ModuleNotFoundError", "ImportError")
_SYNTAX: Final = ("SyntaxError",)

IMPORTS: Final[tuple[Rule, ...]] = (
    _package(ImportCode.GYM, "gym"),
    _package(ImportCode.AGENT_LIBRARY, "stable_baselines3?", "stable_baselines", "baselines",
             "rl", "rl2?", "tensorforce", "ray", "tianshou", "tf_agents", "keras_rl", "d3rlpy"),
    _package(ImportCode.FRAMEWORK, "torch", "torchvision", "jax", "flax", "haiku", "theano",
             "caffe", "mxnet", "chainer", "pytorch_lightning"),
    _package(ImportCode.IMAGES, "cv2", "PIL", "skimage", "imageio", "scipy.misc"),
    _package(ImportCode.PLOTS, "matplotlib", "seaborn", "plotly", "tqdm", "wandb", "tensorboard",
             "tensorboardX", "pydot", "bokeh"),
    _package(ImportCode.NOTEBOOK_SERVICE, "google.colab", "google", "IPython", "ipywidgets",
             "kaggle", "nbformat"),
    _package(ImportCode.NOT_OF_THE_COURSE, "pandas", "sklearn", "xgboost", "joblib", "numba",
             "transformers", "datasets", "sympy", "networkx", "statsmodels", "yaml"),
    _package(ImportCode.TF_KERAS, "tf_keras"),
    rule(ImportCode.WRAPPERS, r"cannot import name '\w+' from 'gymnasium\.wrappers"),
    rule(ImportCode.WRAPPERS, r"module 'gymnasium\.wrappers' has no attribute"),
    rule(ImportCode.CIRCULAR, r"partially initialized module"),
    rule(ImportCode.RELATIVE, r"attempted relative import", *_NOT_FOUND),
    rule(ImportCode.ENVIRONMENT, "", "NamespaceNotFound", "NameNotFound", "VersionNotFound",
         "DependencyNotInstalled", "DeprecatedEnv"),
    rule(ImportCode.FILE_NOT_FOUND,
         r"No such file or directory|[Uu]nable to .*open file|File not found"),
    rule(ImportCode.PICKLED, r"Object arrays cannot be loaded when allow_pickle=False"),
    rule(ImportCode.NETWORK, "", "URLError", "gaierror", "HTTPError", "ConnectionError",
         "NewConnectionError", "MaxRetryError"),
    rule(ImportCode.NETWORK, r"URL fetch failure|Name or service not known|Network is unreachable"),
)  # fmt: skip

SOURCE: Final[tuple[Rule, ...]] = (
    rule(SourceCode.ENCODING, r"codec can't decode|Non-UTF-8"),
    rule(SourceCode.TABS, "", "TabError"),
    rule(SourceCode.MAGIC, "", *_SYNTAX, "IndentationError", line=r"^\s*[!%]\s*\w"),
    rule(SourceCode.MERGE_MARKS, "", *_SYNTAX, line=r"^(?:<{7}|={7}|>{7})"),
    rule(SourceCode.INDENTATION, "", "IndentationError"),
    rule(SourceCode.CURLY_QUOTES, r"invalid character '[^']' \(U\+20[01]", *_SYNTAX),
    rule(SourceCode.CURLY_QUOTES, r"invalid character '[^']' \(U\+(?:00AB|00BB|2212)", *_SYNTAX),
    rule(SourceCode.INVISIBLE, r"invalid non-printable character", *_SYNTAX),
    rule(SourceCode.PYTHON_2, r"Missing parentheses in call to", *_SYNTAX),
    rule(SourceCode.PYTHON_2, r"multiple exception types must be parenthesized", *_SYNTAX),
    rule(SourceCode.NOT_CLOSED, r"was never closed|unterminated|unmatched|does not match opening",
         *_SYNTAX),
    rule(SourceCode.NOT_CLOSED, r"unexpected EOF|EOF while scanning", *_SYNTAX),
    rule(SourceCode.ASSIGNMENT, r"Maybe you meant '==' or|cannot assign to", *_SYNTAX),
    rule(SourceCode.OUTSIDE, r"outside (?:async )?(?:function|loop)|not properly in loop",
         *_SYNTAX),
    rule(SourceCode.NOTEBOOK, r"name '(?:null|true|false)' is not defined", "NameError"),
    rule(SourceCode.INPUT, r"EOF when reading a line"),
)  # fmt: skip

RUNNING: Final[tuple[Rule, ...]] = (
    rule(RunCode.SELF_MISSING, r"\(\) takes (?:0 positional arguments but 1 was|"
         r"1 positional argument but 2 were) given", "TypeError"),
    rule(RunCode.SELF_MISSING, r"^too many positional arguments$", "TypeError"),
    rule(RunCode.SPACE_ATTRIBUTE, r"'(?:Multi\w+|Box|Dict|Tuple|Discrete)' object has no attribute "
         r"'(?:n|nvec|start|low|high|shape|spaces)'"),
    rule(RunCode.RENDER_MODE, r"render\(\) got an unexpected keyword argument 'mode'"),
    rule(RunCode.ENV_SEED, r"'(?:\w*Env|TimeLimit|OrderEnforcing|PassiveEnvChecker)' object has no "
         r"attribute 'seed'"),
    rule(RunCode.RESET_PAIR,
         r"'tuple' object has no attribute '(?:reshape|shape|astype|flatten|ndim|copy|mean)'"),
    rule(RunCode.FOUR_VALUES, r"too many values to unpack \(expected 4\)", "ValueError",
         line=r"\.step\("),
    rule(RunCode.UNPACKING, r"(?:too many|not enough) values to unpack"),
    rule(RunCode.NUMPY_NAMES, r"module 'numpy' has no attribute '(?:bool|int|float|object|str|"
         r"complex|long|unicode|bool8|float_|int0)'"),
    rule(RunCode.STEP_BEFORE_RESET, r"before calling env\.reset|call reset before", "ResetNeeded"),
    rule(RunCode.RAGGED, r"inhomogeneous shape|setting an array element with a sequence"),
    rule(RunCode.NONE, r"'NoneType' object"),
    rule(RunCode.ARRAY_SHAPES, r"could not be broadcast|not aligned"),
    rule(RunCode.ARRAY_SHAPES, r"mismatch in its core dimension"),
    rule(SourceCode.NOT_WRITTEN, "", "NotImplementedError"),
    rule(RunCode.UNBOUND, "", "UnboundLocalError"),
    rule(RunCode.RECURSION, "", "RecursionError"),
    rule(SourceCode.LEFT_OUT_NAME, r"which sets it, was left out$", "NameError"),
    rule(RunCode.NAME, "", "NameError"),
    rule(RunCode.INDEX, "", "IndexError"),
    rule(RunCode.KEY, "", "KeyError"),
)  # fmt: skip
"""In the order in which they are tried; those that name a class alone come last."""
