#!/bin/bash
# Every check of `make test`, cheapest first; pytest's closing line comes last.
set -eu
cd "$(dirname "$0")/.."

# Hundreds of processes start from this tree: each would compile anew all that it imports.
unset PYTHONDONTWRITEBYTECODE

step() { printf '\n== %s\n' "$1"; }

# Types and import rules take one core for a minute: the tests run beside them, and are ended when
# one is broken. Four workers, as on two cores half of them wait. What the tests say is held back:
# their closing line is printed after coverage.
pid=$(mktemp)
results=$(mktemp)
# Without `|| true` a run that is all green would end with the code of a `kill` that found nobody.
trap 'kill $(jobs -p) 2>/dev/null || true; rm -f "$pid" "$results"' EXIT

static() {
    step "Types"
    python -m pricing_proxy.children mypy || return 1
    step "Import rules"
    lint-imports --no-logo --cache-dir .import_linter_cache
}

step "Format";        ruff format --check --quiet . || { echo "Run: make format"; exit 1; }
step "Lint";          ruff check --quiet .
# Once, before the workers and mypy start: each would compile the same.
python -m compileall -q -j 2 pricing_proxy sync
coverage erase
{ static || { kill -INT "$(cat "$pid")" 2>/dev/null; exit 1; }; } &
# pytest rewrites each test module before it compiles it: the same again, once and not four times.
pytest --collect-only --quiet --no-header > "$results" 2>&1 || { cat "$results"; exit 1; }
failed=0
# shellcheck disable=SC2016 -- `$$` is the inner shell's, and becomes pytest's
sh -c 'echo "$$" > "$0"; exec pytest "$@"' "$pid" --numprocesses 4 --dist worksteal --cov --cov-report= "$@" \
    > "$results" 2>&1 || failed=1
wait "$!" || { echo "Broken: see above. The tests were ended."; exit 1; }

step "Tests"
sed '$d' "$results"

step "Coverage"
if [ "$failed" -eq 0 ]; then
    coverage report --fail-under=100 \
        --include='pricing_proxy/agreements/*,pricing_proxy/domain/*,pricing_proxy/prices/*,pricing_proxy/resilience/*' || failed=1
fi
tail -n 1 "$results"
exit "$failed"
