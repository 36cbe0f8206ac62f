import type { Confinement, HostCheck } from '@c2m/core'
import { cacheFolder, ExitCode } from '@c2m/process'
import { Flags } from '@oclif/core'
import { BaseCommand } from '../base-command.js'

export default class Doctor extends BaseCommand {
  static override summary = 'Say what is there on this host, what is missing, what that blocks, and how to install it.'
  static override flags = {
    security: Flags.boolean({ description: "what confines an image's programs on this host, as seen from inside" }),
  }

  async run(): Promise<{ checks: readonly HostCheck[] } | { confinement: readonly Confinement[] }> {
    const { flags } = await this.parse(Doctor)
    if (flags.security) return this.#security()
    const { checkHost } = await import('@c2m/core')
    const checks = await checkHost({ cache: cacheFolder(), signal: this.signal })
    for (const { name, ok, found, blocks, fix } of checks) {
      this.log(`${ok ? '✓' : '✗'} ${name.padEnd(22)} ${found}`)
      if (ok) continue
      this.log(`    blocks: ${blocks}`)
      if (fix !== undefined) this.log(`    fix:    ${fix}`)
    }
    if (checks.some(({ ok, required }) => !ok && required)) process.exitCode = ExitCode.missing
    return { checks }
  }

  async #security(): Promise<{ confinement: readonly Confinement[] }> {
    const { probeConfinement } = await import('@c2m/core')
    const confinement = await probeConfinement()
    for (const { what, ok, found } of confinement) this.log(`${ok ? '✓' : '✗'} ${what.padEnd(22)} ${found}`)
    return { confinement }
  }
}
