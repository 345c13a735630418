"""The command under faults: cases with a known end, one fault each, and what must hold whatever happened.

A run ends with exit code 0 and exactly the output of a run without a fault, or with exit code 2, one error line that names a
cause, and everything as it was before.  No signal, no hang, no file besides.
"""

import dataclasses
import errno
import os
import pathlib
import random
import re
import resource
import shutil
import signal
import subprocess
import time

from command import BIN, SECONDS, environment, wait_until_it_listens  # noqa: F401 (the last one for the tests)

PRELOAD = os.environ["DN_PRELOAD"]
OLD = b"PAR1, an old file, which stays unless a whole new one takes its place"

ASSET = """
name: rows
version: 1.0.0
source_type: csv
object: rows
team: {owner: a@b.c}
domain: d
dataProduct: p
schema:
  - {name: id, type: integer, required: true}
  - {name: name, type: string}
  - {name: x, type: double}
"""

LESS = ASSET.replace("required: true", "required: false") + "  - {name: gone, type: string}\n"

JOB = """
tenant_id: t
source_connector: csv
target_connector: local
asset_path: asset.yaml
source:
  files: [{path: rows.csv}]
target:
  connection: {path: out}
  engine: {options: {compression: zstd}}
schema_validation_mode: strict
"""


def write_inputs(folder):
    """The inputs of all cases, the same every time."""
    r = random.Random(20)
    rows = [f"{r.randrange(10**12)},name {r.randrange(10**9)},{r.random()}\n" for _ in range(150_000)]
    (folder / "small.csv").write_text("id,name,x\n" + "".join(rows[:100]))
    (folder / "rows.csv").write_text("id,name,x\n" + "".join(rows[:20_000]))
    (folder / "large.csv").write_text("id,name,x\n" + "".join(rows))
    (folder / "late.csv").write_text("id,name,x\n" + "".join(rows[:60_000]) + "none,late,1\n")
    (folder / "wide.csv").write_text(",".join(f"c{i}" for i in range(300)) + "\n" + "".join(
        ",".join(str(r.randrange(1000)) for _ in range(300)) + "\n" for _ in range(40)))
    (folder / "asset.yaml").write_text(ASSET)
    (folder / "less.yaml").write_text(LESS)
    (folder / "job.yaml").write_text(JOB)


@dataclasses.dataclass
class Case:
    name: str
    args: list
    out: str = None  # the file that is written; None: all there is goes to standard output
    stdin: str = None
    old: bool = False  # a file of that name is there already
    # Where a signal finds the command listening and everything still before it: nothing is too late here.
    first_rows: str = "call=read at=1 path=.csv"


CASES = [
    Case("small", ["convert", "small.csv", "o/out.parquet"], "o/out.parquet"),
    Case("replaced", ["convert", "-f", "small.csv", "o/out.parquet"], "o/out.parquet", old=True),
    Case("groups", ["convert", "-f", "-c", "none", "--row-group-size", "9000", "large.csv", "o/out.parquet"],
         "o/out.parquet", old=True),
    Case("threads", ["convert", "-t", "4", "-c", "zstd", "rows.csv", "o/out.parquet"], "o/out.parquet"),
    Case("wide", ["convert", "-f", "-t", "2", "wide.csv", "o/out.parquet"], "o/out.parquet", old=True),
    Case("several", ["convert", "-c", "zstd:1", "rows.csv", "small.csv", "rows.csv", "o/out.parquet"], "o/out.parquet"),
    Case("pipe", ["convert", "-f", "-", "o/out.parquet"], "o/out.parquet", stdin="rows.csv", old=True),
    Case("csv", ["convert", "-f", "-t", "2", "large.csv", "o/out.csv"], "o/out.csv", old=True),
    Case("csv from parquet", ["convert", "seen.parquet", "o/out.tsv"], "o/out.tsv", first_rows="call=write at=1 path=.tsv"),
    Case("widened", ["convert", "-f", "late.csv", "o/out.parquet"], "o/out.parquet", old=True),
    Case("job", ["run", "--no-progress", "job.yaml"], "out/d/p/rows/rows_000000.parquet"),
    Case("job again", ["run", "--no-progress", "job.yaml"], "out/d/p/rows/rows_000000.parquet", old=True),
    Case("schema", ["schema", "rows.csv"]),
    Case("schema full", ["schema", "--full", "--json", "large.csv"]),
    Case("schema why", ["schema", "--why", "-t", "1", "small.csv"]),
    Case("schema union", ["schema", "--full", "--union-by-name", "small.csv", "wide.csv"]),
    Case("warned", ["convert", "--schema", "less.yaml", "--mode", "warn", "small.csv", "o/out.parquet"], "o/out.parquet"),
    Case("inspect", ["inspect", "--rows", "5", "seen.parquet"]),
    Case("inspect json", ["inspect", "--json", "seen.parquet"]),
]


