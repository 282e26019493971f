#!/bin/sh
# Installs the Debian packages that the tests' counterparts need; does nothing when all are there.  Needs root.
set -eu

PACKAGES="
  chromium
  curl
  ffmpeg
  fonts-dejavu-core
  gir1.2-gst-rtsp-server-1.0
  gstreamer1.0-plugins-bad
  gstreamer1.0-plugins-base
  gstreamer1.0-plugins-good
  gstreamer1.0-rtsp
  iproute2
  libnss3-tools
  libssl-dev
  nftables
  openssl
  python3-gi
  python3-gst-1.0
"

missing=""
for package in $PACKAGES; do
    state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$state" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -ne 0 ]; then
    echo "install.sh: these packages are missing and installing them needs root:$missing" >&2
    exit 1
fi
export DEBIAN_FRONTEND=noninteractive
apt-get -o DPkg::Lock::Timeout=300 update -q
# shellcheck disable=SC2086  # the words of the list are the arguments
apt-get -o DPkg::Lock::Timeout=300 install -q -y --no-install-recommends $missing
