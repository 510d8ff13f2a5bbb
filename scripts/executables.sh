# The executable under its names: compile, install, pack. Sourced by build.sh.

programs=(kube-node node-annotation)   # for nodes: the first is the file, the others are hard links to it
guests=(nv-ipam)   # names that are other projects' until somebody moves in: installed where it is asked for
daemons=(kube-node-agent kube-node-controller)   # in the image: they run from there, and install nothing but the programs above
kubectl_programs=(kubectl-kube_node kubectl_complete-kube_node)   # for people's machines: links, too

own_architecture() {
  case $(uname -m) in
    x86_64) echo amd64 ;;
    aarch64 | arm64) echo arm64 ;;
    *) die "there is no build for $(uname -m): amd64 and arm64 are known" ;;
  esac
}

# "0.1.0" where that version's tag is checked out, else with the commit: "0.1.0-g0123456789ab", "-dirty" where it was changed.
version() {
  local version tag="" commit=""
  version=$(sed -n 's/^  "version": "\(.*\)",$/\1/p' package.json)
  if [ -e .git ]; then
    export GIT_OPTIONAL_LOCKS=0
    tag=$(git describe --tags --exact-match --match "v$version" --dirty 2>/dev/null) || true
    commit=$(git describe --always --abbrev=12 --exclude '*' --dirty 2>/dev/null) || true
  fi
  if [ -n "$tag" ]; then echo "${tag#v}"; else echo "$version${commit:+-g$commit}"; fi
}

build_executables() {
  case $1 in amd64 | arm64) ;; *) die "unknown architecture \"$1\": amd64 and arm64 are known" ;; esac
  locked compile_if_stale "$1"
  [ "$1" = "$(own_architecture)" ] || return 0
  local program
  for program in "${programs[@]}" "${guests[@]}" "${daemons[@]}" "${kubectl_programs[@]}"; do link_to "$output/$1/kube-node" "$output/$program"; done
}

compile_if_stale() {
  local folder=$output/$1 version newer
  version=$(version)
  if [ -x "$folder/kube-node" ] && [ "$(cat "$folder/version" 2>/dev/null)" = "$version" ]; then
    newer=$(find bin src scripts package.json package-lock.json -newer "$folder/kube-node" -print -quit)
    [ -n "$newer" ] || return 0
  fi
  say "compiling kube-node $version for $1"
  compile "$1" "$version" "$folder"
}

# The bytes depend on the sources, the version, bun and the file's name, and on nothing else (how deep the sources lie below node_modules
# counts, too, so that is always the same).
compile() {
  local architecture=$1 version=$2 folder=$3 work sources runtime options=() program
  if [ "$architecture" != "$(own_architecture)" ]; then
    runtime=$(foreign_runtime "$(runtime_for "linux-$architecture")")
    options=(--compile-executable-path="$runtime")
  fi
  node scripts/make-page.ts
  mkdir -p "$folder" "$root/_output"
  work=$(mktemp -d "$folder/.new.XXXXXX")
  touch "$work/started"
  sources=$(mktemp -d "$root/_output/.sources.XXXXXX")
  node scripts/arrange-sources.ts "$sources"
  if ! (cd "$sources" && bun build --compile --bytecode --minify --splitting --format=esm --no-compile-autoload-dotenv \
    --no-compile-autoload-bunfig --define KUBE_NODE_VERSION="\"$version\"" "${options[@]}" bin/executable.ts \
    --outfile "$work/kube-node") >"$work/log" 2>&1; then
    cat "$work/log" >&2
    rm -rf "$work" "$sources"
    die "bun could not compile bin/executable.ts (see above)"
  fi
  rm -rf "$sources"
  node scripts/give-entry.ts "$work/kube-node" || { rm -rf "$work"; die "the executable could not be finished (see above)"; }
  touch -r "$work/started" "$work/kube-node"   # what was edited meanwhile is newer
  mv -f "$work/kube-node" "$folder/kube-node"
  rm -rf "$work"
  for program in "${programs[@]:1}" "${guests[@]}" "${daemons[@]}" "${kubectl_programs[@]}"; do link_to "$folder/kube-node" "$folder/$program"; done
  echo "$version" >"$folder/version"
}

# link_to FILE NAME: a hard link that takes the name's place in one step.
link_to() {
  [ ! "$1" -ef "$2" ] || return 0
  ln -f "$1" "$2.new.$$"
  mv -fT "$2.new.$$" "$2"
}

# The name of npm's package with bun for a machine, without "@oven/".
runtime_for() {
  local name=bun-$1
  name=${name/amd64/x64}
  echo "${name/arm64/aarch64}"
}

