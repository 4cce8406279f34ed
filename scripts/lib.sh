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

# The virtual environment, exactly as the lock file says; made again when the lock file has changed.
ensure_venv() {
    local stamp=.venv/.made-from wanted
    wanted=$(sha256sum requirements.lock)
    if [ -x .venv/bin/python ] && [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; then
        return
    fi
    command -v python3 >/dev/null || apt_install python3
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { say "Python 3.11 or later is needed."; return 1; }
    python3 -c 'import ensurepip, venv' 2>/dev/null || apt_install python3-venv
    say "Installing Python packages from requirements.lock ..."
    [ -x .venv/bin/python ] || python3 -m venv .venv
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
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
