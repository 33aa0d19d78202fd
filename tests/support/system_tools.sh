#!/bin/sh
# Chromium and PostgreSQL for the tests of the review pages, through apt where that is allowed and they are missing.
# Where it is not, this says so and goes on: the tests that need them are skipped, and with CI=true they fail.
set -u
wanted=""
command -v chromium >/dev/null 2>&1 || wanted="$wanted chromium"
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null 2>&1 || wanted="$wanted postgresql"
[ -n "$wanted" ] || exit 0
as_root=""
if [ "$(id -u)" -ne 0 ]; then
    if command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
        as_root="sudo -n"
    else
        echo "NOTE: missing for some tests, and not installable here without root:$wanted" >&2
        exit 0
    fi
fi
command -v apt-get >/dev/null 2>&1 || { echo "NOTE: missing for some tests, and there is no apt here:$wanted" >&2; exit 0; }
echo "installing for the tests:$wanted" >&2
$as_root apt-get update -qq >/dev/null 2>&1
# shellcheck disable=SC2086 - the names are words
DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends $wanted >/dev/null 2>&1 ||
    echo "NOTE: could not be installed:$wanted; tests that need them are skipped" >&2
exit 0
