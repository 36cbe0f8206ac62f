import type { SecretFinding } from '@c2m/linux'
import type { MachineFindings, MachineService, Rootfs } from '@c2m/plugin-api'
import { rootfsSummary, type CleaningResult, type Inexpressible } from '@c2m/rootfs'
import type { OpenedMachine } from '../machine/reader.js'
import type { VmToContainerRequest } from '../request/vm-to-container.js'
import { rfc3339 } from '../time.js'
import { unmatchedGlobs } from './exclude.js'
import type { Known } from './findings.js'
import type { ChosenProcess } from './process.js'
import type { Stripped } from './strip.js'

/** What a conversion decided, before and after it is done. */
export interface ImagePlan {
  readonly root: string
  readonly reasons: readonly string[]
  readonly mounts: OpenedMachine['mounts']
  /** os-release's PRETTY_NAME. */
  readonly os?: string
  readonly distro?: Known['distro']
  readonly architecture: string
  /** RFC 3339. */
  readonly created: string
  readonly entries: number
  /** Bytes of all regular files in the image. */
  readonly bytes: number
  readonly cleaning: readonly CleaningResult[]
  /** Globs of --exclude that name nothing on the machine. */
  readonly unmatchedExcludes: readonly string[]
  readonly leftOut: readonly Inexpressible[]
  readonly droppedAttributes: Readonly<Record<string, number>>
  readonly secrets: readonly SecretFinding[]
  readonly secretsExcluded: boolean
  readonly init: { readonly id: string; readonly because: string }
  readonly ports: readonly string[]
  readonly services: readonly MachineService[]
  /** Directories whose data outlives a container. */
  readonly volumes: readonly { readonly path: string; readonly note: string }[]
}

export async function describeImage(
  request: VmToContainerRequest,
  { rootfs: machine, root, reasons, mounts }: OpenedMachine,
  { os, distro, architecture, findings }: Known,
  { rules, secrets, leftOut, droppedAttributes }: Stripped,
  { id, because, ports }: ChosenProcess,
  rootfs: Rootfs,
  time: number,
): Promise<ImagePlan> {
  return {
    root,
    reasons,
    mounts,
    ...(os === undefined ? {} : { os: os.prettyName }),
    ...(distro === undefined ? {} : { distro }),
    architecture,
    created: rfc3339(time),
    ...(await rootfsSummary(rootfs)),
    cleaning: rules,
    unmatchedExcludes: await unmatchedGlobs(machine, request.exclude),
    leftOut,
    droppedAttributes,
    secrets,
    secretsExcluded: request.excludeSecrets,
    init: { id, because },
    ports,
    services: findings.services,
    volumes: suggestedVolumes(findings),
  }
}

function suggestedVolumes({ services, dataDirectories = [] }: MachineFindings): ImagePlan['volumes'] {
  const ofServices = services.flatMap(({ name, volumes }) => volumes.map((path) => ({ path, note: `data of ${name}` })))
  const seen = new Set<string>()
  return [...ofServices, ...dataDirectories].filter(({ path }) => !seen.has(path) && seen.add(path))
}
