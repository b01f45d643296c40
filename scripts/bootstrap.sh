#!/bin/sh
# Makes or updates .venv from the locked requirements: scripts/bootstrap.sh run|dev
#
# Needs Python >= 3.11 and nothing else. uv, installed inside .venv, does the work in seconds; where it cannot be had pip
# does the same more slowly. Hashes are checked either way. A stamp file makes the next call free.
set -eu
kind=${1:?run or dev}
venv=.venv
uv_version=0.13.9

say() { echo "bootstrap: $*"; }

# A Python that is new enough and can make environments; Debian's own needs the package python3-venv for that.
find_python() {
    too_old=""
    old_ifs=$IFS; IFS=:
    for folder in $PATH; do
        for name in python3 python3.13 python3.12 python3.11; do
            candidate=$folder/$name
            [ -x "$candidate" ] || continue
            if ! "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
                too_old="$too_old $candidate"
            elif "$candidate" -c 'import venv, ensurepip' 2>/dev/null; then
                IFS=$old_ifs; echo "$candidate"; return 0
            else
                no_venv=$candidate
            fi
        done
    done
    IFS=$old_ifs
    if [ -n "${no_venv:-}" ]; then
        say "$no_venv cannot make environments; install the package python3-venv" >&2
    else
        say "no Python >= 3.11 on the PATH${too_old:+ (too old:$too_old)}; install one" >&2
    fi
    return 1
}

make_environment() {
    python=${PYTHON:-$(find_python)}
    say "creating $venv with $python"
    rm -rf "$venv"
    "$python" -m venv "$venv"
}

# With every file's hash checked. The system's certificates count, as they do for pip.
install() {
    export UV_SYSTEM_CERTS=1
    if "$venv/bin/python" -m pip install -q --disable-pip-version-check "uv==$uv_version" 2>/dev/null; then
        "$venv/bin/uv" pip install -q --python "$venv/bin/python" --require-hashes "$@" && return 0
        say "uv could not install; trying pip"
    fi
    "$venv/bin/python" -m pip install -q --disable-pip-version-check --require-hashes "$@"
}

"$venv/bin/python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || make_environment
say "installing the locked dependencies ($kind)"
if [ "$kind" = dev ]; then
    install -r requirements.txt -r requirements-dev.txt
    touch "$venv/.installed-dev"
else
    install -r requirements.txt
fi
touch "$venv/.installed-run"
say "done"
