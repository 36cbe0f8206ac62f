import { describe, expect, it } from 'vitest'
import { limitFiles, ownGroup } from './cgroup.js'

const UNIFIED = '30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate'

describe('ownGroup', () => {
  it('is below the mount', () => {
    const own = '0::/user.slice/user-1000.slice/session-2.scope\n'
    const path = '/sys/fs/cgroup/user.slice/user-1000.slice/session-2.scope'
    expect(ownGroup(`22 1 0:5 / /proc rw - proc proc rw\n${UNIFIED}\n`, own)).toEqual({ mount: '/sys/fs/cgroup', path })
  })
  it('is found in a hybrid hierarchy, and in a container that sees a part of it', () => {
    const hybrid = '31 30 0:27 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw'
    expect(ownGroup(hybrid, '4:memory:/x\n0::/a\n')?.path).toBe('/sys/fs/cgroup/unified/a')
    const part = '31 30 0:27 /docker/abc /sys/fs/cgroup ro - cgroup2 cgroup rw'
    expect(ownGroup(part, '0::/docker/abc/init\n')?.path).toBe('/sys/fs/cgroup/init')
    expect(ownGroup(part, '0::/elsewhere\n')?.path).toBe('/sys/fs/cgroup')
  })
  it('is nowhere without cgroup v2', () => {
    expect(ownGroup('31 30 0:27 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids', '8:pids:/\n')).toBeUndefined()
  })
})

describe('limitFiles', () => {
  it('are what the kernel reads', () => {
    expect(limitFiles({ memory: 536870912, cpus: 1.5, pids: 100 })).toEqual([
      ['memory.max', '536870912'],
      ['memory.swap.max', '0', true],
      ['cpu.max', '150000 100000'],
      ['pids.max', '100'],
    ])
    expect(limitFiles({})).toEqual([])
  })
})
