import type { Step } from '@c2m/plugin-api'
import { VERIFICATION_PORT } from '../machine/verification.js'
import { ownServiceSteps } from './own-service.js'

const SCRIPT_PATH = '/usr/local/lib/c2m/verify'

/** The report's script goes its own way: it waits for the boot that this service is a part of. */
const SERVICE = `#!/sbin/openrc-run

description="Reports how the boot went to whoever gave this machine the port ${VERIFICATION_PORT}."

depend() {
  need localmount
  after *
  keyword -containers -docker -lxc -vserver
}

start() {
  local name
  for name in /sys/class/virtio-ports/*/name; do
    if [ -r "$name" ] && [ "$(cat "$name")" = ${VERIFICATION_PORT} ]; then
      name=\${name%/name}
      setsid ${SCRIPT_PATH} "/dev/\${name##*/}" </dev/null >/dev/null 2>&1 &
    fi
  done
  return 0
}
`

/**
 * The same report as under systemd. OpenRC's words for it (rc-status(8)): the boot is over when nothing is starting and
 * the runlevel is 'default'; failed is what did not start, what of the runlevels is not started, and what has crashed.
 */
function script(secondsForAddress: number): string {
  return `#!/bin/sh
# Writes how the boot went to the port $1.
export LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
rc=/run/openrc

state=starting
tries=0
while [ "$tries" -lt 600 ]; do
  if [ "$(cat $rc/softlevel 2>/dev/null)" = default ] && [ ! -e $rc/rc.starting ] && [ -z "$(ls $rc/starting)" ]; then
    state=running
    break
  fi
  tries=$((tries + 1))
  sleep 1
done

addresses() {
  ip -o address show scope global 2>/dev/null | while read -r _ _ _ address _; do printf '%s ' "\${address%%/*}"; done
}
found=$(addresses)
waited=0
while [ -z "$found" ] && [ "$waited" -lt ${secondsForAddress} ]; do
  sleep 1
  waited=$((waited + 1))
  found=$(addresses)
done

failed=$({
  ls $rc/failed
  for service in /etc/runlevels/sysinit/* /etc/runlevels/boot/* /etc/runlevels/default/*; do
    name=\${service##*/}
    if [ -e "$service" ] && [ ! -e "$rc/started/$name" ] && [ ! -e "$rc/inactive/$name" ]; then echo "$name"; fi
  done
  rc-status --crashed
} 2>/dev/null | tr -d ' ' | sort -u | tr '\\n' ' ')
if [ -n "$failed" ] && [ "$state" = running ]; then state=degraded; fi

root=ro
while read -r _ directory _ options _; do
  if [ "$directory" = / ]; then root=\${options%%,*}; fi
done </proc/self/mounts

read -r uptime _ </proc/uptime

{
  echo 'c2m-verify 1'
  echo "state=$state"
  echo "failed=\${failed% }"
  echo "root=$root"
  echo "addresses=\${found% }"
  echo "uptime=$uptime"
  echo end
} >"$1"
`
}

/** @param waitForAddress whether the machine is to get an address from its network */
export function verificationServiceSteps(
  owner: string,
  { waitForAddress }: { readonly waitForAddress: boolean },
): readonly Step[] {
  return [
    {
      id: `${owner}/verify`,
      title: `write ${SCRIPT_PATH}`,
      phase: 'configure',
      do: 'write',
      path: SCRIPT_PATH,
      mode: 0o755,
      content: script(waitForAddress ? 20 : 0),
    },
    ...ownServiceSteps({
      owner,
      name: 'c2m-verify',
      script: SERVICE,
      title: 'the service that reports how the boot went',
      runlevel: 'default',
    }),
  ]
}
