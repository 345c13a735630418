# make: build; make test: the conformance suite; make run: a job
DATIVO ?= @DATIVO@
LIBRARY := target/release/lib@NAME@.so

.PHONY: all test run clean
all:
	cargo build --release --offline

test: all
	$(DATIVO) plugin check --run config.json $(LIBRARY)

run: all
	$(DATIVO) run job.yaml

clean:
	rm -rf target out
