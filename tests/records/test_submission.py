from __future__ import annotations

import hashlib

from grader.records.submission import Submission, SubmittedFile


def of(**files: bytes) -> Submission:
    return Submission(
        id="alice",
        files=tuple(SubmittedFile(path=path, content=data) for path, data in files.items()),
    )


def test_file_is_recorded_by_size_and_digest() -> None:
    record = SubmittedFile(path="agent.py", content=b"x = 1\n").record()
    assert (record.path, record.size_bytes) == ("agent.py", 6)
    assert record.sha256 == hashlib.sha256(b"x = 1\n").hexdigest()


def test_digest_depends_on_paths_and_contents_and_on_nothing_else() -> None:
    base = of(a=b"1", b=b"2")
    others = [of(a=b"1"), of(a=b"2", b=b"1"), of(a=b"1", c=b"2"), of(a=b"12", b=b""), of()]
    assert len({submission.digest() for submission in [base, *others]}) == 6
    assert base.model_copy(update={"id": "bob"}).digest() == base.digest()
    assert base.digest().startswith("sha256:")


def test_file_is_looked_up_by_its_whole_path() -> None:
    submission = of(**{"agent.py": b"", "src/network.py": b""})
    assert submission.has("agent.py")
    assert submission.has("src/network.py")
    assert not submission.has("network.py")


def test_content_is_not_shown() -> None:
    assert "secret" not in repr(of(a=b"secret"))
