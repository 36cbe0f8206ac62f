import { treeOf } from '@c2m/testkit'
import { describe, expect, it } from 'vitest'
import { resolveUser } from './user.js'

const tree = await treeOf({
  'etc/passwd': 'root:x:0:0:root:/root:/bin/sh\nweb:x:33:34:web:/srv:/bin/sh\nfar:x:70000:7:::\n',
  'etc/group': 'root:x:0:\nweb:x:34:\nlog:x:4:web,root\ndisk:x:6:other\n',
})

describe('resolveUser', () => {
  it.each([
    ['', { uid: 0, gid: 0, groups: [4], home: '/root' }],
    ['web', { uid: 33, gid: 34, groups: [4], home: '/srv' }],
    ['33', { uid: 33, gid: 34, groups: [4], home: '/srv' }],
    ['web:disk', { uid: 33, gid: 6, groups: [], home: '/srv' }],
    ['1000', { uid: 1000, gid: 0, groups: [], home: '/' }],
    ['1000:1001', { uid: 1000, gid: 1001, groups: [], home: '/' }],
  ])('finds %j', async (spec, user) => {
    expect(await resolveUser(spec, tree)).toEqual(user)
  })
  it.each([
    ['nobody-there', /has no user nobody-there/],
    ['web:nothing', /has no group nothing/],
    ['far', /not 70000/],
    ['65536', /not 65536/],
    ['a:b:c', /more than one colon/],
  ])('refuses %j', async (spec, message) => {
    await expect(resolveUser(spec, tree)).rejects.toThrow(message)
    await expect(resolveUser(spec, tree)).rejects.toMatchObject({ code: 'C2M_SHELL_USER', exitCode: 2 })
  })
})
