import type { DiskFormat } from '@c2m/plugin-api'

/** What an image's own header and tables say, checked against the file. */
export interface ExaminedImage {
  readonly format: DiskFormat
  readonly variant?: string
  /** The image that this one is a difference to, as it names it: never trust it. */
  readonly backing?: BackingReference
  /** Other files that hold this image's contents, as it names them: never trust them. */
  readonly extents: readonly ExtentReference[]
  /** What a user should know, sentences. */
  readonly notices: readonly string[]
}

export interface BackingReference {
  readonly name: string
  /** As the image calls it, in QEMU's words; undefined: it does not say. */
  readonly format?: string
}

export interface ExtentReference {
  readonly name: string
  readonly kind: 'flat' | 'sparse'
  /** Bytes of the disk that it holds. */
  readonly size: number
  /** Bytes before them (flat). */
  readonly offset: number
}
