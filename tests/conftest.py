"""Fixtures shared by the test folders: sample reports, and one fork server for the session."""

from __future__ import annotations

import importlib.util
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from grader.records.incident import Incident
from grader.records.messages import ImportFile, Invoke, Resolve
from grader.records.spec import Isolation, Limits
from grader.sandbox.incident import WorkerIncident
from grader.sandbox.server import ForkServer
from grader.sandbox.worker import Worker


@pytest.fixture(scope="session")
def load_module() -> Callable[[str], ModuleType]:
    """Loads a module of the tests, which are no package, by its path: `reporting/markup.py`."""

    def load(path: str) -> ModuleType:
        name = f"tests_{path.removesuffix('.py').replace('/', '_')}"
        if name not in sys.modules:
            spec = importlib.util.spec_from_file_location(name, Path(__file__).parent / path)
            assert spec is not None
            assert spec.loader is not None
            module = importlib.util.module_from_spec(spec)
            sys.modules[name] = module
            spec.loader.exec_module(module)
        return sys.modules[name]

    return load


@pytest.fixture(scope="session")
def samples(load_module: Callable[[str], ModuleType]) -> ModuleType:
    """Reports of every kind, in `reporting/samples.py`."""
    return load_module("reporting/samples.py")


def _serving(isolation: Isolation | None) -> Iterator[ForkServer]:
    server = ForkServer(isolation)
    try:
        server.wait_ready()
        yield server
    finally:
        server.close()


@pytest.fixture(scope="session")
def fork_server() -> Iterator[ForkServer]:
    """A fork server with its imports done; asked for first, it takes some seconds.

    It has the strongest isolation that the machine offers.
    """
    yield from _serving(None)


@pytest.fixture(scope="session")
def restricted_server() -> Iterator[ForkServer]:
    """A fork server without namespaces, as in a container."""
    yield from _serving(Isolation.RESTRICTED)


@pytest.fixture(scope="session")
def unconfined_server() -> Iterator[ForkServer]:
    """A fork server whose workers are kept in by nothing but limits."""
    yield from _serving(Isolation.PROCESS)


class Student:
    """A worker with one file, `student.py`, and short ways to use it."""

    def __init__(self, worker: Worker) -> None:
        self.worker = worker

    def load(self, source: str) -> Student:
        """Hands the file in and imports it."""
        content = textwrap.dedent(source).encode()
        self.worker.put_files((("student.py", content),))
        self.worker.ask(ImportFile(file="student.py"), "importing student.py")
        return self

    def run(self, function: str = "run", **arguments: Any) -> Any:
        """Calls a function of the file."""
        self.worker.ask(Resolve(role=function, what="function", names=(function,)), "looking")
        return self.worker.ask(Invoke(target=function, arguments=arguments), f"calling {function}")

    def incident(self, function: str = "run", **arguments: Any) -> Incident:
        """Calls a function that ends badly."""
        with pytest.raises(WorkerIncident) as caught:
            self.run(function, **arguments)
        return caught.value.incident


def _loading(server: ForkServer) -> Iterator[Callable[..., Student]]:
    workers: list[Worker] = []

    def loaded(source: str | None = None, *, seed: int = 1, **limits: Any) -> Student:
        workers.append(server.student(Limits(**limits), seed))
        made = Student(workers[-1])
        return made if source is None else made.load(source)

    yield loaded
    for worker in workers:
        worker.close()


@pytest.fixture
def student(fork_server: ForkServer) -> Iterator[Callable[..., Student]]:
    """Returns a function that loads a file in a fresh worker: `student(source, call_cpu_s=0.5)`."""
    yield from _loading(fork_server)


@pytest.fixture
def restricted_student(restricted_server: ForkServer) -> Iterator[Callable[..., Student]]:
    """As `student`, without namespaces."""
    yield from _loading(restricted_server)


@pytest.fixture
def unconfined_student(unconfined_server: ForkServer) -> Iterator[Callable[..., Student]]:
    """As `student`, where only the trusted side's watch and the kernel's limits hold."""
    yield from _loading(unconfined_server)
