#!/bin/sh
# Run by systemd once the guest is up: mounts the payload, whose script does the rest. It is part of the image, which
# is made anew when this file changes: what may change is in guest.sh.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export HOME=/root LANG=C.UTF-8

# Bytes go out as they are: no carriage returns.
stty -F /dev/ttyS1 raw -echo
echo '{"init":true}' > /dev/ttyS1
mount -o ro /dev/vdb /mmaplockd && exec bash /mmaplockd/test/package/guest.sh
echo '{"note":"the payload could not be mounted"}' > /dev/ttyS1
echo b > /proc/sysrq-trigger
