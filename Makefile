# Two commands are enough: `make run` and `make test`. `make help` lists the others.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help run test check demo bench messages stop clean requirements

PORT ?= 8000
VENV := $(CURDIR)/.venv
BIN := $(VENV)/bin
# The server in DATABASE_URL, or the embedded one, started for the occasion.
DATABASE = DATABASE_URL="$${DATABASE_URL:-$$($(BIN)/python -m pthv.embedded_postgres start)}"
DEVELOPMENT := PTHV_DEV=1 PYTHONUNBUFFERED=1
PRODUCTION := PTHV_DEV= PTHV_DEBUG= ALLOWED_HOSTS=visits.example \
	SECRET_KEY=0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJKLMNOPQRSTUVWXYZ
COMPILE := uv pip compile --quiet --universal --generate-hashes --no-header \
	--no-emit-index-url --no-emit-find-links --no-annotate

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

run: .installed-runtime ## the program with its demo on http://127.0.0.1:8000 (PORT= changes it)
	@$(DEVELOPMENT) PORT=$(PORT) exec $(BIN)/python -m pthv.launch

test: .installed-dev ## every test, in a database of its own (ARGS= goes to pytest)
	@$(DATABASE) && export DATABASE_URL && \
	$(DEVELOPMENT) $(BIN)/python -m pytest --create-db $(ARGS)

check: .installed-dev ## style, types, templates, migrations, deployment settings, architecture
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/djlint --lint --quiet templates
	$(DEVELOPMENT) $(BIN)/mypy pthv families training visits
	@$(DATABASE) && export DATABASE_URL && set -ex && \
	$(DEVELOPMENT) $(BIN)/python manage.py makemigrations --check --dry-run && \
	$(PRODUCTION) $(BIN)/python -W error manage.py check --deploy --fail-level WARNING && \
	$(DEVELOPMENT) $(BIN)/python -m pytest --quiet tests/test_architecture.py

demo: .installed-runtime ## the demo program without a server (ARGS="--scale 10")
	@$(DATABASE) && export DATABASE_URL && export $(DEVELOPMENT) && \
	$(BIN)/python -m pthv.launch prepare && $(BIN)/python manage.py demo $(or $(ARGS),--people)

bench: .installed-dev ## speed of the pages against Django's own floor
	@$(DATABASE) && export DATABASE_URL && $(DEVELOPMENT) $(BIN)/python -m tests.bench $(ARGS)

messages: .installed-runtime ## what families read: new sentences into pthv/locale, translations compiled
	@DATABASE_URL= $(DEVELOPMENT) $(BIN)/python manage.py messages

stop: ## end the embedded PostgreSQL, and a web server left behind
	@test ! -x $(BIN)/python || $(BIN)/python -m pthv.launch stop
	@python=$$($(find_python)) && $$python -m pthv.embedded_postgres stop

clean: ## stop, then delete what was installed and the embedded database with its data
	@test ! -x $(BIN)/python || $(BIN)/python -m pthv.launch stop
	@python=$$($(find_python)) && $$python -m pthv.embedded_postgres remove
	rm -rf .venv .pthv staticfiles .mypy_cache .ruff_cache .hypothesis .coverage
	find . -name __pycache__ -prune -exec rm -rf {} +

requirements: .installed-dev ## both requirements files again, from pyproject.toml
	PATH="$(BIN):$$PATH" $(COMPILE) pyproject.toml -o requirements.txt
	PATH="$(BIN):$$PATH" $(COMPILE) --extra dev -c requirements.txt pyproject.toml -o requirements-dev.txt

# Installing. A copy of the requirements last installed is kept: comparing it costs nothing.

.PHONY: .installed-runtime .installed-dev
.installed-runtime:
	@cmp -s requirements.txt $(VENV)/requirements.txt || { $(install_runtime); }
.installed-dev: .installed-runtime
	@cmp -s requirements-dev.txt $(VENV)/requirements-dev.txt || { $(install_dev); }

install_runtime = set -e; $(make_environment); \
	requirements=requirements.txt; $(install)
install_dev = set -e; requirements=requirements-dev.txt; $(install)

# The first Python that is new enough; PYTHON= names another.
find_python = for python in $${PYTHON:-} python3.11 python3 python3.12 python3.13; do \
	if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
	then echo $$python; exit 0; fi; done; \
	echo "Python 3.11 or newer is needed, and was not found. Name it: make run PYTHON=/path/to/python3" >&2; \
	exit 1

# uv makes the environment without ensurepip, which Debian keeps in a package of its own.
define make_environment
if ! $(BIN)/python -c '' 2>/dev/null; then \
	python=$$($(find_python)); \
	if command -v uv >/dev/null; then uv venv --quiet --clear --python $$python $(VENV); \
	elif $$python -c 'import ensurepip, venv' 2>/dev/null; then $$python -m venv --clear $(VENV); \
	else echo "$$python cannot make virtual environments. On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; \
	fi; \
fi
endef

# uv takes a tenth of pip's time; pip checks the same hashes where uv can't be had. A school's
# network may sign its traffic by itself: the certificates the system trusts are the ones to trust
# (the setting has had two names).
export UV_SYSTEM_CERTS := 1
export UV_NATIVE_TLS := 1
define install
uv=$$(command -v uv || echo $(BIN)/uv); \
if ! test -x $$uv; then \
	awk '/^uv==/ { found = 1 } found { print } found && !/\\$$/ { exit }' requirements-dev.txt > $(VENV)/uv.txt; \
	echo "Installing uv …"; \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(VENV)/uv.txt || true; \
fi; \
echo "Installing $$requirements …"; \
{ test -x $$uv && $$uv pip install --quiet --python $(BIN)/python --require-hashes -r $$requirements; } || \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $$requirements; \
cp $$requirements $(VENV)/$$requirements
endef
