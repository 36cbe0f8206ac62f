/** Undoes in reverse order what was done, on success and on failure alike; the first error is thrown after all ran. */
export class CleanupStack implements AsyncDisposable {
  #undo: (() => unknown)[] = []

  defer(undo: () => unknown): void {
    this.#undo.push(undo)
  }

  /** Gives the duty to undo to the caller, for a resource that outlives this scope. */
  release(): CleanupStack {
    const moved = new CleanupStack()
    moved.#undo = this.#undo
    this.#undo = []
    return moved
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const errors: unknown[] = []
    for (let undo = this.#undo.pop(); undo !== undefined; undo = this.#undo.pop()) {
      try {
        await undo()
      } catch (error) {
        errors.push(error)
      }
    }
    if (errors.length > 0) throw errors[0]
  }
}
