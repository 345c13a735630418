# The front door.  `make help` lists the commands; each installs what it needs and says what it does.
SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -c
.DEFAULT_GOAL := help

FUZZ_SECONDS ?= 60
ROWS ?= 1000000
ROUNDS ?= 3
PREFIX ?= /usr/local

# One test more at a time than there are processors: many wait for a server or a clock.
JOBS := $(shell expr $$(nproc) + 1)
CTEST := ctest --output-on-failure --no-tests=error --timeout 900 -j $(JOBS)
# Configure preset $(1), with extra arguments $(2): silent unless it fails.
configure = mkdir -p build && { cmake --preset $(1) $(2) >build/configure-$(1).log 2>&1 || { cat build/configure-$(1).log >&2; exit 1; }; }
# Build preset $(1), targets $(2): progress on a terminal; in a log, only what went wrong.
build = cmake --build --preset $(1) $(if $(2),--target $(2)) $(if $(MAKE_TERMOUT),,-- --quiet | sed '/^ninja: no work to do/d')

PLUGINS := csv_reader csv_writer level0 parquet_reader parquet_writer postgres_reader
INSTALLED := dativo-native man dativo $(PLUGINS)

.PHONY: help setup configure build $(PLUGINS) install uninstall production run test test-slow test-full bench lint sanitize fuzz coverage mutate package wheel deb test-install clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z_ -]+:.*## / {n = split($$1, t, " "); for (i = 1; i <= n; i++) printf "  make %-16s %s\n", t[i], $$2}' \
	    $(firstword $(MAKEFILE_LIST))

setup: ## install everything that the other commands need
	@tools/setup.sh lint
	@tools/setup.sh test-slow

configure:
	@tools/setup.sh build
	@$(call configure,release)

build: configure ## everything, into build/bin, build/lib and build/plugins
	@echo "build: build/bin build/lib build/plugins"
	@$(call build,release)

csv_reader csv_writer level0 parquet_reader parquet_writer postgres_reader: configure ## this plugin alone, into build/plugins
	@$(call build,release,$@)
	@echo "build: build/plugins/lib$@_plugin.so"

install: ## the command, the plugins, the library and its headers, below DESTDIR and PREFIX=/usr/local
	@tools/setup.sh build
	@$(call configure,release,-DCMAKE_INSTALL_PREFIX=$(PREFIX))
	@$(call build,release,$(INSTALLED))
	@DESTDIR=$(DESTDIR) cmake --install build/release --strip >build/install.log || { cat build/install.log >&2; exit 1; }
	@if [ -z "$(DESTDIR)" ] && [ "$$(id -u)" -eq 0 ]; then ldconfig; fi
	@echo "install: $$(grep -c '' build/release/install_manifest.txt) files below $(DESTDIR)$(PREFIX), listed in build/release/install_manifest.txt"

uninstall: ## remove what make install put below DESTDIR
	@test -f build/release/install_manifest.txt || { echo "uninstall: there is no build/release/install_manifest.txt: nothing was installed from here" >&2; exit 1; }
	@sed 's#^#$(DESTDIR)#' build/release/install_manifest.txt | xargs -d '\n' rm -f
	@awk -F/ '{p = "$(DESTDIR)"; ours = 0; for (i = 2; i < NF; i++) {p = p "/" $$i; ours = ours || tolower($$i) ~ /^dativo/; if (ours) print p}}' \
	    build/release/install_manifest.txt | sort -ru | xargs -d '\n' rmdir --ignore-fail-on-non-empty

production: ## for this machine alone: -march=native and link-time optimisation, into build/production
	@tools/setup.sh build
	@$(call configure,production)
	@$(call build,production,dativo-native $(PLUGINS))
	@echo "build: build/production/bin build/production/plugins"

run: configure ## the example job: examples/data/orders.csv to Parquet under build/out
	@$(call build,release,dativo-native csv_reader csv_writer parquet_writer)
	@rm -rf build/out
	@echo "run: build/bin/dativo-native run examples/jobs/csv_to_parquet.yaml --preview 5"
	@build/bin/dativo-native run examples/jobs/csv_to_parquet.yaml --preview 5

test: ## every test but the slow ones
test-slow: ## these, too: what the gate runs
test-full: ## every test, also many more cases of some, and those in engines of their own (Spark and the like, which are installed)
test test-slow test-full:
	@tools/setup.sh $@
	@$(call configure,release,-DDN_PYTHON_TESTS=ON)
	@echo "$@: build"
	@$(call build,release)
	@echo "$@: ctest in build/release"
	@$(CTEST) --test-dir build/release $(if $(filter test-slow,$@),-C slow)$(if $(filter test-full,$@),-C lane)

bench: ## ours and the peers on the same files (ROWS=1000000 ROUNDS=3), writes bench/results; what --verify costs; JSON records; from Python; peak memory of hard shapes
	@tools/setup.sh bench
	@$(call configure,release,-DDN_PYTHON_MODULE=ON)
	@$(MAKE) --no-print-directory build
	@.venv/bin/python bench/run.py --rows $(ROWS) --rounds $(ROUNDS)
	@.venv/bin/python bench/verify_price.py --rows $(ROWS) --rounds $(ROUNDS)
	@.venv/bin/python bench/records.py --rows $(ROWS) --rounds $(ROUNDS)
	@.venv/bin/python bench/python.py --rows $(ROWS) --rounds $(ROUNDS)
	@.venv/bin/python bench/postgres.py --rows $(ROWS) --rounds $(ROUNDS)
	@.venv/bin/python bench/memory.py

lint: ## format, layers, style, exported symbols, static analysis
	@tools/setup.sh lint
	@$(MAKE) --no-print-directory build
	@tools/lint.sh

sanitize: ## the C tests under address, undefined behaviour and thread sanitizers
	@tools/setup.sh test
	@tools/sanitize.sh

fuzz: ## every fuzz target for FUZZ_SECONDS=60
	@tools/setup.sh lint
	@tools/fuzz.sh $(FUZZ_SECONDS)

coverage: ## which branches of src/parquet and src/csv the everyday tests run: build/coverage/html, checked against a list of the others
	@tools/setup.sh lint
	@tools/setup.sh test
	@tools/coverage.sh

mutate: ## break the Parquet encoder and the types of CSV in one place after the other; a test must notice every time
	@tools/setup.sh test
	@tests/mutation/mutate.py

package: build ## build/dativo-native-VERSION-linux-ARCH.tar.gz
	@tools/package.sh

deb: ## the packages of Debian, into build/deb: dativo-native, libdativo0, libdativo-dev; lintian has nothing to say
	@tools/setup.sh deb
	@tools/deb.sh

test-install: package deb ## packages and archive in bare chroots of Debian 12 and 13; needs root
	@tools/test_install.sh

wheel: ## the Python package, dist/dativo_native-*.whl, with what it needs inside (docs/python.md)
	@tools/setup.sh wheel
	@tools/wheel.sh

clean: ## remove build (the Python environment .venv stays)
	rm -rf build
