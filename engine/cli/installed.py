"""The parts of the engine that the command line calls, imported when first called.

Importing torch takes seconds; ``--help`` and a mistyped option must not wait for it. Tests give the verbs a double with these methods.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ..api.messages import Event
from ..api.settings import MeshSettings, RefineSettings

if TYPE_CHECKING:
    from ..api.result import RefineResult
    from ..images.picture import Picture
    from ..models.catalogue import ModelInfo
    from ..pipeline import LoadedModels


class InstalledEngine:
    """The engine as installed; each method is the function of its name."""

    def load_picture(self, path: Path) -> Picture:
        """See `engine.images.load.load_picture`."""
        from ..images.load import load_picture

        return load_picture(path)

    def load_models(self, settings: RefineSettings, *, on_event: Callable[[Event], None]) -> LoadedModels:
        """See `engine.pipeline.load_models`."""
        from ..pipeline import load_models

        return load_models(settings, on_event=on_event)

    def refine_picture(
        self,
        picture: Picture,
        models: LoadedModels,
        settings: RefineSettings,
        *,
        fov_deg: float | None,
        on_event: Callable[[Event], None],
        should_stop: Callable[[], bool],
    ) -> RefineResult:
        """See `engine.pipeline.refine_picture`."""
        from ..pipeline import refine_picture

        return refine_picture(picture, models, settings, fov_deg=fov_deg, on_event=on_event, should_stop=should_stop)

    def write_result_folder(self, result: RefineResult, folder: Path, mesh: MeshSettings) -> list[Path]:
        """See `engine.export.folder.write_result_folder`."""
        from ..export.folder import write_result_folder

        return write_result_folder(result, folder, mesh)

    def list_models(self) -> list[ModelInfo]:
        """See `engine.models.catalogue.list_models`."""
        from ..models.catalogue import list_models

        return list_models()

    def fetch_model(self, name: str, on_progress: Callable[[int, int], None]) -> Path:
        """See `engine.models.catalogue.fetch_model`."""
        from ..models.catalogue import fetch_model

        return fetch_model(name, on_progress)
