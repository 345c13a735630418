"""Names of files, and configurations of plugins, which are JSON."""

from __future__ import annotations

import json
import math
import operator
import os
import re
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple, Union

from . import _native
from ._errors import DativoError

PathArgument = Union[str, "os.PathLike[str]"]
SourceArgument = Union[PathArgument, Sequence[PathArgument]]
Connection = Mapping[str, Union[str, bool]]
"""Where S3 is and who asks, by the names of _CONNECTION."""

_CONNECTION = (
    "endpoint",
    "region",
    "profile",
    "ca_file",
    "access_key_id",
    "secret_access_key",
    "session_token",
    "anonymous",
    "path_style",
    "no_checksums",
)
_ALSO = {"endpoint_url": "endpoint", "access_key": "access_key_id", "secret_key": "secret_access_key", "path_style_access": "path_style"}


_ADDRESS = re.compile(rb"(?!file:)[a-z][a-z0-9+.:-]+://", re.IGNORECASE)


def _is_utf8(name: bytes) -> bool:
    try:
        name.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def path_bytes(path: PathArgument) -> bytes:
    name = os.fsencode(os.path.expanduser(path))
    if b"\0" in name or not name:
        what = "an address with a NUL byte" if b"://" in name else repr(path)
        raise DativoError(f"{what} is no name of a file", code="invalid", option="path")
    if _ADDRESS.match(name) and not _is_utf8(name):
        raise DativoError("an address that is not valid UTF-8 leads nowhere", code="invalid", option="path")
    return name


def file_name(name: bytes) -> str:
    """As configurations have it: UTF-8, or a URL of what is none."""
    if _is_utf8(name):
        return name.decode("utf-8")
    from urllib.parse import quote

    return "file://" + quote(os.path.abspath(name))


def shown_name(name: bytes) -> str:
    """For messages: an address without user, password and query."""
    return file_name(_native.shown(name)) if b"://" in name else file_name(name)


def check_no_database(name: bytes, instead: str) -> None:
    if is_postgres(name):
        raise DativoError(f"{shown_name(name)}: {instead}", code="unsupported", path=shown_name(name), option="path")


def sources_of(source: SourceArgument) -> Tuple[bytes, ...]:
    if isinstance(source, (str, os.PathLike)):
        return (path_bytes(source),)
    if isinstance(source, bytes) or not isinstance(source, Sequence):
        raise TypeError(f"a source is a path, a URL or a list of them, not {type(source).__name__}")
    if not source:
        raise DativoError("an empty list of files is no source", code="invalid", option="source")
    return tuple(path_bytes(one) for one in source)


def files_of(source: SourceArgument) -> Tuple[bytes, ...]:
    """As sources_of(), for who reads files and no databases."""
    names = sources_of(source)
    for name in names:
        check_no_database(name, "is the address of a database: read_postgres() reads its tables")
    return names


def connection_of(connection: Optional[Connection]) -> Dict[str, Any]:
    """Without what is None; a key that means nothing would be an address or a credential that is not used."""
    out: Dict[str, Any] = {}
    for key, value in (connection or {}).items():
        name = _ALSO.get(key, key)
        if name not in _CONNECTION or name in out:
            why = f"{name!r} twice" if name in out else f"{key!r}; it knows {', '.join(_CONNECTION)}"
            raise DativoError(f"connection has {why}", code="invalid", option="connection", value=str(key))
        if value is not None:
            out[name] = _connection_value(value, str(key))
    return out


def _connection_value(value: Any, key: str) -> Union[str, bool, int, float]:
    """A wrong one may be a secret, and is not shown."""
    if isinstance(value, os.PathLike):
        value = os.fsdecode(value)
    if not isinstance(value, (str, bool, int, float)):
        why = f"{type(value).__name__} at {key!r}, which is a text, or true or false"
    elif not _is_json(value):
        why = f"value at {key!r} that is no valid Unicode, or no number"
    else:
        return value
    raise DativoError(f"connection has a {why}", code="invalid", option="connection", value=key)


def _is_json(value: Union[str, bool, int, float]) -> bool:
    """Not NaN, and not half a character."""
    if isinstance(value, str):
        return not any("\ud800" <= letter <= "\udfff" for letter in value)
    return not isinstance(value, float) or math.isfinite(value)


