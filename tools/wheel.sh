#!/usr/bin/env bash
# dist/dativo_native-VERSION-cp39-abi3-manylinux_...whl: built, with its codecs and their licences put inside.
#
# libcurl, libcrypto, expat and libpq are not inside: they are loaded when the first s3://, https:// or postgres:// needs them, and
# then they are the system's, which has its security updates and certificates (docs/python.md).
set -euo pipefail
cd "$(dirname "$0")/.."
environment=build/wheel-venv
if ! cmp -s tools/wheel-requirements.txt "$environment/requirements.installed"; then
    python3=/usr/bin/python3
    [ -x "$python3" ] || python3=$(command -v python3)
    "$python3" -m venv --clear "$environment"
    "$environment/bin/pip" install --quiet --disable-pip-version-check --requirement tools/wheel-requirements.txt
    cp tools/wheel-requirements.txt "$environment/requirements.installed"
fi
export PATH="$PWD/$environment/bin:$PATH"
rm -rf build/wheel-raw
mkdir -p dist
pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir build/wheel-raw ./python
rm -f dist/dativo_native-*.whl
auditwheel repair --wheel-dir dist build/wheel-raw/dativo_native-*.whl >build/wheel.log 2>&1 || { cat build/wheel.log >&2; exit 1; }
python tools/wheel_licences.py dist/dativo_native-*.whl
echo "wheel: $(ls dist/dativo_native-*.whl)"
