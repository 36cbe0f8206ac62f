import { setImmediate } from 'node:timers/promises'
import { throwIfAborted } from './errors.js'

/** Milliseconds that a computation may keep signals, timers and other work waiting. */
const LONGEST_STRETCH = 25

let last = performance.now()

/**
 * For loops that wait for nothing outside of this process, microtasks included: gives signals, timers and other work
 * their turn when they had none for a while. Undefined while that is not due, which is nearly always:
 *
 *     const turn = turnEventLoop(signal)
 *     if (turn !== undefined) await turn
 *
 * @throws C2M_INTERRUPTED when the signal has fired
 */
export function turnEventLoop(signal?: AbortSignal): Promise<void> | undefined {
  throwIfAborted(signal)
  return performance.now() - last < LONGEST_STRETCH ? undefined : turn(signal)
}

async function turn(signal: AbortSignal | undefined): Promise<void> {
  await setImmediate()
  last = performance.now()
  throwIfAborted(signal)
}
