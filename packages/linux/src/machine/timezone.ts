import type { Rootfs, Step } from '@c2m/plugin-api'
import { exists } from '../files/read.js'
import { makeSymlink, writeBytes } from '../files/write.js'

const ZONES = '/usr/share/zoneinfo'

/** A name of the tz database, e.g. 'Europe/Berlin'. @throws when it cannot be one */
export function checkTimezone(name: string): string {
  if (name.length <= 64 && /^[A-Za-z][A-Za-z0-9_+-]*(?:\/[A-Za-z0-9_+-]+){0,2}$/.test(name)) return name
  throw new Error(`'${name}' is no name of a time zone; write it like Europe/Berlin or UTC`)
}

export async function hasTimezone(rootfs: Rootfs, name: string): Promise<boolean> {
  return exists(rootfs, `${ZONES}/${checkTimezone(name)}`)
}

/** /etc/localtime as a link (localtime(5)), and /etc/timezone, which some packages read. */
export function timezoneSteps(owner: string, name: string): readonly Step[] {
  checkTimezone(name)
  return [
    {
      id: `${owner}/timezone`,
      title: `set the time zone ${name}`,
      phase: 'configure',
      do: 'custom',
      run: async ({ rootfs }) => {
        if (!(await hasTimezone(rootfs, name))) {
          throw new Error(`the machine knows no time zone '${name}'; see ${ZONES} or use a name such as Europe/Berlin`)
        }
        await makeSymlink(rootfs, 'etc/localtime', `${ZONES}/${name}`)
        await writeBytes(rootfs, 'etc/timezone', Buffer.from(`${name}\n`), { mode: 0o644 })
      },
    },
  ]
}
