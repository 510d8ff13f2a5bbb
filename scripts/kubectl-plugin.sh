# kubectl's plugin for people's machines: compiled here for each of them, run on none but this one. Sourced by build.sh.

kubectl_machines=(linux-amd64 linux-arm64 darwin-amd64 darwin-arm64 windows-amd64)

# build_kubectl MACHINE: _output/kubectl/MACHINE with the plugin and the program that kubectl asks for completions.
build_kubectl() {
  [[ " ${kubectl_machines[*]} " == *" $1 "* ]] || die "unknown machine \"$1\": ${kubectl_machines[*]} are known"
  locked compile_kubectl_if_stale "$1" "$output/kubectl/$1"
}

compile_kubectl_if_stale() {
  local machine=$1 folder=$2 version newer
  version=$(version)
  if [ -f "$folder/version" ] && [ "$(cat "$folder/version")" = "$version" ]; then
    newer=$(find bin src scripts package.json package-lock.json -newer "$folder/version" -print -quit)
    [ -n "$newer" ] || return 0
  fi
  say "compiling kubectl-kube_node $version for $machine"
  compile_kubectl "$machine" "$version" "$folder"
}

# Bytecode is left out where it can't be tried: another system's runtime would have to take what this one's has made.
compile_kubectl() {
  local machine=$1 version=$2 folder=$3 work runtime file=kubectl-kube_node options=()
  case $machine in
    linux-*) options=(--bytecode) ;;
    windows-*) file=$file.exe ;;
  esac
  if [ "$machine" != "linux-$(own_architecture)" ]; then
    runtime=$(foreign_runtime "$(runtime_for "$machine")")
    options+=(--target="bun-${machine/amd64/x64}" --compile-executable-path="$runtime")
  fi
  mkdir -p "$folder"
  work=$(mktemp -d "$folder/.new.XXXXXX")
  touch "$work/started"
  if ! bun build --compile --minify --splitting --format=esm --no-compile-autoload-dotenv --no-compile-autoload-bunfig \
    --define KUBE_NODE_VERSION="\"$version\"" "${options[@]}" bin/kubectl-kube_node.ts --outfile "$work/$file" >"$work/log" 2>&1; then
    cat "$work/log" >&2
    rm -rf "$work"
    die "bun could not compile bin/kubectl-kube_node.ts for $machine (see above)"
  fi
  # bun signs for arm64 anew; for amd64 it leaves its own signature, which no longer fits, and none is better than that.
  [ "$machine" != darwin-amd64 ] || node scripts/remove-signature.ts "$work/$file"
  mv -f "$work/$file" "$folder/$file"
  write_completer "$machine" "$folder"
  echo "$version" >"$folder/version"
  touch -r "$work/started" "$folder/version"   # what was edited meanwhile is newer
  rm -rf "$work"
}

# kubectl looks for it in PATH, where it has found the plugin.
write_completer() {
  local file=$2/kubectl_complete-kube_node
  case $1 in
    windows-*) printf '@kubectl-kube_node.exe __complete %%*\r\n' >"$file.cmd" ;;
    *) printf '#!/bin/sh\nexec kubectl-kube_node __complete "$@"\n' >"$file"; chmod 0755 "$file" ;;
  esac
}

# pack_kubectl MACHINE FILE: the archive that krew and people unpack.
pack_kubectl() {
  local work names
  work=$(mktemp -d "$output/.pack.XXXXXX")
  cp "$output/kubectl/$1"/kubectl* LICENSE "$work/"
  chmod 0644 "$work/LICENSE"
  mapfile -t names < <(cd "$work" && printf '%s\n' * | LC_ALL=C sort)
  archive "$work" "$2" "${names[@]}"
  rm -rf "$work"
}
