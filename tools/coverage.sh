#!/usr/bin/env bash
# Which branches of src/parquet and src/csv the everyday tests run: build/coverage/html, and the check against tests/coverage/not_run.txt.
#
#   tools/coverage.sh [--write]   --write: put what is not listed into the list, without a reason
set -uo pipefail
cd "$(dirname "$0")/.."
folder=build/coverage
profiles=$folder/profiles

for tool in clang llvm-profdata llvm-cov; do
    if ! command -v "$tool" >/dev/null; then
        echo "coverage: $tool is not installed; run: tools/setup.sh lint" >&2
        exit 1
    fi
done
mkdir -p build
if ! cmake --preset coverage -DDN_PYTHON_TESTS=ON >build/configure-coverage.log 2>&1; then
    cat build/configure-coverage.log >&2
    exit 1
fi
cmake --build --preset coverage -- --quiet | sed '/^ninja: no work to do/d' || exit 1

# One profile per program and plugin, into which its processes merge.  Left out is what runs nothing of these folders, what is slow for it,
# what limits the memory or the descriptors that the counters need, too, and what gives its commands an environment that does not name the
# profile.
left_out='^abi\.(header_|test_frozen)|^unit\.test_(text_|json_|records_|plan|plugin_load|yaml|sink|source|spill)'
left_out+='|^fault\.test_(fault_|job_|records_)|memory_limit|test_package|^fuzz-replay\.(config|records)'
rm -rf "$profiles"
mkdir -p "$profiles"
export LLVM_PROFILE_FILE=$PWD/$profiles/%m.profraw
ctest --test-dir "$folder" --no-tests=error --timeout 900 -j "$(nproc)" -LE 'kernels|process|examples|bench|store|moto' \
    -E "$left_out" --output-on-failure >"$folder/ctest.log" 2>&1
tests=$?
unset LLVM_PROFILE_FILE
tail -n 30 "$folder/ctest.log" | sed -n '/tests passed/,$p'

objects=()
while IFS= read -r object; do
    objects+=(-object "$object")
done < <(find "$folder" -type f \( -path '*/tests/*' -o -path '*/bin/*' -o -path '*/fuzz/*' -o -name '*_plugin.so' \) -perm -u+x \
    ! -name '*.cmake' ! -path '*/CMakeFiles/*' ! -path '*/html/*')
llvm-profdata merge --failure-mode=all --sparse -o "$folder/all.profdata" "$profiles"/*.profraw || exit 1
# The first object stands alone: without that, llvm-cov takes the first folder for one.
report() {
    llvm-cov "$1" "${objects[@]:1}" -instr-profile "$folder/all.profdata" "${@:2}" 2>"$folder/$1.log" && return
    tail -n 5 "$folder/$1.log" >&2
    exit 1
}
report export -skip-functions=false >"$folder/all.json"
report show -format=html -show-branches=count -output-dir "$folder/html" src/parquet src/csv >/dev/null
echo "coverage: $folder/html/index.html"
python3 tools/coverage.py "$folder/all.json" "$@"
checked=$?
[ "$tests" -eq 0 ] && [ "$checked" -eq 0 ]
