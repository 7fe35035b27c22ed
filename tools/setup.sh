# shellcheck shell=bash
# setup.sh - sourced by ./demo, ./check and .ci/run: finds or installs the tools, configures, builds.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd) || exit 1

# The Debian packages that a build needs, and those that the tests need on top.
build_packages=(gcc libc6-dev cmake ninja-build)
test_packages=(g++ pkg-config libcmocka-dev valgrind python3-dev libpython3.11-testsuite)

die()
{
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# present PACKAGE: whether what the package is wanted for is there, wherever it came from.
present()
{
    case $1 in
        gcc) command -v ${CC:-cc} ;;
        g++) command -v ${CXX:-c++} ;;
        libc6-dev) echo '#include <pthread.h>' | ${CC:-cc} -E - ;;
        libcmocka-dev) pkg-config --exists cmocka ;;
        cmake | pkg-config | valgrind | clang | clang-format | clang-tidy | cppcheck | doxygen) command -v "$1" ;;
        ninja-build) command -v ninja ;;
        python3-dev) "$top/python/interpreters" | grep -q . ;;
        libpython3.11-testsuite) "$top/python/interpreters" --suite | grep -q . ;;
        python3.11-dbg) "$top/python/interpreters" --suite --debug | grep -q . ;;
        musl-tools) command -v musl-gcc ;;
        *) dpkg-query -W -f='${Status}' "$1" | grep -q ' installed$' ;;
    esac >/dev/null 2>&1
}

# missing PACKAGE...: prints those that are not there.
missing()
{
    local package
    for package in "$@"; do
        present "$package" || printf '%s\n' "$package"
    done
}

# quietly COMMAND...: its output is shown only if it fails.
quietly()
{
    local log status=0
    log=$(mktemp) || return 1
    "$@" >"$log" 2>&1 || status=$?
    ((status == 0)) || cat "$log" >&2
    rm -f "$log"
    return "$status"
}

# need PACKAGE...: installs those that are missing, asking nothing, or ends the script with what is to be done.
need()
{
    local packages as_root=()
    mapfile -t packages < <(missing "$@")
    ((${#packages[@]})) || return 0

    local by_hand="apt-get install ${packages[*]}"
    command -v apt-get >/dev/null ||
        die "missing (by Debian's names): ${packages[*]}; there is no apt-get here, please install them another way"
    if (($(id -u) != 0)); then
        command -v sudo >/dev/null || die "missing: ${packages[*]}; please run as root: $by_hand"
        sudo -n true 2>/dev/null || die "missing: ${packages[*]}; sudo wants a password, please run: sudo $by_hand"
        as_root=(sudo -n)
    fi
    printf 'Installing %s\n' "${packages[*]}"
    # Lists that cannot be refreshed may still be good enough; whether the packages came is what counts.
    quietly "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -q ||
        printf 'apt-get update failed; going on with the package lists as they are\n' >&2
    quietly "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -q -y --no-install-recommends "${packages[@]}" ||
        die "could not install ${packages[*]}; please see to it that this works: $by_hand"
    mapfile -t packages < <(missing "${packages[@]}")
    ((${#packages[@]} == 0)) || die "still not found after installing: ${packages[*]} (are CC and CXX right?)"
}

# build_dir PRESET: where it builds.
build_dir()
{
    case $1 in
        release) printf '%s/build\n' "$top" ;;
        *) printf '%s/build-%s\n' "$top" "$1" ;;
    esac
}

# configure PRESET [CMAKE OPTION]...: once more from scratch where that fails, e.g. because the folder was moved here.
configure()
{
    local preset=$1 have
    shift
    have=$(cmake --version | sed -n '1s/[^0-9]*//p')
    [ "$(printf '%s\n' 3.25 "$have" | sort -V | head -n 1)" = 3.25 ] ||
        die "CMake 3.25 or later is needed, this is $have"
    cd "$top" || return 1
    cmake --preset "$preset" "$@" >/dev/null 2>&1 || quietly cmake --fresh --preset "$preset" "$@"
}
