import type { Step } from '@c2m/plugin-api'
import { growRootScriptStep, GROW_ROOT_PATH } from '../machine/grow-root.js'
import { ownServiceSteps } from './own-service.js'

const SCRIPT = `#!/sbin/openrc-run

description="Grows the root file system to the disk."

depend() {
  need localmount
  keyword -containers -docker -lxc -vserver
}

start() {
  ebegin "Growing the root file system to the disk"
  ${GROW_ROOT_PATH} >/dev/null 2>&1
  eend $?
}
`

/** Needs sfdisk, partx, mountpoint (util-linux or busybox) and resize2fs in the machine. */
export function growRootServiceSteps(owner: string): readonly Step[] {
  return [
    growRootScriptStep(owner),
    ...ownServiceSteps({
      owner,
      name: 'c2m-grow-root',
      script: SCRIPT,
      title: 'the service that grows the root at boot',
      runlevel: 'boot',
    }),
  ]
}
