#!/usr/bin/env bash
# The project's commands; `./build.sh` alone lists them. Each does the set-up that it needs first.
set -euo pipefail

caller=$PWD
root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$root"
output=${KUBE_NODE_OUTPUT:-$root/_output}
tools=$root/_output/tools

. scripts/set-up.sh
. scripts/packages.sh
. scripts/executables.sh
. scripts/kubectl-plugin.sh
. scripts/image.sh

help() {
  cat <<'END'
usage: ./build.sh COMMAND

  demo                          three nodes and their pods on this machine, in under a minute
  test [--quick] [FILE...]      every test, or those that take seconds, or some files
  test --soak [FILE...]         faults, crowds, pools, the model and rubbish, all of them: an hour or more
  bench [FLAG...]               the benchmark: ours around bare host-local, and its peers
  check                         types, lint, import rules, dead code
  binaries [--arch=ARCH]        all programs, to _output/ (amd64 or arm64; default: this machine's)
  kubectl [--machine=OS-ARCH]   kubectl's plugin, to _output/kubectl/ (linux, darwin with amd64 or arm64, windows-amd64; default: all)
  install [--dest=DIR]          puts them into DIR (default: /opt/cni/bin)
  image [--arch=ARCH]           the image of agent and controller as an OCI archive, to _output/ (no Docker daemon needed)
  release [--arch=ARCH]         archives of all that, and SHA-256 sums, to _output/release/
  clean                         removes _output/ (node_modules/ stays)

Needs Node 20 or newer with npm. demo and test also use the packages containernetworking-plugins, iproute2, iputils-ping
and strace: those missing are installed where you may (root, or sudo without a password); NO_PACKAGES=1 leaves that out.
END
}

say() { echo "build.sh: $*" >&2; }
die() { say "$*"; exit 1; }

# option NAME DEFAULT ARGUMENTS…: the value of the only argument, --NAME=VALUE, or the default.
option() {
  local name=$1 value=$2
  shift 2
  for argument in "$@"; do
    case $argument in
      --"$name"=?*) value=${argument#*=} ;;
      *) die "unknown argument \"$argument\": only --$name=… is known here" ;;
    esac
  done
  echo "$value"
}

# absolute PATH: from where the caller stands.
absolute() { case $1 in /*) echo "$1" ;; *) echo "$caller/$1" ;; esac; }

no_arguments() { [ $# = 0 ] || die "unknown argument \"$1\": this command takes none"; }

demo() {
  no_arguments "$@"
  set_up
  build_executables "$(own_architecture)"
  install_missing containernetworking-plugins iproute2 iputils-ping
  with_plugins node examples/demo/main.ts
}

bench() {
  set_up
  build_executables "$(own_architecture)"
  install_missing containernetworking-plugins strace
  build_go_tools
  with_plugins node bench/main.ts "$@"
}

# What demo and benchmarks find in their environment: CNI_PATH with our programs and the main plugins, and KUBE_NODE.
with_plugins() {
  local plugins
  plugins=$(plugin_folder || true)
  CNI_PATH=$output${plugins:+:$plugins} KUBE_NODE=$output/kube-node "$@"
}

run_tests() {
  local tier=full files=() results status=0
  for argument in "$@"; do
    case $argument in
      --quick) tier=quick ;;
      --soak) export SOAK=1 ;;
      -*) die "unknown argument \"$argument\": only --quick, --soak and names of test files are known here" ;;
      *) files+=("$argument") ;;
    esac
  done
  [ -z "${SOAK:-}" ] || [ ${#files[@]} -gt 0 ] || files=(test/faults test/controller test/real/whole-life.test.ts test/model test/rubbish)
  set_up
  [ "$tier" = full ] || node test/tiers.ts "${files[@]}" || return 1
  build_executables "$(own_architecture)"
  install_missing containernetworking-plugins iproute2 iputils-ping strace
  [ "$tier" = quick ] || build_go_tools
  results=$(mktemp "$output/results.XXXXXX")
  # Vitest keeps a token in the user's data folder: it has one here.
  XDG_DATA_HOME=$output/.vitest TEST_TIER=$tier KUBE_NODE_OUTPUT=$output vitest run --reporter=default --reporter=json \
    --outputFile.json="$results" "${files[@]}" || status=$?
  node test/summary.ts "$results" "$status" || status=1
  rm -f "$results"
  return "$status"
}

check() {
  no_arguments "$@"
  set_up
  XDG_CACHE_HOME=$output/.cache npm run --silent check
}

clean() {
  no_arguments "$@"
  rm -rf "$root/_output"
  say "removed _output/; node_modules/ stays"
}

command=${1:-help}
shift || true
case $command in
  help | -h | --help) help ;;
  demo | bench | check | clean) "$command" "$@" ;;
  test) run_tests "$@" ;;
  binaries) architecture=$(option arch "$(own_architecture)" "$@"); set_up; build_executables "$architecture" ;;
  kubectl) machines=$(option machine "${kubectl_machines[*]}" "$@"); set_up; for machine in $machines; do build_kubectl "$machine"; done ;;
  install) destination=$(option dest /opt/cni/bin "$@"); set_up; install_executables "$(absolute "$destination")" ;;
  image) architecture=$(option arch "$(own_architecture)" "$@"); set_up; build_image "$architecture" ;;
  release) architectures=$(option arch "amd64 arm64" "$@"); set_up; release $architectures ;;
  *) die "unknown command \"$command\"; ./build.sh alone lists the commands" ;;
esac
