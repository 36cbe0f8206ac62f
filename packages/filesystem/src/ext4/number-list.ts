/** A growing list of numbers in one typed array: 8 bytes each. */
export class NumberList {
  #values = new Float64Array(64)
  #length = 0

  get length(): number {
    return this.#length
  }

  push(value: number): void {
    if (this.#length === this.#values.length) {
      const grown = new Float64Array(this.#values.length * 2)
      grown.set(this.#values)
      this.#values = grown
    }
    this.#values[this.#length++] = value
  }

  at(index: number): number {
    if (index < 0 || index >= this.#length) throw new RangeError(`no number at ${index} of ${this.#length}`)
    return this.#values[index]!
  }

  set(index: number, value: number): void {
    this.at(index)
    this.#values[index] = value
  }

  clear(): void {
    this.#length = 0
  }
}
