# Thin targets; the work is in scripts/. `make test` installs what it needs on Debian (as root) and runs everything.

.PHONY: build test soak bench fuzz lint gen check clean

build: ## one static binary, bin/sallyport
	CGO_ENABLED=0 go build -trimpath -o bin/sallyport ./cmd/sallyport

test: ## all tests: unit, both databases, contract, real clients
	scripts/test

soak: ## the crash tests and Terraform's rounds, some ten times as often
	scripts/soak

bench: ## the figures of docs/performance.md
	scripts/bench

fuzz: ## every fuzz target for FUZZTIME (10s)
	scripts/fuzz

lint: ## formatting, vet, staticcheck
	scripts/lint

gen: ## contracts from the models
	go generate ./...

check: lint gen ## lint, and nothing that is generated or resolved is out of date
	scripts/check

clean:
	rm -rf bin
