import { execFileSync, spawnSync } from 'node:child_process'
import type { DiskPlan } from '@c2m/plugin-api'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { defaultsText } from './defaults.js'
import { menuText, redirectText } from './menu.js'
import { kernelArguments } from './quoting.js'

const checker = spawnSync('grub-script-check', ['--version']).error === undefined
if (!checker) console.warn('skipped: grub-script-check is missing (apt-get install grub-common)')

const disk: DiskPlan = {
  table: 'gpt',
  id: 'aaaaaaaa-0000-4000-8000-000000000000',
  partitions: [
    { role: 'root', number: 1, firstLba: 2048, size: 1 << 30, mountpoint: '/', uuid: 'aaaa-bbbb', partuuid: 'cccc-01' },
  ],
}
const word = fc
  .string({ unit: 'binary', minLength: 1 })
  .filter((text) => /^[^"'\\\p{Cc}\u2028\u2029\p{Cs}]+$/u.test(text))

describe.skipIf(!checker)('grub-script-check', () => {
  it('understands every menu', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        fc.array(word),
        fc.array(fc.string(), { minLength: 1 }),
        (osName, cmdline, versions) => {
          const kernels = ['6.1', ...versions].map((version) => ({
            version,
            kernel: `/boot/${version}`,
            initrd: `/i${version}`,
          }))
          check(
            menuText({
              disk,
              osName,
              kernels,
              cmdline,
              consoles: ['ttyS0'],
              serial: { unit: 0, speed: 9600 },
              timeout: 5,
            }),
          )
        },
      ),
      { numRuns: 60 },
    )
  })

  it('understands a redirect, and can fail', () => {
    check(redirectText(disk))
    expect(() => check('menuentry {')).toThrow()
  })
})

describe('a shell', () => {
  it('reads from the defaults what the menu says', () => {
    fc.assert(
      fc.property(fc.array(word, { maxLength: 4 }), (cmdline) => {
        const text = defaultsText({ cmdline, consoles: [], serial: undefined, timeout: 5 })
        const read = execFileSync('sh', ['-eu'], { input: `${text}printf %s "$GRUB_CMDLINE_LINUX"` }).toString()
        expect(read).toBe(kernelArguments(cmdline))
      }),
      { numRuns: 60 },
    )
  })
})

function check(script: string): void {
  execFileSync('grub-script-check', { input: script, stdio: ['pipe', 'pipe', 'pipe'] })
}