@dataclasses.dataclass
class End:
    code: int
    out: bytes  # standard output
    err: str
    fired: str  # the log of the preloaded library


def said(err):
    """What standard error says, without what was measured.  A place may lack its line: that is not counted where memory ran out."""
    return re.sub(r"^  (bytes|time|memory) .*\n|line \d+, ", "", err, flags=re.M)


class Rig:
    """Fresh folders with the inputs in them, and the command in such a folder."""

    def __init__(self, root):
        self.root = root
        self.inputs = root / "inputs"
        self.inputs.mkdir()
        write_inputs(self.inputs)
        self.number = 0
        self.wanted = {}
        self.wanted_err = {}
        done = self.run(self.inputs, ["convert", "rows.csv", "seen.parquet"])
        assert done.code == 0, done.err

    def folder(self, case):
        """A new folder for one run."""
        self.number += 1
        folder = self.root / f"run{self.number}"
        folder.mkdir()
        for path in self.inputs.iterdir():
            (folder / path.name).symlink_to(path)
        if case.out:
            (folder / case.out).parent.mkdir(parents=True, exist_ok=True)
        if case.old:
            (folder / case.out).write_bytes(OLD)
        return folder

    def start(self, folder, args, fault=None, stdin=subprocess.DEVNULL, **kwargs):
        env = environment(DN_FAULT_LOG=str(folder / "fault.log"))
        if fault is not None:
            env.update(LD_PRELOAD=PRELOAD, DN_FAULT=fault)
        return subprocess.Popen([str(BIN), *args], cwd=folder, env=env, stdin=stdin, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, **kwargs)

    def run(self, folder, args, fault=None, stdin=None):
        """To its end; a hang is a failure that shows where every thread waits."""
        source = subprocess.PIPE if stdin else subprocess.DEVNULL
        process = self.start(folder, args, fault, source)
        return self.wait(process, folder, (folder / stdin).read_bytes() if stdin else None)

    def wait(self, process, folder, data=None):
        try:
            out, err = process.communicate(data, timeout=SECONDS)
        except subprocess.TimeoutExpired:
            where = stacks(process.pid)
            process.kill()
            process.communicate()
            raise AssertionError(f"no end within {SECONDS} s:\n{where}") from None
        log = folder / "fault.log"
        return End(process.returncode, out, err.decode(), log.read_text() if log.exists() else "")

    def want(self, case):
        """What a run without a fault gives: the bytes of the file, or of standard output."""
        if case.name not in self.wanted:
            folder = self.folder(case)
            done = self.run(folder, case.args, stdin=case.stdin)
            assert done.code == 0, done.err
            self.wanted[case.name] = (folder / case.out).read_bytes() if case.out else done.out
            self.wanted_err[case.name] = done.err
            shutil.rmtree(folder)
        return self.wanted[case.name]

    def calls(self, case, call, path=""):
        """How many such calls a run without a fault makes."""
        folder = self.folder(case)
        done = self.run(folder, case.args, f"call={call} {path}", stdin=case.stdin)
        shutil.rmtree(folder)
        found = re.search(r"^calls .* (\d+)$", done.fired, re.M)
        assert done.code == 0 and found, (done.err, done.fired)
        return int(found.group(1))

    def leftovers(self, folder, case):
        """Every file in the folder that is neither an input nor the output."""
        return sorted(str(p.relative_to(folder)) for p in folder.rglob("*")
                      if not p.is_dir() and not p.is_symlink() and p.name != "fault.log"
                      and str(p.relative_to(folder)) != case.out)

    def check(self, case, folder, done):
        """What must hold at every end but that by SIGKILL."""
        want = self.want(case)
        left = self.leftovers(folder, case)
        assert left == [], f"left behind: {left}"
        if done.code == 0:
            got = (folder / case.out).read_bytes() if case.out else done.out
            assert got == want, f"exit code 0, but the output is another one: {got[:300]!r} and not {want[:300]!r}"
            if "calls malloc" in done.fired:
                assert said(done.err) == said(self.wanted_err[case.name]), f"exit code 0, but something else is said: {done.err!r}"
            return
        assert done.code == 2, f"exit code {done.code}"
        errors = [line for line in done.err.splitlines() if "error:" in line]
        assert len(errors) == 1, f"not one error line: {done.err!r}"
        if case.out is None:
            return
        if "is complete" in errors[0]:  # only the durability of its name is in doubt
            assert (folder / case.out).read_bytes() == want
        else:
            self.check_untouched(case, folder)

    def check_untouched(self, case, folder):
        path = folder / case.out
        assert path.exists() == case.old, "a failed run must not leave a file, nor take one away"
        assert not case.old or path.read_bytes() == OLD, "the old file is another one"


