# The commands that people and CI share.
#   make demo [RGB=photo.jpg] [OUT=model.glb]   set up once, then turn a photo into a model
#   make test                                   set up once, then run the test suite
#   make test-slow                              the long tests too
#   make serve                                 set up once, then start the web application
#   make lint                                   ruff and mypy
#   make bench                                  print the benchmark tables
#   make shots [RGB=photo.jpg]                  take the pictures of the web page in docs/screenshots anew
#   make viewer                                 bundle three.js again after a change in frontend/ (needs Node)
#   make lock                                   renew requirements.lock from requirements.txt

PYTHON ?= python3
RGB ?=
OUT ?=
VENV := .venv/bin

.PHONY: setup demo serve test test-slow lint bench shots viewer lock
.DEFAULT_GOAL := demo

setup:
	@PYTHON="$(PYTHON)" .ci/setup

demo: setup
	@.ci/demo "$(RGB)" "$(OUT)"

serve: setup
	@$(VENV)/python app.py

test: setup
	@.ci/browser
	@.ci/nginx
	@.ci/slicer
	@.ci/validator
	@.ci/test -m "not slow"

test-slow: setup
	@.ci/browser
	@.ci/nginx
	@.ci/slicer
	@.ci/validator
	@.ci/test

lint: setup
	@$(VENV)/ruff check . && $(VENV)/ruff format --check . && $(VENV)/mypy

bench: setup
	@$(VENV)/python -m bench

shots: setup
	@.ci/browser
	@$(VENV)/python -m tests.browser.shots "$(RGB)"

viewer:
	@cd frontend && npm ci --no-audit --no-fund && npm run build

lock: setup
	@$(VENV)/python -m pip install --quiet uv
	@$(VENV)/uv pip compile -q requirements.txt --universal --python-version 3.11 --upgrade --no-header --no-annotate \
		-o requirements.lock
