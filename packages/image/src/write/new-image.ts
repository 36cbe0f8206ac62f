import type { ImageConfig } from '@c2m/plugin-api'
import type { Reporter } from '@c2m/process'
import type { Writable } from 'node:stream'

/** A layer that is to be written. */
export interface NewLayer {
  /** For the image's history: what made it. */
  readonly createdBy: string
  readonly comment?: string
  /**
   * The uncompressed tar. It is read once for each call and gives the same bytes each time. A chunk's memory may be used
   * again when four more have been asked for. Chunks of some hundred KiB are the fastest.
   */
  tar(): AsyncIterable<Uint8Array>
}

/** An image that is to be written. */
export interface NewImage {
  /** Lowest first, at least one. */
  readonly layers: readonly NewLayer[]
  /** GOARCH, e.g. 'amd64'. */
  readonly architecture: string
  /** E.g. 'v7' for arm. */
  readonly variant?: string
  readonly os: 'linux'
  /** RFC 3339, e.g. '2024-05-01T12:00:00Z'. */
  readonly created: string
  readonly config: ImageConfig
  /** Directories of data that outlives a container: absolute paths. */
  readonly volumes?: readonly string[]
  readonly author?: string
  /**
   * The configuration, as it was written, of the image that this one continues: what is not said here, and its history, are
   * taken over.
   */
  readonly original?: Readonly<Record<string, unknown>>
  /** Of the manifest; formats of Docker have none. */
  readonly annotations?: Readonly<Record<string, string>>
}

export type LayerCompression = 'none' | 'gzip' | 'zstd'

export interface WriteImageOptions {
  /** Names, 'NAME:TAG', that the image gets beside the one in the destination. */
  readonly tags?: readonly string[]
  /** Default: none in archives for Docker, in its daemon and for a bare tar; gzip in layouts and registries. */
  readonly compression?: LayerCompression
  /** Of gzip: 1 to 9, default 6; of zstd: 1 to 19, default 3. */
  readonly level?: number
  /** Replaces a file that exists. */
  readonly force?: boolean
  /** Cache folder: what goes to a daemon, a registry or standard output is put together in its `temporary/`. */
  readonly cache: string
  readonly signal?: AbortSignal
  /** Told the bytes of the uncompressed layers as they are read. */
  readonly reporter?: Reporter
  /** Default: this process's. */
  readonly env?: NodeJS.ProcessEnv
  /** Default: this process's. */
  readonly stdout?: Writable
  /** Registries (HOST[:PORT]) that may be spoken to without TLS; those on the loopback interface always may. */
  readonly insecureHosts?: readonly string[]
  /** Other repositories of the same registry that may have some of the layers already. */
  readonly mountFrom?: readonly string[]
  /** Milliseconds before a registry is asked again, doubled each time; default 500. */
  readonly retryDelay?: number
}

/** A layer as it was written. */
export interface WrittenLayer {
  /** Of the bytes as they are stored. */
  readonly digest: string
  /** Of the uncompressed tar. */
  readonly diffId: string
  /** Bytes as they are stored. */
  readonly size: number
  readonly uncompressedSize: number
  readonly mediaType: string
}

export interface WrittenImage {
  /** Absent where there is no manifest: archives for Docker, its daemon, Dockerfiles, bare tars. */
  readonly manifestDigest?: string
  /** The configuration's digest, Docker's image id. Absent for Dockerfiles and bare tars. */
  readonly configDigest?: string
  readonly layers: readonly WrittenLayer[]
  /** Where it is, for messages. */
  readonly destination: string
  /** A command line that does something with it, e.g. 'docker load -i myvm.docker.tar'. */
  readonly nextCommand: string
}
