import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ROOT } from '../support/paths.js'

describe('the lint rule for names', () => {
  let root = ''
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'c2m-names-'))
    for (const [name, dependencies] of [
      ['debian', {}],
      ['ubuntu', { '@c2m/plugin-debian': '1' }],
      ['grub-pc', { '@c2m/grub': '1' }],
    ] as const)
      put(`plugins/${name}/package.json`, JSON.stringify({ dependencies }))
  })
  afterEach(() => rmSync(root, { recursive: true }))

  function put(path: string, text: string): void {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }

  /** What the rule says of a file. */
  function said(path: string, text: string): string {
    put(path, text)
    const { stderr, status } = spawnSync(process.execPath, [join(ROOT, 'scripts/names.js'), root], { encoding: 'utf8' })
    expect(status).toBe(stderr === '' ? 0 : 1)
    return stderr.trim()
  }

  it.each([
    ['packages/core/src/a.ts', '\n// Debian keeps it there', ':2: names debian'],
    ['packages/core/src/a.ts', "if (os.id === 'alpine') return", ':1: names alpine'],
    ['packages/disk/src/a.ts', 'const grubGap = 63', ':1: names grub'],
    ['packages/cli/src/commands/a.ts', "hint: 'systemd-boot'", ':1: names systemd-boot'],
    ['plugins/grub-pc/src/a.ts', "if (osId === 'ubuntu') return", ':1: names ubuntu'],
    ['plugins/debian/src/a.ts', "argv: ['grub-install']", ':1: names grub'],
    ['plugins/debian/src/a.ts', 'export const isUbuntu = false', ':1: names ubuntu'],
  ])('finds in %s: %s', (path, text, problem) => {
    expect(said(path, text)).toBe(`${path}${problem}`)
  })

  it.each([
    ['packages/core/src/a.test.ts', "'debian'"],
    ['packages/core/src/testing/a.ts', "'debian'"],
    ['packages/testkit/src/a.ts', "'debian'"],
    ['packages/cli/src/commands/a.ts', "static override examples = [\n  'x oci:./debian-12',\n]"],
    ['packages/linux/src/inittab.ts', "// of busybox's init"],
    ['plugins/debian/src/a.ts', "bootloaders: ['grub', 'extlinux'],"],
    ['plugins/ubuntu/src/a.ts', "const parent = 'debian'"],
    ['plugins/grub-pc/src/a.ts', "'grub-install'"],
  ])('lets %s have its names', (path, text) => {
    expect(said(path, text)).toBe('')
  })
})
