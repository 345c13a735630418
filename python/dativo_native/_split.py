"""Pieces of a source, for many threads, processes or machines."""

from __future__ import annotations

import json
from typing import Any, Callable, Dict, List, Optional, Tuple, Union

from . import _config, _native
from ._errors import DativoError
from ._progress import Shower
from ._reader import Column, Reader


class Split(Reader):
    """One piece of a source: a :class:`Reader` of its rows, which other processes may have by ``pickle``.  Made by :meth:`Reader.splits`.

    What decides the rows is in it: the options, the files with size and time, the types, the row number that the piece begins with.
    A file that was written to since then is an error, not other rows.
    """

    def __init__(
        self,
        config: str,
        token: str,
        columns: Tuple[Column, ...],
        path: str,
        rows: Optional[int],
        views: bool = False,
        threads: Optional[int] = None,
        memory: Union[None, int, str] = None,
    ) -> None:
        super().__init__("csv", (), {}, {}, views=views, threads=threads, memory=memory)
        self._config_json = config
        self._token = token
        self._of_all = columns
        self.path = path
        """The file that it is of."""
        self.rows = rows
        """How many it has; None: nobody knows before they are read."""

    def __reduce__(self) -> Tuple[Callable[..., Split], Tuple[Any, ...]]:
        columns = tuple(tuple(column) for column in self._of_all)
        return _made_again, (
            (self._config_json, self._token, columns, self.path, self.rows, self._views, self._threads, self._memory),
        )

    def __repr__(self) -> str:
        rows = "" if self.rows is None else f", {self.rows} rows"
        return f"<dativo_native.Split of {self.path.partition('?')[0]}{rows}>"

    def _config(self, more: Optional[Dict[str, Any]] = None, absolute: bool = False) -> str:
        return self._config_json

    def _piece(self) -> Tuple[Optional[str], Optional[str]]:
        return self._token, json.dumps([column._asdict() for column in self._of_all])

    def _open(self, shower: Optional[Shower] = None) -> _native.Pass:
        callback = shower.callback if shower is not None else None
        return _native.Pass(self._type, self._config_json, callback, self._threads, self._memory, self._views, self._token)


def _made_again(state: Tuple[Any, ...]) -> Split:
    config, token, columns, *rest = state
    return Split(config, token, tuple(Column(*column) for column in columns), *rest)


def cut(reader: Reader, size: Union[None, int, str], threads: int) -> List[Split]:
    """What Reader.splits() is."""
    if isinstance(reader, Split):
        raise DativoError(f"{reader!r} is not cut again: cut the whole, into smaller pieces", code="invalid")
    config = reader._config(absolute=True)
    whole = _native.Pass(reader._type, config, None, reader._threads, reader._memory, reader._views, None)
    columns = tuple(Column(*column) for column in whole.columns())
    pieces = json.loads(whole.splits(_config.size_bytes(size, "size", 1)))
    return [
        Split(config, one["token"], columns, one["path"], one.get("rows"), reader._views, threads, reader._memory) for one in pieces
    ]
