import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { defaultsText, mergeDefaults } from './defaults.js'
import { environmentBlock } from './environment.js'

const defaults = { cmdline: ['a="x y"'], consoles: ['ttyS0,9600'], serial: { unit: 0, speed: 9600 }, timeout: 3 }

describe('defaultsText', () => {
  it('is this', () => {
    expect(defaultsText(defaults)).toBe(`# How c2m configured this machine. After a change run update-grub.
GRUB_TIMEOUT='3'
GRUB_TIMEOUT_STYLE='menu'
GRUB_CMDLINE_LINUX_DEFAULT=''
GRUB_CMDLINE_LINUX=''\\''a=x y'\\'' console=ttyS0,9600'
GRUB_TERMINAL='console serial'
GRUB_SERIAL_COMMAND='serial --unit=0 --speed=9600'
GRUB_DISABLE_OS_PROBER='true'
GRUB_DISABLE_LINUX_PARTUUID='false'
`)
  })

  it('leaves the serial port to UEFI', () => {
    expect(defaultsText({ ...defaults, serial: undefined })).toMatch(/^GRUB_TERMINAL='console'$/m)
  })
})

describe('mergeDefaults', () => {
  const merge = (existing: string, text: string) => Buffer.from(mergeDefaults(Buffer.from(existing), text)).toString()

  it('goes to the end and replaces itself', () => {
    expect(merge('GRUB_TIMEOUT=9', 'A=1\n')).toBe('GRUB_TIMEOUT=9\n# c2m begin\nA=1\n# c2m end\n')
    expect(merge('', 'A=1\n')).toBe('# c2m begin\nA=1\n# c2m end\n')
    expect(merge(merge('X=1\n', 'A=1\n'), 'A=2\n')).toBe('X=1\n# c2m begin\nA=2\n# c2m end\n')
    expect(merge('# c2m begin\nX=1\n', 'A=1\n')).toBe('# c2m begin\nX=1\n# c2m begin\nA=1\n# c2m end\n')
  })

  it('keeps the bytes of any file and is idempotent', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.string({ unit: 'grapheme' }), (existing, name) => {
        const text = `# ${name.replace(/[\r\n]/g, '')}\n`
        const once = mergeDefaults(existing, text)
        expect(Buffer.from(once.subarray(0, existing.length))).toEqual(Buffer.from(existing))
        expect(Buffer.from(mergeDefaults(once, text))).toEqual(Buffer.from(once))
      }),
    )
  })
})

describe('environmentBlock', () => {
  it('has 1024 bytes', () => {
    expect(environmentBlock()).toMatch(/^# GRUB Environment Block\n#{999}$/)
  })
})
