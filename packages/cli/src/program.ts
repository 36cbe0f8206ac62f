import { isC2mError } from '@c2m/process'
import { Errors, flush, run } from '@oclif/core'
import { loadOptions } from './host/user-plugins.js'
import { errorText, namedError } from './report/lines.js'
import { makeReporter } from './report/reporters.js'

/** Finds and runs the command. Errors that no command's own handling saw (unknown commands, bad flags) end here too. */
export async function runProgram(args: string[], root: string): Promise<void> {
  process.on('uncaughtException', endAtOnce)
  try {
    const reporter = makeReporter('normal', args.includes('--json'))
    const options = await loadOptions(root, (message) => reporter.warn(message))
    await run(args, options)
    await flush()
  } catch (error) {
    if (!isC2mError(error)) return Errors.handle(error as Error)
    process.stderr.write(`${errorText(error)}\n`)
    process.exitCode = error.exitCode
  }
}

/** Before a command runs and after it, there is nothing to undo; while it does, it sees to the error itself. */
function endAtOnce(error: Error): void {
  if (process.listenerCount('uncaughtException') > 1) return
  const named = namedError(error)
  process.stderr.write(`${errorText(named)}\n`)
  process.exit(named.exitCode)
}
