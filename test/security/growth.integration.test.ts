import { mkdir, mkdtemp, open, rm, symlink as makeLink, writeFile } from 'node:fs/promises'
import { execFileSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openDisk } from '@c2m/disk'
import { openExt4 } from '@c2m/filesystem'
import * as linux from '@c2m/linux'
import type { Rootfs } from '@c2m/plugin-api'
import { plainText } from '@c2m/process'
import { archiveRootfs, cleanRootfs, editRootfs, expressibleRootfs, indexLayer, joinRootfs } from '@c2m/rootfs'
import { compileGlobs, mergeLayers, packRootfs, readTar, rootfsSummary, subtree, writeTar } from '@c2m/rootfs'
import type { TarInput } from '@c2m/rootfs'
import { treeOf } from '@c2m/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { joinMounts } from '../../packages/core/src/machine/mounts.js'
import { findVolume } from '../../packages/core/src/machine/volume-name.js'
import { lockAccounts } from '../../packages/core/src/to-image/accounts.js'
import { parseVmdkDescriptor } from '../../packages/disk/src/examine/vmdk-descriptor.js'
import { sniffVmdk } from '../../packages/disk/src/format/vmdk-header.js'
import { readPartitionTable } from '../../packages/disk/src/partition-table/read.js'
import { parseConfig } from '../../packages/image/src/manifest/config.js'
import { parseManifest } from '../../packages/image/src/manifest/manifest.js'
import { parseReference } from '../../packages/image/src/reference/reference.js'
import { parseChallenges } from '../../packages/image/src/registry/challenge.js'
import { encodeDockerfile } from '../../packages/image/src/write/dockerfile.js'
import { parseMountinfo } from '../../packages/process/src/kernel-lists.js'
import { packageFiles as apkFiles } from '../../plugins/alpine/src/image/package-files.js'
import { archiveComponents } from '../../plugins/debian/src/firmware.js'
import { packageFiles as dpkgFiles } from '../../plugins/debian/src/image/package-files.js'

/**
 * Whatever comes from outside must take time in proportion to its length: twice the input at most 2.5 times the time. What
 * takes little with the largest input cannot grow much faster, whatever the formula.
 */
const MOST_GROWTH = 2.5
/** Milliseconds of processor time. */
const LITTLE = 60
/** Below this, collecting garbage tells more than the parser. */
const MEASURABLE = 50
const ATTEMPTS = 3
const RUNS = 3