def stacks(pid):
    """Where every thread of a process waits."""
    try:
        done = subprocess.run(["gdb", "-p", str(pid), "-batch", "-ex", "thread apply all bt 12"], capture_output=True, timeout=60)
        return done.stdout.decode(errors="replace")
    except (OSError, subprocess.TimeoutExpired):
        tasks = pathlib.Path(f"/proc/{pid}/task").iterdir()
        return "\n".join(f"{(t / 'comm').read_text().strip()}: {(t / 'wchan').read_text()}" for t in tasks)


# ---- faults -----------------------------------------------------------------------------------------------------------

FAILURES = {
    "read": [errno.EIO, errno.ESTALE],
    "pread": [errno.EIO],
    "write": [errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.EFBIG],
    "fsync": [errno.EIO, errno.ENOSPC, errno.EDQUOT],
    "rename": [errno.EIO, errno.ENOSPC, errno.EACCES, errno.EXDEV, errno.EINVAL],
    "open": [errno.EMFILE, errno.ENFILE, errno.EACCES, errno.EIO, errno.ENOMEM, errno.ENOSPC],
    "mmap": [errno.ENOMEM],
    "malloc": [errno.ENOMEM],
    "pthread_create": [errno.EAGAIN],
    "flock": [errno.ENOLCK, errno.EIO],
    "unlink": [errno.EIO],
    "lseek": [errno.EIO],
}
HARMLESS = {  # what must not be noticed at all
    "read": [f"errno={errno.EINTR}", f"errno={errno.EAGAIN}", "short", "short times=0"],
    "pread": [f"errno={errno.EINTR}", "short", "short times=0"],
    "preadv2": [f"errno={errno.EAGAIN}", f"errno={errno.EAGAIN} times=0", f"errno={errno.EOPNOTSUPP} times=0", "short", "short times=0"],
    "write": [f"errno={errno.EINTR}", "short", "short times=0"],
    "fsync": [f"errno={errno.EINTR}"],
    "open": [f"errno={errno.EINTR}"],
    "flock": [f"errno={errno.EINTR}"],
}


def plans(rig, cases, seed, n):
    """`n` faults: (case, words for the preloaded library, whether the run must succeed)."""
    r = random.Random(seed)
    counted = {}
    made = []
    while len(made) < n:
        case = r.choice(cases)
        harmless = r.random() < 0.3
        call = r.choice(list(HARMLESS if harmless else FAILURES))
        key = (case.name, call)
        if key not in counted:
            counted[key] = rig.calls(case, call)
        if counted[key] == 0:
            continue
        at = r.randint(1, counted[key])
        if harmless:
            how = r.choice(HARMLESS[call])
        else:
            # who can remove nothing at all leaves something behind
            times = 1 if call == "unlink" else r.choice([1, 1, 0])
            how = f"errno={r.choice(FAILURES[call])} times={times}"
        made.append((case, f"call={call} at={at} {how}", harmless))
    return made


def fault_run(rig, case, words, harmless):
    """One run; None, or what is wrong with its end."""
    folder = rig.folder(case)
    try:
        done = rig.run(folder, case.args, words, stdin=case.stdin)
    except AssertionError as e:
        return f"{case.name}: {words}: {e}"
    try:
        rig.check(case, folder, done)
        assert not harmless or done.code == 0, "a short or interrupted call is no failure"
    except AssertionError as e:
        return f"{case.name}: {words}: {str(e)[:400]}\n  exit code {done.code}: {done.err[-400:]!r}\n  {done.fired!r}"
    shutil.rmtree(folder)
    return None