# bun for another machine, from npm, in the version and with the hash of package-lock.json. Prints its path.
foreign_runtime() {
  local name=$1 version file work wanted bun=bun
  case $name in *windows*) bun=bun.exe ;; esac
  version=$(bun -v)
  file=$tools/$name-$version
  if [ ! -x "$file" ]; then
    say "fetching @oven/$name $version"
    work=$(mktemp -d)
    npm_config_cache=${npm_config_cache:-$work/cache} npm pack --silent --pack-destination "$work" \
      "@oven/$name@$version" >/dev/null || { rm -rf "$work"; die "npm could not fetch @oven/$name@$version"; }
    wanted=$(node -p 'require("./package-lock.json").packages[process.argv[1]].integrity' "node_modules/@oven/$name")
    [ "$(integrity "$work"/*.tgz)" = "$wanted" ] ||
      { rm -rf "$work"; die "@oven/$name@$version has not the hash that package-lock.json expects"; }
    mkdir -p "$tools"
    tar -xzf "$work"/*.tgz -C "$work" "package/bin/$bun"
    chmod 0755 "$work/package/bin/$bun"
    mv "$work/package/bin/$bun" "$file"
    rm -rf "$work"
  fi
  echo "$file"
}

integrity() {
  node -p '"sha512-" + require("crypto").createHash("sha512").update(require("fs").readFileSync(process.argv[1])).digest("base64")' "$1"
}

# A running plugin keeps its file: the new one takes the name's place in one step.
install_executables() {
  local destination=$1 new program
  build_executables "$(own_architecture)"
  mkdir -p "$destination" 2>/dev/null || die "$destination can't be made: run install as root, or give --dest=DIR"
  [ -w "$destination" ] || die "$destination can't be written: run install as root, or give --dest=DIR"
  new=$destination/.kube-node.$$
  # In large pieces, as it then stays in memory: half a millisecond less for each call than by cp (docs/performance.md).
  dd if="$output/kube-node" of="$new" bs=2M status=none && chmod 0755 "$new" || { rm -f "$new"; die "$destination has no room for kube-node"; }
  for program in "${programs[@]:1}"; do link_to "$new" "$destination/$program"; done
  mv -fT "$new" "$destination/kube-node"
  say "installed ${programs[*]} $(version) into $destination"
}

# release ARCHITECTURE…: an archive each, in the layout of the CNI plugins' releases; kubectl's plugin for people's machines; and a
# bill of materials for all. The same commit gives the same bytes.
release() {
  local architecture machine folder=$output/release machines=()
  rm -rf "$folder"
  mkdir -p "$folder"
  for architecture in "$@"; do
    build_executables "$architecture"
    pack "$architecture" "$folder/kube-node-ipam-linux-$architecture-$(version).tgz"
    for machine in "${kubectl_machines[@]}"; do [[ $machine != *-"$architecture" ]] || machines+=("$machine"); done
  done
  for machine in "${machines[@]}"; do
    build_kubectl "$machine"
    pack_kubectl "$machine" "$folder/kubectl-kube_node-$machine-$(version).tgz"
  done
  list_materials >"$folder/kube-node-ipam-$(version).cdx.json"
  (cd "$folder" && sha256sum -- *.cdx.json *.tgz >SHA256SUMS)
  node scripts/krew-manifest.ts "$(version)" <"$folder/SHA256SUMS" >"$folder/kube-node.yaml"
  say "made $(cd "$folder" && echo *) in _output/release/"
}

pack() {
  local work
  work=$(mktemp -d "$output/.pack.XXXXXX")
  ln "$output/$1/kube-node" "$work/kube-node"
  local program
  for program in "${programs[@]:1}"; do ln "$work/kube-node" "$work/$program"; done
  cp LICENSE README.md "$work/"
  chmod 0644 "$work/LICENSE" "$work/README.md"
  archive "$work" "$2" LICENSE README.md "${programs[@]}"
  rm -rf "$work"
}

# archive FOLDER FILE NAME…: a tar of these, the same bytes wherever and whenever it is made.
archive() {
  local folder=$1 file=$2
  shift 2
  tar --create --format=ustar --owner=0 --group=0 --numeric-owner --mtime="@$(commit_time)" -C "$folder" "$@" | gzip -n -6 >"$file"
}

# What is compiled in, as CycloneDX.
list_materials() {
  local work
  work=$(mktemp -d)
  if ! npm_config_cache=$work npm sbom --sbom-format cyclonedx --package-lock-only >"$work/bill" 2>"$work/log"; then
    cat "$work/log" >&2
    rm -rf "$work"
    die "npm could not make the bill of materials (see above): it needs npm 10 or newer"
  fi
  node scripts/bill-of-materials.ts "$(version)" "$(commit_time)" <"$work/bill"
  rm -rf "$work"
}

commit_time() { git log -1 --format=%ct 2>/dev/null || echo 0; }
