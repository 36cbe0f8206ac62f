import type { DistroPlugin, DistroTraits, GivenKernel, Rootfs } from '@c2m/plugin-api'
import { C2mError, ExitCode, type CleanupStack } from '@c2m/process'
import type { ContainerToVmRequest } from '../request/container-to-vm.js'
import { openGivenKernel } from './given-kernel.js'

export interface KernelChoice {
  readonly request: ContainerToVmRequest
  readonly distro: DistroPlugin
  readonly traits: DistroTraits
  /** GOARCH of the machine. */
  readonly architecture: string
  /** The image's tree. */
  readonly rootfs: Rootfs
}

/**
 * The kernel that the user gave; undefined when the distro's packages or the image bring it. Its files are closed by `cleanup`.
 * @throws C2M_KERNEL_UNKNOWN, C2M_KERNEL_NOT_TAKEN, C2M_NO_KERNEL, and what openGivenKernel throws
 */
export async function chooseKernel(
  { request, distro, traits, architecture, rootfs }: KernelChoice,
  cleanup: CleanupStack,
  warn: (message: string) => void,
): Promise<GivenKernel | undefined> {
  const { kernelFile, format } = request
  const flavours = traits.kernels.map(({ id }) => id).join(', ')
  if (kernelFile !== undefined) {
    if (traits.takesKernel === true) return openGivenKernel(kernelFile, architecture, cleanup)
    throw new C2mError(
      'C2M_KERNEL_NOT_TAKEN',
      `machines of this distribution take no kernel from a file: ${kernelFile}`,
      {
        hint: `choose one of its flavours with --kernel: ${flavours}`,
        exitCode: ExitCode.usage,
      },
    )
  }
  const wanted = request.machine.kernel
  if (wanted === undefined && traits.kernels.length === 0) {
    if ((await distro.kernels(rootfs)).length > 0) return undefined
    throw new C2mError('C2M_NO_KERNEL', 'the machine has no kernel: this distribution has no kernel packages', {
      hint: "give one with --kernel FILE: boot/vmlinuz-RELEASE of a distribution's kernel package, unpacked",
      exitCode: ExitCode.usage,
    })
  }
  const flavour = wanted === undefined ? traits.kernels[0] : traits.kernels.find(({ id }) => id === wanted)
  if (flavour === undefined) {
    throw new C2mError('C2M_KERNEL_UNKNOWN', `this distribution has no kernel flavour '${wanted}'`, {
      hint: flavours === '' ? 'give a kernel image with --kernel FILE' : `flavours: ${flavours}`,
      exitCode: ExitCode.usage,
    })
  }
  if (flavour.unsuitable?.formats.includes(format) === true) {
    warn(`the ${flavour.id} kernel and a ${format} disk: ${flavour.unsuitable.because}`)
  }
  return undefined
}
