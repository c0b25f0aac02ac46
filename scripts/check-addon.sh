#!/usr/bin/env bash
# A Linux addon that a release may publish: stripped, and content with the glibc that the second argument says.
#   scripts/check-addon.sh dynamodb-session.linux-x64-gnu.node 2.17
set -euo pipefail
addon=$1
floor=${2:-}

if readelf --sections --wide "$addon" | grep --quiet '\.symtab\|\.debug_'; then
  echo "$addon is not stripped" >&2
  exit 1
fi
wanted=$(readelf --version-info --wide "$addon" | grep --only-matching 'GLIBC_[0-9.]*' | sed 's/GLIBC_//' | sort --version-sort | tail -1 || true)
echo "$addon is stripped and wants glibc ${wanted:-none}."
if [[ -n $floor && -n $wanted && $(printf '%s\n' "$floor" "$wanted" | sort --version-sort | tail -1) != "$floor" ]]; then
  echo "$addon wants glibc $wanted; the floor is $floor" >&2
  exit 1
fi
