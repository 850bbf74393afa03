"""The parts of the engine that the command line calls, imported when first called.

Importing torch takes seconds; ``--help`` and a mistyped option must not wait for it. Tests give the verbs a double with these methods.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..api.errors import CancelledError
from ..api.messages import Event
from ..api.settings import MeshSettings, RefineSettings

if TYPE_CHECKING:
    from ..api.client import EngineClient
    from ..api.result import RefineResult
    from ..images.picture import Picture
    from ..models.catalogue import ModelInfo
    from ..pipeline import LoadedModels


class InstalledEngine:
    """The engine as installed; a method without a body of its own is the function of its name."""

    def refine(
        self,
        picture: Path,
        settings: RefineSettings,
        *,
        local: bool,
        fov_deg: float | None,
        on_event: Callable[[Event], None],
        should_stop: Callable[[], bool],
    ) -> RefineResult:
        """Refine the picture in the file: in the shared engine, or in this process where ``local``.

        Raises:
            RedepthError: as the parts of the engine raise it; `CancelledError` where a stop came before there was anything to keep.
        """
        if local:
            return self._refine_here(picture, settings, fov_deg, on_event, should_stop)
        from .shared import refine_in_shared_engine

        with self.connect() as client:
            result = refine_in_shared_engine(client, picture, settings, on_event, should_stop)
        return result if fov_deg is None else replace(result, fov_deg=fov_deg, fov_source="option")

    def _refine_here(
        self,
        path: Path,
        settings: RefineSettings,
        fov_deg: float | None,
        on_event: Callable[[Event], None],
        should_stop: Callable[[], bool],
    ) -> RefineResult:
        def stop_or_tell(event: Event) -> None:
            if should_stop():
                raise CancelledError("Stopped while the models were loading.", hint="Nothing was made.")
            on_event(event)

        picture = self.load_picture(path)
        for notice in picture.notices:
            on_event(notice)
        models = self.load_models(settings, on_event=stop_or_tell)
        return self.refine_picture(picture, models, settings, fov_deg=fov_deg, on_event=on_event, should_stop=should_stop)

    def connect(self, *, start: bool = True) -> EngineClient:
        """See `engine.api.client.EngineClient.connect`."""
        from ..api.client import EngineClient

        return EngineClient.connect(start=start)

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
