#!/usr/bin/env bash
# Publishes the tarballs in a folder. The platform packages come first, so that the main package never refers to a missing
# one, and the packages in `packages` come last. If the registry already has a different package under one of these names
# and versions, nothing is published. You can repeat an interrupted run. Further arguments go to `npm publish`.
#   tools/release/publish-release.sh release --provenance --access public
set -euo pipefail
folder=$(realpath "$1")
shift
cd "$(dirname "$0")/../.."
version=$(node --print "require('./package.json').version")
main=$folder/$(node --print "require('./package.json').name")-$version.tgz
platforms=$folder/$(node --print "require('./package.json').napi.packageName.slice(1).replace('/', '-')")
# A prerelease version is published under the tag `next`.
tag=latest
if [[ $version == *-* ]]; then tag=next; fi

tarballs=("$platforms"-*-"$version.tgz" "$main")
for tarball in "$folder"/*.tgz; do
  if [[ $tarball != "$main" && $tarball != "$platforms"-* ]]; then tarballs+=("$tarball"); fi
done

missing=()
for tarball in "${tarballs[@]}"; do
  package=$(tar -xzOf "$tarball" package/package.json | node --print 'JSON.parse(fs.readFileSync(0)).name')
  published=$(npm view "$package@$version" dist.integrity 2> /dev/null || true)
  if [[ -z $published ]]; then
    missing+=("$tarball")
  elif [[ $published == "sha512-$(openssl dgst -sha512 -binary "$tarball" | base64 --wrap=0)" ]]; then
    echo "The registry has $package@$version."
  else
    echo "The registry has another $package@$version. Nothing was published." >&2
    exit 1
  fi
done

for tarball in ${missing[@]+"${missing[@]}"}; do
  npm publish "$tarball" --ignore-scripts --tag "$tag" "$@"
done
