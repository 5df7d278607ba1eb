# rrun: `make` builds it, `make demo` shows it, `make test` proves it, `make install` installs it.

PREFIX  ?= /usr/local
DESTDIR ?=

# musl starts faster (fewer pages, no CPU probing), so it is taken where its Rust target is
# installed; otherwise glibc, linked statically all the same.
HOST    := $(shell rustc -vV | sed -n 's/^host: //p')
MUSL    := $(patsubst %-gnu,%-musl,$(HOST))
HAS_MUSL := $(shell test -d "$$(rustc --print sysroot)/lib/rustlib/$(MUSL)" && echo yes)
TARGET  ?= $(if $(HAS_MUSL),$(MUSL),$(HOST))
BINARY  := target/$(TARGET)/release/rrun

export RRUN_COMMIT := $(shell git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)
export RRUN_RUSTC  := $(shell rustc --version | cut -d' ' -f2)

.PHONY: all musl demo test test-all test-systemd bench bench-check bench-unpack install clean

all: $(BINARY)

# A static binary needs the target named: otherwise build scripts and proc macros would be linked
# statically too, which they cannot be.
.PHONY: $(BINARY)
$(BINARY):
# musl is asked for, and rustup's target is not there.
ifeq ($(TARGET)$(HAS_MUSL),$(or $(MUSL),none))
	conformance/lab/musl $@
else
	RUSTFLAGS="-C target-feature=+crt-static $(RUSTFLAGS)" cargo build --release --locked --target $(TARGET)
endif

# With musl all the same, where rustup cannot add its target, by Debian's compiler (conformance/lab/musl): as root, on
# x86_64. TARGET=x86_64-unknown-linux-musl makes `make install`, `make test` and their like take it.
musl:
	@conformance/lab/musl

demo: $(BINARY)
	@tests/demo $(BINARY)

# Everything that CI checks: format, lints, unit and integration tests, documentation, the
# black-box suite natively and on cgroup v2 in User Mode Linux, and the engines.
test: $(BINARY)
	@tests/run $(BINARY)

# What takes longer: the whole suite on the second kernel too, and the suite's checks of itself.
test-all: $(BINARY)
	@tests/run --all $(BINARY)

# The systemd cgroup driver against a real systemd: on this kernel in namespaces, and on pure cgroup v2
# in User Mode Linux.
test-systemd: $(BINARY)
	@conformance/lab/systemd --here --runtime "$(abspath $(BINARY))" conformance/cases/systemd.bats
	@conformance/lab/systemd --runtime "$(abspath $(BINARY))" conformance/cases/systemd.bats

# rrun beside its peers and the kernel's floor, interleaved: make bench BUNDLE=b PEERS=crun,runc ROUNDS=100
# PEERS=crun,runc,$(benches/peers youki) has newer ones as well.
# ONLY=exec; SAVE=1 also writes docs/bench.json and docs/bench.svg.
PEERS  ?= crun,runc
ROUNDS ?= 40
bench: $(BINARY)
	@cargo bench --locked --bench runtime -- --runtime $(abspath $(BINARY)) --peers "$(PEERS)" --rounds $(ROUNDS) \
		--bundle "$(BUNDLE)" --only "$(ONLY)" $(if $(SAVE),--json docs/bench.json --picture docs/bench.svg)

# Counts instead of times: instructions, allocations, system calls and page faults beside benches/budget.json;
# make bench-check UPDATE=1 writes them there. Without link-time optimisation, which takes a minute and
# hardly changes what is counted.
bench-check: $(BINARY)
	@CARGO_PROFILE_BENCH_LTO=off CARGO_PROFILE_BENCH_CODEGEN_UNITS=16 cargo bench --locked --bench budget -- \
		$(abspath $(BINARY)) $(if $(UPDATE),--update)

# `unpack` beside umoci and tar on a real image, and containers on fifty layers: make bench-unpack TREE=debian.tar
bench-unpack: $(BINARY)
	@benches/unpack $(if $(TREE),--tree "$(TREE)") $(BINARY)

install: $(BINARY)
	install -D -m 0755 $(BINARY) $(DESTDIR)$(PREFIX)/bin/rrun
	install -D -m 0644 docs/rrun.8 $(DESTDIR)$(PREFIX)/share/man/man8/rrun.8

clean:
	cargo clean
