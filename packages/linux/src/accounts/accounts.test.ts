import { describe, expect, it } from 'vitest'
import {
  addAccount,
  addToGroup,
  findAccount,
  NO_PASSWORD,
  passwordOf,
  setPassword,
  settleLastChange,
  type AccountFiles,
} from './accounts.js'

const files: AccountFiles = {
  passwd: 'root:x:0:0:root:/root:/bin/bash\n# a comment\nnode:x:1000:1000:N\u00e4me:/home/node:/bin/sh\n+::::::\n',
  shadow: 'root:*:19000:0:99999:7:::\nnode:!:19000:0:99999:7:::\n',
  group: 'root:x:0:\nsudo:x:27:node\nnode:x:1000:\nextra:x:1001:\n',
  gshadow: 'root:*::\nsudo:*::node\n',
}
const HASH = `$6$salt$${'x'.repeat(86)}`

describe('addAccount', () => {
  it('takes the first id that neither a user nor a group has, and keeps foreign lines', () => {
    const added = addAccount(files, 'alice', { home: '/home/alice', shell: '/bin/bash' })
    expect(findAccount(added, 'alice')).toEqual({ name: 'alice', uid: 1002, gid: 1002, home: '/home/alice' })
    expect(added.passwd.startsWith(files.passwd)).toBe(true)
    expect(passwordOf(added, 'alice')).toBe(NO_PASSWORD)
    expect(added.gshadow).toContain('alice:!::')
  })
  it('leaves one who exists alone', () => {
    expect(addAccount(files, 'node', { home: '/x', shell: '/y' })).toEqual(files)
  })
  it.each(['', 'Root', 'a:b', 'a\nb', '-x', '../x', 'x'.repeat(33)])('refuses the name %j', (name) => {
    expect(() => addAccount(files, name, { home: '/x', shell: '/y' })).toThrow(/no user or group name/)
  })
})

describe('addToGroup', () => {
  it('joins once, in both files', () => {
    const joined = addToGroup(addToGroup(files, 'alice', 'sudo'), 'alice', 'sudo')
    expect(joined.group).toContain('sudo:x:27:node,alice\n')
    expect(joined.gshadow).toContain('sudo:*::node,alice\n')
  })
  it('makes a group that is missing, as a system group', () => {
    expect(addToGroup(files, 'alice', 'docker').group).toContain('docker:x:999:alice\n')
  })
})

describe('setPassword', () => {
  it('sets a hash and makes passwd point to shadow', () => {
    const set = setPassword({ ...files, passwd: files.passwd.replace('root:x', 'root:') }, 'root', HASH)
    expect(passwordOf(set, 'root')).toBe(HASH)
    expect(set.shadow).toContain(`root:${HASH}:19000:`)
  })
  it.each(['secret', '', 'x:0:0', '$6$a:b$cccccccccc', '$6$short\nroot::'])(
    'does not take %j for a hash, nor repeat it',
    (hash) => {
      const message = (() => {
        try {
          setPassword(files, 'root', hash)
        } catch (error) {
          return (error as Error).message
        }
        return ''
      })()
      expect(message).toMatch(/not a crypt\(5\) hash/)
      if (hash.length > 3) expect(message).not.toContain(hash)
    },
  )
})

describe('settleLastChange', () => {
  it('gives a fixed date to what was added only', () => {
    const added = { ...files, shadow: `${files.shadow}sshd:!:20778::::::\nsys:!:::::::\n` }
    const settled = settleLastChange(added, files, 19_500)
    expect(settled.shadow).toContain('sshd:!:19500::')
    expect(settled.shadow).toContain('sys:!:::')
    expect(settled.shadow).toContain('root:*:19000:')
  })
})