/** Of this process only, so that other programs' load hardly changes it. What is refused counts as done. */
async function cost(run: () => unknown): Promise<number> {
  const before = process.cpuUsage()
  try {
    await run()
  } catch (error) {
    // too long a string, too deep a recursion, too large a map: not refused, but fallen over
    if (error instanceof RangeError) throw error
  }
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

async function least(run: () => unknown): Promise<number> {
  let best = Infinity
  for (let count = 0; count < RUNS; count++) best = Math.min(best, await cost(run))
  return best
}

/** @param prepare makes an input of a size, and gives what is measured */
async function expectLinear(largest: number, prepare: (size: number) => unknown): Promise<void> {
  const prepared = async (size: number) => (await prepare(size)) as () => unknown
  if ((await cost(await prepared(largest))) < LITTLE) return
  let size = largest / 16
  while (size < largest && (await least(await prepared(size))) < MEASURABLE) size *= 2
  const [single, double] = [await prepared(size), await prepared(2 * size)]
  let growth = Infinity
  for (let attempt = 0; attempt < ATTEMPTS && growth > MOST_GROWTH; attempt++) {
    growth = Math.min(growth, (await least(double)) / (await least(single)))
  }
  expect(growth).toBeLessThanOrEqual(MOST_GROWTH)
}

/** What expressions with repetition stumble over, at the beginning, at the end, and between. */
const PIECES = [
  ...[
    ' ',
    '\t',
    '\n',
    '\r',
    '\r\n',
    '\n ',
    ' \n',
    '\u2028',
    '\0',
    '/',
    '"',
    "'",
    '`',
    '\\',
    '\\\n',
    '=',
    '{',
    '}',
    '[',
    ']',
  ],
  ...[
    '#',
    ':',
    ';',
    ',',
    '%n',
    '%',
    '$a ',
    '${a}',
    '$',
    '(',
    'a',
    'a ',
    'a=',
    'a=a\n',
    'a:',
    'a\n',
    '"a',
    '-',
    '@',
    '.',
    '..',
  ],
  ...['../', '<!--', '\x1b[', '\x1b]', '!', '*', '?', '**', '{a,', 'root=a ', '\n\n', 'fi ', 'A=$A$A\n', 'é', '\udc80'],
]

interface TextParser {
  readonly parse: (text: string) => unknown
  /** What stands around the text. */
  readonly around?: readonly (readonly [before: string, after: string])[]
}

const files = (names: readonly string[], use: (rootfs: Rootfs) => unknown) => async (text: string) => {
  const tree: Record<string, string> = {}
  for (const name of names) tree[name] = text
  return use(await treeOf(tree))
}

const nobody = { warn: () => undefined }
const SPECIFIERS = {
  unit: 'a@b.service',
  fragment: '/x',
  architecture: 'x',
  hostname: 'h',
  osRelease: new Map([['ID', 'x']]),
}
const accountFiles = (text: string) =>
  ({ passwd: text, shadow: text, group: text, gshadow: text }) as linux.AccountFiles
const imageFile = { unsupported: () => new Error(), damaged: () => new Error() } as never

const TEXT_PARSERS: Readonly<Record<string, TextParser>> = {
  'VMDK descriptor': {
    parse: (text) => parseVmdkDescriptor(imageFile, Buffer.from(text)),
    around: [
      ['createType=', '"x"y'],
      ['RW 1 ', '"'],
      ['parentCID="', ''],
    ],
  },
  'VMDK header': {
    parse: (text) => sniffVmdk(Buffer.from(`# Disk DescriptorFile\n${text}`)),
    around: [
      ['RW 1 ', ''],
      ['createType = ', ''],
    ],
  },
  fstab: {
    parse: linux.parseFstab,
    around: [
      ['UUID=a /x ', ''],
      ['', ' /x ext4'],
    ],
  },
  'volume name': {
    parse: (text) => findVolume([{ name: 'a', size: 1 }], text),
    around: [
      ['UUID=', ''],
      ['/dev/disk/by-label/', ''],
    ],
  },
  'unit file': {
    parse: linux.parseUnitFile,
    around: [
      ['[Service]\nA', 'x'],
      ['[Service]\nStateDirectory=a', 'x'],
      ['[', ''],
    ],
  },
  'unit command': { parse: linux.parseExecLine, around: [['/bin/x ', 'x']] },
  'unit variables': {
    parse: (text) =>
      linux.substituteVariables(linux.parseExecLine(`/bin/x ${text}`)[0]!, new Map([['a', 'b '.repeat(50_000)]])),
  },
  'unit specifiers': { parse: (text) => linux.expandSpecifiers(text, SPECIFIERS) },
  'environment of a unit': { parse: (text) => linux.parseEnvironment(text, (one) => one), around: [['A=', '']] },
  'environment file': {
    parse: linux.parseEnvironmentFile,
    around: [
      ['A=', 'x'],
      ['A="', ''],
      ['A', ''],
    ],
  },
  'shell assignments': {
    parse: linux.readShellAssignments,
    around: [
      ['A=', 'x'],
      ['A="', ''],
      [': ${A:=', '}'],
      ['A=b\nB=', ''],
      ['if ', ''],
      ['export ', ''],
    ],
  },
  'os-release': {
    parse: linux.parseOsRelease,
    around: [
      ['ID=', 'x'],
      ['NAME="', ''],
    ],
  },
  inittab: {
    parse: (text) => linux.inittab(text, ['ttyS0']),
    around: [
      ['tty1::respawn:', 'getty'],
      ['x', 'x'],
    ],
  },
  'rc.conf': { parse: linux.setContainer, around: [['x', 'x']] },
  'inittab of a container': { parse: linux.withoutTerminals, around: [['tty1:', ':x']] },
  hosts: { parse: (text) => linux.hosts(text, 'h'), around: [['127.0.1.1', 'x']] },
  assignments: {
    parse: (text) => linux.setAssignments(text as never, { A: 'b' }),
    around: [
      ['A=', 'x'],
      ['#', 'A=x'],
    ],
  },
  locale: { parse: linux.parseLocale },
  keyboard: { parse: linux.parseKeyboard },
  version: { parse: linux.parseVersion, around: [['1.', '']] },
  'accounts: add': {
    parse: (text) =>
      linux.addToGroup(linux.addAccount(accountFiles(text), 'new', { home: '/h', shell: '/s' }), 'new', 'g'),
  },
  'accounts: age': {
    parse: (text) => linux.settleLastChange(accountFiles(text), accountFiles(text.slice(0, text.length / 2)), 1),
    around: [['a:x:1:', ':x']],
  },
  'accounts: lock': {
    parse: (text) => files(['etc/passwd', 'etc/shadow'], (tree) => lockAccounts(editRootfs(tree)))(text),
    around: [
      ['a:', ':x'],
      ['a:!', ''],
    ],
  },
  'SSH key': {
    parse: linux.isSshKey,
    around: [
      ['command="', '" ssh-rsa AAAA'],
      ['no-pty,', ''],
    ],
  },
  'crypt hash': { parse: linux.cryptMethod, around: [['$6$', '']] },
  address: {
    parse: linux.checkAddressWithPrefix,
    around: [
      ['1.2.3.4', '/24'],
      ['::', ''],
    ],
  },
  'units, their services and ports': {
    parse: files(
      [
        'etc/systemd/system/default.target',
        'etc/systemd/system/multi-user.target',
        'etc/nginx/nginx.conf',
        'etc/apache2/apache2.conf',
        'etc/postgresql/15/main/postgresql.conf',
        'etc/my.cnf',
        'etc/redis/redis.conf',
        'etc/haproxy/haproxy.cfg',
        'etc/ssh/sshd_config',
        'etc/mongod.conf',
        'etc/memcached.conf',
        'etc/default/grub',
        'etc/passwd',
        'etc/group',
        'etc/fstab',
        'etc/hostname',
      ],
      (rootfs) =>
        linux.linuxFindings({
          rootfs,
          ...nobody,
          architecture: 'amd64',
          boot: { services: [], files: [], packages: [] } as never,
          excludeSecrets: false,
        }),
    ),
    around: [
      ['[Unit]\nWants=', ''],
      ['http { listen ', '; }'],
      ['Listen ', ''],
      ['<IfModule ', '>'],
    ],
  },
  'OpenRC script': {
    parse: files(['etc/init.d/x', 'etc/conf.d/x', 'etc/passwd', 'etc/group'], (tree) =>
      linux.openrcProcess(new linux.ConfigurationReader(tree, nobody.warn), 'x'),
    ),
    around: [
      ['command=/bin/x\ncommand_args="', '"'],
      ['command=/bin/x\nstart_pre() {\ncheckpath -d ', '\n}'],
      ['x() ', ''],
    ],
  },
  'package sources': {
    parse: files(
      ['etc/apt/sources.list', 'etc/apt/sources.list.d/x.sources', 'etc/apt/sources.list.d/x.list'],
      (tree) => archiveComponents(tree),
    ),
    around: [
      ['deb ', ' main'],
      ['deb [', '] a b c'],
      ['Types: deb\nComponents:', ''],
    ],
  },
  "dpkg's lists": {
    parse: files(['var/lib/dpkg/info/abc.list', 'var/lib/dpkg/diversions'], (tree) => dpkgFiles(tree, nobody.warn)),
    around: [['/', 'x']],
  },
  "apk's database": {
    parse: files(['lib/apk/db/installed'], (tree) => apkFiles(tree, nobody.warn)),
    around: [
      ['P:a\nF:', '\nR:x'],
      ['P:a\nF:b\nR:', ''],
    ],
  },
  secrets: {
    parse: files(
      [
        'etc/shadow',
        'root/.aws/credentials',
        'root/x.json',
        'etc/msmtprc',
        'root/.env',
        'etc/wireguard/x.conf',
        'root/.my.cnf',
        'etc/netplan/x.yaml',
        'root/key',
      ],
      async (tree) => {
        for await (const _ of linux.findSecrets(tree));
      },
    ),
    around: [
      ['password', '='],
      ['"type"', '"'],
      ['A', 'PASSWORD'],
      ['-----BEGIN ', 'KEY'],
    ],
  },
  'mount list': { parse: parseMountinfo, around: [['1 2 0:1 / / rw ', ' - ext4 /dev/a rw']] },
  "programs' output": { parse: plainText, around: [['\x1b[', 'x']] },
  'image reference': {
    parse: parseReference,
    around: [
      ['docker.io/', ''],
      ['oci:', ':x'],
      ['tarball:', '.tar'],
      ['a@sha256:', ''],
    ],
  },
  challenge: {
    parse: parseChallenges,
    around: [
      ['Bearer ', ''],
      ['Bearer realm="', '"'],
      ['Basic a=b,', ''],
    ],
  },
  manifest: {
    parse: (text) => parseManifest(Buffer.from(text), '', 'x'),
    around: [
      ['{"layers":"', '"}'],
      ['', ''],
    ],
  },
  configuration: {
    parse: (text) =>
      parseConfig(Buffer.from(JSON.stringify({ architecture: 'x', os: text, config: { Env: [text] } })), 'x'),
  },
  Dockerfile: {
    parse: (text) =>
      encodeDockerfile(
        {
          config: { env: [`A=${text}`], entrypoint: [text], cmd: [text], exposedPorts: [text], labels: { a: text } },
          volumes: [],
        } as never,
        'x.tar',
        { warn: () => undefined } as never,
      ),
  },
  glob: {
    parse: (text) => compileGlobs([`/${text}`.slice(0, 4096)])(text.replaceAll('\0', '').slice(0, 4096)),
    around: [
      ['*a', 'b'],
      ['**/', ''],
    ],
  },
}

describe('time that texts take', () => {
  it.each(Object.entries(TEXT_PARSERS))('of %s grows with their length only', async (_name, { parse, around = [] }) => {
    for (const [before, after] of [['', ''] as const, ...around]) {
      for (const piece of PIECES) {
        await expectLinear(256 * 1024, (size) => {
          const text = before + piece.repeat(Math.ceil(size / piece.length)) + after
          return () => parse(text)
        }).catch((error: unknown) => {
          throw new Error(`${JSON.stringify(before)} + ${JSON.stringify(piece)} … + ${JSON.stringify(after)}`, {
            cause: error,
          })
        })
      }
    }
  })
})

let folder = ''
let made = 0
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'c2m-growth-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const TIME = { seconds: 0, nanoseconds: 0 }

function member(path: string, fields: Partial<TarInput> = {}): TarInput {
  const type = fields.type ?? (path.endsWith('/') ? 'directory' : 'file')
  return { path, type, mode: 0o755, uid: 0, gid: 0, mtime: TIME, size: 0, xattrs: new Map(), ...fields }
}

async function tarFile(chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<string> {
  const path = join(folder, `${made++}.tar`)
  await writeFile(path, chunks)
  return path
}

const times = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index))
const deep = (name: string, depth: number) => times(depth, () => name).join('/')

