import { checkHost, type HostCheck } from '@c2m/core'
import { cacheFolder, ExitCode } from '@c2m/process'
import { BaseCommand } from '../base-command.js'

export default class Doctor extends BaseCommand {
  static override summary = 'Say what is there on this host, what is missing, what that blocks, and how to install it.'

  async run(): Promise<{ checks: readonly HostCheck[] }> {
    await this.parse(Doctor)
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
}
