import type { Step } from '@c2m/plugin-api'
import { VERIFICATION_PORT, VERIFICATION_SCRIPT_PATH, verificationScript } from '../machine/verification-script.js'
import { ownServiceSteps } from './own-service.js'

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
      setsid ${VERIFICATION_SCRIPT_PATH} "/dev/\${name##*/}" </dev/null >/dev/null 2>&1 &
    fi
  done
  return 0
}
`

/**
 * OpenRC's words (rc-status(8)): the boot is over when nothing is starting and the runlevel is 'default'; failed is what did
 * not start, what of the runlevels is not started, and what has crashed.
 */
const AWAIT_BOOT = `rc=/run/openrc

state=starting
tries=0
while [ "$tries" -lt 600 ]; do
  if [ "$(cat $rc/softlevel 2>/dev/null)" = default ] && [ ! -e $rc/rc.starting ] && [ -z "$(ls $rc/starting)" ]; then
    state=running
    break
  fi
  tries=$((tries + 1))
  sleep 1
done`

const FIND_FAILED = `failed=$({
  ls $rc/failed
  for service in /etc/runlevels/sysinit/* /etc/runlevels/boot/* /etc/runlevels/default/*; do
    name=\${service##*/}
    if [ -e "$service" ] && [ ! -e "$rc/started/$name" ] && [ ! -e "$rc/inactive/$name" ]; then echo "$name"; fi
  done
  rc-status --crashed
} 2>/dev/null | tr -d ' ' | sort -u | tr '\\n' ' ')
if [ -n "$failed" ] && [ "$state" = running ]; then state=degraded; fi`

/** @param waitForAddress whether the machine is to get an address from its network */
export function verificationServiceSteps(
  owner: string,
  { waitForAddress }: { readonly waitForAddress: boolean },
): readonly Step[] {
  return [
    {
      id: `${owner}/verify`,
      title: `write ${VERIFICATION_SCRIPT_PATH}`,
      phase: 'configure',
      do: 'write',
      path: VERIFICATION_SCRIPT_PATH,
      mode: 0o755,
      content: verificationScript({ waitForAddress, awaitBoot: AWAIT_BOOT, findFailed: FIND_FAILED, port: '$1' }),
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