async function treeOfMembers(path: string): Promise<Rootfs> {
  return archiveRootfs(await indexLayer(path))
}

/** The members of an archive, from its file to a tree that is walked and merged. */
async function whole(path: string): Promise<void> {
  await using tree = await mergeLayers([await indexLayer(path)])
  await rootfsSummary(tree)
}

const ofMembers = (make: (size: number) => readonly TarInput[]) => async (size: number) => {
  const path = await tarFile(writeTar(make(size)))
  return () => whole(path)
}

/** A tree, and what is done with it. */
const ofTree =
  (make: (size: number) => readonly TarInput[], use: (tree: Rootfs) => Promise<unknown>) => async (size: number) => {
    const path = await tarFile(writeTar(make(size)))
    return async () => {
      await using tree = await treeOfMembers(path)
      await use(tree)
    }
  }

/** All that a machine's tree goes through on its way to an image. */
async function convert(tree: Rootfs): Promise<void> {
  const rule = { id: 'a', summary: '', byDefault: true, remove: ['/**/x*'], empty: ['/cache'] }
  const cleaned = await cleanRootfs(tree, [rule as never])
  const edited = editRootfs(await expressibleRootfs(cleaned.rootfs))
  await edited.put({ path: 'etc/new', type: 'file', mode: 0o644 }, Buffer.from('new'))
  for await (const _ of packRootfs(edited, { order: 'storage', reuseMemory: true }));
}