def sweep(rig, cases, seed, n):
    wrong = [w for w in (fault_run(rig, *plan) for plan in plans(rig, cases, seed, n)) if w]
    assert not wrong, f"{len(wrong)} of {n} runs (seed {seed}):\n" + "\n".join(wrong[:40])


# ---- kills and signals ------------------------------------------------------------------------------------------------

STOPS = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}
MARKS = ["read", "open", "write", "fsync", "rename", "mmap", "pthread_create"]  # a signal comes before or behind such a call


def start_case(rig, case, folder, words):
    source = open(folder / case.stdin, "rb") if case.stdin else subprocess.DEVNULL
    try:
        return rig.start(folder, case.args, words, source)
    finally:
        if case.stdin:
            source.close()


def seconds_of(rig, case):
    """How long a run takes, twice as long as this one."""
    folder = rig.folder(case)
    started = time.monotonic()
    done = rig.wait(start_case(rig, case, folder, None), folder)
    assert done.code == 0, done.err
    shutil.rmtree(folder)
    return 2 * (time.monotonic() - started)


def first_rows(case, number):
    return f"{case.first_rows} signal={int(number)}"


def moments(rig, cases, seed, n, numbers):
    """`n` moments for a signal: (case, signal, places to try until the signal ends the run).

    A place is a number of seconds to wait for, or words for the preloaded library.  Which of them a run still gets to differs from
    machine to machine, so each place is followed by earlier ones; the last is the same on all.
    """
    r = random.Random(seed)
    counted = {}
    for i in range(n):
        case = r.choice(cases)
        number = r.choice(numbers)
        if i % 2 == 0:
            if case.name not in counted:
                counted[case.name] = seconds_of(rig, case)
            seconds = r.random() * counted[case.name]
            yield case, number, [seconds, seconds / 4, first_rows(case, number)]
            continue
        call = r.choice(MARKS)
        if (case.name, call) not in counted:
            counted[case.name, call] = rig.calls(case, call)
        at = r.randint(1, max(1, counted[case.name, call]))
        how = r.choice(["signal", "after"])
        places = [f"call={call} at={at} {how}={int(number)}", f"call={call} at={(at + 3) // 4} {how}={int(number)}"]
        yield case, number, [*places, first_rows(case, number)]


def signalled(rig, case, number, place):
    """A run and its end; the signal comes from us after some time, or from within at a chosen call."""
    folder = rig.folder(case)
    from_within = isinstance(place, str)
    process = start_case(rig, case, folder, place if from_within else None)
    if not from_within:
        try:
            process.wait(timeout=place)
        except subprocess.TimeoutExpired:
            process.send_signal(number)
    return folder, rig.wait(process, folder)


def check_killed(rig, case, folder):
    """The old file, none, or the whole new one; and the next run works and cleans up behind the one that was killed."""
    want = rig.want(case)
    path = folder / case.out
    if path.exists():
        got = path.read_bytes()
        assert got == want or (case.old and got == OLD), "a partial file under the final name"
    else:
        assert not case.old, "the old file is gone"
    again = [case.args[0], "-f", *case.args[1:]] if case.args[0] == "convert" and "-f" not in case.args else case.args
    done = rig.run(folder, again, stdin=case.stdin)
    assert done.code == 0, done.err
    assert path.read_bytes() == want
    assert rig.leftovers(folder, case) == []


def check_stopped(rig, case, folder, done, number):
    """Stopped with nothing written, or too late: then everything is there."""
    if done.code == 0:
        rig.check(case, folder, done)
        return
    # outside of the transfer a signal ends the process at once: nothing was touched yet, or everything is there
    assert done.code in (STOPS[number], -number), f"exit code {done.code}"
    assert rig.leftovers(folder, case) == []
    path = folder / case.out
    if done.code == -number and path.exists() and path.read_bytes() == rig.want(case):
        return
    rig.check_untouched(case, folder)


def signal_run(rig, case, number, place, check):
    """Did the signal end the run?  Whether it did or came too late, the end must be a good one."""
    try:
        folder, done = signalled(rig, case, number, place)
        try:
            check(case, folder, done, number)
        finally:
            shutil.rmtree(folder)
    except AssertionError as e:
        where = place if isinstance(place, str) else f"after {place:.3f} s"
        raise AssertionError(f"{case.name}: signal {int(number)}, {where}: {str(e)[:800]}") from None
    return done.code != 0


