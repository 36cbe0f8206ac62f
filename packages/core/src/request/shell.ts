import type { Limits, NetworkMode, Volume } from '@c2m/sandbox'

/** A command in an image's tree. */
export interface ShellRequest {
  /** Where the image is: any reference that c2m reads. */
  readonly image: string
  /** 'os/arch[/variant]'; linux on this host's architecture when undefined. */
  readonly platform?: string
  /** Run as given, without the image's entrypoint; empty for an interactive shell. */
  readonly command: readonly string[]
  /** Undefined: 'private' where this host can, else 'host'. */
  readonly network?: NetworkMode
  readonly volumes: readonly Volume[]
  /** Added to the image's own, and stronger. */
  readonly environment: Readonly<Record<string, string>>
  /** USER[:GROUP], names or numbers; the image's own when undefined. */
  readonly user?: string
  /** In the image; the image's own when undefined. */
  readonly workingDirectory?: string
  readonly limits: Limits
  /** Where the image with the changes goes: any destination that c2m writes but standard output. */
  readonly commit?: string
  /** One layer with everything, instead of one more layer. */
  readonly squash: boolean
  /** Names, 'NAME:TAG', that the new image gets beside the one in its destination. */
  readonly tags: readonly string[]
  /** Replaces an output that exists. */
  readonly force: boolean
  /** Standard input, output and error of the command: descriptors of this process. */
  readonly descriptors: readonly [number, number, number]
  /** Gives the command a terminal of its own; input and output must be one. */
  readonly terminal: boolean
  /** Told, without a terminal, how to send the running command a signal. */
  onRunning?(send: (signal: NodeJS.Signals) => void): void
}
