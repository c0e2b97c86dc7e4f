# make help

# Everything that is missing on the machine is installed by scripts/with-tools.sh before the command runs.
WITH_TOOLS = scripts/with-tools.sh

.DEFAULT_GOAL := help
.PHONY: help run test lint audit deb figures peers soak

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## build, and play a meeting in a simulated room, on a page
	@$(WITH_TOOLS) scripts/run.sh

test: ## everything that must pass before a change lands
	@$(WITH_TOOLS) --tests scripts/test.sh

lint: ## format and lints only
	@$(WITH_TOOLS) cargo fmt --all --check
	@$(WITH_TOOLS) cargo clippy --locked --workspace --all-targets -- -D warnings

audit: ## dependencies against deny.toml, published advisories included
	@$(WITH_TOOLS) --tests scripts/audit.sh --advisories

deb: ## the Debian package, to target/debian; then installed, upgraded and purged in a scratch root
	@$(WITH_TOOLS) scripts/deb.sh
	@$(WITH_TOOLS) scripts/deb-test.sh --program $${CARGO_TARGET_DIR:-target}/release/emcon

figures: ## measure, and write docs/detection.md, intercept.md, performance.md and scenarios.md; resumes where it was interrupted
	@$(WITH_TOOLS) scripts/figures.sh $(WHAT)

peers: ## CPU time of the sensor beside soapy_power and GNU Radio, to docs/figures/peers.jsonl
	@$(WITH_TOOLS) scripts/peers.sh $(WHAT)

soak: ## the live sensor and the room for long: sustained, replug, faults, killed, clients, to docs/figures/soak.jsonl; resumes where it was interrupted
	@$(WITH_TOOLS) scripts/soak.sh $(WHAT)
