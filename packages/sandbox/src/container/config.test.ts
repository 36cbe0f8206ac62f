import { describe, expect, it } from 'vitest'
import { containerConfig, type ContainerProcess } from './config.js'
import { seccompFilter } from './seccomp.js'

const process: ContainerProcess = {
  argv: ['/bin/sh'],
  environment: { OPTIND: 'abc', 'a.b': "it's $HOME\n", EMPTY: '' },
  workingDirectory: '/',
  user: { uid: 33, gid: 5, groups: [7] },
  terminal: undefined,
}
const options = { root: '/tree', pidNamespace: '/ns', sys: undefined, mapped: true, processes: 7 }

interface Config {
  readonly process: {
    readonly env: readonly string[]
    readonly noNewPrivileges: boolean
    readonly capabilities: Readonly<Record<string, readonly string[]>>
  }
}

describe('the configuration of a container', () => {
  it('hands variables on as they are, whatever a shell would make of them', () => {
    const { process: made } = containerConfig(process, options) as Config
    expect(made.env).toEqual(['OPTIND=abc', "a.b=it's $HOME\n", 'EMPTY='])
    expect(made.noNewPrivileges).toBe(true)
  })

  it('gives capabilities to root alone, and devices to the host’s root alone', () => {
    const user = containerConfig(process, options) as Config
    expect(user.process.capabilities.effective).toEqual([])
    expect(user.process.capabilities.ambient).toEqual([])
    const root = { ...process, user: { uid: 0, gid: 0, groups: [] } }
    const mapped = (containerConfig(root, options) as Config).process.capabilities
    expect(mapped.effective).toHaveLength(11)
    expect(mapped.bounding).not.toContain('CAP_MKNOD')
    const trusted = (containerConfig(root, { ...options, mapped: false }) as Config).process.capabilities
    expect(trusted.bounding).toContain('CAP_MKNOD')
    for (const name of ['CAP_SYS_ADMIN', 'CAP_SYS_PTRACE', 'CAP_NET_ADMIN', 'CAP_NET_RAW', 'CAP_SYS_MODULE'])
      expect(trusted.bounding).not.toContain(name)
  })
})

describe('the filter of system calls', () => {
  it('names each call once', () => {
    const [allowed, refused] = seccompFilter('x64').syscalls
    const names = [...(allowed?.names ?? []), ...(refused?.names ?? [])]
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([])
    expect(names.every((name) => /^[a-z_0-9]+$/.test(name))).toBe(true)
  })

  it('fails for what it does not know as an old kernel does', () => {
    expect(seccompFilter('x64')).toMatchObject({ defaultAction: 'SCMP_ACT_ERRNO', defaultErrnoRet: 38 })
    expect(seccompFilter('x64').architectures).not.toContain('SCMP_ARCH_X32')
  })

  it.each([
    'unshare',
    'setns',
    'mount',
    'keyctl',
    'bpf',
    'io_uring_setup',
    'pidfd_getfd',
    'kexec_load',
    'clone3',
    'open_by_handle_at',
  ])('does not allow %s', (call) => {
    const allowing = seccompFilter('x64').syscalls.filter(({ action }) => action === 'SCMP_ACT_ALLOW')
    expect(allowing.some(({ names }) => names.includes(call))).toBe(false)
  })
})
