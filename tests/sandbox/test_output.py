from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.sandbox.output import KEPT_BYTES, Output

NOWHERE = Path("/nowhere")


@pytest.fixture
def pipe() -> Iterator[tuple[Output, int]]:
    read, write = os.pipe()
    output = Output(read)
    yield output, write
    output.finish()
    os.close(write)


def test_reading_takes_what_is_there_and_does_not_wait(pipe: tuple[Output, int]) -> None:
    output, write = pipe
    output.read()
    assert output.size_bytes == 0
    os.write(write, b"hello")
    output.read()
    assert (output.size_bytes, output.text(NOWHERE), output.ended) == (5, "hello", False)


def test_beginning_is_kept_and_all_is_counted(pipe: tuple[Output, int]) -> None:
    output, write = pipe
    for _ in range(5):
        os.write(write, b"a" * 30_000)
        output.read()
    assert output.size_bytes == 150_000
    assert output.text(NOWHERE) == "a" * KEPT_BYTES


def test_what_is_left_in_the_pipe_is_taken_at_the_end(pipe: tuple[Output, int]) -> None:
    output, write = pipe
    os.write(write, b"last words")
    output.finish()
    assert output.text(NOWHERE) == "last words"
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.read(output.fileno(), 1)


def test_end_is_noticed() -> None:
    read, write = os.pipe()
    output = Output(read)
    os.close(write)
    output.read()
    assert output.ended
    output.finish()
    output.finish()


def test_what_libraries_said_before_is_forgotten(pipe: tuple[Output, int]) -> None:
    output, write = pipe
    os.write(write, b"a library's message")
    output.forget()
    os.write(write, b"the student's")
    output.read()
    assert (output.size_bytes, output.text(NOWHERE)) == (13, "the student's")


def test_text_is_cleaned_and_paths_of_the_folder_go(pipe: tuple[Output, int]) -> None:
    output, write = pipe
    os.write(write, b"\x1b[1m/tmp/x/work/agent.py\x1b[0m \xff\x00")
    output.read()
    assert output.text(Path("/tmp/x")) == "/work/agent.py \ufffd\ufffd"
