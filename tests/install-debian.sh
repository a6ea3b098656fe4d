#!/usr/bin/env bash
# Installs from Debian what the tests use beside .NET and the machine lacks:
#   python3-numpy  reads the weights.npz of a run back (and is the notebook's language in the benchmark)
#   python3-scipy  makes sparse matrices of it, as docs/python.md says
#   python3-h5py   writes NWB files that are read, and reads and writes recordings in HDF5
#   chromium       opens the reports
#   graphviz       reads the .dot files of circuits
#   katex, nodejs, python3-pygments  typeset equations and color code of the documentation
#   slurm-wlm, munge  run a sweep on a cluster of one machine (tests/slurm.sh)
# With --bench also what only the benchmark uses, and skips by name where it is missing:
#   python3-torch, python3-numba  other ways of doing the same work
#   libopenblas0-pthread  what they multiply with; without it they take Debian's reference BLAS, ten times as slow
# Tests whose program is missing are skipped with a reason, so this script never fails: it says what is missing.
set -u

case "${1-}" in
    "" | --bench) ;;
    *)
        echo "install-debian: $1 is no option; there is --bench" >&2
        exit 2
        ;;
esac

missing=()
# Debian's own python3, whichever other one comes first on the PATH.
/usr/bin/python3 -c 'import numpy' >/dev/null 2>&1 || missing+=(python3-numpy)
/usr/bin/python3 -c 'import scipy' >/dev/null 2>&1 || missing+=(python3-scipy)
/usr/bin/python3 -c 'import h5py' >/dev/null 2>&1 || missing+=(python3-h5py)
[ -x /usr/bin/chromium ] || missing+=(chromium)
command -v dot >/dev/null || missing+=(graphviz)
[ -f /usr/share/javascript/katex/katex.js ] || missing+=(katex)
[ -x /usr/bin/node ] || missing+=(nodejs)
/usr/bin/python3 -c 'import pygments' >/dev/null 2>&1 || missing+=(python3-pygments)
command -v slurmctld >/dev/null || missing+=(slurm-wlm)
command -v munged >/dev/null || missing+=(munge)

if [ "${1-}" = --bench ]; then
    for library in torch numba; do
        /usr/bin/python3 -c "import $library" >/dev/null 2>&1 || missing+=("python3-$library")
    done
    ls /usr/lib/*/openblas-pthread/libopenblas*.so* >/dev/null 2>&1 || missing+=(libopenblas0-pthread)
fi

if [ ${#missing[@]} -eq 0 ]; then
    exit 0
fi

without() {
    echo "install-debian: $1; tests that need ${missing[*]} will be skipped" >&2
    exit 0
}

command -v apt-get >/dev/null || without "this machine has no apt-get"

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    sudo -n true 2>/dev/null || without "not root and no sudo without a password"
    as_root=(sudo -n)
fi

apt() {
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Acquire::Retries=2 "$@" </dev/null >/dev/null
}

echo "install-debian: installing ${missing[*]}" >&2
apt update || without "apt-get update failed"
apt install --yes --no-install-recommends "${missing[@]}" || without "apt-get install failed"
