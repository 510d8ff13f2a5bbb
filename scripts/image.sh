# An OCI image of agent and controller, without a daemon: the executable under its names, and the C library that it needs. Sourced by build.sh.

image_programs=(kube-node node-annotation kube-node-agent kube-node-controller)   # the first is the file, the others are hard links to it

# build_image ARCHITECTURE: _output/kube-node-ipam-ARCHITECTURE.tar, for `ctr images import`, `docker load`, `podman load`. The bytes
# depend on the commit, the executable and the C library (of this machine, or of its distribution for another architecture).
build_image() {
  local architecture=$1 work
  build_executables "$architecture"
  work=$(mktemp -d "$output/.image.XXXXXX")
  mkdir -p "$work/library" "$work/programs/usr/local/bin" "$work/layout/layers"
  if [ "$architecture" = "$(own_architecture)" ]; then copy_library "$work/library"; else fetch_library "$architecture" "$work/library"; fi
  local program bin=$work/programs/usr/local/bin
  cp "$output/$architecture/kube-node" "$bin/kube-node"
  for program in "${image_programs[@]:1}"; do ln "$bin/kube-node" "$bin/$program"; done
  layer "$work/library" "$work/layout/layers/1.tar.gz"
  layer "$work/programs" "$work/layout/layers/2.tar.gz"
  node scripts/image-layout.ts "$work/layout" "$architecture" "$(version)" "$(commit_time)"
  archive "$work/layout" /dev/stdout --sort=name --mode=u=rwX,go=rX blobs index.json manifest.json oci-layout |
    gzip -dc >"$work/image"
  mv -f "$work/image" "$output/kube-node-ipam-$architecture.tar"
  rm -rf "$work"
  say "made _output/kube-node-ipam-$architecture.tar: image kube-node-ipam:$(version)"
}

layer() { (cd "$1" && archive . "$2" --sort=name --mode=u=rwX,go=rX *); }

# The dynamic loader and the libraries that the executable names, where this machine has them.
copy_library() {
  local file
  while read -r file; do
    mkdir -p "$1$(dirname "$file")"
    cp -L "$file" "$1$file"
  done < <(ldd "$output/kube-node" | grep -oE '/[^ ]+')
  [ -n "$(ls "$1")" ] || die "ldd names no libraries of $output/kube-node: the image is built on a machine with glibc"
}

# The same of another architecture, out of the distribution's package libc6. apt checks it, and has folders of its own here.
fetch_library() {
  local architecture=$1 folder=$2 work file
  command -v apt-get >/dev/null || die "an image for $architecture is built on Debian (its libc6 is fetched), or by examples/agent/Containerfile"
  say "fetching libc6 for $architecture"
  work=$(mktemp -d)
  mkdir -p "$work/state/lists/partial" "$work/cache/archives/partial"
  local options=(-qq -o "APT::Architecture=$architecture" -o "APT::Architectures::=$architecture" -o APT::Sandbox::User=root
    -o "Dir::State=$work/state" -o Dir::State::status=/dev/null -o "Dir::Cache=$work/cache")
  (cd "$work" && apt-get "${options[@]}" update && apt-get "${options[@]}" download libc6) >&2 ||
    { rm -rf "$work"; die "apt-get could not fetch libc6 for $architecture (see above)"; }
  dpkg-deb --extract "$work"/libc6_*.deb "$work/files"
  for file in ld-linux-aarch64.so.1 ld-linux-x86-64.so.2 libc.so.6 libpthread.so.0 libdl.so.2 libm.so.6; do
    for file in "$work/files"/{lib,lib64,usr/lib}{,/*}/"$file"; do
      [ -e "$file" ] || continue
      mkdir -p "$folder$(dirname "${file#"$work/files"}")"
      cp -L "$file" "$folder${file#"$work/files"}"
    done
  done
  rm -rf "$work"
}
