import { shown, type Reporter } from '@c2m/process'
import type { ImagePlan } from './image-plan.js'
import { SPARSE } from './sparse.js'

/** Secrets are told before the image exists. */
export function warnOfImage(plan: ImagePlan, reporter: Reporter): void {
  const { secrets, secretsExcluded, leftOut, cleaning, unmatchedExcludes } = plan
  for (const glob of unmatchedExcludes) reporter.warn(`--exclude ${shown(glob)} names nothing on this machine`)
  if (secrets.length > 0 && !secretsExcluded) {
    const listed = secrets.map(({ path, kind }) => `  /${shown(path)} (${kind})`).join('\n')
    reporter.warn(
      `${secrets.length} files look like secrets and go into the image; --exclude-secrets leaves them out:\n${listed}`,
    )
  }
  if (lacksHostKeys(plan)) {
    reporter.info('the SSH server does not start before it has keys again: ssh-keygen -A in the container makes them')
  }
  const sparse = cleaning.find(({ id, applied, removed }) => id === SPARSE && !applied && removed > 0)
  if (sparse !== undefined) {
    const listed = sparse.samples.map((path) => `/${shown(path)}`).join(', ')
    reporter.warn(`holes are kept, which an image stores as zeros, ${sparse.bytes} bytes in all: ${listed}`)
  }
  if (leftOut.length > 0) {
    const listed = leftOut.map(({ path, why }) => `  /${shown(path)}: ${shown(why)}`).join('\n')
    reporter.info(`${leftOut.length} entries that an image cannot hold stay behind:\n${listed}`)
  }
}

const SSH_SERVER = /^(?:service=)?(?:sshd?|openssh|openssh-server)(?:\.service)?$/

/** Whether the container runs an SSH server whose keys stay behind. */
function lacksHostKeys({ cleaning, init, services }: ImagePlan): boolean {
  if (!cleaning.some(({ id, applied, removed }) => id === 'ssh-host-keys' && applied && removed > 0)) return false
  if (init.id === 'shell' || init.id === 'none') return false
  return init.id.startsWith('service=') ? SSH_SERVER.test(init.id) : services.some(({ name }) => SSH_SERVER.test(name))
}
