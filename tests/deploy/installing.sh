#!/bin/sh
# Install for systemd as deploy/systemd/install.sh does, twice, over copies of /etc and /opt that go
# with the caller's mounts:
#
#     unshare --mount tests/deploy/installing.sh FOLDER
set -eu
cd "$(dirname "$0")/../.."
mount -t tmpfs tmpfs "$1"
for each in etc opt; do
    mkdir -p "$1/$each/upper" "$1/$each/work"
    mount -t overlay overlay "/$each" \
        -o "lowerdir=/$each,upperdir=$1/$each/upper,workdir=$1/$each/work"
done
deploy/systemd/install.sh
echo changed > /etc/pricing-proxy/pricing-proxy.toml
deploy/systemd/install.sh
grep -q changed /etc/pricing-proxy/pricing-proxy.toml
for program in pricing-proxy d365-sync; do
    setpriv --reuid=pricing-proxy --regid=pricing-proxy --clear-groups \
        "/opt/pricing-proxy/bin/$program" --version
    # This time with the programs that it names.
    systemd-analyze verify "/etc/systemd/system/$program.service"
done
# Nobody else reads the secrets' folder.
! setpriv --reuid=65534 --regid=65534 --clear-groups ls /etc/pricing-proxy/secrets 2> /dev/null
