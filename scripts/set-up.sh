# Dependencies and runtimes, as the lock file has them. Sourced by build.sh; quick where all is done.

# npm runs on the machine's own Node, also under `npm test`, since it replaces the one in node_modules.
machine_path=$(tr : '\n' <<<"$PATH" | grep -vxF "$root/node_modules/.bin" | paste -sd :)
machine_path+=:/usr/sbin:/sbin
export PATH=$root/node_modules/.bin:$machine_path
export NODE_DISABLE_COMPILE_CACHE=1   # npm would leave one in the temporary folder

set_up() {
  mkdir -p "$output"
  locked install_dependencies
  expect_version node "$(node -v 2>/dev/null || true)"
  expect_version bun "$(bun -v 2>/dev/null || true)"
}

# One at a time, where the machine has flock.
locked() {
  command -v flock >/dev/null || { "$@"; return; }
  mkdir -p "$root/_output"
  (flock 9; "$@" 9>&-) 9>"$root/_output/.lock"
}

install_dependencies() {
  PATH=$machine_path machine_node_works || die "Node 20 or newer with npm is needed: see https://nodejs.org"
  PATH=$machine_path dependencies_match && return
  say "installing the npm dependencies of package-lock.json"
  local cache status=0
  cache=$(mktemp -d)
  PATH=$machine_path npm_config_cache=${npm_config_cache:-$cache} npm ci --no-progress --loglevel=error >&2 || status=$?
  rm -rf "$cache"
  [ "$status" = 0 ] || die "npm ci failed (see above); it needs the package registry"
}

machine_node_works() {
  command -v npm >/dev/null && node -e 'process.exit(parseInt(process.versions.node) >= 20 ? 0 : 1)' 2>/dev/null
}

# npm leaves a list of what it has installed in node_modules; optional packages for other machines are not in it.
dependencies_match() {
  node -e '
    const packages = (file) => JSON.parse(require("fs").readFileSync(file, "utf8")).packages;
    const wanted = packages("package-lock.json");
    const there = packages("node_modules/.package-lock.json");
    const same = ([path, { version, optional }]) => path === "" || there[path]?.version === version || (optional && !there[path]);
    const match = Object.entries(wanted).every(same) && Object.keys(there).every((path) => path in wanted);
    process.exit(match ? 0 : 1);
  ' 2>/dev/null
}

# expect_version PROGRAM VERSION: package.json says which; a version in words of the program may begin with a v.
expect_version() {
  local wanted
  wanted=$(sed -n "s/^ *\"$1\": \"\([0-9].*\)\",\?$/\1/p" package.json)
  [ "${2#v}" = "$wanted" ] || die "node_modules has ${2:-no} $1, but $wanted is needed: its install script did not run. \
Remove node_modules, and see that npm allows the install scripts named in package.json (allowScripts)"
}
