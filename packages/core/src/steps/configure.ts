import type { Lazy, RootfsEdit, RootfsEntry, Step, StepContext, WriteStep } from '@c2m/plugin-api'
import { C2mError, isC2mError, throwIfAborted } from '@c2m/process'

/** Runs the configure and boot steps on the tree in memory. */
export async function configure(steps: readonly Step[], context: StepContext): Promise<void> {
  for (const step of steps) {
    throwIfAborted(context.signal)
    try {
      await runStep(step, context)
    } catch (error) {
      if (isC2mError(error)) throw error
      throw new C2mError('C2M_STEP_FAILED', `${step.title}: ${(error as Error).message}`, { cause: error })
    }
  }
}

async function runStep(step: Step, context: StepContext): Promise<void> {
  switch (step.do) {
    case 'write':
      return write(step, context)
    case 'symlink':
      await context.rootfs.remove(relative(step.path))
      return context.rootfs.put({ path: relative(step.path), type: 'symlink', mode: 0o777, linkTarget: step.target })
    case 'remove':
      for (const path of step.paths) await context.rootfs.remove(relative(path))
      return
    case 'custom':
      return step.run(context)
    default:
      return
  }
}

async function write(step: WriteStep, context: StepContext): Promise<void> {
  const content = await evaluate(step.content, context)
  if (content === undefined) return
  const body = typeof content === 'string' ? new TextEncoder().encode(content) : content
  const path = await target(context.rootfs, relative(step.path))
  const there: RootfsEntry | undefined = await context.rootfs.stat(path)
  const kept = there?.type === 'file' ? there : undefined
  await context.rootfs.put(
    {
      path,
      type: 'file',
      mode: step.mode ?? kept?.mode ?? 0o644,
      uid: step.uid ?? kept?.uid ?? 0,
      gid: step.gid ?? kept?.gid ?? 0,
      xattrs: kept?.xattrs,
    },
    body,
  )
}

/** A symlink to an existing file is written through, as an editor would; a dangling one is replaced. */
async function target(rootfs: RootfsEdit, path: string): Promise<string> {
  return (await rootfs.resolve(path)) ?? path
}

export async function evaluate<T>(value: Lazy<T>, context: StepContext): Promise<T> {
  return typeof value === 'function' ? (value as (context: StepContext) => T | Promise<T>)(context) : value
}

export function relative(path: string): string {
  return path.replace(/^\/+|(?<!\/)\/+$/g, '')
}