const body = {
  size: 4,
  body: {
    async *[Symbol.asyncIterator]() {
      yield { offset: 0, data: Buffer.from('body') }
    },
  },
}

interface Growing {
  readonly largest: number
  readonly prepare: (size: number) => unknown
}

const TREES: Readonly<Record<string, Growing>> = {
  'an archive with many members': {
    largest: 32_768,
    prepare: ofMembers((size) => times(size, (index) => member(`d${index % 97}/f${index}`))),
  },
  'an archive as a stream': {
    largest: 32_768,
    prepare: async (size) => {
      const path = await tarFile(writeTar(times(size, (index) => member(`f${index}`))))
      return async () => {
        for await (const _ of readTar((await open(path)).createReadStream()));
      }
    },
  },
  'an archive with many attributes': {
    largest: 4096,
    prepare: ofMembers((size) =>
      times(size, (index) =>
        member(`f${index}`, { xattrs: new Map(times(50, (one) => [`user.${one}`, Buffer.from(`${index}`)])) }),
      ),
    ),
  },
  'an archive with many hard links': {
    largest: 32_768,
    prepare: ofMembers((size) => [
      member('f'),
      ...times(size, (index) => member(`h${index}`, { type: 'hardlink', linkTarget: 'f' })),
    ]),
  },
  'an archive with a long map of holes': {
    largest: 65_536,
    prepare: ofMembers((size) => [
      member('f', { size: size * 2, sparse: times(size, (index) => ({ offset: index * 2, length: 1 })) }),
    ]),
  },
  'a layer with many opaque whiteouts': {
    largest: 16_384,
    prepare: ofMembers((size) => times(size, (index) => member(index % 2 === 0 ? `d/f${index}` : 'd/.wh..wh..opq'))),
  },
  'a layer with many whiteouts': {
    largest: 16_384,
    prepare: ofMembers((size) => [
      ...times(size / 2, (index) => member(`d/f${index}`)),
      ...times(size / 2, (index) => member(`d/.wh.f${index}`)),
    ]),
  },
  'an archive with deep paths by turns': {
    largest: 2048,
    prepare: ofMembers((size) => times(size, (index) => member(`${deep(index % 2 === 0 ? 'a' : 'b', 1000)}/${index}`))),
  },
  'an archive that goes through links': {
    largest: 8192,
    prepare: ofMembers((size) => [
      member(`${deep('a', 200)}/`),
      ...times(10, (index) =>
        member(`l${index}`, { type: 'symlink', linkTarget: `/${deep('a', 200)}/${deep('..', 200)}/l${index + 1}` }),
      ),
      member('l10/'),
      ...times(size, (index) => member(`l${index % 10}/d${index}/f`)),
    ]),
  },
  'a tree with deep paths on its way to an image': {
    largest: 1024,
    prepare: ofTree((size) => times(size, (index) => member(`${deep(`${index % 2}`, 800)}/${index}`, body)), convert),
  },
  'a wide tree on its way to an image': {
    largest: 16_384,
    prepare: ofTree((size) => times(size, (index) => member(`d/${index}`, body)), convert),
  },
  'a tree with many hard links on its way to an image': {
    largest: 16_384,
    prepare: ofTree(
      (size) => [
        member('f', body),
        ...times(size, (index) => member(`h${index}`, { type: 'hardlink', linkTarget: 'f' })),
      ],
      convert,
    ),
  },
  'a part of a tree': {
    largest: 1024,
    prepare: ofTree(
      (size) => times(size, (index) => member(`${deep('a', 800)}/${index}`, body)),
      async (tree) => {
        const part = subtree(tree, deep('a', 400))
        for await (const { path } of part.walk()) await part.stat(path)
      },
    ),
  },
  'an edit of many names': {
    largest: 8192,
    prepare: (size) => async () => {
      const tree = await treeOf()
      for (let index = 0; index < size; index++)
        await tree.put({ path: `d${index % 31}/${index}`, type: 'file', mode: 0o644 })
      await rootfsSummary(tree)
    },
  },
  'an edit of deep names': {
    largest: 1024,
    prepare: (size) => async () => {
      const tree = editRootfs(await treeOf())
      for (let index = 0; index < size; index++)
        await tree.put({ path: `${deep(`${index % 2}`, 500)}/${index}`, type: 'file', mode: 0o644 })
      await rootfsSummary(tree)
    },
  },
  'many mounts': {
    largest: 512,
    prepare: async (size) => {
      const root = await treeOf(Object.fromEntries(times(size, (index) => [`m${index}/x`, ''])))
      const part = await treeOf({ a: '', 'b/c': '' })
      return () => rootfsSummary(joinRootfs(root, new Map(times(size, (index) => [`m${index}`, part]))))
    },
  },
  'a table of many mounts that lack their points': {
    largest: 512,
    prepare: async (size) => {
      const text = times(size, (index) => `LABEL=v${index} /m/${index} ext4`).join('\n')
      const root = { name: 'root', size: 1 }
      const volumes = times(size, (index) => ({
        name: `v${index}`,
        size: 1,
        filesystem: { type: 'ext4', label: `v${index}` },
        open: () => treeOf({ x: '' }),
      }))
      const tree = await treeOf({ 'etc/fstab': text })
      return async () =>
        rootfsSummary((await joinMounts(tree, root, [root, ...volumes], new Map(), () => undefined)).rootfs)
    },
  },
  'a chain of logical partitions': {
    largest: 4096,
    prepare: (size) => {
      const disk = Buffer.alloc((size * 2 + 8) * 512)
      const entry = (sector: number, slot: number, type: number, start: number, count: number) => {
        disk[sector * 512 + 446 + slot * 16 + 4] = type
        disk.writeUInt32LE(start, sector * 512 + 446 + slot * 16 + 8)
        disk.writeUInt32LE(count, sector * 512 + 446 + slot * 16 + 12)
        disk.writeUInt16LE(0xaa55, sector * 512 + 510)
      }
      entry(0, 0, 5, 1, size * 2 + 2)
      for (let at = 0; at < size; at++) {
        entry(1 + at * 2, 0, 0x83, 1, 1)
        if (at + 1 < size) entry(1 + at * 2, 1, 5, (at + 1) * 2, 2)
      }
      return () => readPartitionTable(async (offset, length) => disk.subarray(offset, offset + length), disk.length)
    },
  },
}

