"""Settings for a GPU. Most is tested on the CPU, which has no graphs."""

import pytest
import torch

from tests.support.bench import LATTICE, LINEAR, make_small
from trmsolve.bench import gpu
from trmsolve.bench.gpu import SETTINGS, KeptConstants, Setting, choose_gpu, run_settings
from trmsolve.errors import UsageError
from trmsolve.model.network import TinyRecursiveModel

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def small_things(monkeypatch: pytest.MonkeyPatch) -> None:
    make_small(monkeypatch)


def test_settings_are_measured_one_after_another() -> None:
    settings = [Setting("eager", "fp32", 1), Setting("eager", "bf16", 3)]
    rows = list(run_settings(TinyRecursiveModel(LINEAR), CPU, settings, 0.1))
    assert [(row["mode"], row["dtype"], row["batch_size"]) for row in rows] == settings
    for row in rows:
        rate = row["steps_per_second"] * row["batch_size"]
        assert row["cycles_per_second"] == pytest.approx(rate)


def test_a_setting_that_fails_says_why_and_the_next_is_measured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(step: object, device: torch.device) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory.\nmore")

    monkeypatch.setattr(gpu, "_recorded", refuse)
    settings = [Setting("graph", "fp32", 1), Setting("eager", "fp32", 1)]
    failed, measured = run_settings(TinyRecursiveModel(LINEAR), CPU, settings, 0.1)
    assert failed["error"] == "CUDA out of memory." and "cycles_per_second" not in failed
    assert measured["cycles_per_second"] > 0


def test_every_batch_size_is_tried_in_both_precisions_with_and_without_graphs() -> None:
    assert len(set(SETTINGS)) == len(SETTINGS) == 4 * len(gpu.BATCH_SIZES)


def test_without_a_gpu_it_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    for asked in ("auto", "cuda", "cuda:1"):
        with pytest.raises(UsageError, match="needs a CUDA device"):
            choose_gpu(asked)
    with pytest.raises(UsageError, match="not --device mps"):
        choose_gpu("mps")


def test_constants_are_copied_once() -> None:
    meta = torch.device("meta")
    kept = KeptConstants()
    with kept:
        first = torch.tensor([1, 2]).to(meta)
        again = torch.tensor([1, 2]).to(meta)
        other = torch.tensor([1, 3]).to(meta)
    assert first is again and other is not first
    assert len(kept.kept) == 2


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_replays_what_it_recorded() -> None:
    device = choose_gpu("auto")
    settings = [Setting(mode, "fp32", 4) for mode in ("eager", "graph")]
    for row in run_settings(TinyRecursiveModel(LATTICE), device, settings, 1.0):
        assert row.get("cycles_per_second", 0) > 0, row


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_graph_gives_the_same_state() -> None:
    model = TinyRecursiveModel(LATTICE).cuda().eval()
    device = torch.device("cuda")
    eager, expected = gpu._cycle(model, 2, device)
    step, state = gpu._cycle(model, 2, device)
    replay = gpu._recorded(step, device)  # warms up by cycles; the recording computes nothing
    for _ in range(2):
        replay()
    for _ in range(2 + gpu.RECORDED_AFTER):
        eager()
    assert torch.allclose(state.y, expected.y, atol=1e-4)