def signal_runs(rig, cases, seed, n, numbers, check):
    wrong = []
    for case, number, places in moments(rig, cases, seed, n, numbers):
        try:
            ended = any(signal_run(rig, case, number, place, check) for place in places)
            assert ended, f"{case.name}: signal {int(number)} was not heeded, not even at the first rows"
        except AssertionError as e:
            wrong.append(str(e))
    assert not wrong, f"{len(wrong)} of {n} runs (seed {seed}):\n" + "\n".join(wrong[:20])


def kills(rig, cases, seed, n):
    signal_runs(rig, cases, seed, n, [signal.SIGKILL], lambda case, folder, done, number: check_killed(rig, case, folder))


def stops(rig, cases, seed, n):
    signal_runs(rig, cases, seed, n, list(STOPS), lambda *a: check_stopped(rig, *a))


# ---- many writers of one target ---------------------------------------------------------------------------------------

def write_contents(folder, n):
    """`n` sources that differ, and what each gives alone."""
    for i in range(n):
        (folder / f"in{i}.csv").write_text("id,writer\n" + "".join(f"{k},{i}\n" for k in range(500 + 100 * i)))


def race(rig, n, overwrite):
    """`n` processes write one target at once: [End], the bytes each would write, and the folder."""
    rig.number += 1
    folder = rig.root / f"race{rig.number}"
    folder.mkdir()
    write_contents(folder, n)
    force = ["-f"] if overwrite else []
    running = [rig.start(folder, ["convert", *force, f"in{i}.csv", "out.parquet"]) for i in range(n)]
    done = [rig.wait(process, folder) for process in running]
    wanted = []
    for i in range(n):
        alone = rig.run(folder, ["convert", f"in{i}.csv", f"alone{i}.parquet"])
        assert alone.code == 0, alone.err
        wanted.append((folder / f"alone{i}.parquet").read_bytes())
    left = sorted(p.name for p in folder.iterdir() if not p.name.startswith(("in", "alone")))
    assert left == ["out.parquet"], f"not the target alone: {left}"
    return done, wanted, (folder / "out.parquet").read_bytes()


def race_to_replace(rig, n):
    """Every writer succeeds; the file is that of one of them."""
    done, wanted, got = race(rig, n, overwrite=True)
    failed = [end.err for end in done if end.code != 0]
    assert not failed, f"{len(failed)} of {n} failed: {failed[0]}"
    assert got in wanted


def race_to_create(rig, n):
    """One writer succeeds, and the file is its own; the others say that the file exists."""
    done, wanted, got = race(rig, n, overwrite=False)
    won = [i for i, end in enumerate(done) if end.code == 0]
    assert len(won) == 1, f"{len(won)} of {n} writers say they created the file"
    assert got == wanted[won[0]]
    for i, end in enumerate(done):
        assert i in won or (end.code == 2 and "exists already" in end.err), end.err


# ---- limits -----------------------------------------------------------------------------------------------------------

def limited(rig, case, limit, args=()):
    """A run in a process with limits: its end must be a good one.  Returns the exit code."""
    folder = rig.folder(case)
    source = open(folder / case.stdin, "rb") if case.stdin else subprocess.DEVNULL
    process = rig.start(folder, [*case.args, *args], stdin=source, preexec_fn=limit)
    done = rig.wait(process, folder)
    if done.code == 127:  # the loader's own words: not even the command got into memory
        assert "error while loading shared libraries" in done.err and rig.leftovers(folder, case) == []
        if case.out:
            rig.check_untouched(case, folder)
    else:
        rig.check(case, folder, done)
    shutil.rmtree(folder)
    return done.code


def memory_sweep(rig, case, megabytes):
    """Address space from too little to enough: an error or the exact output, and both are seen."""
    codes = {}
    for mb in megabytes:
        try:
            codes[mb] = limited(rig, case, lambda: resource.setrlimit(resource.RLIMIT_AS, (mb << 20, mb << 20)))
        except AssertionError as e:
            raise AssertionError(f"{case.name} in {mb} MB of address space: {e}") from None
    assert 2 in codes.values() and 0 in codes.values(), codes
