"""The product's listener with the toy worker and short limits: ``toy_engine.py '{"idle_exit_s": 1.0, "limits": {...}}'``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from engine.api.folders import find_folders
from engine.service.listener import ServiceSettings, serve
from engine.service.supervisor import Limits

if __name__ == "__main__":
    fields = json.loads(sys.argv[1])
    limits = Limits(**fields.pop("limits", {}))
    command = (sys.executable, str(Path(__file__).with_name("toy_worker.py")))
    if not serve(find_folders(), ServiceSettings(**({"worker_command": command} | fields), limits=limits)):
        sys.exit("another engine runs")
