# What isn't npm's: the CNI plugins of the distribution, network tools, and what Go builds. Sourced by build.sh.
# Nothing here is an error: what is missing afterwards is said, and what needs it is skipped.

# The first folder with host-local and bridge.
plugin_folder() {
  local folder folders
  IFS=: read -ra folders <<<"${CNI_PATH:-}:/opt/cni/bin:/usr/lib/cni:/usr/libexec/cni"
  for folder in "${folders[@]}"; do
    if [ -x "$folder/host-local" ] && [ -x "$folder/bridge" ]; then echo "$folder"; return; fi
  done
  return 1
}

has_program() { command -v "$1" >/dev/null; }

has_package() {
  case $1 in
    containernetworking-plugins) plugin_folder >/dev/null ;;
    iproute2) has_program ip ;;
    iputils-ping) has_program ping || has_program busybox ;;
    *) has_program "$1" ;;
  esac
}

# install_missing PACKAGE…, by Debian's names.
install_missing() {
  local package missing=()
  for package in "$@"; do has_package "$package" || missing+=("$package"); done
  [ ${#missing[@]} -gt 0 ] || return 0
  [ -n "${NO_PACKAGES:-}" ] || install_packages "${missing[@]}" || true
  for package in "${missing[@]}"; do has_package "$package" || say "$(how_to_get "$package")"; done
}

install_packages() {
  local privilege=()
  [ "$(id -u)" = 0 ] || privilege=(sudo -n)
  [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null || return 1
  if command -v apt-get >/dev/null; then
    say "installing $* with apt-get"
    "${privilege[@]}" apt-get update -qq </dev/null >/dev/null 2>&1 || true
    "${privilege[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
      -o DPkg::Lock::Timeout=60 "$@" </dev/null >/dev/null 2>&1
  elif command -v dnf >/dev/null; then
    say "installing $* with dnf"
    local names=("${@/#iproute2/iproute}")
    "${privilege[@]}" dnf install -y -q "${names[@]/#iputils-ping/iputils}" </dev/null >/dev/null 2>&1
  else
    return 1
  fi
}

how_to_get() {
  case $1 in
    containernetworking-plugins) echo "host-local and the main CNI plugins are missing: install the package $1 \
(apt-get, dnf), or put a release of github.com/containernetworking/plugins into /opt/cni/bin. What needs them is skipped." ;;
    iputils-ping) echo "the package $1 is missing: reachability is tried with TCP instead." ;;
    *) echo "the package $1 is missing. What needs it is skipped." ;;
  esac
}

# The newest host-local, libcni's client and Helm, once; caches and settings of Go stay as they were.
build_go_tools() {
  has_program go || return 0
  build_go_tool host-local github.com/containernetworking/plugins/plugins/ipam/host-local
  build_go_tool cnitool github.com/containernetworking/cni/cnitool
  build_go_tool helm helm.sh/helm/v3/cmd/helm
}

build_go_tool() {
  [ ! -x "$tools/$1" ] || return 0
  say "building the newest $1 with Go"
  local work status=0
  work=$(mktemp -d)
  GOENV=${GOENV:-${XDG_CONFIG_HOME:-$HOME/.config}/go/env} XDG_CONFIG_HOME=$work GOPATH=$work/go GOMODCACHE=$work/modules \
    GOCACHE=$work/cache GOBIN=$work/bin GOFLAGS=-modcacherw CGO_ENABLED=0 \
    timeout 400 go install "$2@latest" >"$work/log" 2>&1 </dev/null || status=$?
  mkdir -p "$tools"
  if [ "$status" = 0 ]; then mv "$work/bin/$1" "$tools/$1"; else say "Go could not build $1: $(tail -n 1 "$work/log")"; fi
  rm -rf "$work"
}
