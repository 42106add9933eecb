#!/bin/bash
# What a guest does once it runs: the tests of its kernel, or the script that was asked for. Then it goes off.
cd /mmaplockd || exit
export PATH=/mmaplockd/bin:$PATH
# An emulated machine, and maybe two on a slow host: what takes a second elsewhere takes longer here.
export TEST_SLOWNESS=12

# As systemd does on a host.
mount -t tracefs tracefs /sys/kernel/tracing
mount -t debugfs debugfs /sys/kernel/debug
mount -t bpf bpf /sys/fs/bpf
# For the workload that holds a lock while a file of its own does not answer.
modprobe fuse
[ -d /sys/kernel/security ] && mount -t securityfs securityfs /sys/kernel/security

name=$(sed -n 's/.*mmaplockd\.kernel=\([^ ]*\).*/\1/p' /proc/cmdline)
if [ -f exec.sh ]; then
  bash exec.sh < /dev/null > /dev/ttyS1 2>&1
  printf '\n{"exit":%d}\n' $? > /dev/ttyS1
else
  node dist/test/kernels/guest/main.js "kernels/$name.json" < /dev/null
  status=$?
  [ $status = 0 ] || echo "{\"note\":\"the tests ended with $status\"}" > /dev/ttyS1
fi

# The emulator runs with -no-reboot: to reset is to end it, faster than to power off.
echo b > /proc/sysrq-trigger
