# Every target does its own set-up. What is installed once is marked by a stamp, so that a second run is quick.
# A bare machine needs Python 3.11 to 3.13, GNU make and its package registries.

VENV := .venv
BIN := $(VENV)/bin
KAFKA_JARS := .cache/kafka
DEPLOY_TOOLS := .cache/deploy-tools
PACKAGES := schemas risk stream training
UV_VERSION := 0.13.9

# uv is several times faster. pip stands in where only pip is set up to reach the registry (a mirror, a proxy).
INSTALL = $(BIN)/uv pip install --python $(BIN)/python --require-hashes -r $(1) || $(BIN)/pip install --require-hashes -r $(1)
INSTALL_PROJECT = $(BIN)/uv pip install --python $(BIN)/python --no-deps -e . || $(BIN)/pip install --no-deps -e .

.PHONY: help demo test check lint types imports doctests tests faults kafka prometheus containers chromium bench docs \
	reference lock clean

# ONNX Runtime would report what it runs to its makers.
export ORT_DISABLE_TELEMETRY := 1

.NOTPARALLEL:
.DELETE_ON_ERROR:

help: ## Show this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "%-15s %s\n", $$1, $$2}'

demo: $(VENV)/.demo ## Watch a live stream being scored: broker, worker, transactions, alerts with their reasons
	$(BIN)/riskstream demo

test: check tests ## Run everything that CI runs, against a real Apache Kafka too

check: lint types imports doctests ## The quick half of `make test`: style, types, imports, documented examples

lint: $(VENV)/.test
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(VENV)/.test
	$(BIN)/mypy

imports: $(VENV)/.test
	$(BIN)/lint-imports

doctests: $(VENV)/.test
	$(BIN)/pytest --doctest-modules $(PACKAGES) reference_pages

tests: $(VENV)/.test kafka prometheus containers chromium
	$(BIN)/pytest

faults: $(VENV)/.test kafka ## Kill workers and brokers for a quarter of an hour, and account for every output
	RISKSTREAM_FAULT_TRANSACTIONS=200000 RISKSTREAM_FAULT_KILLS=20 RISKSTREAM_FAULT_PAUSES=5 \
	RISKSTREAM_FAULT_RESTARTS=6 RISKSTREAM_FAULT_CUTS=6 $(BIN)/pytest -s tests/faults

kafka: $(KAFKA_JARS)/.complete ## Fetch the jars of Apache Kafka that the tests start (installs Java and Maven on Debian)

prometheus: ## See that Prometheus and Alertmanager are there for the tests (installs them on Debian)
	scripts/install_prometheus.sh

containers: $(DEPLOY_TOOLS)/.complete ## Build what checks the deployment: docker compose, kustomize (installs buildah on Debian)
	scripts/install_containers.sh

chromium: ## See that there is a Chromium, in which the tests look at the live page (installs it on Debian)
	scripts/install_chromium.sh

bench: $(VENV)/.test kafka ## Measure the engine beside its references, on a real Apache Kafka: half an hour
	$(BIN)/python -m benchmarks
	$(BIN)/python -m benchmarks gate

docs: $(VENV)/.test ## Make the site of the documentation, into build/site
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

reference: $(VENV)/.test ## Make the pages of reference anew from the code, which a test compares
	$(BIN)/python -m reference_pages

lock: $(BIN)/uv ## Renew requirements/*.txt from pyproject.toml: the newest releases that it allows
	$(call LOCK,test,--upgrade --extra dev)
	$(call LOCK,train,--extra network --constraints requirements/test.txt)
	$(call LOCK,demo,--extra demo --constraints requirements/test.txt)
	$(call LOCK,serve,--constraints requirements/test.txt)
	$(call LOCK,container,--extra history --constraints requirements/test.txt)

# The larger set is resolved first and binds the smaller ones: one version of a package, wherever it is installed.
LOCK = $(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-emit-find-links --no-annotate --no-header --quiet --output-file requirements/$(1).txt $(2)

clean: ## Remove all that make has made: environment, jars, caches
	rm -rf $(VENV) .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build *.egg-info
	find $(PACKAGES) tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/bin/python:
	python='$(PYTHON)'; python=$${python:-$$(scripts/find_python.sh)} && "$$python" -m venv $(VENV)

$(BIN)/uv: | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet uv==$(UV_VERSION)

$(VENV)/.demo: requirements/demo.txt pyproject.toml | $(BIN)/uv
	$(call INSTALL,requirements/demo.txt)
	$(INSTALL_PROJECT)
	$(BIN)/python -m stream.warm_up bundles/demo bundles/demo-market
	touch $@

$(VENV)/.test: requirements/test.txt pyproject.toml | $(BIN)/uv
	$(call INSTALL,requirements/test.txt)
	$(INSTALL_PROJECT)
	$(BIN)/python -m stream.warm_up bundles/demo bundles/demo-market
	touch $@

$(KAFKA_JARS)/.complete: tests/kafka/pom.xml
	scripts/install_java.sh
	rm -rf $(KAFKA_JARS)
	mvn --quiet --batch-mode --file $< dependency:copy-dependencies -DoutputDirectory=$(CURDIR)/$(KAFKA_JARS)
	touch $@

$(DEPLOY_TOOLS)/.complete: tests/deploy/tools/go.mod tests/deploy/tools/go.sum | $(VENV)/bin/python
	mkdir -p $(DEPLOY_TOOLS)
	go=$$(scripts/install_go.sh 1.25 $(CURDIR)/.cache/go $(BIN)/pip) && cd tests/deploy/tools && \
	export CGO_ENABLED=0 GOFLAGS=-mod=readonly && \
	"$$go" build -ldflags='-s -w' -o $(CURDIR)/$(DEPLOY_TOOLS)/compose github.com/docker/compose/v2/cmd && \
	"$$go" build -ldflags='-s -w' -o $(CURDIR)/$(DEPLOY_TOOLS)/kustomize sigs.k8s.io/kustomize/kustomize/v5
	touch $@