def find_files(names: Tuple[bytes, ...], said: Mapping[str, Any]) -> List[bytes]:
    """What patterns and folders stand for now, with a connection of connection_of()."""

    def text(key: str) -> Optional[str]:
        value = said.get(key)
        return None if value is None else str(value)

    path_style = said.get("path_style")
    return _native.find_files(
        names,
        text("endpoint"),
        text("region"),
        text("profile"),
        text("ca_file"),
        text("access_key_id"),
        text("secret_access_key"),
        text("session_token"),
        bool(said.get("anonymous", False)),
        0 if path_style is None else 2 if path_style in (True, "true") else 1,
    )


def is_postgres(name: bytes) -> bool:
    return name.lower().startswith((b"postgres://", b"postgresql://"))


def given(options: Dict[str, Any]) -> Dict[str, Any]:
    """Without what nobody said, and in types that JSON has."""
    return {option: _plain(value, option) for option, value in options.items() if value is not None}


def _plain(value: Any, option: str) -> Any:
    if isinstance(value, os.PathLike):
        value = os.fsdecode(value)
    if value is None or isinstance(value, (str, bool, int, float)):
        if isinstance(value, str) and not _is_json(value):
            raise DativoError(f"{option} has a text that is not valid Unicode", code="invalid", option=option)
        if value is not None and not _is_json(value):
            raise DativoError(f"{option} has {value!r}, which is no number", code="invalid", option=option, value=repr(value))
        return value
    if isinstance(value, Mapping):
        return {_plain(key, option): _plain(one, option) for key, one in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(one, option) for one in value]
    if hasattr(value, "__index__") and not isinstance(value, type):  # numbers of NumPy
        return operator.index(value)
    hint = ': a type is named in words, such as "int32" or "decimal(12,2)" (docs/types.md)' if option == "types" else ""
    raise DativoError(f"{option} has {value!r}, which is no text, number, list or map{hint}", code="invalid", option=option,
                      value=repr(value))  # fmt: skip


def reader_config(type: str, files: Sequence[bytes], connection: Mapping[str, Any], options: Dict[str, Any]) -> str:
    return json.dumps(
        {
            "type": type,
            "connection": dict(connection),
            "files": [{"path": file_name(name)} for name in files],
            "engine": {"type": "native", "options": options},
        }
    )


def writer_config(
    path: bytes, file_format: str, connection: Mapping[str, Any], options: Dict[str, Any], overwrite: bool
) -> str:
    name = file_name(path)
    folder, _, last = name.rpartition("/")
    return json.dumps(
        {
            "asset_name": last.partition(".")[0] or "output",
            "schema": [],
            "output_base": folder or ".",
            "path": name,
            "target_type": "local",
            "connection": dict(connection),
            "file_format": file_format,
            "engine": {"type": "native", "options": {**options, "overwrite": overwrite}},
        }
    )


_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}


def memory_bytes(memory: Union[None, int, str]) -> int:
    """512 << 20, or "512MB", "512MiB", "1G", as the command has them."""
    return size_bytes(memory, "memory", 1 << 20)


def size_bytes(said: Union[None, int, str], option: str, least: int) -> int:
    """None and 0 are 0."""
    if said is None:
        return 0
    text = str(said).strip().lower()
    for suffix, base in (("ib", 1024), ("b", 1000), ("", 1024)):
        number = text[: len(text) - len(suffix)] if text.endswith(suffix) else ""
        unit = number[-1:] if number[-1:] in "kmg" else ""
        digits = number[: len(number) - len(unit)].strip()
        if digits.isdigit():
            size = int(digits) * (_UNITS[unit] if base == 1024 else 1000 ** " kmg".index(unit or " "))
            if size == 0 or least <= size < 1 << 63:
                return size
            break
    raise DativoError(
        f"{option} is a number of bytes{', at least 1 MiB' if least > 1 else ''}, or a text like 512MB, not {said!r}",
        code="invalid",
        option=option,
        value=str(said),
    )


def threads_of(threads: Optional[int]) -> int:
    if threads is None:
        return 0
    if not 0 <= threads <= 1024:
        raise DativoError(f"threads is 0 to 1024, not {threads}", code="invalid", option="threads", value=str(threads))
    return threads
