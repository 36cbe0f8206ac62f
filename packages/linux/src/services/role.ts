import { serviceStem } from './known-services.js'

/**
 * Services that keep a machine going, whatever it is for, by their whole names; a container's runtime does what they do, or
 * nobody needs it.
 */
const NAMES: readonly RegExp[] = [
  /^(?:user|user-runtime-dir|kmod|kmod-static-nodes|modprobe|quotaon|quotaon-root|quotacheck|rc-local|rescue|emergency|debug-shell|ldconfig)$/,
  /^(?:dbus|dbus-broker|polkit|polkitd|elogind|seatd|consolekit)$/,
  /^(?:udev|udevd|eudev|udev-(?:trigger|settle|postmount|mount|finish)|mdev|hwdrivers|hwclock(?:\.sh|-save)?|devfs|sysfs|procfs|cgroups|dmesg|modules|modules-load)$/,
  /^(?:sshd?|sshd?-keygen|sshd-(?:session|unix-local|vsock)|dropbear|openssh|openssh-server)$/,
  /^(?:cron|crond|cronie|anacron|atd|fcron|logrotate|mlocate|plocate-updatedb|updatedb|man-db)$/,
  /^(?:rsyslogd?|syslog|syslog-ng|syslogd|klogd|auditd|acct|psacct|sysstat|sysstat-(?:collect|summary|rotate)|atop|atopacct|atop-rotate|atopgpu|logwatch)$/,
  /^(?:chronyd?|chrony-wait|ntpd?|ntpsec|openntpd|ntpdate|timesyncd)$/,
  /^(?:networking|network|networkd-dispatcher|ifup|dhcpcd|dhclient|connman|resolvconf|wpa_supplicant|iwd|ModemManager|nm-(?:cloud-setup|priv-helper|initrd)|avahi-daemon|bluetooth)$/,
  /^(?:iptables|ip6tables|nftables|firewalld|ufw|netfilter-persistent|ebtables|arptables|ipset)$/,
  /^(?:apparmor|restorecond|setroubleshootd|fail2ban|usbguard|rngd|rng-tools|haveged|mcelog|rasdaemon|irqbalance|thermald|tuned|smartd|smartmontools|ipmievd|lm-sensors|acpid|acpi|upower|power-profiles-daemon|cpufrequtils|loadcpufreq|zramswap|swap|earlyoom|kdump|kdump-tools|kexec|kexec-load|ksm|ksmtuned|numad)$/,
  /^(?:lvm|lvmetad|dm-event|mdmonitor|multipathd|multipath-tools|iscsi|iscsid|iscsiuio|iscsi-(?:init|onboot|shutdown|starter)|open-iscsi|blk-availability|fstrim|zed|rpcbind|rpc-(?:statd|statd-notify|gssd|svcgssd)|nfs-client|nfs-common|autofs|localmount|netmount|fsck|root|mtab)$/,
  /^(?:cloud-(?:init|init-local|init-main|init-network|init-hotplugd|config|final)|ovirt-guest-agent|amazon-ssm-agent|hibinit-agent|waagent|walinuxagent|hypervkvpd|hypervvssd|open-vm-tools|vmtoolsd|vgauth|vgauthd|qemu-guest-agent|spice-vdagentd?|virtualbox-guest-utils|vboxservice|vboxadd|vboxadd-service|vboxadd-x11|xe-(?:daemon|guest-utilities|linux-distribution))$/,
  /^google-(?:guest-(?:agent|agent-manager|compat-manager)|(?:startup|shutdown)-scripts|osconfig-agent|oslogin-cache|disk-expand|(?:accounts|clock-skew|network)-daemon|instance-setup|ip-forwarding-daemon|fluentd)$/,
  /^(?:gce-(?:workload-cert-refresh|disk-expand|expand-root)|ec2-(?:instance-connect|instance-connect-harvest-hostkeys|net-utils|ifup))$/,
  /^(?:unattended-upgrades|apt-(?:daily|daily-upgrade|news|listchanges)|dpkg-db-backup|packagekit|packagekit-offline-update|dnf-(?:makecache|automatic|automatic-\w+|system-upgrade|system-upgrade-cleanup)|yum-(?:cron|updatesd|updateonboot)|flatpak-system-helper|fwupd|fwupd-(?:refresh|offline-update)|ua-(?:timer|reboot-cmds|auto-attach|license-check|messaging)|esm-cache|apport|apport-(?:autoreport|forward|coredump-hook)|whoopsie|kerneloops|motd|motd-news|popularity-contest|landscape-client|rhsmcertd|subscription-manager|pollinate|secureboot-db)$/,
  /^(?:console-setup|keyboard-setup|setvtrgb|loadkeys|keymaps|consolefont|bootmisc|hostname|sysctl|seedrng|urandom|random-seed|savecache|killprocs|mount-ro|loopback|procps|sudo|nscd|nslcd|oddjobd|realmd|accounts-daemon|rtkit-daemon|switcheroo-control|colord|udisks2|gdm3?|lightdm|sddm|display-manager|speech-dispatcherd?|alsa-(?:restore|state|utils)|alsactl|brltty|exim4-base|phpsessionclean|logind|uuidd|import-state|loadmodules|nis-domainname|dkms|openvswitch-switch|lxcfs|incus-agent)$/,
]

/** The same by how their names begin: of programs that have many, none of which could be what a machine is for. */
const FAMILIES: readonly RegExp[] = [
  /^systemd-/,
  /^(?:initrd|dracut|plymouth)(?:-|$)/,
  /^(?:.*-)?getty(?:-.*)?$/,
  /^dbus-org\./,
  /^(?:NetworkManager|ifupdown|wicked|netplan-|resolvconf-)/,
  /^selinux-/,
  /^(?:lvm2-|mdadm|dmraid|cryptdisks|e2scrub|xfs_scrub|btrfs|zfs-|nvmefc-|nvmf-)/,
  /^(?:google-cloud-ops-agent|hv-)/,
  /^(?:snapd(?:\.|$)|ubuntu-|needrestart|insights-client|update-notifier|sssd|rpmdb-|lxd-agent)/,
]

const OWN = /^c2m-/

/**
 * 'system' for what keeps a machine going, 'application' for everything else: what nobody knows is what it is for.
 * @param byAdministrator somebody wrote it for this machine, so that the beginning of its name tells nothing
 */
export function serviceRole(name: string, byAdministrator = false): 'system' | 'application' {
  const stem = serviceStem(name)
  const known = byAdministrator ? [...NAMES, OWN] : [...NAMES, ...FAMILIES, OWN]
  return known.some((pattern) => pattern.test(stem)) ? 'system' : 'application'
}
