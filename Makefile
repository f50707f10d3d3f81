# The sandbox (a real Kubernetes on this machine, and the stack on it) and the tests. `make help` lists the targets.
ENV ?= dev
SHELL := /bin/bash
# Over ssh, and behind a socket for standard input, bash reads ~/.bashrc, which may set another PATH.
.SHELLFLAGS := --norc -c
SANDBOX := node -r ts-node/register/transpile-only sandbox/cli.ts
MODULES := node_modules/.package-lock.json
# Node.js and Go are the machine's where they fit; otherwise `toolchain` puts them here, and nothing is here where they do.
TOOLCHAIN := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/thanos-stack/toolchain
export PATH := $(TOOLCHAIN)/bin:$(PATH)

.PHONY: help up status env down cluster test e2e toolchain path

help: ## This list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "%-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# npm touches this file last, so it is older than the lock file exactly when the modules are missing or out of date.
$(MODULES): package-lock.json | toolchain
	npm ci --no-audit --no-fund --loglevel=error
	@touch $@

toolchain:
	@sandbox/toolchain/install.sh "$(TOOLCHAIN)"

# For scripts that run Node.js themselves.
path: toolchain
	@echo "$$PATH"

up: $(MODULES) ## A cluster, the environment ENV (default dev) on it, and the check that it works; resumes
	@$(SANDBOX) up --env "$(ENV)"

cluster: $(MODULES) ## The cluster without the stack
	@$(SANDBOX) cluster up

status: $(MODULES) ## Processes, nodes, pods, the stack's outputs
	@$(SANDBOX) status

env: $(MODULES) ## Shell lines for kubectl and pulumi on the sandbox: eval "$(make -s env)"
	@$(SANDBOX) env

down: $(MODULES) ## Removes everything of the sandbox but its cache
	@$(SANDBOX) down

test: $(MODULES) ## Formatting, types, tests that need no cluster
	@$(MAKE) --no-print-directory --jobs=2 unit types format

.PHONY: unit types format
unit:
	npx mocha --parallel --jobs 2 $(MOCHA)
types:
	npx tsc --noEmit
format:
	npx biome ci $(if $(MAKE_TERMOUT),,--colors=off) .

# Files share the cluster as tests/e2e/stages.ts has it.
E2E ?=
e2e: $(MODULES) ## The tests on a real cluster; one file, on the cluster that runs: E2E=tests/e2e/dev.spec.ts
	@node -r ts-node/register/transpile-only tests/e2e/run.ts $(E2E) -- $(MOCHA)
