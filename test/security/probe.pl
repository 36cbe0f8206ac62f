# What a program of an image can reach, one "name: value" a line. Arguments: a TCP port of the host's loopback device, and
# the name of an abstract socket of the host. System call numbers are those of x86-64 (arch/x86/entry/syscalls).
use strict;
use warnings;
use Socket;
$| = 1;
my ($port, $abstract) = @ARGV;
my %number = (mount => 165, ptrace => 101, add_key => 248, keyctl => 250, unshare => 272, perf_event_open => 298, setns => 308,
    bpf => 321, userfaultfd => 323, io_uring_setup => 425, pidfd_open => 434, pidfd_getfd => 438);
sub call {
    my ($name, @arguments) = @_;
    $! = 0;
    my $result = syscall($number{$name}, @arguments);
    return $result == -1 ? undef : $result;
}
sub outcome { my ($result) = @_; return defined $result ? 'allowed' : "refused ($!)" }
sub say_that { print "$_[0]: $_[1]\n" }
sub first_line { open(my $file, '<', $_[0]) or return undef; my $line = <$file>; return $line }

open(my $status, '<', '/proc/self/status') or die;
while (<$status>) { say_that(lc $1, $2) if /^(Seccomp|NoNewPrivs|CapEff|CapBnd):\s+(\S+)/ }
say_that('open descriptors', join ' ', grep { $_ > 2 && -e "/proc/self/fd/$_" && readlink("/proc/self/fd/$_") !~ m{^/proc/|^anon_inode|probe} }
    map { m{(\d+)$} ? $1 : () } glob '/proc/self/fd/*');
my $zeros = "\0" x 256;
say_that('secret of the caller\'s keyring', defined call('keyctl', 10, -3, "user\0", "c2m-probe\0", 0) ? 'found' : "not found ($!)");
say_that('keyctl', outcome(call('keyctl', 0, -3, 0)));
say_that('/proc/keys', defined first_line('/proc/keys') ? 'readable' : 'masked');
say_that('/proc/kallsyms', defined first_line('/proc/kallsyms') ? 'readable' : 'masked');
say_that('/sys/firmware', scalar(my @entries = glob '/sys/firmware/*') ? 'readable' : 'masked');
say_that('write /proc/sys', open(my $sysctl, '+<', '/proc/sys/kernel/core_pattern') ? 'allowed' : "refused ($!)");
say_that('write /sys', open(my $sys, '+<', '/sys/kernel/mm/transparent_hugepage/enabled') ? 'allowed' : "refused ($!)");
say_that('remount /sys', outcome(call('mount', "none\0", "/sys\0", "none\0", 32, $zeros)));
say_that('new user namespace', outcome(fork_and(sub { call('unshare', 0x10000000) })));
say_that('bpf', outcome(call('bpf', 0, $zeros, 128)));
say_that('perf_event_open', outcome(call('perf_event_open', $zeros, 0, -1, -1, 0)));
say_that('userfaultfd', outcome(call('userfaultfd', 1)));
say_that('io_uring', outcome(call('io_uring_setup', 1, my $ring = "\0" x 128)));
say_that('AF_VSOCK', socket(my $vsock, 40, SOCK_STREAM, 0) ? 'allowed' : "refused ($!)");
say_that('AF_ALG', socket(my $alg, 38, 5, 0) ? 'allowed' : "refused ($!)");
if ($$ == 1) {
    say_that($_, 'is this program') for 'descriptors of process 1', 'root of process 1', 'ptrace of process 1';
} else {
    my $process = call('pidfd_open', 1, 0);
    say_that('descriptors of process 1', outcome(grep({ defined call('pidfd_getfd', $process, $_, 0) } 0 .. 9) ? 1 : undef));
    say_that('root of process 1', opendir(my $root, '/proc/1/root') ? 'allowed' : "refused ($!)");
    say_that('ptrace of process 1', outcome(fork_and(sub { call('ptrace', 16, 1, 0, 0) })));
}
socket(my $tcp, PF_INET, SOCK_STREAM, 0) or die;
say_that('service on the host\'s loopback device', connect($tcp, sockaddr_in($port, inet_aton('127.0.0.1'))) ? 'reached' : "not reached ($!)");
socket(my $unix, PF_UNIX, SOCK_STREAM, 0) or die;
say_that('abstract socket of the host', connect($unix, pack_sockaddr_un("\0$abstract")) ? 'reached' : "not reached ($!)");
my ($limit) = map { /^Max processes\s+(\S+)/ ? $1 : () } do { open(my $f, '<', '/proc/self/limits') or die; <$f> };
say_that('processes of one user', $limit);

# in a child, so that what it changes is not this process's
sub fork_and {
    my ($action) = @_;
    my $pid = fork;
    if ($pid == 0) { my $result = $action->(); exit(defined $result ? 0 : int($!)) }
    waitpid($pid, 0);
    $! = $? >> 8;
    return $! == 0 ? 1 : undef;
}
