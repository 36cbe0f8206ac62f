/**
 * The system calls of the image's programs, as a filter of the OCI runtime specification (config-linux.md, "Seccomp").
 *
 * What is listed in ALLOWED is let through; what is listed in REFUSED fails with EPERM, which programs report; everything
 * else, newer calls among it, fails with ENOSYS, which makes libraries use an older call (containers/common and Docker do
 * the same).
 */
export interface Seccomp {
  readonly defaultAction: string
  readonly defaultErrnoRet: number
  readonly architectures: readonly string[]
  readonly syscalls: readonly Rule[]
}

interface Rule {
  readonly names: readonly string[]
  readonly action: string
  readonly errnoRet?: number
  readonly args?: readonly { index: number; value: number; valueTwo?: number; op: string }[]
}

const EPERM = 1
const ENOSYS = 38

/** By Node's names of processors: the ABIs of this host's kernel that may be used. x32 is not among them. */
const ARCHITECTURES: Readonly<Record<string, readonly string[]>> = {
  x64: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86'],
  ia32: ['SCMP_ARCH_X86'],
  arm64: ['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM'],
  arm: ['SCMP_ARCH_ARM'],
  riscv64: ['SCMP_ARCH_RISCV64'],
  ppc64: ['SCMP_ARCH_PPC64LE'],
  s390x: ['SCMP_ARCH_S390X', 'SCMP_ARCH_S390'],
  loong64: ['SCMP_ARCH_LOONGARCH64'],
}

/** Files, memory, processes, time, signals, sockets: what package managers, maintainer scripts and shells are made of. */
const ALLOWED = `
  access chdir chmod chown chown32 close close_range copy_file_range creat dup dup2 dup3 faccessat faccessat2 fadvise64
  fadvise64_64 fallocate fchdir fchmod fchmodat fchmodat2 fchown fchown32 fchownat fcntl fcntl64 fdatasync fgetxattr
  flistxattr flock fremovexattr fsetxattr fstat fstat64 fstatat64 fstatfs fstatfs64 fsync ftruncate ftruncate64 futimesat
  getcwd getdents getdents64 getxattr getxattrat inotify_add_watch inotify_init inotify_init1 inotify_rm_watch ioctl lchown
  lchown32 lgetxattr link linkat listxattr listxattrat llistxattr _llseek lremovexattr lseek lsetxattr lstat lstat64 mkdir
  mkdirat mknod mknodat name_to_handle_at newfstatat open openat openat2 pread64 preadv preadv2 pwrite64 pwritev pwritev2
  read readahead readdir readlink readlinkat readv removexattr removexattrat rename renameat renameat2 rmdir sendfile
  sendfile64 setxattr setxattrat splice stat stat64 statfs statfs64 statx symlink symlinkat sync sync_file_range
  sync_file_range2 arm_sync_file_range arm_fadvise64_64 syncfs tee truncate truncate64 umask unlink unlinkat utime utimensat
  utimensat_time64 utimes write writev chroot

  brk cachestat get_mempolicy madvise map_shadow_stack mbind membarrier memfd_create mincore mlock mlock2 mlockall mmap mmap2
  mprotect mremap mseal msync munlock munlockall munmap pkey_alloc pkey_free pkey_mprotect remap_file_pages set_mempolicy
  set_mempolicy_home_node shmat shmctl shmdt shmget

  alarm arch_prctl capget capset execve execveat exit exit_group fork get_robust_list get_thread_area getcpu getegid
  getegid32 geteuid geteuid32 getgid getgid32 getgroups getgroups32 getpgid getpgrp getpid getppid getpriority getresgid
  getresgid32 getresuid getresuid32 getrlimit getrusage getsid gettid getuid getuid32 ioprio_get ioprio_set kill
  landlock_add_rule landlock_create_ruleset landlock_restrict_self modify_ldt pause pidfd_open pidfd_send_signal prctl
  prlimit64 ptrace restart_syscall rseq rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend
  rt_sigtimedwait rt_sigtimedwait_time64 rt_tgsigqueueinfo sched_get_priority_max sched_get_priority_min sched_getaffinity
  sched_getattr sched_getparam sched_getscheduler sched_rr_get_interval sched_rr_get_interval_time64 sched_setaffinity
  sched_setattr sched_setparam sched_setscheduler sched_yield seccomp set_robust_list set_thread_area set_tid_address
  set_tls breakpoint cacheflush usr26 usr32 riscv_flush_icache riscv_hwprobe s390_pci_mmio_read s390_pci_mmio_write
  s390_runtime_instr setfsgid setfsgid32 setfsuid setfsuid32 setgid setgid32 setgroups setgroups32 setpgid setpriority
  setregid setregid32 setresgid setresgid32 setresuid setresuid32 setreuid setreuid32 setrlimit setsid setuid setuid32
  sigaction sigaltstack signal sigpending sigprocmask sigreturn sigsuspend swapcontext syscall sysinfo tgkill tkill
  ugetrlimit uname vfork wait4 waitid waitpid

  adjtimex clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 clock_gettime clock_gettime64 clock_nanosleep
  clock_nanosleep_time64 getitimer gettimeofday nanosleep setitimer time timer_create timer_delete timer_getoverrun
  timer_gettime timer_gettime64 timer_settime timer_settime64 timerfd timerfd_create timerfd_gettime timerfd_gettime64
  timerfd_settime timerfd_settime64 times getrandom

  epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old eventfd eventfd2
  futex futex_requeue futex_time64 futex_wait futex_waitv futex_wake io_cancel io_destroy io_getevents io_pgetevents
  io_pgetevents_time64 io_setup io_submit ipc mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedreceive_time64
  mq_timedsend mq_timedsend_time64 mq_unlink msgctl msgget msgrcv msgsnd _newselect pipe pipe2 poll ppoll ppoll_time64
  pselect6 pselect6_time64 select semctl semget semop semtimedop semtimedop_time64 signalfd signalfd4

  accept accept4 bind connect getpeername getsockname getsockopt listen recv recvfrom recvmmsg recvmmsg_time64 recvmsg send
  sendmmsg sendmsg sendto setsockopt shutdown socketpair
`

