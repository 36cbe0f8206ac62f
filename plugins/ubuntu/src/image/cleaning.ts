import type { CleaningRule } from '@c2m/plugin-api'

/** What only a machine with Ubuntu's own programs needs, besides what any with apt does. */
export const CLEANING: readonly CleaningRule[] = [
  {
    id: 'snaps',
    // a container has no squashfs to mount: the units would fail
    summary: 'mounts and services of snaps, and what snapd knows of them: snaps do not run in containers',
    byDefault: true,
    remove: [
      '/etc/systemd/system/{,*.wants/,*.requires/}snap-*.mount',
      '/etc/systemd/system/{,*.wants/,*.requires/}snap.*.{service,socket,timer}',
      '/etc/systemd/user/{,*.wants/}snap.*.{service,socket,timer}',
      '/etc/dbus-1/{system,session}.d/snap.*.conf',
      '/var/lib/snapd/{state.json,state.lock,system-key}',
    ],
    // directories of snapd's package stay
    empty: [
      '/snap',
      '/var/lib/snapd/{assertions,cookie,device,inhibit,mount,save,sequence,ssl}',
      '/var/lib/snapd/{apparmor/profiles,desktop/applications,dbus-1/services,dbus-1/system-services,seccomp/bpf}',
    ],
  },
  {
    id: 'snap-data',
    summary: "data of snaps, the machine's and people's",
    byDefault: false,
    empty: ['/var/snap'],
    remove: ['/{root,home/*}/snap'],
  },
  {
    id: 'subscription',
    summary: "the machine's Ubuntu Pro subscription, reports and Landscape registration",
    byDefault: true,
    remove: [
      '/var/lib/ubuntu-advantage/{private,machine-token.json,status.json}',
      '/var/lib/ubuntu-report',
      '/var/lib/ubuntu-release-upgrader/*',
      '/var/lib/landscape/client/*',
    ],
  },
]
