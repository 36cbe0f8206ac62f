import { execFile, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { promisify } from 'node:util'
import { findTool, freePort, silentReporter } from '@c2m/process'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { chooseAccelerator, probe } from './accelerator.js'
import { guestArchitecture } from './architecture.js'
import { findFirmware } from './firmware.js'
import { startGuest, type Guest, type GuestOptions } from './guest.js'
import { bootInteractive } from './interactive.js'
import { verifyBoot } from './verify.js'

/**
 * A boot sector that prints 'ready', then obeys what is typed on the serial port: r resets, o powers off, q ends QEMU
 * through isa-debug-exit, w writes itself to the disk's second sector through the BIOS and prints 'written', any other
 * key is echoed. The ACPI power button (PM1a events at port 0x600) powers it off, too.
 */
const COMMAND_GUEST = `
  fa31c08ed88ec08ed0bc007c8816827cfcba0206b80001efbe837ce85800ba0006edf6c4017525bafd03eca80174efbaf803
  ec3c72740f3c6f74113c7174163c777418eeebd8b0fee664ebd2ba0406b80020efebc9baf401eeebc3b80103bb007cb90200
  b6008a16827ccd1372b0be8a7ce80200eba8baf803ac84c07403eeebf8c30072656164790a007772697474656e0a00`

/** A boot sector that prints what follows it on the serial port, a zero at its end, and halts. */
const PRINTING_GUEST = 'fa31c08ed8be157cbaf803ac84c07403eeebf8f4ebfd'

function bootDisk(code: string, text = ''): Buffer {
  const disk = Buffer.alloc(1024 * 1024)
  const head = Buffer.from(code.replace(/\s/g, ''), 'hex')
  head.copy(disk)
  if (text !== '') disk.write(`${text}\0`, head.length, 'latin1')
  disk.writeUInt16BE(0x55aa, 510)
  return disk
}

const qemu = await findTool('qemu-system-x86_64')
if (qemu === undefined) console.warn('SKIPPED: tests of @c2m/qemu need QEMU: apt-get install qemu-system-x86')
const uefi = await findFirmware('uefi', 'amd64').catch(() => undefined)
if (uefi === undefined) console.warn('SKIPPED: a test of @c2m/qemu needs UEFI firmware: apt-get install ovmf')

describe.skipIf(qemu === undefined)('a disk in QEMU', { timeout: 60_000 }, () => {
  let folder: string
  let disk: string
  let temporary: string | undefined

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'c2m-qemu-test-'))
    disk = join(folder, 'with,comma.img')
    temporary = process.env.TMPDIR
    process.env.TMPDIR = join(folder, 'tmp')
    await mkdir(process.env.TMPDIR)
  })
  afterEach(async () => {
    expect(await readdir(join(folder, 'tmp'))).toEqual([])
    expect(await processesOf(folder)).toEqual([])
  })
  afterAll(async () => {
    if (temporary === undefined) delete process.env.TMPDIR
    else process.env.TMPDIR = temporary
    await rm(folder, { recursive: true })
  })

  async function options(change: Partial<GuestOptions> = {}, content = bootDisk(COMMAND_GUEST)): Promise<GuestOptions> {
    await writeFile(disk, content)
    return { disk, format: 'raw', firmware: 'bios', snapshot: true, memoryMiB: 64, accelerator: 'tcg', ...change }
  }

  async function ready(change: Partial<GuestOptions> = {}): Promise<Guest> {
    const guest = await startGuest({ hardware: { disk: 'virtio', network: 'none' }, ...(await options(change)) })
    await guest.waitFor('ready', 20_000)
    return guest
  }

  it('talks over the serial console, and logs it', async () => {
    const log = join(folder, 'console.log')
    {
      await using guest = await ready({ log })
      guest.send('hey!')
      await guest.waitFor(/h.*!/, 5000)
      expect(guest.serialLog()).toMatch(/ready\nhey!$/)
    }
    expect(await readFile(log, 'utf8')).toMatch(/ready\nhey!$/)
  })

  it.each(['virtio', 'ahci', 'nvme', 'pvscsi', 'virtio-scsi'] as const)(
    'boots from %s, and leaves the disk alone',
    async (name) => {
      await using guest = await ready({ hardware: { disk: name, network: 'none' } })
      const before = await digest(disk)
      guest.send('w')
      await guest.waitFor('written', 5000)
      await guest.quit()
      expect(await digest(disk)).toBe(before)
    },
  )

  it('writes to the disk without snapshot', async () => {
    await using guest = await ready({ snapshot: false })
    guest.send('w')
    await guest.waitFor('written', 5000)
    expect((await guest.quit()).reason).toBe('host-qmp-quit')
    const content = await readFile(disk)
    expect(content.subarray(512, 522)).toEqual(content.subarray(0, 10))
  })

  it.each(['virtio', 'e1000', 'e1000e', 'vmxnet3'] as const)('has the network card %s', async (network) => {
    await using guest = await ready({ hardware: { disk: 'virtio', network } })
    expect(guest.accelerator).toBe('tcg')
  })

  it('presses the power button', async () => {
    await using guest = await ready()
    await guest.powerdown()
    expect(await guest.exited).toMatchObject({ code: 0, reason: 'guest-shutdown' })
  })

  it('ends when the guest resets, and says so to those who wait', async () => {
    await using guest = await ready()
    const waiting = guest.waitFor('login', 20_000)
    guest.send('r')
    await expect(waiting).rejects.toMatchObject({
      code: 'C2M_GUEST_ENDED',
      message: expect.stringMatching(/rebooted/) as string,
    })
  })

  it('lets the guest reset when told so', async () => {
    await using guest = await ready({ exitOnReboot: false })
    guest.send('r')
    await guest.waitFor('ready', 20_000)
  })

  it('passes further arguments and the exit code', async () => {
    await using guest = await ready({ extraArgs: ['-device', 'isa-debug-exit,iobase=0x1f4'] })
    guest.send('q')
    expect((await guest.exited).code).toBe((0x71 << 1) | 1)
  })

  it('ends QEMU when aborted, before and after its start', async () => {
    await expect(ready({ signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'C2M_INTERRUPTED',
      exitCode: 130,
    })
    const scope = new AbortController()
    await using guest = await ready({ signal: scope.signal })
    scope.abort()
    expect((await guest.exited).reason).toBe('host-signal')
  })

  it('shows what QEMU said when it does not start', async () => {
    await expect(ready({ extraArgs: ['-device', 'flux-capacitor'] })).rejects.toMatchObject({
      code: 'C2M_QEMU_FAILED',
      message: expect.stringMatching(/flux-capacitor/) as string,
    })
    await expect(ready({ format: 'qcow2' })).rejects.toThrow(/not in qcow2 format/)
    await expect(startGuest({ ...(await options()), disk: join(folder, 'none') })).rejects.toMatchObject({
      code: 'C2M_FILE_ENOENT',
    })
    await expect(ready({ log: join(folder, 'no/such/folder') })).rejects.toMatchObject({ code: 'C2M_FILE_ENOENT' })
  })

  it('says that a port or the disk is in use', async () => {
    const port = await freePort()
    const server = createServer().listen(port, '127.0.0.1')
    const hardware = { disk: 'virtio', network: 'virtio' } as const
    await expect(ready({ hardware, forwards: [{ hostPort: port, guestPort: 22 }] })).rejects.toMatchObject({
      code: 'C2M_PORT_IN_USE',
    })
    await new Promise((resolve) => server.close(resolve))
    await using _guest = await ready({ snapshot: false })
    await expect(startGuest({ ...(await options()), disk, snapshot: false })).rejects.toMatchObject({
      code: 'C2M_DISK_IN_USE',
    })
  })

  it.skipIf(uefi === undefined)('starts UEFI with variables of its own', async () => {
    const before = await digest(uefi?.varsTemplate ?? '')
    await using guest = await startGuest(await options({ firmware: 'uefi', memoryMiB: 128 }))
    await guest.waitFor(/BdsDxe: .*/, 60_000)
    await guest.quit()
    expect(await digest(uefi?.varsTemplate ?? '')).toBe(before)
  })

  it('sweeps what a killed run left', async () => {
    const killed = `const { makeTemporaryFolder } = await import('${import.meta.resolve('@c2m/process')}')
      await makeTemporaryFolder(process.argv[1], 'c2m-qemu'); process.kill(process.pid, 'SIGKILL')`
    spawnSync(process.execPath, ['--input-type=module', '--eval', killed, '--', join(folder, 'tmp')])
    expect(await readdir(join(folder, 'tmp'))).toHaveLength(1)
    await probe(guestArchitecture('amd64'), qemu ?? '', 'tcg')
    expect(await readdir(join(folder, 'tmp'))).toEqual([])
  })

  it('runs interactively: keys in, output out, Ctrl-a x leaves', async () => {
    const [input, output, told] = [new PassThrough(), new PassThrough(), [] as string[]]
    let shown = ''
    output.on('data', (chunk: Buffer) => {
      const before = shown
      shown += chunk.toString()
      if (!before.includes('ready') && shown.includes('ready')) input.write('hi')
      if (!before.includes('hi') && shown.includes('hi')) input.write('\x01x')
    })
    const reporter = { info: (message: string) => void told.push(message) }
    expect(await bootInteractive({ ...(await options()), input, output, reporter })).toBe(0)
    expect(shown).toMatch(/SeaBIOS[^]*ready\nhi/)
    expect(told[0]).toMatch(/Ctrl-a x leaves/)
    expect(input.listenerCount('data') + input.listenerCount('error')).toBe(0)
  })

  it('restores the terminal when the guest ends and when QEMU dies', async () => {
    for (const [key, extraArgs] of [
      ['o', []],
      ['q', ['-device', 'isa-debug-exit,iobase=0x1f4']],
    ] as const) {
      const modes: boolean[] = []
      const input = Object.assign(new PassThrough(), { isTTY: true, setRawMode: (raw: boolean) => modes.push(raw) })
      const output = new PassThrough()
      output.on('data', (chunk: Buffer) => chunk.includes('y') && input.write(key))
      const running = bootInteractive({ ...(await options({ extraArgs })), input, output, reporter: silentReporter })
      if (key === 'o') expect(await running).toBe(0)
      else await expect(running).rejects.toMatchObject({ code: 'C2M_QEMU_FAILED' })
      expect(modes).toEqual([true, false])
    }
  })

  it('does not verify a disk that says nothing, dies, or resets', async () => {
    const verify = async (content: Buffer, timeoutMs: number) => {
      const { disk: path, ...rest } = await options({}, content)
      return verifyBoot({ ...rest, disk: path, firmwares: ['bios'], timeoutMs, reporter: silentReporter })
    }
    const failing = (text: RegExp) => ({ code: 'C2M_VERIFY_FAILED', message: expect.stringMatching(text) as string })
    await expect(verify(bootDisk(PRINTING_GUEST, 'Booting it'), 1500)).rejects.toMatchObject(
      failing(/did not report within 1\.5 s; .*\n[^]*Booting it/),
    )
    await expect(verify(bootDisk(PRINTING_GUEST, 'Kernel panic - not syncing: VFS'), 60_000)).rejects.toMatchObject(
      failing(/dead end: 'Kernel panic/),
    )
    await expect(verify(Buffer.alloc(1024 * 1024), 60_000)).rejects.toMatchObject(failing(/No bootable device/))
    await expect(verify(bootDisk('b0fee664f4'), 60_000)).rejects.toMatchObject(
      failing(/the guest rebooted before it was up/),
    )
  })

  it('interrupts a verification', async () => {
    const scope = new AbortController()
    const running = verifyBoot({
      ...(await options()),
      firmwares: ['bios'],
      timeoutMs: 60_000,
      signal: scope.signal,
      reporter: silentReporter,
    })
    setTimeout(() => scope.abort(), 500)
    await expect(running).rejects.toMatchObject({ code: 'C2M_INTERRUPTED' })
  })

  it('proves an accelerator with a guest in long mode', async () => {
    const guest = guestArchitecture('amd64')
    expect(await probe(guest, qemu ?? '', 'tcg')).toEqual({ accel: 'tcg', because: 'TCG ran a test guest' })
  })

  it('chooses an accelerator, and remembers what the test guest said until the next boot', async () => {
    const cache = join(folder, 'cache')
    const first = await chooseAccelerator({ cache })
    expect(first.because).not.toBe('')
    expect(await chooseAccelerator({ cache })).toEqual(first)
    const file = join(cache, 'qemu', 'accelerator.json')
    const saved = await readFile(file, 'utf8').catch(() => undefined)
    if (saved === undefined) return // without /dev/kvm there is nothing to remember
    await writeFile(file, saved.replace(/"because":"/, '$&remembered: '))
    expect((await chooseAccelerator({ cache })).because).toBe(`remembered: ${first.because}`)
    await writeFile(file, saved.replace(/"key":\["/, '$&another-boot-').replace(/"because":"/, '$&remembered: '))
    expect((await chooseAccelerator({ cache })).because).not.toMatch(/remembered/)
    await writeFile(file, 'rubbish')
    expect((await chooseAccelerator({ cache })).because).not.toMatch(/remembered/)
  })
})

async function digest(path: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(path))
    .digest('hex')
}

/** Command lines of running processes that name `folder`. */
async function processesOf(folder: string): Promise<string[]> {
  const { stdout } = await promisify(execFile)('ps', ['-eo', 'args'])
  return stdout.split('\n').filter((line) => line.includes('qemu-system') && line.includes(folder))
}
