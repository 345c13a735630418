"""What plugins say, as lines of the logger ``dativo_native``."""

from __future__ import annotations

import contextlib
import json
from typing import Iterator, List


def on_log(level: int, event_type: str, message: str) -> None:
    """NOTE, 25, stays a level of its own between INFO and WARNING."""
    import logging  # a third of the time that importing this package would take

    logging.getLogger("dativo_native").log(level, "%s", message, extra={"event_type": event_type})


def on_report(text: str) -> None:
    for warning in json.loads(text).get("warnings", []):
        on_log(30, warning.get("event_type", ""), warning.get("message", ""))


@contextlib.contextmanager
def collected() -> Iterator[List[str]]:
    """The warnings of a task, for who collects its results."""
    import logging

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found.append(record.getMessage())

    found: List[str] = []
    handler = Collector(logging.WARNING)
    logger = logging.getLogger("dativo_native")
    logger.addHandler(handler)
    try:
        yield found
    finally:
        logger.removeHandler(handler)
