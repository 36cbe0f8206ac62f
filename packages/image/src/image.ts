import type { ImageConfig, Rootfs } from '@c2m/plugin-api'
import type { Layer } from '@c2m/rootfs'
import type { Reporter } from '@c2m/process'

export interface OpenImageOptions {
  /** os/arch[/variant]; default: linux and the host's architecture. */
  readonly platform?: string
  /** Cache folder; it gets `blobs/`, `layers/` and, while an image is open, `temporary/`. */
  readonly cache: string
  readonly signal?: AbortSignal
  readonly reporter?: Reporter
  /** What `tarball:-` reads. */
  readonly stdin?: AsyncIterable<Uint8Array>
  /** Default: this process's. Read: DOCKER_HOST, DOCKER_CONFIG, REGISTRY_AUTH_FILE, XDG_RUNTIME_DIR, HOME. */
  readonly env?: NodeJS.ProcessEnv
  /** Registries (HOST[:PORT]) that may be spoken to without TLS; those on the loopback interface always may. */
  readonly insecureHosts?: readonly string[]
  /** Bytes that all layers together may unpack to; default 64 GiB. */
  readonly maxUnpackedBytes?: number
  /** Milliseconds before a registry is asked again, doubled each time; default 500. */
  readonly retryDelay?: number
}

/** What is known of an image before and after its layers are unpacked. */
export interface ImageFacts {
  /** For titles and default file names, e.g. 'nginx-1.27'. */
  readonly name: string
  /** Where it came from, for messages. */
  readonly origin: string
  /**
   * The manifest's digest; for a docker-archive the configuration's; for a bare tar that of its uncompressed bytes. Absent
   * for a directory, whose files are not read before they are used.
   */
  readonly digest?: string
  /** GOARCH, e.g. 'amd64'. */
  readonly architecture: string
  /** GOOS; always 'linux'. */
  readonly os: string
  readonly config: ImageConfig
  /** The configuration as it was written; {} for a bare root file system. */
  readonly rawConfig: Readonly<Record<string, unknown>>
}

export interface OpenedImage extends ImageFacts, AsyncDisposable {
  readonly diffIds: readonly string[]
  /** Lowest first, verified and seekable. Empty for `dir:`, which is no stack of layers. */
  readonly layers: readonly Layer[]
  /** Bytes of all layers as they were stored or transferred. */
  readonly compressedBytes?: number
  /** The merged tree. It takes the layers over, so it can be had once; dispose of it before the image. */
  rootfs(): Promise<Rootfs>
}

/** One layer as a transport offers it, not yet unpacked. */
export interface LayerSource {
  /** Digest of the uncompressed tar. */
  readonly diffId: string
  /** Digest and size of what `open` gives, where a manifest states them. */
  readonly blob?: { readonly digest: string; readonly size: number }
  /** For messages: where the bytes come from. */
  readonly origin: string
  /**
   * The same text means the same bytes: a blob's digest, or a file that has not changed. What was unpacked once is then not
   * read again. That somebody knows a diff_id does not prove that he has the layer, so it is no such text. Undefined when it
   * has to be read.
   */
  readonly bytesId: string | undefined
  /** The layer's bytes as stored: tar, or compressed tar. Checked against `blob`: a fault is thrown at the end at the latest. */
  open(signal: AbortSignal | undefined): AsyncIterable<Uint8Array>
}

/** What a transport finds: an image whose layers can be read, not yet unpacked. */
export interface FoundImage extends ImageFacts {
  readonly digest: string
  readonly layers: readonly LayerSource[]
  /** Ends what has to stay open while layers are read. */
  close?(): PromiseLike<void>
}
