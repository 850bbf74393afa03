"""A double of the engine for the command line's tests: real pictures and real files, a disparity that needs no model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from engine.api.client import EngineClient
from engine.api.errors import EngineUnavailableError, UnknownModelError
from engine.api.messages import Event, Notice, Progress
from engine.api.result import RefineResult
from engine.api.settings import RefineSettings
from engine.cli.installed import InstalledEngine
from engine.models.catalogue import ModelInfo

GATE = {
    "verdict": "partly",
    "share_kept": 0.72,
    "signs": {"disagreement": 0.4},
    "thresholds": {"disagreement": 1.0},
    "reasons": ["In some regions the members disagree."],
}


class QuickEngine(InstalledEngine):
    """Refined disparity is the picture's red channel, base the same with noise; as many steps as asked for, each taking no time."""

    def __init__(self) -> None:
        self.loaded: list[RefineSettings] = []
        self.before_step: Callable[[int], None] = lambda step: None

    def load_models(self, settings: RefineSettings, *, on_event: Callable[[Event], None]) -> Any:
        on_event(Progress(phase="load", step=0, steps=1))
        if settings.depth_model == "nonsense":
            raise UnknownModelError("No depth model is called nonsense.", hint="Choose another.")
        self.loaded.append(settings)
        return settings

    def refine_picture(
        self,
        picture: Any,
        models: Any,
        settings: RefineSettings,
        *,
        fov_deg: float | None,
        on_event: Callable[[Event], None],
        should_stop: Callable[[], bool],
    ) -> RefineResult:
        on_event(Notice(code="prompt.none", text="The prompt is empty."))
        steps_done, method = 0, settings.method
        while steps_done < method.steps and not should_stop():
            self.before_step(steps_done)
            steps_done += 1
            on_event(
                Progress(
                    phase="refine", step=steps_done, steps=method.steps, member=1, members=method.members, eta_s=float(method.steps - steps_done)
                )
            )
        complete = steps_done == method.steps
        refined = 1.0 + picture.image_srgb[..., 0]
        base = refined + np.random.default_rng(0).uniform(-0.2, 0.2, refined.shape).astype(np.float32)
        return RefineResult(
            image_srgb=np.rint(picture.image_srgb * 255).astype(np.uint8),
            disparity_base=base,
            disparity_refined=refined,
            uncertainty=np.zeros_like(refined),
            kept=np.full_like(refined, 0.72) if settings.gate and complete else None,
            fov_deg=fov_deg or 55.0,
            fov_source="option" if fov_deg else "default",
            provenance={
                "models": {role: {"name": "embedded", "title": "Embedded", "revision": "1", "licence": "MIT"} for role in ("depth", "prior")},
                "settings": settings.to_json(),
                "prompt": "",
                "prompt_source": "none",
                "device": "cpu",
                "device_name": "CPU, float32",
                "prior_precision": "float32",
                "complete": complete,
                "steps_done": steps_done * method.members,
                "steps_asked": method.steps * method.members,
                "gate": GATE if settings.gate and complete else None,
                "seconds": {"refine": 1.5},
                "notices": [],
                "versions": {"redepth": "0"},
            },
        )

    def list_models(self) -> list[ModelInfo]:
        return [
            ModelInfo(name="embedded", role="depth", hub_name="", licence="MIT", size_mb=0, location="/weights/depth", note="Ships with it."),
            ModelInfo(name="small", role="depth", hub_name="owner/small-hf", licence="Apache-2.0", size_mb=99, location=None, note="Small one."),
        ]

    def fetch_model(self, name: str, on_progress: Callable[[int, int], None]) -> Path:
        on_progress(50, 100)
        on_progress(100, 100)
        return Path("/weights") / name


@pytest.fixture(scope="session", autouse=True)
def engine_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home for the shared engine of these tests, which is ended after them."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REDEPTH_HOME", str(home))
        yield home
        with suppress(EngineUnavailableError), EngineClient.connect(start=False) as client:
            client.shutdown()


@pytest.fixture
def engine() -> QuickEngine:
    return QuickEngine()


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """A 24 x 16 picture whose red channel slopes from dark to bright."""
    red = np.linspace(0, 255, 24 * 16).reshape(16, 24)
    path = tmp_path / "slope.png"
    Image.fromarray(np.stack([red, red[::-1], red * 0], axis=-1).astype(np.uint8)).save(path)
    return path
