#!/usr/bin/env bash
# Checks a Linux addon before it is released, on the machine that built it: it must be stripped, contain no paths of this
# machine, link to nothing but the C library, and run on the glibc version given as the second argument.
#   tools/release/check-addon.sh dynamodb-session.linux-x64-gnu.node 2.17
set -euo pipefail
addon=$1
floor=${2:-}

if readelf --sections --wide "$addon" | grep --quiet '\.symtab\|\.debug_'; then
  echo "$addon is not stripped" >&2
  exit 1
fi

for path in "$PWD" "${CARGO_HOME:-$HOME/.cargo}/registry"; do
  if grep --quiet --text --fixed-strings "$path/" "$addon"; then
    echo "$addon contains the path $path" >&2
    exit 1
  fi
done

strangers=$(readelf --dynamic --wide "$addon" | sed --quiet 's/.*(NEEDED).*\[\(.*\)\]/\1/p' |
  grep --invert-match --extended-regexp '^(lib(c|m|dl|rt|pthread|gcc_s)\.so[.0-9]*|libc\.musl-.*\.so\.1|ld-.*\.so\.[12])$' || true)
if [[ -n $strangers ]]; then
  echo "$addon wants libraries that a system may lack: $strangers" >&2
  exit 1
fi

wanted=$(readelf --version-info --wide "$addon" | grep --only-matching 'GLIBC_[0-9.]*' | sed 's/GLIBC_//' | sort --version-sort | tail -1 || true)
echo "$addon is stripped and wants glibc ${wanted:-none}."
if [[ -n $floor && $(printf '%s\n' "$floor" "$wanted" | sort --version-sort | tail -1) != "$floor" ]]; then
  echo "$addon wants glibc $wanted; the floor is $floor" >&2
  exit 1
fi
