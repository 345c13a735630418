#!/usr/bin/env python3
"""What of a suite ran, from the JUnit file of ctest: programs of each kind, and tests that were skipped."""
import collections, sys
import xml.etree.ElementTree as xml

states = collections.defaultdict(collections.Counter)
skipped = {}
for case in xml.parse(sys.argv[1]).getroot():
    kind = case.get("name").split(".")[0]
    states[kind]["passed" if case.get("status") == "run" else "not passed"] += 1
    for line in (case.findtext("system-out") or "").splitlines():
        if "[  SKIPPED ]" in line and "listed below" not in line:
            skipped[case.get("name") + ": " + line.split("]", 1)[1].strip()] = True  # once: cmocka says it twice
for kind, counts in sorted(states.items()):
    print(f"{kind}: {', '.join(f'{n} programs {state}' for state, n in sorted(counts.items()))}")
for line in skipped:
    print("skipped:", line)
