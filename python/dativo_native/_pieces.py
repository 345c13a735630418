"""Jobs in pieces (docs/many-machines.md): the commands of the same names as functions."""

from __future__ import annotations

import contextlib
from typing import Iterator, NamedTuple, Optional, Tuple, Union

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


# of enum dn_parts_moment
_UNSAID, _HELD, _EACH = 0, 1, 2

# no plan has such a piece, nor a larger one
_LAST_INDEX = (1 << 64) - 1


def _plan(
    job: PathArgument,
    output: PathArgument,
    split_size: Union[None, int, str],
    overwrite: bool,
    allow_empty: bool,
    threads: Optional[int],
    memory: Union[None, int, str],
    moment: int,
) -> Tuple[Plan, object]:
    path = _text(output)
    fields = _native.plan(
        _text(job),
        path,
        0 if split_size is None else _config.size_bytes(split_size, "split_size", 1),
        overwrite,
        allow_empty,
        _config.threads_of(threads),
        _config.memory_bytes(memory),
        moment,
    )
    return Plan(path, fields["id"], fields["pieces"], fields["rows"] if fields["rows"] >= 0 else None), fields["hold"]


def plan(
    job: PathArgument,
    output: PathArgument,
    *,
    split_size: Union[None, int, str] = None,
    overwrite: bool = False,
    allow_empty: bool = False,
    snapshot_per_task: bool = False,
    threads: Optional[int] = None,
    memory: Union[None, int, str] = None,
) -> Plan:
    """Cut a job file into pieces of about ``split_size`` (128 MiB), and write the plan to ``output``.

    A table of PostgreSQL changes while it is read: :func:`held_plan` keeps it as it is for all tasks.  With ``snapshot_per_task`` each
    of them reads what it finds, and rows that change in between may be missing from the result, or be there twice.

    >>> import dativo_native as dn, os, tempfile
    >>> path = os.path.join(tempfile.mkdtemp(), "plan.json")
    >>> plan = dn.plan("examples/jobs/csv_to_parquet.yaml", path, split_size="100KB")
    >>> plan.rows
    3000
    """
    moment = _EACH if snapshot_per_task else _UNSAID
    return _plan(job, output, split_size, overwrite, allow_empty, threads, memory, moment)[0]


@contextlib.contextmanager
def held_plan(
    job: PathArgument,
    output: PathArgument,
    *,
    split_size: Union[None, int, str] = None,
    overwrite: bool = False,
    allow_empty: bool = False,
    threads: Optional[int] = None,
    memory: Union[None, int, str] = None,
) -> Iterator[Plan]:
    """The same for a ``with`` block, which holds the snapshot of a table that all tasks read, wherever they run.

    They have to have begun before its end.  Of files there is nothing to hold.
    """
    made, hold = _plan(job, output, split_size, overwrite, allow_empty, threads, memory, _HELD)
    try:
        yield made
    finally:
        if hold is not None:
            _native.release(hold)


def task(plan: PlanArgument, index: int, *, threads: Optional[int] = None, progress: ProgressArgument = None) -> Outcome:
    """Write piece ``index`` of a plan, as often as it takes: the same file gets the same bytes.

    ``unchanged``: the plan is committed, and nothing was left to write.  A plan with relative paths works in the folder it was made in.
    """
    if index < 0:
        raise ValueError(f"index counts from 0, and is {index}")
    number = min(index, _LAST_INDEX)
    with Shower(progress) as callback:
        return _outcome(_native.task(_path(plan), number, callback, _config.threads_of(threads)))


def commit(plan: PlanArgument) -> Commit:
    """Make one result of all pieces, or change nothing and say what is missing."""
    return Commit(**_native.commit(_path(plan)))


def abort(plan: PlanArgument) -> bool:
    """Remove what there is of a plan.  True: it is committed, and its result stays."""
    return _native.abort(_path(plan))
