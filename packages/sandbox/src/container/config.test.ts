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
const options = { root: '/tree', pidNamespace: '/ns', sys: undefined, architecture: 'amd64', processes: 7 }

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

  it('gives capabilities to root alone, and none that reaches the host', () => {
    const user = containerConfig(process, options) as Config
    expect(user.process.capabilities.effective).toEqual([])
    expect(user.process.capabilities.ambient).toEqual([])
    const root = containerConfig({ ...process, user: { uid: 0, gid: 0, groups: [] } }, options) as Config
    expect(root.process.capabilities.effective).toHaveLength(11)
    for (const name of ['MKNOD', 'SYS_ADMIN', 'SYS_PTRACE', 'NET_ADMIN', 'NET_RAW', 'SYS_MODULE', 'DAC_READ_SEARCH'])
      expect(root.process.capabilities.bounding).not.toContain(`CAP_${name}`)
  })
})

describe('the filter of system calls', () => {
  it('names each call once', () => {
    const [allowed, refused] = seccompFilter('x64', 'amd64').syscalls
    const names = [...(allowed?.names ?? []), ...(refused?.names ?? [])]
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([])
    expect(names.every((name) => /^[a-z_0-9]+$/.test(name))).toBe(true)
  })

  it('fails for what it does not know as an old kernel does', () => {
    expect(seccompFilter('x64', 'amd64')).toMatchObject({ defaultAction: 'SCMP_ACT_ERRNO', defaultErrnoRet: 38 })
    expect(seccompFilter('x64', 'amd64').architectures).not.toContain('SCMP_ARCH_X32')
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
    'socketcall',
    'open_by_handle_at',
  ])('does not allow %s', (call) => {
    const allowing = seccompFilter('x64', 'amd64').syscalls.filter(({ action }) => action === 'SCMP_ACT_ALLOW')
    expect(allowing.some(({ names }) => names.includes(call))).toBe(false)
  })
})
