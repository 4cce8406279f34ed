# Shared by the scripts of this folder: what they need is installed when it is missing. Run from the checkout's root.

say() { printf '%s\n' "$*" >&2; }

can_install() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; }

# Install Debian packages, if we may.
apt_install() {
    if ! can_install; then
        say "Missing here: $*. Install them (apt-get install $*), or run this as root on Debian."
        return 1
    fi
    say "Installing $* ..."
    apt-get update -qq >/dev/null
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

is_new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }
makes_venvs() { is_new_enough "$1" && "$1" -c 'import ensurepip, venv' 2>/dev/null; }

# The Python for the virtual environment: Debian's if it will do, since its build is optimised, a sixth faster than one
# that a version manager compiled; else the first in PATH.
find_python() {
    local debian=/usr/bin/python3 python
    [ -x "$debian" ] || command -v python3 >/dev/null || apt_install python3 >&2 || return 1
    if is_new_enough "$debian" && ! makes_venvs "$debian" && can_install; then
        apt_install python3-venv >&2 || say "Debian's python3-venv could not be installed."
    fi
    for python in "$debian" python3; do
        if makes_venvs "$python"; then
            command -v "$python"
            return
        fi
    done
    say "Python 3.11 or later with its module venv is needed (apt-get install python3-venv)."
    return 1
}

# The virtual environment, exactly as the lock file says; made again when the lock file or Debian's Python has changed.
# One whose stamp tells of no Python was made before stamps did, and is good until the lock file changes.
ensure_venv() {
    local stamp=.venv/.made-from locked wanted made python
    locked=$(sha256sum requirements.lock)
    wanted="$locked $(readlink -f /usr/bin/python3 || true)"
    made=$(cat "$stamp" 2>/dev/null || true)
    if [ -x .venv/bin/python ] && { [ "$made" = "$wanted" ] || [ "$made" = "$locked" ]; }; then
        return
    fi
    python=$(find_python)
    wanted="$locked $(readlink -f /usr/bin/python3 || true)"
    say "Installing Python packages from requirements.lock ..."
    "$python" -m venv --clear .venv
    .venv/bin/python -m pip install --quiet --quiet --disable-pip-version-check --require-hashes -r requirements.lock
    printf '%s' "$wanted" >"$stamp"
}

# Voices of the telephone world, what takes Asterisk from Debian sid, and tools named. Without root: whatever is there.
ensure_tools() {
    local missing=() tool
    for tool in espeak-ng sox "$@"; do
        command -v "$tool" >/dev/null || missing+=("$tool")
    done
    if ! command -v asterisk >/dev/null && ! compgen -G '.cache/asterisk-root-[0-9]*' >/dev/null; then
        command -v mmdebstrap >/dev/null || missing+=(mmdebstrap)
    fi
    [ ${#missing[@]} = 0 ] || ! can_install || apt_install "${missing[@]}"
}
