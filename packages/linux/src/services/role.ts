import { serviceStem } from './known-services.js'

/** Services that keep a machine going, whatever it is for; a container's runtime does what they do, or nobody needs it. */
const SYSTEM: readonly RegExp[] = [
  /^systemd-/,
  /^(?:initrd|dracut|plymouth|kmod|modprobe|user|user-runtime-dir|quotaon|rc-local|rescue|emergency|debug-shell|ldconfig)(?:-|$)/,
  /^(?:.*-)?getty(?:-.*)?$/,
  /^(?:dbus|dbus-broker|dbus-org\..*|polkit|polkitd|elogind|seatd|consolekit)$/,
  /^(?:udev|udevd|eudev|udev-.*|mdev|hwdrivers|hwclock.*|devfs|sysfs|procfs|cgroups|dmesg|modules|modules-load)$/,
  /^(?:sshd?|sshd?-keygen|sshd-.*|dropbear|openssh|openssh-server)$/,
  /^(?:cron|crond|cronie|anacron|atd|fcron|logrotate|mlocate|plocate-updatedb|updatedb|man-db)$/,
  /^(?:rsyslogd?|syslog|syslog-ng|syslogd|klogd|auditd|acct|psacct|sysstat.*|atop.*|logwatch)$/,
  /^(?:chronyd?|chrony-wait|ntpd?|ntpsec|openntpd|ntpdate|timesyncd)$/,
  /^(?:networking|network|networkd-dispatcher|NetworkManager.*|ifup|ifupdown.*|dhcpcd|dhclient|wicked.*|connman|netplan-.*|resolvconf|resolvconf-.*|wpa_supplicant|iwd|ModemManager|nm-.*|avahi-daemon|bluetooth)$/,
  /^(?:iptables|ip6tables|nftables|firewalld|ufw|netfilter-persistent|ebtables|arptables|ipset)$/,
  /^(?:apparmor|selinux-.*|restorecond|setroubleshootd|fail2ban|usbguard|rngd|rng-tools|haveged|mcelog|rasdaemon|irqbalance|thermald|tuned|smartd|smartmontools|ipmievd|lm-sensors|acpid|acpi|upower|power-profiles-daemon|cpufrequtils|loadcpufreq|zramswap|swap|earlyoom|kdump|kdump-tools|kexec.*|ksm|ksmtuned|numad)$/,
  /^(?:lvm2-.*|lvm|lvmetad|dm-event|mdadm.*|mdmonitor|multipathd|multipath-tools|iscsi.*|open-iscsi|blk-availability|dmraid.*|cryptdisks.*|e2scrub.*|fstrim|xfs_scrub.*|btrfs.*|zfs-.*|zed|rpcbind|rpc-.*|nfs-client|nfs-common|autofs|localmount|netmount|fsck|root|mtab)$/,
  /^(?:cloud-.*|ovirt-guest-agent|google-.*|gce-.*|amazon-ssm-agent|ec2-.*|hibinit-agent|waagent|walinuxagent|hv-.*|hypervkvpd|hypervvssd|open-vm-tools|vmtoolsd|vgauth|vgauthd|qemu-guest-agent|spice-vdagentd?|virtualbox-guest-utils|vboxadd.*|vboxservice|xe-.*)$/,
  /^(?:unattended-upgrades|apt-.*|dpkg-.*|packagekit.*|dnf-.*|yum-.*|snapd.*|snap-.*|flatpak.*|fwupd.*|ua-.*|ubuntu-.*|esm-cache|apport.*|whoopsie|kerneloops|motd.*|popularity-contest|needrestart.*|landscape-client|insights-client.*|rhsmcertd|subscription-manager|pollinate|secureboot-db|update-notifier.*|console-setup|keyboard-setup|setvtrgb|loadkeys|keymaps|consolefont|bootmisc|hostname|sysctl|seedrng|urandom|random-seed|savecache|killprocs|mount-ro|loopback|procps|rsync-.*|resolvconf|sudo|nscd|nslcd|sssd.*|oddjobd|realmd|accounts-daemon|rtkit-daemon|switcheroo-control|colord|udisks2|gdm3?|lightdm|sddm|display-manager|speech-dispatcherd?|alsa-.*|alsactl|brltty|exim4-base|phpsessionclean|logind|nvmefc-.*|nvmf-.*|uuidd|rpmdb-.*|selinux-autorelabel.*|import-state|loadmodules|nis-domainname|dkms|openvswitch-switch|lxd-agent.*|lxcfs|incus-agent)$/,
  /^c2m-/,
]

/** 'system' for what keeps a machine going, 'application' for everything else: what nobody knows is what it is for. */
export function serviceRole(name: string): 'system' | 'application' {
  const stem = serviceStem(name)
  return SYSTEM.some((pattern) => pattern.test(stem)) ? 'system' : 'application'
}
