import { findRecord } from '../accounts/colon-file.js'
import type { ConfigurationReader } from '../files/configuration-reader.js'

const LARGEST_ID = 0xffff_fffe

/** systemd.exec(5), DynamicUser=: the first of its range, as an image needs the same one each time. */
export const DYNAMIC_ID = 61_184

/** Numbers of users and groups, by the machine's files. */
export class Accounts {
  readonly #passwd: string
  readonly #group: string

  private constructor(passwd: string, group: string) {
    this.#passwd = passwd
    this.#group = group
  }

  static async read(reader: ConfigurationReader): Promise<Accounts> {
    return new Accounts((await reader.text('/etc/passwd')) ?? '', (await reader.text('/etc/group')) ?? '')
  }

  /** By name or number; undefined when there is none of that name. */
  user(name: string): { readonly uid: number; readonly gid: number; readonly home: string } | undefined {
    const record = this.#passwdRecord(name)
    const uid = idOf(record?.[2] ?? name)
    if (uid === undefined) return undefined
    const home = record?.[5] ?? '/'
    return { uid, gid: idOf(record?.[3] ?? '') ?? uid, home: home.startsWith('/') ? home : '/' }
  }

  gid(name: string): number | undefined {
    return idOf(findRecord(this.#group, name)?.[2] ?? name)
  }

  #passwdRecord(name: string): readonly string[] | undefined {
    if (!/^\d+$/.test(name)) return findRecord(this.#passwd, name)
    return this.#passwd
      .split('\n')
      .map((line) => line.split(':'))
      .find(([, , uid]) => uid === name)
  }
}

function idOf(text: string): number | undefined {
  const id = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN
  return id <= LARGEST_ID ? id : undefined
}
