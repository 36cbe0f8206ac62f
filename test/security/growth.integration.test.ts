import * as linux from '@c2m/linux'
import type { Rootfs } from '@c2m/plugin-api'
import { plainText } from '@c2m/process'
import { editRootfs } from '@c2m/rootfs'
import { compileGlobs } from '@c2m/rootfs'
import { treeOf } from '@c2m/testkit'
import { describe, it } from 'vitest'
import { findVolume } from '../../packages/core/src/machine/volume-name.js'
import { lockAccounts } from '../../packages/core/src/to-image/accounts.js'
import { parseVmdkDescriptor } from '../../packages/disk/src/examine/vmdk-descriptor.js'
import { sniffVmdk } from '../../packages/disk/src/format/vmdk-header.js'
import { parseConfig } from '../../packages/image/src/manifest/config.js'
import { parseManifest } from '../../packages/image/src/manifest/manifest.js'
import { parseReference } from '../../packages/image/src/reference/reference.js'
import { parseChallenges } from '../../packages/image/src/registry/challenge.js'
import { encodeDockerfile } from '../../packages/image/src/write/dockerfile.js'
import { parseMountinfo } from '../../packages/process/src/kernel-lists.js'
import { packageFiles as apkFiles } from '../../plugins/alpine/src/image/package-files.js'
import { archiveComponents } from '../../plugins/debian/src/firmware.js'
import { packageFiles as dpkgFiles } from '../../plugins/debian/src/image/package-files.js'
import { expectLinear } from './growth.js'

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
    parse: (text) => linux.setAssignments(text, { A: 'b' }),
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
        await expectLinear({ smallest: 1024, largest: 256 * 1024 }, (size) => {
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
