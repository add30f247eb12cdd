# Read by the other scripts: installs what is missing and builds. Not a command of its own.
#
#   ensure_packages            every Debian package that building and testing needs
#   build PRESET [TARGET...]   configures once and builds; a second call has nothing to do
#   explain_if_asked "$@"      for --help: prints the comment that the script begins with, and ends
#
# TROUPE_JOBS (2) is the number of compilers that run at once. With CI set, warnings are errors.

packages="g++ cmake ninja-build libcaf-dev rapidjson-dev libcli11-dev libfmt-dev libxxhash-dev libisal-dev zlib1g-dev doctest-dev librapidcheck-dev"
root=$(cd "$(dirname "$0")/.." && pwd)

explain_if_asked() {
  case ${1:-} in
    -h | --help)
      sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"
      exit 0
      ;;
  esac
}

is_installed() {
  dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q 'ok installed'
}

# ensure_packages [PACKAGE...]: those that are always needed, and these.
ensure_packages() {
  missing=""
  for package in $packages "$@"; do
    is_installed "$package" || missing="$missing $package"
  done
  [ -n "$missing" ] || return 0
  if [ "$(id -u)" -eq 0 ]; then
    as_root=""
  elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
    as_root="sudo"
  elif command -v sudo >/dev/null 2>&1 && [ -t 0 ]; then
    as_root="sudo"
  else
    echo "Packages are missing. Run this as root, then try again: apt-get update && apt-get install -y$missing" >&2
    return 1
  fi
  if ! command -v apt-get >/dev/null 2>&1; then
    echo "Packages are missing, and there is no apt-get here. These are Debian's names:$missing" >&2
    return 1
  fi
  echo "Installing:$missing" >&2
  # shellcheck disable=SC2086  # lists of words on purpose
  { $as_root apt-get update -qq && DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq $missing; } \
    >/tmp/troupe-apt.$$ 2>&1 || {
    tail -n 5 /tmp/troupe-apt.$$ >&2
    rm -f /tmp/troupe-apt.$$
    echo "Installing failed. Run this as root, then try again: apt-get update && apt-get install -y$missing" >&2
    return 1
  }
  rm -f /tmp/troupe-apt.$$
}

build() {
  preset=$1
  shift
  directory=$root/build/$preset
  cached=$(sed -n 's/^TROUPE_WERROR:BOOL=//p' "$directory/CMakeCache.txt" 2>/dev/null || true)
  # Where warnings are errors already they stay so: all would be compiled anew.
  warnings=${cached:-OFF}
  [ -z "${CI:-}" ] || warnings=ON
  if [ ! -f "$directory/build.ninja" ] || [ "$cached" != "$warnings" ]; then
    (cd "$root" && cmake --preset "$preset" -DTROUPE_WERROR=$warnings) >&2 || return 1
  fi
  [ $# -eq 0 ] || set -- --target "$@"
  (cd "$root" && cmake --build --preset "$preset" -j "${TROUPE_JOBS:-2}" "$@") >&2
}
