import type {
  BootloaderPlugin,
  DiskFormat,
  DiskPlan,
  Firmware,
  InstalledKernel,
  MachineRequest,
  Rootfs,
  Step,
} from '@c2m/plugin-api'
import { summarizeSshKey, type SshKeySummary } from '@c2m/linux'
import type { Layer } from '@c2m/rootfs'
import type { KnownImage } from '../image-layers.js'
import type { ContainerToVmRequest, SandboxMode } from '../request/container-to-vm.js'
import type { Reproducibility } from '../request/randomness.js'
import type { Provided } from '../plugins/registry.js'
import type { Detected } from '../plugins/detect.js'
import type { TargetDevice } from './target-device.js'

/** What will be done. Steps are in the order in which they run. */
export interface Plan extends Reproducibility {
  readonly image: KnownImage
  /** The image's, lowest first. */
  readonly layers: readonly Layer[]
  readonly rootfs: Rootfs
  readonly detected: Detected
  readonly bootloaders: readonly Provided<BootloaderPlugin>[]
  readonly firmware: readonly Firmware[]
  readonly disk: DiskPlan
  readonly ext4Features: readonly string[]
  readonly packages: readonly string[]
  readonly packageCaches: readonly string[]
  readonly steps: readonly Step[]
  readonly format: DiskFormat
  readonly warnings: readonly string[]
  kernels(rootfs: Rootfs): Promise<readonly InstalledKernel[]>
}

/** The plan as people and programs may read it: `--dry-run`, with `--json` as is. */
export interface PlanSummary {
  readonly image: { readonly name: string; readonly digest: string; readonly architecture: string }
  readonly distro: { readonly id: string; readonly name: string; readonly plugin: string }
  readonly bootloaders: readonly { readonly id: string; readonly plugin: string }[]
  readonly firmware: readonly Firmware[]
  readonly disk: DiskPlan & { readonly format: DiskFormat }
  /** The device that becomes the disk, and what is on it before. */
  readonly device?: {
    readonly path: string
    readonly model?: string
    readonly serial?: string
    /** Bytes. */
    readonly size: number
    readonly contents: readonly string[]
  }
  readonly packages: readonly string[]
  /** Where the packages' programs run. */
  readonly sandbox: SandboxMode
  /** Who may log in with a key. */
  readonly sshKeys: readonly SshKeySummary[]
  readonly steps: readonly {
    readonly id: string
    readonly phase: string
    readonly do: string
    readonly title: string
  }[]
  readonly warnings: readonly string[]
}

export function summarize(plan: Plan, request: ContainerToVmRequest, target?: TargetDevice): PlanSummary {
  const { image, detected, disk, format } = plan
  return {
    image: { name: image.name, digest: image.digest, architecture: image.architecture },
    distro: {
      id: detected.distro.contribution.id,
      name: detected.match.os.prettyName,
      plugin: detected.distro.packageName,
    },
    bootloaders: plan.bootloaders.map((one) => ({ id: one.contribution.id, plugin: one.packageName })),
    firmware: plan.firmware,
    disk: { ...disk, format },
    ...(target === undefined ? {} : { device: deviceSummary(target) }),
    packages: plan.packages,
    sandbox: request.sandbox,
    sshKeys: keysOf(request.machine),
    steps: plan.steps.map((step) => ({ id: step.id, phase: step.phase, do: step.do, title: step.title })),
    warnings: plan.warnings,
  }
}

function keysOf({ sshKeys, users }: MachineRequest): readonly SshKeySummary[] {
  return [...new Set([...sshKeys, ...users.flatMap((user) => user.sshKeys)])].map(summarizeSshKey)
}

function deviceSummary({ device, contents }: TargetDevice): NonNullable<PlanSummary['device']> {
  const { path, model, serial, size } = device
  return {
    path,
    ...(model === undefined ? {} : { model }),
    ...(serial === undefined ? {} : { serial }),
    size,
    contents,
  }
}
