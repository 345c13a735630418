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


class Cut:
    """A source that is cut later: its files, options and columns are frozen."""

    def __init__(self, reader: Reader) -> None:
        if isinstance(reader, Split):
            raise DativoError(f"{reader!r} is not cut again: cut the whole, into smaller pieces", code="invalid")
        if reader._type != "csv":
            raise DativoError(f"{reader!r}: CSV alone is cut into pieces here; dn.plan() cuts tables of PostgreSQL", code="unsupported")
        self._type = reader._type
        self._config = reader._config(absolute=True)
        self._views = reader._views
        self._threads = reader._threads
        self._memory = reader._memory
        self.columns = self._columns(self._open())

    def _open(self) -> _native.Pass:
        return _native.Pass(self._type, self._config, None, self._threads, self._memory, self._views, None)

    @staticmethod
    def _columns(of: _native.Pass) -> Tuple[Column, ...]:
        return tuple(Column(*column) for column in of.columns())

    def __arrow_c_schema__(self) -> object:
        return self._open().schema()

    def pieces(self, size: Union[None, int, str], threads: int) -> List[Split]:
        whole = self._open()
        columns = self._columns(whole)
        for was, now in zip(self.columns + (None,) * len(columns), columns + (None,) * len(self.columns)):
            if was != now:
                raise DativoError(
                    f"the source has other columns than when it was looked at: {_words(now)}, and it was {_words(was)}; look at it again",
                    code="data",
                )
        return [
            Split(self._config, one["token"], columns, one["path"], one.get("rows"), self._views, threads, self._memory)
            for one in json.loads(whole.splits(_config.size_bytes(size, "size", 1)))
        ]


def _words(column: Optional[Column]) -> str:
    return "no more columns" if column is None else f"{column.name}: {column.type}"
