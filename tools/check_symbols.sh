#!/usr/bin/env bash
# The symbols that each plugin and the library export are exactly those of their export lists.
set -euo pipefail
cd "$(dirname "$0")/.."
status=0
for map in plugins/*.map cmake/*.map; do
    name=$(basename "$map" .map)
    case $map in
    plugins/*) library=build/plugins/lib${name}_plugin.so ;;
    *) library=build/lib/$name.so ;;
    esac
    listed=$(sed -n '/global:/,/local:/p' "$map" | grep -oE '[a-z_0-9]+;' | tr -d ';' | sort)
    exported=$(nm -D --defined-only "$library" | awk '$2 != "A" {print $3}' | sed 's/@.*//' | sort)
    if [ "$listed" != "$exported" ]; then
        echo "$library exports other symbols than $map lists:" >&2
        diff <(echo "$listed") <(echo "$exported") >&2 || true
        status=1
    else
        echo "symbols: $library exports the $(echo "$listed" | wc -l) symbols of $map"
    fi
done
exit $status
