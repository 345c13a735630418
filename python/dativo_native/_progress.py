"""How far something is: for a callback, or as a bar."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Callable, NamedTuple, Optional, Type, Union


class Progress(NamedTuple):
    """Of a reader, so far.  Bytes are those of the source as it is stored; None: nobody knows."""

    rows: int
    bytes_done: Optional[int]
    bytes_total: Optional[int]


ProgressArgument = Union[None, bool, Callable[[Progress], object]]


def progress_of(rows: int, bytes_done: int, bytes_total: int) -> Progress:
    return Progress(rows, bytes_done if bytes_done >= 0 else None, bytes_total if bytes_total >= 0 else None)


class _Line:
    """One line on standard error, for who has no tqdm; nothing if that is no terminal."""

    def __init__(self) -> None:
        import sys

        self.out = sys.stderr if sys.stderr is not None and sys.stderr.isatty() else None

    def update(self, now: Progress) -> None:
        if self.out is not None:
            part = f"{now.bytes_done / now.bytes_total:5.1%}, " if now.bytes_done and now.bytes_total else ""
            self.out.write(f"\r{part}{now.rows:,} rows\033[K")
            self.out.flush()

    def close(self) -> None:
        if self.out is not None:
            self.out.write("\n")


class _Bar:
    """tqdm's, in bytes where their number is known, else in rows."""

    def __init__(self, tqdm: Any) -> None:
        self.tqdm = tqdm
        self.bar: Any = None

    def update(self, now: Progress) -> None:
        in_bytes = now.bytes_total is not None
        if self.bar is None:
            self.bar = self.tqdm(total=now.bytes_total, unit="B" if in_bytes else " rows", unit_scale=True)
        self.bar.n = now.bytes_done if in_bytes else now.rows
        self.bar.set_postfix_str(f"{now.rows:,} rows" if in_bytes else "", refresh=False)
        self.bar.refresh()

    def close(self) -> None:
        if self.bar is not None:
            self.bar.close()


class Shower:
    """``progress=`` of a function as the callback of the extension; what it shows ends with the ``with``."""

    def __init__(self, progress: ProgressArgument) -> None:
        self.shown: Union[_Bar, _Line, None] = None
        self.callback: Optional[Callable[[int, int, int], object]] = None
        if progress is None or progress is False:
            return
        if callable(progress):
            function = progress
            self.callback = lambda rows, done, total: function(progress_of(rows, done, total))
            return
        if progress is not True:
            raise TypeError(f"progress is a function or True, not {type(progress).__name__}")
        import importlib

        try:
            self.shown = _Bar(importlib.import_module("tqdm.auto").tqdm)
        except ImportError:
            self.shown = _Line()
        shown = self.shown
        self.callback = lambda rows, done, total: shown.update(progress_of(rows, done, total))

    def close(self) -> None:
        if self.shown is not None:
            self.shown.close()

    def __enter__(self) -> Optional[Callable[[int, int, int], object]]:
        return self.callback

    def __exit__(
        self, kind: Optional[Type[BaseException]], value: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()