/** Mounts and namespaces, the kernel's keys, other processes' memory and descriptors, and what runs or reads kernel code. */
const REFUSED = `
  mount mount_setattr move_mount open_tree open_tree_attr fsconfig fsmount fsopen fspick pivot_root umount umount2 unshare
  setns sethostname setdomainname quotactl quotactl_fd swapon swapoff open_by_handle_at statmount listmount

  add_key keyctl request_key

  kcmp pidfd_getfd process_madvise process_mrelease process_vm_readv process_vm_writev migrate_pages move_pages

  bpf perf_event_open userfaultfd memfd_secret io_uring_enter io_uring_register io_uring_setup fanotify_init fanotify_mark
  lookup_dcookie acct bdflush create_module delete_module finit_module get_kernel_syms init_module ioperm iopl kexec_file_load
  kexec_load nfsservctl query_module reboot syslog sysfs uselib ustat vhangup vm86 vm86old vmsplice clock_settime
  clock_settime64 settimeofday stime pciconfig_iobase pciconfig_read pciconfig_write
`

/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET (linux/sched.h). */
const NAMESPACE_FLAGS = 0x7e020000
/** AF_UNIX, AF_INET, AF_INET6, AF_NETLINK: neither virtual machines' sockets nor the kernel's cryptography. */
const SOCKET_FAMILIES = [1, 2, 10, 16]
/** PER_LINUX, PER_LINUX32, each with and without UNAME26, and the question for the current one (personality(2)). */
const PERSONALITIES = [0x0, 0x8, 0x20000, 0x20008, 0xffffffff]

/**
 * @param processor by Node's name; without a known one the filter holds for the kernel's native ABI alone
 * @param architecture GOARCH of the image's programs
 */
export function seccompFilter(processor: string, architecture: string): Seccomp {
  return {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: ENOSYS,
    architectures: ARCHITECTURES[processor] ?? [],
    syscalls: [
      { names: words(ALLOWED), action: 'SCMP_ACT_ALLOW' },
      { names: words(REFUSED), action: 'SCMP_ACT_ERRNO', errnoRet: EPERM },
      // clone3 hides its flags in memory: without it libraries use clone
      {
        names: ['clone'],
        action: 'SCMP_ACT_ALLOW',
        args: [{ index: processor === 's390x' ? 1 : 0, value: NAMESPACE_FLAGS, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' }],
      },
      // its arguments lie in memory, so it is only for programs that have no other call
      ...(architecture === '386' ? [{ names: ['socketcall'], action: 'SCMP_ACT_ALLOW' }] : []),
      ...oneOf('socket', SOCKET_FAMILIES),
      ...oneOf('personality', PERSONALITIES),
    ],
  }
}

function oneOf(name: string, values: readonly number[]): Rule[] {
  return values.map((value) => ({
    names: [name],
    action: 'SCMP_ACT_ALLOW',
    args: [{ index: 0, value, op: 'SCMP_CMP_EQ' }],
  }))
}

function words(text: string): string[] {
  return text.trim().split(/\s+/)
}
