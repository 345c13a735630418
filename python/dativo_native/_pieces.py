"""Jobs in pieces (docs/many-machines.md): the commands of the same names as functions."""

from __future__ import annotations

from typing import NamedTuple, Optional, Union

from . import _config, _native
from ._config import PathArgument
from ._progress import ProgressArgument, Shower
from ._write import Outcome, _outcome


class Plan(NamedTuple):
    """A job that was cut: ``task`` takes the numbers from 0 to ``pieces - 1``."""

    path: str
    id: str
    pieces: int
    rows: Optional[int]


class Commit(NamedTuple):
    """A result that is complete."""

    rows: int
    bytes: int
    unchanged: bool
    """It was there already; rows and bytes are 0."""


PlanArgument = Union[Plan, PathArgument]


def _text(path: PathArgument) -> str:
    return _config.path_bytes(path).decode("utf-8", "surrogateescape")


def _path(plan: PlanArgument) -> str:
    return plan.path if isinstance(plan, Plan) else _text(plan)


def plan(
    job: PathArgument,
    output: PathArgument,
    *,
    split_size: Union[None, int, str] = None,
    overwrite: bool = False,
    allow_empty: bool = False,
    threads: Optional[int] = None,
    memory: Union[None, int, str] = None,
) -> Plan:
    """Cut a job file into pieces of about ``split_size`` (128 MiB), and write the plan to ``output``.

    >>> import dativo_native as dn, os, tempfile
    >>> path = os.path.join(tempfile.mkdtemp(), "plan.json")
    >>> plan = dn.plan("examples/jobs/csv_to_parquet.yaml", path, split_size="100KB")
    >>> plan.rows
    3000
    """
    path = _text(output)
    fields = _native.plan(
        _text(job),
        path,
        0 if split_size is None else _config.size_bytes(split_size, "split_size", 1),
        overwrite,
        allow_empty,
        _config.threads_of(threads),
        _config.memory_bytes(memory),
    )
    return Plan(path, fields["id"], fields["pieces"], fields["rows"] if fields["rows"] >= 0 else None)


def task(plan: PlanArgument, index: int, *, threads: Optional[int] = None, progress: ProgressArgument = None) -> Outcome:
    """Write piece ``index`` of a plan, as often as it takes: the same file gets the same bytes.

    ``unchanged``: the plan is committed, and nothing was left to write.  A plan with relative paths works in the folder it was made in.
    """
    if index < 0:
        raise ValueError(f"index counts from 0, and is {index}")
    with Shower(progress) as callback:
        return _outcome(_native.task(_path(plan), index, callback, _config.threads_of(threads)))


def commit(plan: PlanArgument) -> Commit:
    """Make one result of all pieces, or change nothing and say what is missing."""
    return Commit(**_native.commit(_path(plan)))


def abort(plan: PlanArgument) -> bool:
    """Remove what there is of a plan.  True: it is committed, and its result stays."""
    return _native.abort(_path(plan))
