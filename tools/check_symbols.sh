#!/usr/bin/env bash
# The symbols each plugin exports are exactly those of its export list.
set -euo pipefail
cd "$(dirname "$0")/.."
status=0
for map in plugins/*.map; do
    name=$(basename "$map" .map)
    library=build/plugins/lib${name}_plugin.so
    listed=$(sed -n '/global:/,/local:/p' "$map" | grep -oE '[a-z_0-9]+;' | tr -d ';' | sort)
    exported=$(nm -D --defined-only "$library" | awk '{print $3}' | sed 's/@.*//' | sort)
    if [ "$listed" != "$exported" ]; then
        echo "$library exports other symbols than $map lists:" >&2
        diff <(echo "$listed") <(echo "$exported") >&2 || true
        status=1
    else
        echo "symbols: $library exports the $(echo "$listed" | wc -l) symbols of $map"
    fi
done
exit $status
