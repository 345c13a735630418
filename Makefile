# The front door.  `make help` lists the commands; each installs what it needs and says what it does.
SHELL := /bin/bash
.DEFAULT_GOAL := help
CTEST := ctest --output-on-failure --no-tests=error

FUZZ_SECONDS ?= 60
ROWS ?= 1000000
ROUNDS ?= 3

.PHONY: help setup configure build csv_reader parquet_writer production run test bench lint sanitize fuzz package clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z_]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

configure:
	@tools/setup.sh build
	@test -f build/release/build.ninja || (echo "configure: build/release" && cmake --preset release >build/configure.log \
	    || (cat build/configure.log && false))

build: configure ## everything, into build/bin and build/plugins
	@echo "build: build/bin build/plugins"
	@cmake --build build/release --target all

csv_reader parquet_writer: configure ## one plugin alone, into build/plugins
	@cmake --build build/release --target $@

production: ## -march=native and link-time optimisation, into build/production
	@tools/setup.sh build
	@cmake --preset production >/dev/null && cmake --build --preset production

run: ## the example job: examples/data/orders.csv to Parquet under build/out
	@tools/setup.sh build
	@$(MAKE) --no-print-directory configure
	@cmake --build build/release --target dativo-native csv_reader parquet_writer | tail -n 1
	@rm -rf build/out
	@echo "run: build/bin/dativo-native run examples/jobs/csv_to_parquet.yaml --preview 5"
	@build/bin/dativo-native run examples/jobs/csv_to_parquet.yaml --preview 5

test: ## every test
	@tools/setup.sh test
	@$(MAKE) --no-print-directory configure
	@cmake --preset release -DDN_PYTHON_TESTS=ON >build/configure.log || (cat build/configure.log && false)
	@$(MAKE) --no-print-directory build
	@echo "test: ctest in build/release"
	@$(CTEST) --test-dir build/release

bench: ## ours and the peers on the same files (ROWS=1000000 ROUNDS=3); writes bench/results
	@tools/setup.sh bench
	@$(MAKE) --no-print-directory build
	@.venv/bin/python bench/run.py --rows $(ROWS) --rounds $(ROUNDS)

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

package: build ## build/dativo-native-VERSION-linux-ARCH.tar.gz
	@tools/package.sh

clean: ## remove build (the Python environment .venv stays)
	rm -rf build