describe('time that trees take', () => {
  it.each(Object.entries(TREES))('of %s grows with their size only', (_name, { largest, prepare }) =>
    expectLinear(largest, prepare),
  )
})

const EXT4: Readonly<
  Record<string, { readonly largest: number; readonly fill: (top: string, size: number) => Promise<void> }>
> = {
  'a wide directory': {
    largest: 4096,
    fill: async (top, size) => {
      for (let index = 0; index < size; index++) await writeFile(join(top, `f${index}`), 'x')
    },
  },
  'deep directories': {
    largest: 1024,
    fill: async (top, size) => {
      const place = join(top, deep('a', 900))
      await mkdir(place, { recursive: true })
      for (let index = 0; index < size; index++) await writeFile(join(place, `${index}`), 'x')
    },
  },
  'files in many pieces': {
    largest: 1024,
    fill: async (top, size) => {
      await using file = await open(join(top, 'f'), 'w')
      for (let index = 0; index < size; index++) await file.write('x', index * 8192)
    },
  },
  'symbolic links': {
    largest: 2048,
    fill: async (top, size) => {
      await mkdir(join(top, deep('a', 200)), { recursive: true })
      for (let index = 0; index < size; index++) await makeLink(`/${deep('a', 200)}`, join(top, `l${index}`))
    },
  },
}

const hasMkfs = (() => {
  try {
    return execFileSync('mkfs.ext4', ['-V'], { stdio: 'ignore' }) !== undefined
  } catch {
    console.warn('skipped: time that ext4 takes; install e2fsprogs')
    return false
  }
})()

describe.skipIf(!hasMkfs)('time that ext4 takes', () => {
  it.each(Object.entries(EXT4))('of %s grows with their size only', (_name, { largest, fill }) =>
    expectLinear(largest, async (size) => {
      const top = join(folder, `ext4-${made++}`)
      await mkdir(top)
      await fill(top, size)
      const image = `${top}.img`
      await (await open(image, 'w')).truncate(256 * 1024 ** 2)
      execFileSync('mkfs.ext4', ['-q', '-F', '-d', top, image])
      return async () => {
        await using disk = await openDisk(image, { format: 'raw' })
        await using tree = await openExt4(disk.source)
        for await (const { path, type } of tree.walk()) {
          await tree.stat(path)
          if (type === 'symlink') await tree.resolve(path)
        }
        for await (const { body: content } of tree.contents()) for await (const _ of content);
      }
    }),
  )
})
