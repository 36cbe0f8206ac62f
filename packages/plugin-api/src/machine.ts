/** What the user asked of the machine. Everything is optional in the command line; here the defaults are filled in. */

/** A value that must not reach a log, a plan, a cache key or a child's arguments. `toJSON` and `toString` give '[secret]'. */
export interface Secret {
  reveal(): string
}

export interface UserRequest {
  readonly name: string
  readonly groups: readonly string[]
  readonly sudo: boolean
  readonly sshKeys: readonly string[]
  /** crypt(3) hash. */
  readonly passwordHash?: Secret
}

export type NetworkRequest =
  | { readonly mode: 'dhcp' }
  | { readonly mode: 'none' }
  | { readonly mode: 'static'; readonly addresses: readonly string[]; readonly gateway?: string }

/** What the disk is put into: 'vm' a virtual machine, 'physical' any computer. */
export type MachineTarget = 'vm' | 'physical'

export interface MachineRequest {
  readonly hostname: string
  /** crypt(3) hash of root's password; without it root cannot log in with one. */
  readonly rootPasswordHash?: Secret
  /** Public keys, one authorized_keys line each, for root (or for `users` with their own). */
  readonly sshKeys: readonly string[]
  readonly users: readonly UserRequest[]
  readonly network: NetworkRequest
  /** Id of a network manager that the distro plugin knows; undefined takes the plugin's choice. */
  readonly networkManager?: string
  readonly dns: readonly string[]
  readonly timezone?: string
  readonly locale?: string
  /** Layout of the console's keyboard, 'de', or with a variant of it, 'de:nodeadkeys'. */
  readonly keyboard?: string
  /** Further packages by the distro's names. */
  readonly packages: readonly string[]
  /** Kernel flavour by the distro plugin's names; undefined takes its default. */
  readonly kernel?: string
  /** Words added to the kernel command line. */
  readonly cmdline: readonly string[]
  /** Consoles in the kernel's `console=` syntax; the last one gets /dev/console. */
  readonly consoles: readonly string[]
}
