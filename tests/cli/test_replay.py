import json
import sys
from hashlib import sha256

import pytest

from grader.cli.main import main
from grader.episodes.extras import versions_of
from grader.episodes.rollout import play
from grader.records.agent_settings import AgentSettings
from grader.records.environments import PlayedEnvironment
from grader.records.journal import JournalEntry
from grader.records.receipts import Receipt, receipt_text
from grader.records.report import ReportStatus, SeedSet

CARTPOLE = AgentSettings(environment_id="CartPole-v1")


@pytest.fixture(scope="module")
def receipt():
    return Receipt(
        submission="alice", work="sha256:00", part="agent", n=1, environment=CARTPOLE.played(),
        wrappers=(), versions=versions_of("CartPole-v1"),
        episode=play(CARTPOLE, 4, lambda _o, _s: 0).episode,
    )  # fmt: skip


@pytest.fixture
def folder(receipt, tmp_path):
    """A report's folder with eleven receipts."""
    place = tmp_path / "alice" / "episodes"
    place.mkdir(parents=True)
    for number in range(1, 12):
        numbered = receipt.model_copy(update={"n": number})
        (place / numbered.name).write_text(receipt_text(numbered))
    return place.parent


@pytest.fixture
def run(monkeypatch, capsys):
    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["grader", "replay", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        told = capsys.readouterr()
        return ended.value.code, told.out, told.err

    return call


def changed(receipt, **episode):
    return receipt.model_copy(update={"episode": receipt.episode.model_copy(update=episode)})


def test_a_folder_is_all_of_its_episodes_in_their_order(run, folder):
    code, out, _ = run(folder)
    assert code == 0
    numbers = [line.split()[2] for line in out.splitlines()[:-1]]
    assert numbers == [f"{number}:" for number in range(1, 12)]
    assert out.splitlines()[-1] == "11 of 11 episodes came out the same"
    assert run(folder / "episodes")[:2] == (code, out)


def test_several_files_may_be_named(run, folder):
    files = [folder / "episodes" / f"agent-{number}.json" for number in (3, 1)]
    code, out, _ = run(*files, "--format", "json")
    assert code == 0
    told = json.loads(out)
    assert [(each["n"], each["outcome"], each["other_versions"]) for each in told] == [
        (3, "same", {}), (1, "same", {}),
    ]  # fmt: skip
    assert told[0]["episode_return"] == told[0]["replayed_return"]


def test_what_comes_out_otherwise_is_shown_with_step_and_versions(run, receipt, tmp_path):
    rewards = list(receipt.episode.rewards)
    rewards[3] = 2.0
    other = changed(receipt, rewards=tuple(rewards), episode_return=sum(rewards))
    other = other.model_copy(update={"versions": {**other.versions, "numpy": "1.2.3"}})
    file = tmp_path / "agent-1.json"
    file.write_text(receipt_text(other))
    code, out, _ = run(file)
    assert code == 1
    assert "DIFFERENT" in out
    assert "first at step 3: reward 1.0 instead of reward 2.0" in out
    assert "numpy was 1.2.3 and is " in out
    assert "0 of 1 episodes" in out
    (told,) = json.loads(run(file, "--format", "json")[1])
    assert told["outcome"] == "different"
    assert told["first_difference"]["step"] == 3
    assert told["other_versions"]["numpy"]["then"] == "1.2.3"


def test_an_edited_receipt_is_refused(run, receipt, tmp_path):
    file = tmp_path / "agent-1.json"
    file.write_text(receipt_text(receipt).replace('"seed": 4', '"seed": 5'))
    code, out, err = run(file)
    assert (code, out) == (2, "")
    assert "changed after it was written" in err


@pytest.mark.parametrize("content", [None, b"", b"{}", b"\xff\xfe", b"[" * 5000])
def test_what_is_no_receipt_is_a_usage_error(run, tmp_path, content):
    file = tmp_path / "agent-1.json"
    if content is not None:
        file.write_bytes(content)
    code, out, err = run(file)
    assert (code, out) == (2, "")
    assert err.startswith("grader: ")
    assert "Traceback" not in err


@pytest.mark.parametrize("files", [(), ("report.json", "journal.json")])
def test_a_folder_without_receipts_is_a_usage_error(run, tmp_path, files):
    for name in files:
        (tmp_path / name).write_text("{}")
    code, _, err = run(tmp_path)
    assert code == 2
    assert "holds no receipts" in err


def test_an_environment_that_cannot_be_made_is_a_fault_and_wins(run, receipt, tmp_path):
    gone = receipt.model_copy(
        update={"environment": PlayedEnvironment(environment_id="Vanished-v3"), "n": 2}
    )
    different = changed(receipt, episode_return=99.0)
    files = []
    for each in (gone, different):
        files.append(tmp_path / each.name)
        files[-1].write_text(receipt_text(each))
    code, out, err = run(*files)
    assert code == 3
    assert "Vanished-v3" in err
    assert "not played" in out
    assert "DIFFERENT" in out


def test_a_film_can_be_had(run, folder, tmp_path):
    film = tmp_path / "film.html"
    code, _, err = run(folder / "episodes" / "agent-1.json", "--film", film)
    assert (code, str(film) in err) == (0, True)
    assert "<html" in film.read_text()


def test_an_edited_receipt_with_a_new_digest_does_not_fit_the_journal(run, receipt, folder):
    names = [f"episodes/{file.name}" for file in (folder / "episodes").iterdir()]
    entry = JournalEntry(
        submission="alice", work="", assignment="", seeds=SeedSet.FINAL, public_only=False,
        asked_isolation=None, running="", judging="", parts={}, status=ReportStatus.GRADED,
        files={name: sha256((folder / name).read_bytes()).hexdigest() for name in names},
    )  # fmt: skip
    (folder / "journal.json").write_text(entry.model_dump_json())
    assert run(folder)[0] == 0

    edited = folder / "episodes" / receipt.name
    edited.write_text(receipt_text(changed(receipt, seed=5)))
    code, _, err = run(folder)
    assert code == 2
    assert "not what the grader wrote (it was changed since)" in err

    added = receipt.model_copy(update={"n": 12})
    (folder / "episodes" / added.name).write_text(receipt_text(added))
    code, _, err = run(folder / "episodes" / added.name)
    assert code == 2
    assert "journal.json does not speak of it" in err


def test_a_module_is_imported_only_when_asked_for(run, receipt, tmp_path, monkeypatch):
    (tmp_path / "replayed_game.py").write_text(
        "import gymnasium\n"
        "from gymnasium.envs.classic_control import CartPoleEnv\n"
        "gymnasium.register('Replayed-v0', CartPoleEnv, max_episode_steps=500)\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    own = PlayedEnvironment(environment_id="replayed_game:Replayed-v0")
    file = tmp_path / receipt.name
    file.write_text(receipt_text(receipt.model_copy(update={"environment": own})))

    code, _, err = run(file)
    assert code == 2
    assert "--import-modules" in err
    assert "replayed_game" not in sys.modules
    assert run("--import-modules", file)[0] == 0


def test_only_an_ending_may_differ(run, receipt, tmp_path):
    file = tmp_path / receipt.name
    file.write_text(receipt_text(changed(receipt, terminated=False, truncated=True)))
    code, out, _ = run(file)
    assert code == 1
    assert "instead of" not in out.splitlines()[0]
