import { expect } from 'vitest'

/**
 * Whatever comes from outside must take time in proportion to its length: twice the input at most 2.5 times the time. What
 * takes little with the largest input cannot grow much faster, whatever the formula.
 */
const MOST_GROWTH = 2.5
/** Milliseconds of processor time. */
const LITTLE = 60
/** Below this, collecting garbage tells more than the parser. */
const MEASURABLE = 50
const ATTEMPTS = 3
const RUNS = 3

/** Of this process only, so that other programs' load hardly changes it. What is refused counts as done. */
async function cost(run: () => unknown): Promise<number> {
  const before = process.cpuUsage()
  try {
    await run()
  } catch (error) {
    // too long a string, too deep a recursion, too large a map: not refused, but fallen over
    if (error instanceof RangeError) throw error
  }
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

async function least(run: () => unknown): Promise<number> {
  let best = Infinity
  for (let count = 0; count < RUNS; count++) best = Math.min(best, await cost(run))
  return best
}

/**
 * Begins with a small input, since what grows much faster would never come to an end with the largest.
 * @param prepare makes an input of a size, and gives what is measured
 */
export async function expectLinear(
  { smallest, largest }: { readonly smallest: number; readonly largest: number },
  prepare: (size: number) => unknown,
): Promise<void> {
  const prepared = async (size: number) => (await prepare(size)) as () => unknown
  let size = smallest
  for (let run = await prepared(size); ; run = await prepared(size)) {
    const once = await cost(run)
    if (size >= largest && once < LITTLE) return
    if (size >= largest || (once >= MEASURABLE && (await least(run)) >= MEASURABLE)) break
    size *= 2
  }
  const [single, double] = [await prepared(size), await prepared(2 * size)]
  let growth = Infinity
  for (let attempt = 0; attempt < ATTEMPTS && growth > MOST_GROWTH; attempt++) {
    growth = Math.min(growth, (await least(double)) / (await least(single)))
  }
  expect(growth).toBeLessThanOrEqual(MOST_GROWTH)
}
