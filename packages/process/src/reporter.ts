/** What happens, told as it happens; who draws it (terminal, lines, JSON) is not the teller's concern. */
export interface Reporter {
  /** A stage begins; the returned function ends it. */
  stage(title: string): () => void
  /** Adds to the work done in the running stage. */
  progress(bytes: number): void
  info(message: string): void
  warn(message: string): void
  /** Details for --verbose: a child's output, decisions. */
  detail(message: string): void
}

export const silentReporter: Reporter = {
  stage: () => () => undefined,
  progress: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  detail: () => undefined,
}
