"""What a run keeps on the disk: always one whole state, of one run, that says so when it cannot be used."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from command_line import full_disk

from recon.errors import BadInput, BadOption, Unwritable
from recon.refinement.checkpoint import CHECKPOINT, kept, load, save

WRITER = """
import sys
from pathlib import Path
import torch
from recon.refinement.checkpoint import save
number = 0
while True:
    number += 1
    save(Path(sys.argv[1]), {"key": "k", "number": number, "values": torch.full((300_000,), number)})
    print(number, flush=True)
"""


def test_a_state_comes_back_as_it_was(tmp_path: Path) -> None:
    assert load(tmp_path, "k") is None
    values = torch.rand(5)
    save(tmp_path / "new", {"key": "k", "values": values, "losses": {"coarse": 1.5}, "halved": ["fine"]})
    state = load(tmp_path / "new", "k")
    assert state is not None
    assert torch.equal(state["values"], values)
    assert (state["losses"], state["halved"]) == ({"coarse": 1.5}, ["fine"])
    with pytest.raises(BadOption, match="another photo or of other settings"):
        load(tmp_path / "new", "other")


@pytest.mark.parametrize("how", ["cut off", "text", "empty", "other", "a list", "a folder"])
def test_a_damaged_state_is_told_in_one_sentence(how: str, tmp_path: Path) -> None:
    save(tmp_path, {"key": "k", "values": torch.rand(5000)})
    path = tmp_path / CHECKPOINT
    whole = path.read_bytes()
    if how == "other":
        torch.save({"weights": torch.rand(3)}, path)
    elif how == "a list":
        torch.save([1, 2], path)
    elif how == "a folder":
        path.unlink()
        path.mkdir()
    else:
        path.write_bytes({"cut off": whole[: len(whole) // 2], "text": b"no state at all", "empty": b""}[how])
    with pytest.raises(BadInput, match=r"refine\.pt' cannot be read .*; delete it or give folder another folder\.$"):
        load(tmp_path, "k")


def test_a_full_disk_leaves_the_state_before(tmp_path: Path) -> None:
    save(tmp_path, {"key": "k", "number": 1})
    with full_disk(5000), pytest.raises(Unwritable, match="old file, if any, stands as it was"):
        save(tmp_path, {"key": "k", "number": 2, "values": torch.rand(5000)})
    state = load(tmp_path, "k")
    assert state is not None
    assert state["number"] == 1
    assert [path.name for path in tmp_path.iterdir()] == [CHECKPOINT]


def test_whoever_is_killed_while_saving_leaves_a_whole_state(tmp_path: Path) -> None:
    last = 0
    for pause in (0.0, 0.007):
        child = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE)
        assert child.stdout is not None
        last = [int(child.stdout.readline()) for _ in range(2)][-1]
        time.sleep(pause)
        child.send_signal(signal.SIGKILL)
        child.communicate()
        state = load(tmp_path, "k")
        assert state is not None
        assert state["number"] >= last
        assert torch.equal(state["values"], torch.full((300_000,), state["number"]))
    (tmp_path / ".unflat-0123.pt").write_bytes(b"half")
    with kept(tmp_path):
        assert [path.name for path in tmp_path.iterdir()] == [CHECKPOINT]


def test_one_run_at_a_time_has_a_folder(tmp_path: Path) -> None:
    with kept(tmp_path / "a/b"):
        with pytest.raises(BadOption, match="another refinement is at work in .*a/b"), kept(tmp_path / "a/b"):
            pass
        with kept(tmp_path / "c"):
            pass
    with kept(tmp_path / "a/b"), kept(None):
        pass
    assert list((tmp_path / "a/b").iterdir()) == []


def test_a_folder_that_cannot_be_written_to_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for place in (tmp_path / "file", tmp_path / "file/deeper", Path("/proc/nothing")):
        with pytest.raises(Unwritable, match="cannot write"), kept(place):
            pass
