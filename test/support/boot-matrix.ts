import type { TestCase, Reporter } from 'vitest/node'

/** What a test has booted, for the table at the end. */
export interface BootRow {
  /** E.g. 'Debian 12', with what stands in for something real in brackets. */
  readonly image: string
  readonly bootloader: string
  readonly table: 'GPT' | 'MBR'
  readonly firmware: string
  /** What is special about it. */
  readonly remark?: string
  /** Of the disk as qcow2 when it was made; bytes. */
  readonly size: number
}

declare module 'vitest' {
  interface TaskMeta {
    boot?: BootRow
  }
}

/** Prints the boot matrix of a run: one line for each test that says in its meta data what it boots. */
export default class BootMatrix implements Reporter {
  readonly #lines: string[] = []

  onTestCaseResult(test: TestCase): void {
    const { boot } = test.meta()
    if (boot === undefined) return
    const { image, bootloader, table, firmware, remark, size } = boot
    const loader = [bootloader, ...(remark === undefined ? [] : [remark])].join(', ')
    const { state } = test.result()
    this.#lines.push(row([image, loader, table, firmware, `${Math.ceil(size / 1e6)} MB`, state]))
  }

  onTestRunEnd(): void {
    if (this.#lines.length === 0) return
    const head = [row(['image', 'boot loader', 'table', 'firmware', 'qcow2', 'test']), row(Array(6).fill('---'))]
    console.log(`\n— booted\n${[...head, ...this.#lines.sort()].join('\n')}\n`)
  }
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`
}
