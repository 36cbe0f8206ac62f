import { Errors, execute } from '@oclif/core'

/** The program. Errors that no command's own handling saw (unknown commands, bad flags) end here too. */
export async function run(args: string[], dir: string): Promise<void> {
  await execute({ args, dir }).catch((error: Error) => Errors.handle(error))
}
