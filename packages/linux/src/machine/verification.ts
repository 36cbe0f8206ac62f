import type { Step } from '@c2m/plugin-api'
import { ownUnitSteps } from '../systemd/own-unit.js'

/** Name of the virtio-serial port over which a machine tells c2m how its boot went. */
export const VERIFICATION_PORT = 'org.c2m.verify'

const SCRIPT_PATH = '/usr/local/lib/c2m/verify'
const NAME = 'c2m-verify.service'

/** As soon as udev sees the port, and on no machine that lacks it. */
const RULE = `# Reports to whoever gave this machine the port ${VERIFICATION_PORT} how its boot went.
ACTION!="remove", SUBSYSTEM=="virtio-ports", ATTR{name}=="${VERIFICATION_PORT}", TAG+="systemd", ENV{SYSTEMD_WANTS}+="${NAME}"
`

/**
 * Type=simple: its job is done as soon as it runs, so it is not a part of the boot that it waits for. Without default
 * dependencies it also runs, and reports, when the boot ends in emergency mode.
 */
const UNIT = `[Unit]
Description=Report how the boot went
DefaultDependencies=no
Conflicts=shutdown.target
Before=shutdown.target
IgnoreOnIsolate=yes
ConditionPathExists=/dev/virtio-ports/${VERIFICATION_PORT}

[Service]
Type=simple
ExecStart=${SCRIPT_PATH}
`

/**
 * The report, one line each, 'end' last:
 *
 *     c2m-verify 1
 *     state=running            of systemctl is-system-running once the boot is over
 *     failed=a.service …       failed units
 *     root=rw                  or ro
 *     addresses=192.0.2.5 …    of global scope
 *     uptime=12.34             seconds
 *     end
 */
function script(secondsForAddress: number): string {
  return `#!/bin/sh
# Writes how the boot went to the virtio-serial port ${VERIFICATION_PORT}.
export LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

state=unknown
tries=0
while [ "$tries" -lt 600 ]; do
  state=$(systemctl is-system-running 2>/dev/null)
  case $state in
    '' | initializing | starting | offline | unknown) ;;
    *) break ;;
  esac
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

failed=$(systemctl list-units --state=failed --plain --no-legend --no-pager 2>/dev/null |
  while read -r unit _; do printf '%s ' "$unit"; done)

root=ro
while read -r _ directory _ options _; do
  if [ "$directory" = / ]; then root=\${options%%,*}; fi
done </proc/self/mounts

read -r uptime _ </proc/uptime

{
  echo 'c2m-verify 1'
  echo "state=\${state:-unknown}"
  echo "failed=\${failed% }"
  echo "root=$root"
  echo "addresses=\${found% }"
  echo "uptime=$uptime"
  echo end
} >/dev/virtio-ports/${VERIFICATION_PORT}
`
}

/** @param waitForAddress whether the machine is to get an address from its network */
export function verificationSteps(
  owner: string,
  { waitForAddress }: { readonly waitForAddress: boolean },
): readonly Step[] {
  const write = (id: string, path: string, mode: number, content: string): Step => ({
    id: `${owner}/${id}`,
    title: `write ${path}`,
    phase: 'configure',
    do: 'write',
    path,
    mode,
    content,
  })
  return [
    write('verify', SCRIPT_PATH, 0o755, script(waitForAddress ? 20 : 0)),
    write('verify-rule', '/etc/udev/rules.d/90-c2m-verify.rules', 0o644, RULE),
    ...ownUnitSteps({
      owner,
      name: NAME,
      content: UNIT,
      title: 'the unit that reports how the boot went',
      wantedBy: [],
    }),
  ]
}
