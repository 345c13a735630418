"""The command that is in the package: ``dativo-native``, and ``python -m dativo_native``."""

from __future__ import annotations

import os
import sys
from typing import NoReturn


def path() -> str:
    """Where the command is."""
    return os.path.join(os.path.dirname(os.path.abspath(__file__)), "bin", "dativo-native")


def main() -> NoReturn:
    """Become it."""
    command = path()
    os.execv(command, ["dativo-native", *sys.argv[1:]])
