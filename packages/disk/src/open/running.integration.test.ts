import { copyFile, mkdir, open, readFile, readdir, symlink, writeFile } from 'node:fs/promises'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { run } from '@c2m/process'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { serveDisk } from '../nbd/qemu-nbd.js'
import { MIB } from '../testing/plans.js'
import { convert, makeRawDisk, readContents } from '../testing/real-disks.js'
import { temporaryFolder } from '../testing/temporary.js'
import { haveTools } from '../testing/tools.js'
import { openDisk } from './open-disk.js'

const tools = await haveTools({ 'qemu-img': 'qemu-utils', 'qemu-nbd': 'qemu-utils' })
const emulator = await haveTools({ 'qemu-system-x86_64': 'qemu-system-x86' })
const IN_USE = { code: 'C2M_DISK_IN_USE' }

describe.skipIf(!tools)('around a disk that is read', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>
  let raw: string
  let qcow2: string
  let env: NodeJS.ProcessEnv
  const children: ChildProcess[] = []
  beforeEach(async () => {
    folder = await temporaryFolder()
    raw = folder.file('disk.img')
    qcow2 = folder.file('disk.qcow2')
    await makeRawDisk(raw)
    await convert(raw, qcow2, 'qcow2')
    await mkdir(folder.file('tmp'))
    env = { ...process.env, TMPDIR: folder.file('tmp') }
  })
  afterEach(async () => {
    for (const child of children.splice(0)) {
      if (child.exitCode !== null || child.signalCode !== null) continue
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
    await folder[Symbol.asyncDispose]()
  })

  const start = (file: string, args: string[], options: { env?: NodeJS.ProcessEnv } = {}) => {
    const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'], ...options })
    children.push(child)
    return child
  }
  /** A paused machine; its monitor answers when it has all its devices. */
  const startMachine = async (drive: string) => {
    const child = spawn('qemu-system-x86_64', [
      ...['-S', '-nodefaults', '-display', 'none', '-accel', 'tcg', '-m', '16', '-monitor', 'stdio', '-drive', drive],
    ])
    children.push(child)
    child.stdin.write('info status\n')
    let said = ''
    for await (const text of child.stdout.setEncoding('utf8')) {
      said += String(text)
      if (said.includes('VM status')) return child
    }
    throw new Error(`the machine did not start: ${said}`)
  }
  /** qemu-nbd processes that serve from this test's folder. */
  const servers = async () => {
    const found: number[] = []
    for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
      const command = await readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => '')
      if (command.includes('qemu-nbd\0') && command.includes(folder.path)) found.push(Number(pid))
    }
    return found
  }
  const nothingLeft = async () => {
    expect(await servers()).toEqual([])
    expect(await readdir(folder.file('tmp'))).toEqual([])
  }

  it.skipIf(!emulator)('a running machine is noticed, whatever its format', async () => {
    await convert(raw, folder.file('disk.vdi'), 'vdi')
    for (const [file, format] of [
      ['disk.img', 'raw'],
      ['disk.qcow2', 'qcow2'],
      ['disk.vdi', 'vdi'],
    ] as const) {
      const child = await startMachine(`file=${folder.file(file)},format=${format}`)
      await expect(openDisk(folder.file(file), { env }), format).rejects.toMatchObject(IN_USE)
      // where the lock cannot be looked up, QEMU itself meets it, but not with raw disks
      const node = { driver: format, file: { driver: 'file', filename: folder.file(file) } }
      if (format !== 'raw') await expect(serveDisk(node, file, { env })).rejects.toMatchObject(IN_USE)
      child.kill()
      await once(child, 'exit')
      await using _ = await openDisk(folder.file(file), { env })
    }
  })

  it.skipIf(!emulator)('a machine that runs on the base is noticed, one that only reads it is not', async () => {
    const top = folder.file('top.qcow2')
    await run('qemu-img', ['create', '-q', '-f', 'qcow2', '-b', qcow2, '-F', 'qcow2', top])
    const writer = await startMachine(`file=${qcow2},format=qcow2`)
    await expect(openDisk(top, { env })).rejects.toMatchObject(IN_USE)
    writer.kill()
    await once(writer, 'exit')
    await startMachine(`file=${qcow2},format=qcow2,snapshot=on`)
    await using _ = await openDisk(top, { env })
  })

  it("VMware's lock and a VirtualBox that holds the disk open are noticed", async () => {
    const vmdk = folder.file('disk.vmdk')
    await convert(raw, vmdk, 'vmdk')
    await mkdir(`${vmdk}.lck`)
    {
      await using _ = await openDisk(vmdk, { env })
    }
    await writeFile(`${vmdk}.lck/M12345.lck`, '')
    await expect(openDisk(vmdk, { env })).rejects.toMatchObject(IN_USE)

    // stands for VirtualBox, which takes no lock: a process of its name with the file open
    const standIn = folder.file('VBoxHeadless')
    await copyFile('/bin/sleep', standIn)
    await using file = await open(raw, 'r+')
    const child = spawn(standIn, ['60'], { stdio: ['ignore', 'pipe', 'inherit', file.fd] })
    children.push(child)
    await once(child, 'spawn')
    await expect(openDisk(raw, { env })).rejects.toMatchObject(IN_USE)
  })

  it('nothing is left after reading, errors and interruptions', async () => {
    {
      await using disk = await openDisk(qcow2, { env })
      await readContents(disk.source, MIB)
      expect(await servers()).toHaveLength(1)
      await disk[Symbol.asyncDispose]()
    }
    await nothingLeft()
    const abort = new AbortController()
    const disk = await openDisk(qcow2, { env, signal: abort.signal })
    const reading = disk.source.read(0, Buffer.alloc(40 * MIB))
    abort.abort()
    await expect(reading).rejects.toMatchObject({ code: 'C2M_INTERRUPTED' })
    await expect(disk.source.read(0, Buffer.alloc(1))).rejects.toMatchObject({ code: 'C2M_INTERRUPTED' })
    await disk[Symbol.asyncDispose]()
    await nothingLeft()
    for (const delay of [0, 2, 10, 20, 40]) {
      const early = new AbortController()
      setTimeout(() => early.abort(), delay)
      const outcome = await openDisk(qcow2, { env, signal: early.signal }).then(
        async (opened) => {
          await opened[Symbol.asyncDispose]()
          return 'C2M_INTERRUPTED'
        },
        (error: unknown) => (error as { code?: unknown }).code,
      )
      expect(outcome).toBe('C2M_INTERRUPTED')
      await nothingLeft()
    }
  })

  it('an image that qemu-nbd does not take fails with what it says', async () => {
    const bytes = await readFile(qcow2)
    // refcount order 63
    bytes.writeUInt32BE(63, 96)
    await writeFile(qcow2, bytes)
    const refused = await openDisk(qcow2, { env }).catch((error: unknown) => error)
    expect(refused).toMatchObject({ code: 'C2M_DISK_OPEN' })
    expect(String(refused)).toMatch(/qemu-nbd cannot open .*disk\.qcow2: .*[Rr]efer?e?nce count/)
    await nothingLeft()
  })

  it('the end of qemu-nbd is told', async () => {
    const disk = await openDisk(qcow2, { env })
    const [server] = await servers()
    process.kill(server ?? 0, 'SIGSTOP')
    const reading = disk.source.read(0, Buffer.alloc(MIB))
    await sleep(20)
    process.kill(server ?? 0, 'SIGKILL')
    await expect(reading).rejects.toMatchObject({
      code: 'C2M_COMMAND_FAILED',
      message: expect.stringMatching(/SIGKILL/) as string,
    })
    await disk[Symbol.asyncDispose]()
    await nothingLeft()
  })

  const built = new URL('../../dist/index.js', import.meta.url).pathname
  const script = (then: string) => [
    '--input-type=module',
    '-e',
    `const { openDisk } = await import(${JSON.stringify(built)})
     try { const disk = await openDisk(process.argv[1]); console.log('open'); ${then} }
     catch (error) { console.log(error.code, error.message, error.hint, error.exitCode) }`,
  ]

  it.each(['SIGINT', 'SIGKILL'] as const)('a program ended by %s takes qemu-nbd with it', async (signal) => {
    const child = start(process.execPath, [...script('setInterval(() => 0, 1000)'), qcow2], { env })
    await once(child.stdout as NodeJS.EventEmitter, 'data')
    expect(await servers()).toHaveLength(1)
    child.kill(signal)
    await once(child, 'exit')
    for (let tries = 0; tries < 100 && (await servers()).length > 0; tries++) await sleep(20)
    expect(await servers()).toEqual([])
    // what it could not remove, the next run does
    await (await openDisk(qcow2, { env }))[Symbol.asyncDispose]()
    await nothingLeft()
  })

  it('a missing qemu-nbd is named together with its package', async () => {
    const hide = 'for f in $(which -a qemu-nbd); do mount --bind /dev/null "$f"; done; exec "$@"'
    const isolated = ['--user', '--map-root-user', '--mount', 'sh', '-ec', hide, 'sh']
    const can = await run('unshare', [...isolated, 'true'], { accept: [0, 1, 2, 32, 127] })
    if (can.exitCode !== 0) {
      console.warn(`SKIPPED: no user and mount namespaces here: ${can.stderr}`)
      return
    }
    const said = await run('unshare', [...isolated, process.execPath, ...script(''), qcow2])
    expect(said.stdout).toMatch(/^C2M_TOOL_MISSING .*needs the program qemu-nbd.*apt-get install qemu-utils 3/)
    const rawToo = await run('unshare', [
      ...isolated,
      process.execPath,
      ...script('await disk[Symbol.asyncDispose]()'),
      raw,
    ])
    expect(rawToo.stdout).toBe('open\n')
  })

  it('a long TMPDIR does not matter', async () => {
    const long = folder.file(`tmp/${'x'.repeat(100)}`)
    await mkdir(long)
    await symlink(qcow2, folder.file('link.qcow2'))
    await using disk = await openDisk(folder.file('link.qcow2'), { env: { ...env, TMPDIR: long } })
    expect(disk.files).toEqual([qcow2])
    await readContents(disk.source, MIB)
  })
})
