#!/bin/bash
# What the guest does once systemd has started it: the tests of the package, or the script that was asked for. Then it
# goes off.
cd /mmaplockd || exit
export PATH=/mmaplockd/bin:$PATH
# An emulated machine, and maybe two on a slow host: what takes a second elsewhere takes longer here.
export TEST_SLOWNESS=12
export DEBIAN_FRONTEND=noninteractive

# The image was made where nothing may start and nothing that only costs room is unpacked: here all of it counts.
rm -f /usr/sbin/policy-rc.d /etc/dpkg/dpkg.cfg.d/guest

if [ -f exec.sh ]; then
  bash exec.sh < /dev/null > /dev/ttyS1 2>&1
  printf '\n{"exit":%d}\n' $? > /dev/ttyS1
else
  node dist/test/package/guest/main.js < /dev/null
  status=$?
  [ $status = 0 ] || echo "{\"note\":\"the tests ended with $status\"}" > /dev/ttyS1
fi

# The emulator runs with -no-reboot: to reset is to end it, faster than to power off.
echo b > /proc/sysrq-trigger
