import type { RootfsEdit } from '@c2m/plugin-api'
import { exists } from '../files/read.js'
import { editText } from '../files/write.js'
import { allRecords, appendRecord, findRecord } from './colon-file.js'

/** login.defs(5): SUB_UID_MIN and SUB_UID_COUNT. */
const FIRST = 100_000
const COUNT = 65_536

/** Gives a user subordinate ids (subuid(5)), as useradd does where the files exist. */
export async function addSubordinateIds(edit: RootfsEdit, user: string): Promise<void> {
  for (const path of ['etc/subuid', 'etc/subgid']) {
    if (!(await exists(edit, path))) continue
    await editText(edit, path, (text) => {
      if (findRecord(text, user) !== undefined) return text
      const ends = allRecords(text).map(([, start, count]) => Number(start) + Number(count))
      const start = Math.max(FIRST, ...ends.filter((end) => Number.isSafeInteger(end)))
      return appendRecord(text, [user, String(start), String(COUNT)])
    })
  }
}
