import type { ConfigurationReader } from '../files/configuration-reader.js'

const LARGEST_ID = 0xffff_fffe

/** systemd.exec(5), DynamicUser=: the first of its range, as an image needs the same one each time. */
export const DYNAMIC_ID = 61_184

type Records = ReadonlyMap<string, readonly string[]>

/** Numbers of users and groups, by the machine's files. */
export class Accounts {
  readonly #users: Records
  readonly #usersByNumber: Records
  readonly #groups: Records

  private constructor(passwd: string, group: string) {
    this.#users = recordsBy(passwd, 0)
    this.#usersByNumber = recordsBy(passwd, 2)
    this.#groups = recordsBy(group, 0)
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
    return idOf(this.#groups.get(name)?.[2] ?? name)
  }

  /** Whether a group is the user's own (passwd(5)) or has it as a member (group(5)). */
  isMember(user: string, group: string): boolean {
    const account = this.user(user)
    if (account === undefined) return false
    if (account.gid === this.gid(group)) return true
    const members = this.#groups.get(group)?.[3] ?? ''
    return members.split(',').includes(this.#passwdRecord(user)?.[0] ?? user)
  }

  /**
   * Both as an image's configuration has them. A group that is the user's own anyway is not named: a runtime takes a user's
   * further groups from group(5) only where none is.
   */
  imageUser(user: string, group: string | undefined): string {
    if (group === undefined || group === '' || this.user(user)?.gid === this.gid(group)) return user
    return `${user}:${group}`
  }

  #passwdRecord(name: string): readonly string[] | undefined {
    return (/^\d+$/.test(name) ? this.#usersByNumber : this.#users).get(name)
  }
}

/** The first line of each name or number counts, as for the C library. */
function recordsBy(text: string, field: number): Records {
  const records = new Map<string, readonly string[]>()
  for (const line of text.split('\n')) {
    const fields = line.split(':')
    const key = fields[field]
    if (fields.length > 1 && key !== undefined && !records.has(key)) records.set(key, fields)
  }
  return records
}

function idOf(text: string): number | undefined {
  const id = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN
  return id <= LARGEST_ID ? id : undefined
}
