#!/bin/sh
# Every check of `make test`, cheapest first; pytest's closing line comes last.
set -eu
cd "$(dirname "$0")/.."

step() { printf '\n== %s\n' "$1"; }

step "Format";        ruff format --check --quiet . || { echo "Run: make format"; exit 1; }
step "Lint";          ruff check --quiet .
step "Types";         mypy
step "Import rules";  lint-imports --no-logo --cache-dir .import_linter_cache

step "Tests"
results=$(mktemp)
trap 'rm -f "$results"' EXIT
coverage erase
failed=0
# The closing line is held back, so that coverage can be judged before it is printed.
pytest --numprocesses 3 --dist worksteal --cov --cov-report= "$@" > "$results" 2>&1 || failed=1
sed '$d' "$results"

step "Coverage"
if [ "$failed" -eq 0 ]; then
    coverage report --include='pricing_proxy/domain/*,pricing_proxy/prices/*,pricing_proxy/resilience/*' \
        --fail-under=100 || failed=1
fi
tail -n 1 "$results"
exit "$failed"
