"""Installing the engine for Blender: a virtual environment outside Blender's folders, from the wheel that the add-on carries.

Knows no bpy and touches no network until `Installation.start` is called, which the caller does only where Blender allows online access.
"""

from __future__ import annotations

from .examining import Environment, examine
from .installation import Installation, InstallState
from .plan import Plan, environment_folder, plan_from_carried, python_in, read_stamp
from .torch_builds import CHOICES

__all__ = [
    "CHOICES",
    "Environment",
    "InstallState",
    "Installation",
    "Plan",
    "environment_folder",
    "examine",
    "plan_from_carried",
    "python_in",
    "read_stamp",
]
