import { createHash } from 'node:crypto'
import type { OpenedImage } from '@c2m/image'
import { indexLayer, type Layer } from '@c2m/rootfs'
import { packageLayer } from '@c2m/sandbox'
import type { Reporter } from '@c2m/process'
import type { ExecStep, Step, TemporaryFileStep } from '@c2m/plugin-api'
import { inject, injectable } from 'tsyringe'
import type { Plan } from './plan.js'
import type { ContainerToVmRequest } from '../request/container-to-vm.js'
import { REPORTER, SETTINGS, SIGNAL, type Settings } from '../tokens.js'

/** The package layer of a plan: what the distro's package manager changed in the image's tree, from the cache or made now. */
@injectable()
export class PackageLayer {
  constructor(
    @inject(REPORTER) private readonly reporter: Reporter,
    @inject(SIGNAL) private readonly signal: AbortSignal,
    @inject(SETTINGS) private readonly settings: Settings,
  ) {}

  /** Undefined when there is nothing to run. */
  async make(plan: Plan, request: ContainerToVmRequest): Promise<Layer | undefined> {
    const steps = plan.steps.filter(isSandboxStep)
    if (!steps.some((step) => step.do === 'exec')) return undefined
    const { match, distro } = plan.detected
    const done = this.reporter.stage(`install ${plan.packages.length} packages`)
    const made = await packageLayer(
      {
        base: plan.rootfs,
        baseId: baseIdentity(plan.image),
        architecture: plan.image.architecture,
        steps,
        packageCaches: plan.packageCaches,
        cacheGroup: [match.os.id, match.os.versionId ?? 'rolling', plan.image.architecture].join('-'),
        sourceDateEpoch: plan.packageEpoch,
        plugins: [distro, ...plan.bootloaders].map((one) => `${one.packageName}@${one.packageVersion}`),
      },
      {
        cache: this.settings.cache,
        mode: request.sandbox,
        network: request.sandboxNetwork,
        ...(request.packageTimeout === undefined ? {} : { seconds: request.packageTimeout }),
        refresh: request.refresh,
        signal: this.signal,
        reporter: this.reporter,
        env: this.settings.env,
      },
    )
    const layer = await indexLayer(made.path, { signal: this.signal })
    done()
    if (made.cached) this.reporter.info('packages: from the cache (--refresh makes them anew)')
    return layer
  }
}

function isSandboxStep(step: Step): step is ExecStep | TemporaryFileStep {
  return step.do === 'exec' || step.do === 'temporaryFile'
}

/** The layers' content, however they are packed. */
export function baseIdentity({ diffIds }: Pick<OpenedImage, 'diffIds'>): string {
  return createHash('sha256').update(JSON.stringify(diffIds)).digest('hex')
}
