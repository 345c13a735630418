"""The one exception of the package."""

from __future__ import annotations

import re
from typing import Optional


class DativoError(Exception):
    """What went wrong, where, and what helps.

    ``str()`` of it is one line for people; the attributes are for programs.  What is not known is None.

    >>> import dativo_native as dn
    >>> try:
    ...     dn.read_csv("nothing.csv").schema
    ... except dn.DativoError as error:
    ...     print(error.code, error.path)
    not_found nothing.csv
    """

    code: str
    """invalid, config, data, type, not_found, exists, io, memory, unsupported, cancelled, temporary or internal."""
    path: Optional[str]
    line: Optional[int]
    """Of the file, from 1."""
    row: Optional[int]
    """Of the data, from 1."""
    byte_offset: Optional[int]
    """Of the file as it is unpacked, from 0."""
    column: Optional[str]
    value: Optional[str]
    """The text that is wrong, as messages show it: without its quotes, cut if it is long."""
    expected: Optional[str]
    suggested_type: Optional[str]
    """The narrowest type that the column's values and this one have."""
    option: Optional[str]
    """The keyword that is wrong."""
    errno: Optional[int]

    def __init__(
        self,
        message: str,
        *,
        code: str = "internal",
        row: Optional[int] = None,
        line: Optional[int] = None,
        byte_offset: Optional[int] = None,
        path: Optional[str] = None,
        column: Optional[str] = None,
        value: Optional[str] = None,
        expected: Optional[str] = None,
        suggested_type: Optional[str] = None,
        option: Optional[str] = None,
        errno: Optional[int] = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.row = row
        self.line = line
        self.byte_offset = byte_offset
        self.path = path
        self.column = column
        self.value = value
        self.expected = expected
        self.suggested_type = suggested_type
        self.option = option
        self.errno = errno


def _known(number: int) -> Optional[int]:
    return number if number >= 0 else None


_IN_OPTIONS = re.compile(r"(?: in )?\bengine\.options(?:\.native)?(?:\.(?=[a-z])|(?=:))")


_ALLOW_EMPTY = re.compile(r"--allow-empty(?= accepts that$)")


def _in_keywords(message: str, code: str) -> str:
    """Plugins name options as jobs have them, engine.options.delimiter, and the host as flags.  What data says is left as it is."""
    if code == "exists":
        return message.replace("use --overwrite to replace it", "overwrite=True replaces it")
    message = _ALLOW_EMPTY.sub("allow_empty=True", message)
    return message if code in ("data", "type") else _IN_OPTIONS.sub("", message)


def make(
    of_job: bool,
    code: str,
    message: str,
    row: int,
    line: int,
    byte_offset: int,
    path: str,
    column: str,
    value: str,
    expected: str,
    suggested_type: str,
    option: str,
    errno: int,
) -> DativoError:
    """An exception of what C knows; a job has its own words for options."""
    return DativoError(
        message if of_job else _in_keywords(message, code),
        code=code,
        row=_known(row),
        line=_known(line),
        byte_offset=_known(byte_offset),
        path=path or None,
        column=column or None,
        value=value or None,
        expected=expected or None,
        suggested_type=suggested_type or None,
        option=option or ("overwrite" if code == "exists" else None),
        errno=errno or None,
    )
