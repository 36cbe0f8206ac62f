import type { Step } from '@c2m/plugin-api'
import { ownUnitSteps } from '../systemd/own-unit.js'
import { VERIFICATION_PORT, VERIFICATION_SCRIPT_PATH, verificationScript } from './verification-script.js'

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
ExecStart=${VERIFICATION_SCRIPT_PATH}
`

const AWAIT_BOOT = `state=unknown
tries=0
while [ "$tries" -lt 600 ]; do
  state=$(systemctl is-system-running 2>/dev/null)
  case $state in
    '' | initializing | starting | offline | unknown) ;;
    *) break ;;
  esac
  tries=$((tries + 1))
  sleep 1
done`

const FIND_FAILED = `failed=$(systemctl list-units --state=failed --plain --no-legend --no-pager 2>/dev/null |
  while read -r unit _; do printf '%s ' "$unit"; done)`

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
  const script = verificationScript({
    waitForAddress,
    awaitBoot: AWAIT_BOOT,
    findFailed: FIND_FAILED,
    port: `/dev/virtio-ports/${VERIFICATION_PORT}`,
  })
  return [
    write('verify', VERIFICATION_SCRIPT_PATH, 0o755, script),
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
