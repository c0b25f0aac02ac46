#!/usr/bin/env bash
# Publishes the tarballs in a folder, the platforms first, so that the root never points at nothing. What the registry has
# already is left out: a publication that was cut off can be run again. All other arguments go to `npm publish`.
#   scripts/publish-release.sh release --provenance --access public
set -euo pipefail
folder=$(realpath "$1")
shift
name=$(node --print "require('./package.json').name")
version=$(node --print "require('./package.json').version")
# A version with a hyphen is one to try.
tag=latest
if [[ $version == *-* ]]; then tag=next; fi

for tarball in "$folder/$name"-?*-"$version.tgz" "$folder/$name-$version.tgz"; do
  package=$(basename "$tarball" "-$version.tgz")
  if [[ -n $(npm view "$package@$version" version 2> /dev/null || true) ]]; then
    echo "The registry has $package@$version."
  else
    npm publish "$tarball" --ignore-scripts --tag "$tag" "$@"
  fi
done
