#!/bin/sh
# The first process of a guest: mounts what every host has mounted, and the payload, whose script does the rest.
# It is part of the root image, which is made anew when this file changes: what may change is in guest.sh.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export HOME=/root LANG=C.UTF-8

# An initrd leaves some of these mounted.
provide() { mountpoint -q "$2" || { mkdir -p "$2" && mount -t "$1" -o "$3" "$1" "$2"; }; }
provide proc /proc rw
provide sysfs /sys rw
provide devtmpfs /dev rw
provide devpts /dev/pts mode=620,ptmxmode=666
provide tmpfs /dev/shm mode=1777
provide tmpfs /run mode=755
provide tmpfs /tmp mode=1777
provide cgroup2 /sys/fs/cgroup rw
echo guest > /proc/sys/kernel/hostname
ip link set lo up

# Bytes go out as they are: no carriage returns.
stty -F /dev/ttyS1 raw -echo
echo '{"init":true}' > /dev/ttyS1
mount -o ro /dev/vdb /mmaplockd && exec bash /mmaplockd/test/kernels/guest.sh
echo '{"note":"the payload could not be mounted"}' > /dev/ttyS1
echo b > /proc/sysrq-trigger
