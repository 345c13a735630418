#!/usr/bin/env python3
"""Which branches the tests ran, from what `llvm-cov export` says, against the list of those that need not be.

    tools/coverage.py EXPORT.json [--write]

A branch is one side of one condition: FILE: FUNCTION: true|false: TEXT, where TEXT is the condition as it stands in the source, or the
macro's use if a macro holds it.  Sides of one text in one function count as one.  A condition that was never asked is not named: what
led around it is.  A function that never ran is named alone.

tests/coverage/not_run.txt has a reason in lines "= ...", and the branches below it; a line "~ ..." is a regular expression that a whole
branch has to match.  Exit 1: a branch that did not run is not listed, or a listed one is not in the sources any more.  --write puts
unlisted ones under a reason that still has to be found.
"""

import argparse
import collections
import json
import os
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
LISTED = ROOT / "tests/coverage/not_run.txt"
FOLDERS = ("src/parquet/", "src/csv/")
EXPANSION = 1  # kind of a region: a macro's use
NO_REASON = "no reason was given yet"


class Sources:
    """Texts of files, under the names they have in the repository."""

    def __init__(self):
        self.names = {}
        self.lines = {}

    def name(self, path):
        if path not in self.names:  # layers are seen through symbolic links
            self.names[path] = os.path.relpath(os.path.realpath(path), ROOT)
        return self.names[path]

    def text(self, name, region):
        line, column, last_line, last_column = region[:4]
        if name not in self.lines:
            self.lines[name] = (ROOT / name).read_text(encoding="utf-8").splitlines()
        lines = self.lines[name][line - 1 : last_line]
        lines[-1] = lines[-1][: last_column - 1]
        lines[0] = lines[0][column - 1 :]
        return " ".join(" ".join(lines).split())

    def use_of_macro(self, name, region):
        """The macro's name and its arguments: the region has the name alone."""
        line, column = region[:2]
        self.text(name, region)
        rest = "\n".join([self.lines[name][line - 1][column - 1 :], *self.lines[name][line : line + 12]])
        depth = 0
        for i, c in enumerate(rest):
            depth += (c == "(") - (c == ")")
            if (depth == 0 and c == ")") or (depth == 0 and not (c.isalnum() or c in "_( \n")):
                return " ".join(rest[: i + (c == ")")].split()) or rest.split("\n")[0].strip()
        return rest.split("\n")[0]


def place(function, region, sources):
    """(file, text, line, where exactly) of a region's code, out of the macros it comes from."""
    uses = {r[6]: r for r in function["regions"] if r[7] == EXPANSION}
    inner, at = None, region
    while at[-3 if len(at) == 9 else 5] in uses:
        at = uses[at[-3 if len(at) == 9 else 5]]
        inner = at
    file_id = at[-3 if len(at) == 9 else 5]
    name = sources.name(function["filenames"][file_id])
    if inner is None:
        return name, sources.text(name, at), at[0], tuple(region[:4])
    return name, sources.use_of_macro(name, at), at[0], (*at[:4], *region[:4])


def own_name(function):
    return function["name"].split(":")[-1]


def tally(export, sources):
    """{function: times} and {(function, text): {where: [true, false]}}, a function being (file, name)."""
    times = collections.Counter()
    branches = collections.defaultdict(lambda: collections.defaultdict(lambda: [0, 0, 0]))
    for function in export["data"][0]["functions"]:
        first = sources.name(function["filenames"][0])
        if not first.startswith(FOLDERS):
            continue
        owner = (first, own_name(function))
        times[owner] += function["count"]
        for b in function["branches"]:
            name, text, line, where = place(function, b, sources)
            sides = branches[(*owner, text)][where]
            sides[0] += b[4]
            sides[1] += b[5]
            sides[2] = line
    return times, branches


def not_run(times, branches):
    """Set of names, {name: line}, and how many sides there are and ran."""
    missing, n_sides, n_run = {}, 0, 0
    for owner, n in times.items():
        if n == 0:
            missing[(*owner, "", "*")] = 0
    for (file, function, text), places in branches.items():
        for sides in places.values():
            n_sides += 2
            n_run += (sides[0] > 0) + (sides[1] > 0)
            if (sides[0] > 0) != (sides[1] > 0):
                side = "true" if sides[0] == 0 else "false"
                missing[(file, function, side, text)] = sides[2]
    return missing, n_sides, n_run


class Listed:
    """The list: {branch: reason}, {pattern: reason}."""

    def __init__(self):
        self.branches, self.patterns, reason = {}, {}, None
        for number, line in enumerate(LISTED.read_text(encoding="utf-8").splitlines(), 1):
            if line.startswith("= "):
                reason = line[2:]
            elif line.startswith("~ "):
                self.patterns[re.compile(line[2:])] = reason
            elif line.strip() and not line.startswith("#"):
                m = re.match(r"(\S+): (\w+): (?:(true|false): (.+)|never called)$", line)
                if m is None or reason is None:
                    sys.exit(f"{LISTED.relative_to(ROOT)}:{number}: no branch, or no reason above it")
                self.branches[(m[1], m[2], m[3] or "", m[4] or "*")] = reason

    def has(self, branch):
        return branch in self.branches or any(p.fullmatch(shown(branch)) for p in self.patterns)


def shown(branch):
    file, function, side, text = branch
    return f"{file}: {function}: " + ("never called" if text == "*" else f"{side}: {text}")


def write_list(listed, missing):
    """Keep reasons in their order, drop what is gone or ran, add what is new."""
    head = [line for line in LISTED.read_text(encoding="utf-8").splitlines() if line.startswith("#")]
    reasons = collections.defaultdict(list)
    for pattern, reason in listed.patterns.items():
        reasons[reason].append(f"~ {pattern.pattern}")
    for branch, reason in listed.branches.items():
        reasons[reason] += [shown(branch)] if branch in missing else []
    reasons[NO_REASON] += [shown(branch) for branch in missing if not listed.has(branch)]
    parts = ["\n".join([f"= {reason}", *sorted(lines)]) for reason, lines in reasons.items() if lines]
    LISTED.write_text("\n\n".join(["\n".join(head), *parts]) + "\n", encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("export")
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    sources = Sources()
    with open(arguments.export, encoding="utf-8") as f:
        times, branches = tally(json.load(f), sources)
    missing, n_sides, n_run = not_run(times, branches)
    known = {(*owner, "", "*") for owner in times}
    known |= {(file, function, side, text) for file, function, text in branches for side in ("true", "false")}
    listed = Listed()
    if arguments.write:
        write_list(listed, missing)
        listed = Listed()
    unlisted = [b for b in missing if not listed.has(b)]
    gone = [b for b in listed.branches if b not in known]
    ran = [b for b in listed.branches if b in known and b not in missing]
    without = [b for b, reason in listed.branches.items() if reason == NO_REASON]
    for b in sorted(unlisted):
        print(f"not run and not listed: line {missing[b]}: {shown(b)}")
    for words, branches in (
        ("listed, but not in the sources", gone),
        ("listed without a reason", without),
        ("listed, but it ran this time", ran),
    ):
        for b in branches:
            print(f"{words}: {shown(b)}")
    print(f"coverage: {n_run} of {n_sides} sides of conditions ran; {len(missing)} places led past the others, {len(unlisted)} are not listed")
    return 1 if unlisted or gone or without else 0


if __name__ == "__main__":
    sys.exit(main())
