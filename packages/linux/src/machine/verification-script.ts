/** Name of the virtio-serial port over which a machine tells c2m how its boot went. */
export const VERIFICATION_PORT = 'org.c2m.verify'

/** Where the report's script is in the machine. */
export const VERIFICATION_SCRIPT_PATH = '/usr/local/lib/c2m/verify'

/** The network part of the report's script: sets `found`, waiting for a first address if the machine is to get one. */
function addresses(waitForAddress: boolean): string {
  return `addresses() {
  ip -o address show scope global 2>/dev/null | while read -r _ _ _ address _; do printf '%s ' "\${address%%/*}"; done
}
found=$(addresses)
waited=0
while [ -z "$found" ] && [ "$waited" -lt ${waitForAddress ? 20 : 0} ]; do
  sleep 1
  waited=$((waited + 1))
  found=$(addresses)
done`
}

export interface VerificationScript {
  /** Whether the machine is to get an address from its network. */
  readonly waitForAddress: boolean
  /** Shell that waits for the end of the boot and sets `state` to one of systemd's words for it (systemctl(1), is-system-running). */
  readonly awaitBoot: string
  /** Shell that sets `failed` to the names of what failed, each with a blank behind it. */
  readonly findFailed: string
  /** The port's device, as a word of shell. */
  readonly port: string
}

/**
 * The script of the report, one line each, 'end' last:
 *
 *     c2m-verify 1
 *     state=running            or degraded, maintenance, …
 *     failed=a.service …       failed units or services
 *     root=rw                  or ro
 *     addresses=192.0.2.5 …    of global scope
 *     uptime=12.34             seconds
 *     end
 */
export function verificationScript({ waitForAddress, awaitBoot, findFailed, port }: VerificationScript): string {
  return `#!/bin/sh
# Writes how the boot went to the virtio-serial port ${VERIFICATION_PORT}.
export LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

${awaitBoot}

${addresses(waitForAddress)}

${findFailed}

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
} >"${port}"
`
}
