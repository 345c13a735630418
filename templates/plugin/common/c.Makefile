# make: build; make test: the conformance suite; make run: a job
DATIVO ?= @DATIVO@
CFLAGS ?= -O2 -g -Wall -Wextra
LIBRARY := lib@NAME@_plugin.so

$(LIBRARY): @NAME@.c
	$(CC) -std=gnu17 $(CFLAGS) -Iinclude -fPIC -shared -fvisibility=hidden -Wl,-z,nodelete -o $@ $<

.PHONY: test run clean
test: $(LIBRARY)
	$(DATIVO) plugin check --run config.json ./$(LIBRARY)

run: $(LIBRARY)
	$(DATIVO) run job.yaml

clean:
	rm -rf $(LIBRARY) out
