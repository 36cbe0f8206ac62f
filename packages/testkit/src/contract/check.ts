/**
 * One rule of a contract, as a function that throws when it is broken: for any test runner, e.g. vitest's
 * `it.each(bootloaderContract(plugin))('$name', ({ check }) => check())`.
 */
export interface ContractCheck {
  readonly name: string
  check(): Promise<void>
}
