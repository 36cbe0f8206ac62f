import type { BlockSource } from '@c2m/disk'
import type { Extent } from '@c2m/plugin-api'
import { throwIfAborted } from '@c2m/process'
import type { FilePlan } from './file-plan.js'
import { Window, WINDOW } from './window.js'

/** Windows that are read while one is used. */
const DEPTH = 4
/** Files and pieces that are planned for one window, so that many empty files do not pile up. */
const MAX_STEPS = 4096

/** Memory for windows smaller than this is not kept. */
const SMALL = 64 * 1024

/** A file to be read; `plan` may throw, which is then said when its bytes are asked for. */
export interface PlannedFile<F> {
  readonly file: F
  plan(): FilePlan | Promise<FilePlan>
}

/** A file's beginning, or a piece of the file that began last. */
type Step<F> =
  | { readonly kind: 'file'; readonly file: F; passed: boolean }
  | {
      readonly kind: 'window'
      readonly window: Window
      readonly position: number
      readonly offset: number
      readonly length: number
    }
  | { readonly kind: 'memory'; readonly extent: Extent }
  | { readonly kind: 'error'; readonly error: unknown }

interface Batch<F> {
  readonly steps: readonly Step<F>[]
  readonly window: Window | undefined
}

/**
 * Reads files one after the other through large windows of the disk, several of which are under way at once: one reader
 * plans ahead, the other takes file by file. A file that is passed over is not read any further.
 */
export class ReadAhead<F> {
  readonly #source: BlockSource
  readonly #signal: AbortSignal | undefined
  readonly #batches: AsyncGenerator<Batch<F>>
  readonly #ahead: Promise<IteratorResult<Batch<F>>>[] = []
  readonly #spare: Buffer[] = []
  #steps: readonly Step<F>[] = []
  #window: Window | undefined
  #at = 0
  #file: (Step<F> & { kind: 'file' }) | undefined

  constructor(
    files: AsyncIterable<PlannedFile<F>> | Iterable<PlannedFile<F>>,
    source: BlockSource,
    signal: AbortSignal | undefined,
  ) {
    this.#source = source
    this.#signal = signal
    this.#batches = this.#plan(files)
  }

  /** Passes over what is left of the last file. */
  async nextFile(): Promise<F | undefined> {
    if (this.#file !== undefined) this.#file.passed = true
    for (;;) {
      const step = this.#steps[this.#at] ?? (await this.#advance())
      if (step === undefined) return undefined
      this.#at++
      if (step.kind !== 'file') continue
      this.#file = step
      return step.file
    }
  }

  /** The next piece of the file that `nextFile` gave last; its memory is used again for later ones. */
  async nextExtent(): Promise<Extent | undefined> {
    const step = this.#steps[this.#at] ?? (await this.#advance())
    if (step === undefined || step.kind === 'file') return undefined
    this.#at++
    if (step.kind === 'error') throw step.error
    if (step.kind === 'memory') return step.extent
    return { offset: step.offset, data: await step.window.bytes(step.position, step.length) }
  }

  /** Returns when nothing is being read any more. */
  async close(): Promise<void> {
    if (this.#file !== undefined) this.#file.passed = true
    const finished = this.#batches.return(undefined).catch(() => undefined)
    const ahead = await Promise.all(this.#ahead.map((next) => next.catch(() => undefined)))
    await finished
    await this.#window?.settle()
    for (const next of ahead) if (next?.done === false) await next.value.window?.settle()
  }

  async #advance(): Promise<Step<F> | undefined> {
    throwIfAborted(this.#signal)
    do {
      const buffer = await this.#window?.settle()
      if (buffer?.length === WINDOW) this.#spare.push(buffer)
      this.#window = undefined
      while (this.#ahead.length < DEPTH) {
        const next = this.#batches.next()
        next.catch(() => undefined)
        this.#ahead.push(next)
      }
      const next = await this.#ahead.shift()!
      if (next.done === true) return undefined
      this.#steps = next.value.steps
      this.#window = next.value.window
      this.#at = 0
    } while (this.#steps.length === 0)
    return this.#steps[0]
  }

  #memory(length: number): Buffer {
    return this.#spare.pop() ?? Buffer.allocUnsafeSlow(length <= SMALL ? length : WINDOW)
  }

  async *#plan(files: AsyncIterable<PlannedFile<F>> | Iterable<PlannedFile<F>>): AsyncGenerator<Batch<F>> {
    let steps: Step<F>[] = []
    let window: Window | undefined
    const finish = (): Batch<F> => {
      window?.open(this.#source, this.#memory(window.length))
      const batch = { steps, window }
      steps = []
      window = undefined
      return batch
    }
    for await (const { file, plan } of files) {
      const begin = { kind: 'file' as const, file, passed: false }
      steps.push(begin)
      try {
        const planned = await plan()
        if ('inline' in planned) {
          if (planned.inline !== undefined) steps.push({ kind: 'memory', extent: planned.inline })
        } else {
          for await (const run of planned.runs) {
            for (let done = 0; done < run.length && !begin.passed;) {
              const position = run.position + done
              const length = (window ??= new Window(position)).room(position, run.length - done)
              if (length === 0) {
                yield finish()
                continue
              }
              window.take(position, length)
              steps.push({ kind: 'window', window, position, offset: run.offset + done, length })
              done += length
            }
            if (begin.passed) break
            if (steps.length >= MAX_STEPS) yield finish()
          }
        }
      } catch (error) {
        steps.push({ kind: 'error', error })
      }
      if (steps.length >= MAX_STEPS) yield finish()
    }
    if (steps.length > 0) yield finish()
  }
}
