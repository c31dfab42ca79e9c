#!/bin/sh
# Libra's own tests against the PostgreSQL that DATABASE_URL names, in schemas of their own.
# The last line is the verdict; LIBRA_TEST_REPORT=FILE also writes JUnit XML.
cd "$(dirname "$0")" || exit 2
set -- tests "$@"
if [ -n "$LIBRA_TEST_REPORT" ]; then
    set -- --junitxml="$LIBRA_TEST_REPORT" "$@"
fi
if env -u LIBRA_FAIL -u LIBRA_MIGRATE_AT_START python3 -m pytest "$@"; then
    echo "Result: SUCCESS!"
else
    echo "Result: FAILURE"
    exit 1
fi
