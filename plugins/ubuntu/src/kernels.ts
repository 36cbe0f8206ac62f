import { compareVersions } from '@c2m/linux'
import type { KernelData, KernelTable, Release } from '@c2m/plugin-debian'

/** GOARCHes whose kernel comes without linux-modules-extra as well, as 'virtual'. */
const WITH_VIRTUAL = ['amd64', 'arm64', 'ppc64le', 's390x']
const OTHERS = ['arm', 'riscv64']
/** The last release with kernels for 32-bit PCs is 19.04. */
const LAST_386 = [19, 4]

/**
 * 'virtual' is the generic kernel without linux-modules-extra and the firmware. Its linux-modules has what the lists
 * generic.inclusion-list of Ubuntu's kernel sources name: ahci (VirtualBox), mptspi and vmw_pvscsi (VMware), hv_storvsc
 * (Hyper-V), virtio, nvme, and the network cards e1000, e1000e, vmxnet3, hv_netvsc: every disk format's usual hypervisor.
 *
 * The kernels of hardware enablement (HWE), those of later releases, are for long-term releases only.
 */
export function kernels(release: Release): KernelTable {
  const architectures = compareVersions(release.version, LAST_386) <= 0 ? [...WITH_VIRTUAL, '386'] : WITH_VIRTUAL
  const enablement = isLongTerm(release) ? `-hwe-${release.name}` : undefined
  return {
    ...Object.fromEntries(
      architectures.map((architecture) => [architecture, flavours(['virtual', 'generic'], enablement)]),
    ),
    ...Object.fromEntries(OTHERS.map((architecture) => [architecture, flavours(['generic'], undefined)])),
  }
}

function flavours(ids: readonly string[], enablement: string | undefined): readonly KernelData[] {
  const suffixes = enablement === undefined ? [''] : ['', enablement]
  return suffixes.flatMap((suffix) =>
    ids.map((id): KernelData => ({
      id: suffix === '' ? id : `${id}-hwe`,
      packages: [`linux-image-${id}${suffix}`],
      virtual: id === 'virtual',
    })),
  )
}

/** April of an even year. */
function isLongTerm({ version: [year = 0, month] }: Release): boolean {
  return year % 2 === 0 && month === 4
}
