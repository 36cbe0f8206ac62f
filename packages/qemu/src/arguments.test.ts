import { describe, expect, it } from 'vitest'
import { guestArchitecture } from './architecture.js'
import { machineArguments, type MachineDescription } from './arguments.js'

const MACHINE: MachineDescription = {
  architecture: guestArchitecture('amd64'),
  accel: 'tcg',
  firmware: { code: 'bios-256k.bin' },
  disk: '/tmp/a,b.img',
  diskDriver: 'file',
  format: 'raw',
  snapshot: true,
  memoryMiB: 512,
  cpus: 2,
  isolated: false,
  exitOnReboot: true,
}

function text(change: Partial<MachineDescription> = {}): string {
  return machineArguments({ ...MACHINE, ...change }).join(' ')
}

describe('machineArguments', () => {
  it('names the format and doubles commas in paths', () => {
    expect(text()).toContain('format=raw,file.driver=file,file.filename=/tmp/a,,b.img,snapshot=on')
    expect(text({ format: 'vhd', snapshot: false })).toMatch(/format=vpc,.*discard=unmap/)
    expect(text({ snapshot: false })).not.toContain('snapshot')
  })

  it('starts from nothing and never shows a window', () => {
    expect(text()).toMatch(/^-nodefaults -no-user-config .*-display none/)
  })

  it('separates the guest from the network when told so', () => {
    expect(text({ isolated: true })).toContain('user,id=net0,restrict=on')
    expect(text({ hardware: { disk: 'nvme', network: 'none' } })).not.toContain('-netdev')
  })

  it('forwards ports from the loopback interface only', () => {
    expect(text({ forwards: [{ hostPort: 2222, guestPort: 22 }] })).toContain('hostfwd=tcp:127.0.0.1:2222-:22')
  })

  it('gives UEFI its own store of variables', () => {
    const uefi = text({ firmware: { code: '/f/CODE.fd', varsTemplate: '/f/VARS.fd' }, vars: '/tmp/v.fd' })
    expect(uefi).toContain('if=pflash,unit=0,format=raw,readonly=on,file.driver=file,file.filename=/f/CODE.fd')
    expect(uefi).toContain('if=pflash,unit=1,format=raw,file.driver=file,file.filename=/tmp/v.fd')
    expect(uefi).not.toContain('/f/VARS.fd')
  })

  it('adds the port for the guest’s word only when asked', () => {
    expect(text()).not.toContain('virtserialport')
    expect(text({ channel: 'org.c2m.verify' })).toContain('virtserialport,chardev=channel0,name=org.c2m.verify')
  })

  it.each([
    [{ memoryMiB: 1.5 }, 'C2M_QEMU_OPTION'],
    [{ memoryMiB: 0 }, 'C2M_QEMU_OPTION'],
    [{ cpus: 0 }, 'C2M_QEMU_OPTION'],
    [{ format: 'raw,file.driver=nbd' }, 'C2M_QEMU_OPTION'],
    [{ format: '' }, 'C2M_QEMU_OPTION'],
    [{ forwards: [{ hostPort: 0, guestPort: 22 }] }, 'C2M_QEMU_OPTION'],
    [{ forwards: [{ hostPort: 22, guestPort: 65536 }] }, 'C2M_QEMU_OPTION'],
    [{ hardware: { disk: 'floppy' as never, network: 'none' as const } }, 'C2M_QEMU_HARDWARE'],
    [{ hardware: { disk: 'nvme' as const, network: 'toString' as never } }, 'C2M_QEMU_HARDWARE'],
  ])('refuses %j', (change, code) => {
    expect(() => text(change)).toThrow(expect.objectContaining({ code, exitCode: 2 }))
  })
})
