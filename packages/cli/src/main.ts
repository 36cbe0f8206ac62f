import { isC2mError } from '@c2m/process'
import { Errors, flush, run as runProgram } from '@oclif/core'
import { fileURLToPath } from 'node:url'
import { loadOptions } from './host/user-plugins.js'
import { errorText } from './report/lines.js'
import { makeReporter } from './report/reporters.js'

/** The program. Errors that no command's own handling saw (unknown commands, bad flags) end here too. */
export async function run(args: string[], url: string): Promise<void> {
  try {
    const reporter = makeReporter('normal', args.includes('--json'))
    const options = await loadOptions(fileURLToPath(url), (message) => reporter.warn(message))
    await runProgram(args, options)
    await flush()
  } catch (error) {
    if (!isC2mError(error)) return Errors.handle(error as Error)
    process.stderr.write(`${errorText(error)}\n`)
    process.exitCode = error.exitCode
  }
}
