import { Errors, execute } from '@oclif/core'
import { errorText, namedError } from './report/lines.js'

/** The program. Errors that no command's own handling saw (unknown commands, bad flags) end here too. */
export async function run(args: string[], dir: string): Promise<void> {
  process.on('uncaughtException', endAtOnce)
  await execute({ args, dir }).catch((error: Error) => Errors.handle(error))
}

/** Before a command runs and after it, there is nothing to undo; while it does, it sees to the error itself. */
function endAtOnce(error: Error): void {
  if (process.listenerCount('uncaughtException') > 1) return
  const named = namedError(error)
  process.stderr.write(`${errorText(named)}\n`)
  process.exit(named.exitCode)
}
