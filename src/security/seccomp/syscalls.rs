//! Pure: system call numbers, written by `conformance/lab/syscall-numbers`; do not edit.
//!
//! From the kernel's headers: Linux 6.1 (Debian's linux-libc-dev-*-cross), and what is newer from
//! linux-raw-sys 0.12.1. [`NAMES`] is sorted; each column has a number for each name.

/// What a column has for a call that the architecture lacks.
pub(super) const NONE: u16 = u16::MAX;

/// ARM's private calls have numbers from 0xf0000 on; a column has them from here on.
pub(super) const PRIVATE: u16 = 0xf000;

/// How many names there are.
pub(super) const COUNT: usize = 504;

/// One number for each name.
pub(super) type Column = [u16; COUNT];

/// All names, one a line: one string, since a slice of strings would have to be relocated whenever
/// rrun starts.
#[rustfmt::skip]
pub(super) const NAMES: &str = "\
_llseek\n\
_newselect\n\
_sysctl\n\
accept\n\
accept4\n\
access\n\
acct\n\
add_key\n\
adjtimex\n\
afs_syscall\n\
alarm\n\
arch_prctl\n\
arm_fadvise64_64\n\
arm_sync_file_range\n\
atomic_barrier\n\
atomic_cmpxchg_32\n\
bdflush\n\
bind\n\
bpf\n\
break\n\
breakpoint\n\
brk\n\
cachectl\n\
cacheflush\n\
cachestat\n\
capget\n\
capset\n\
chdir\n\
chmod\n\
chown\n\
chown32\n\
chroot\n\
clock_adjtime\n\
clock_adjtime64\n\
clock_getres\n\
clock_getres_time64\n\
clock_gettime\n\
clock_gettime64\n\
clock_nanosleep\n\
clock_nanosleep_time64\n\
clock_settime\n\
clock_settime64\n\
clone\n\
clone3\n\
close\n\
close_range\n\
connect\n\
copy_file_range\n\
creat\n\
create_module\n\
delete_module\n\
dup\n\
dup2\n\
dup3\n\
epoll_create\n\
epoll_create1\n\
epoll_ctl\n\
epoll_ctl_old\n\
epoll_pwait\n\
epoll_pwait2\n\
epoll_wait\n\
epoll_wait_old\n\
eventfd\n\
eventfd2\n\
execve\n\
execveat\n\
exit\n\
exit_group\n\
faccessat\n\
faccessat2\n\
fadvise64\n\
fadvise64_64\n\
fallocate\n\
fanotify_init\n\
fanotify_mark\n\
fchdir\n\
fchmod\n\
fchmodat\n\
fchmodat2\n\
fchown\n\
fchown32\n\
fchownat\n\
fcntl\n\
fcntl64\n\
fdatasync\n\
fgetxattr\n\
file_getattr\n\
file_setattr\n\
finit_module\n\
flistxattr\n\
flock\n\
fork\n\
fremovexattr\n\
fsconfig\n\
fsetxattr\n\
fsmount\n\
fsopen\n\
fspick\n\
fstat\n\
fstat64\n\
fstatat64\n\
fstatfs\n\
fstatfs64\n\
fsync\n\
ftime\n\
ftruncate\n\
ftruncate64\n\
futex\n\
futex_requeue\n\
futex_time64\n\
futex_wait\n\
futex_waitv\n\
futex_wake\n\
futimesat\n\
get_kernel_syms\n\
get_mempolicy\n\
get_robust_list\n\
get_thread_area\n\
get_tls\n\
getcpu\n\
getcwd\n\
getdents\n\
getdents64\n\
getegid\n\
getegid32\n\
geteuid\n\
geteuid32\n\
getgid\n\
getgid32\n\
getgroups\n\
getgroups32\n\
getitimer\n\
getpagesize\n\
getpeername\n\
getpgid\n\
getpgrp\n\
getpid\n\
getpmsg\n\
getppid\n\
getpriority\n\
getrandom\n\
getresgid\n\
getresgid32\n\
getresuid\n\
getresuid32\n\
getrlimit\n\
getrusage\n\
getsid\n\
getsockname\n\
getsockopt\n\
gettid\n\
gettimeofday\n\
getuid\n\
getuid32\n\
getxattr\n\
getxattrat\n\
gtty\n\
idle\n\
init_module\n\
inotify_add_watch\n\
inotify_init\n\
inotify_init1\n\
inotify_rm_watch\n\
io_cancel\n\
io_destroy\n\
io_getevents\n\
io_pgetevents\n\
io_pgetevents_time64\n\
io_setup\n\
io_submit\n\
io_uring_enter\n\
io_uring_register\n\
io_uring_setup\n\
ioctl\n\
ioperm\n\
iopl\n\
ioprio_get\n\
ioprio_set\n\
ipc\n\
kcmp\n\
kexec_file_load\n\
kexec_load\n\
keyctl\n\
kill\n\
landlock_add_rule\n\
landlock_create_ruleset\n\
landlock_restrict_self\n\
lchown\n\
lchown32\n\
lgetxattr\n\
link\n\
linkat\n\
listen\n\
listmount\n\
listxattr\n\
listxattrat\n\
llistxattr\n\
lock\n\
lookup_dcookie\n\
lremovexattr\n\
lseek\n\
lsetxattr\n\
lsm_get_self_attr\n\
lsm_list_modules\n\
lsm_set_self_attr\n\
lstat\n\
lstat64\n\
madvise\n\
map_shadow_stack\n\
mbind\n\
membarrier\n\
memfd_create\n\
memfd_secret\n\
migrate_pages\n\
mincore\n\
mkdir\n\
mkdirat\n\
mknod\n\
mknodat\n\
mlock\n\
mlock2\n\
mlockall\n\
mmap\n\
mmap2\n\
modify_ldt\n\
mount\n\
mount_setattr\n\
move_mount\n\
move_pages\n\
mprotect\n\
mpx\n\
mq_getsetattr\n\
mq_notify\n\
mq_open\n\
mq_timedreceive\n\
mq_timedreceive_time64\n\
mq_timedsend\n\
mq_timedsend_time64\n\
mq_unlink\n\
mremap\n\
mseal\n\
msgctl\n\
msgget\n\
msgrcv\n\
msgsnd\n\
msync\n\
multiplexer\n\
munlock\n\
munlockall\n\
munmap\n\
name_to_handle_at\n\
nanosleep\n\
newfstatat\n\
nfsservctl\n\
nice\n\
oldfstat\n\
oldlstat\n\
oldolduname\n\
oldstat\n\
olduname\n\
open\n\
open_by_handle_at\n\
open_tree\n\
open_tree_attr\n\
openat\n\
openat2\n\
pause\n\
pciconfig_iobase\n\
pciconfig_read\n\
pciconfig_write\n\
perf_event_open\n\
personality\n\
pidfd_getfd\n\
pidfd_open\n\
pidfd_send_signal\n\
pipe\n\
pipe2\n\
pivot_root\n\
pkey_alloc\n\
pkey_free\n\
pkey_mprotect\n\
poll\n\
ppoll\n\
ppoll_time64\n\
prctl\n\
pread64\n\
preadv\n\
preadv2\n\
prlimit64\n\
process_madvise\n\
process_mrelease\n\
process_vm_readv\n\
process_vm_writev\n\
prof\n\
profil\n\
pselect6\n\
pselect6_time64\n\
ptrace\n\
putpmsg\n\
pwrite64\n\
pwritev\n\
pwritev2\n\
query_module\n\
quotactl\n\
quotactl_fd\n\
read\n\
readahead\n\
readdir\n\
readlink\n\
readlinkat\n\
readv\n\
reboot\n\
recv\n\
recvfrom\n\
recvmmsg\n\
recvmmsg_time64\n\
recvmsg\n\
remap_file_pages\n\
removexattr\n\
removexattrat\n\
rename\n\
renameat\n\
renameat2\n\
request_key\n\
restart_syscall\n\
riscv_flush_icache\n\
riscv_hwprobe\n\
rmdir\n\
rseq\n\
rt_sigaction\n\
rt_sigpending\n\
rt_sigprocmask\n\
rt_sigqueueinfo\n\
rt_sigreturn\n\
rt_sigsuspend\n\
rt_sigtimedwait\n\
rt_sigtimedwait_time64\n\
rt_tgsigqueueinfo\n\
rtas\n\
s390_guarded_storage\n\
s390_pci_mmio_read\n\
s390_pci_mmio_write\n\
s390_runtime_instr\n\
s390_sthyi\n\
sched_get_priority_max\n\
sched_get_priority_min\n\
sched_getaffinity\n\
sched_getattr\n\
sched_getparam\n\
sched_getscheduler\n\
sched_rr_get_interval\n\
sched_rr_get_interval_time64\n\
sched_setaffinity\n\
sched_setattr\n\
sched_setparam\n\
sched_setscheduler\n\
sched_yield\n\
seccomp\n\
security\n\
select\n\
semctl\n\
semget\n\
semop\n\
semtimedop\n\
semtimedop_time64\n\
send\n\
sendfile\n\
sendfile64\n\
sendmmsg\n\
sendmsg\n\
sendto\n\
set_mempolicy\n\
set_mempolicy_home_node\n\
set_robust_list\n\
set_thread_area\n\
set_tid_address\n\
set_tls\n\
setdomainname\n\
setfsgid\n\
setfsgid32\n\
setfsuid\n\
setfsuid32\n\
setgid\n\
setgid32\n\
setgroups\n\
setgroups32\n\
sethostname\n\
setitimer\n\
setns\n\
setpgid\n\
setpriority\n\
setregid\n\
setregid32\n\
setresgid\n\
setresgid32\n\
setresuid\n\
setresuid32\n\
setreuid\n\
setreuid32\n\
setrlimit\n\
setsid\n\
setsockopt\n\
settimeofday\n\
setuid\n\
setuid32\n\
setxattr\n\
setxattrat\n\
sgetmask\n\
shmat\n\
shmctl\n\
shmdt\n\
shmget\n\
shutdown\n\
sigaction\n\
sigaltstack\n\
signal\n\
signalfd\n\
signalfd4\n\
sigpending\n\
sigprocmask\n\
sigreturn\n\
sigsuspend\n\
socket\n\
socketcall\n\
socketpair\n\
splice\n\
spu_create\n\
spu_run\n\
ssetmask\n\
stat\n\
stat64\n\
statfs\n\
statfs64\n\
statmount\n\
statx\n\
stime\n\
stty\n\
subpage_prot\n\
swapcontext\n\
swapoff\n\
swapon\n\
switch_endian\n\
symlink\n\
symlinkat\n\
sync\n\
sync_file_range\n\
sync_file_range2\n\
syncfs\n\
sys_debug_setcontext\n\
sysfs\n\
sysinfo\n\
syslog\n\
sysmips\n\
tee\n\
tgkill\n\
time\n\
timer_create\n\
timer_delete\n\
timer_getoverrun\n\
timer_gettime\n\
timer_gettime64\n\
timer_settime\n\
timer_settime64\n\
timerfd\n\
timerfd_create\n\
timerfd_gettime\n\
timerfd_gettime64\n\
timerfd_settime\n\
timerfd_settime64\n\
times\n\
tkill\n\
truncate\n\
truncate64\n\
tuxcall\n\
ugetrlimit\n\
ulimit\n\
umask\n\
umount\n\
umount2\n\
uname\n\
unlink\n\
unlinkat\n\
unshare\n\
uretprobe\n\
uselib\n\
userfaultfd\n\
usr26\n\
usr32\n\
ustat\n\
utime\n\
utimensat\n\
utimensat_time64\n\
utimes\n\
vfork\n\
vhangup\n\
vm86\n\
vm86old\n\
vmsplice\n\
vserver\n\
wait4\n\
waitid\n\
waitpid\n\
write\n\
writev";

/// X86.
#[rustfmt::skip]
pub(super) static X86: Column = [
    140, 142, 149, NONE, 364, 33, 51, 286, 124, 137, 27, 384, NONE, NONE, NONE, NONE, 134, 361, 357,
    17, NONE, 45, NONE, NONE, 451, 184, 185, 12, 15, 182, 212, 61, 343, 405, 266, 406, 265, 403,
    267, 407, 264, 404, 120, 435, 6, 436, 362, 377, 8, 127, 129, 41, 63, 330, 254, 329, 255, NONE,
    319, 441, 256, NONE, 323, 328, 11, 358, 1, 252, 307, 439, 250, 272, 324, 338, 339, 133, 94, 306,
    452, 95, 207, 298, 55, 221, 148, 231, 468, 469, 350, 234, 143, 2, 237, 431, 228, 432, 430, 433,
    108, 197, 300, 100, 269, 118, 35, 93, 194, 240, 456, 422, 455, 449, 454, 299, 130, 275, 312,
    244, NONE, 318, 183, 141, 220, 50, 202, 49, 201, 47, 200, 80, 205, 105, NONE, 368, 132, 65, 20,
    188, 64, 96, 355, 171, 211, 165, 209, 76, 77, 147, 367, 365, 224, 78, 24, 199, 229, 464, 32,
    112, 128, 292, 291, 332, 293, 249, 246, 247, 385, 416, 245, 248, 426, 427, 425, 54, 101, 110,
    290, 289, 117, 349, NONE, 283, 288, 37, 445, 444, 446, 16, 198, 230, 9, 303, 363, 458, 232, 465,
    233, 53, 253, 236, 19, 227, 459, 461, 460, 107, 196, 219, 453, 274, 375, 356, 447, 294, 218, 39,
    296, 14, 297, 150, 376, 152, 90, 192, 123, 21, 442, 429, 317, 125, 56, 282, 281, 277, 280, 419,
    279, 418, 278, 163, 462, 402, 399, 401, 400, 144, NONE, 151, 153, 91, 341, 162, NONE, 169, 34,
    28, 84, 59, 18, 109, 5, 342, 428, 467, 295, 437, 29, NONE, NONE, NONE, 336, 136, 438, 434, 424,
    42, 331, 217, 381, 382, 380, 168, 309, 414, 172, 180, 333, 378, 340, 440, 448, 347, 348, 44, 98,
    308, 413, 26, 189, 181, 334, 379, 167, 131, 443, 3, 225, 89, 85, 305, 145, 88, NONE, 371, 337,
    417, 372, 257, 235, 466, 38, 302, 353, 287, 0, NONE, NONE, 40, 386, 174, 176, 175, 178, 173,
    179, 177, 421, 335, NONE, NONE, NONE, NONE, NONE, NONE, 159, 160, 242, 352, 155, 157, 161, 423,
    241, 351, 154, 156, 158, 354, NONE, 82, 394, 393, NONE, NONE, 420, NONE, 187, 239, 345, 370,
    369, 276, 450, 311, 243, 258, NONE, 121, 139, 216, 138, 215, 46, 214, 81, 206, 74, 104, 346, 57,
    97, 71, 204, 170, 210, 164, 208, 70, 203, 75, 66, 366, 79, 23, 213, 226, 463, 68, 397, 396, 398,
    395, 373, 67, 186, 48, 321, 327, 73, 126, 119, 72, 359, 102, 360, 313, NONE, NONE, 69, 106, 195,
    99, 268, 457, 383, 25, 31, NONE, NONE, 115, 87, NONE, 83, 304, 36, 314, NONE, 344, NONE, 135,
    116, 103, NONE, 315, 270, 13, 259, 263, 262, 261, 408, 260, 409, NONE, 322, 326, 410, 325, 411,
    43, 238, 92, 193, NONE, 191, 58, 60, 22, 52, 122, 10, 301, 310, NONE, 86, 374, NONE, NONE, 62,
    30, 320, 412, 271, 190, 111, 166, 113, 316, 273, 114, 284, 7, 4, 146,
];

/// X86_64.
#[rustfmt::skip]
pub(super) static X86_64: Column = [
    NONE, NONE, 156, 43, 288, 21, 163, 248, 159, 183, 37, 158, NONE, NONE, NONE, NONE, NONE, 49,
    321, NONE, NONE, 12, NONE, NONE, 451, 125, 126, 80, 90, 92, NONE, 161, 305, NONE, 229, NONE,
    228, NONE, 230, NONE, 227, NONE, 56, 435, 3, 436, 42, 326, 85, 174, 176, 32, 33, 292, 213, 291,
    233, 214, 281, 441, 232, 215, 284, 290, 59, 322, 60, 231, 269, 439, 221, NONE, 285, 300, 301,
    81, 91, 268, 452, 93, NONE, 260, 72, NONE, 75, 193, 468, 469, 313, 196, 73, 57, 199, 431, 190,
    432, 430, 433, 5, NONE, NONE, 138, NONE, 74, NONE, 77, NONE, 202, 456, NONE, 455, 449, 454, 261,
    177, 239, 274, 211, NONE, 309, 79, 78, 217, 108, NONE, 107, NONE, 104, NONE, 115, NONE, 36,
    NONE, 52, 121, 111, 39, 181, 110, 140, 318, 120, NONE, 118, NONE, 97, 98, 124, 51, 55, 186, 96,
    102, NONE, 191, 464, NONE, NONE, 175, 254, 253, 294, 255, 210, 207, 208, 333, NONE, 206, 209,
    426, 427, 425, 16, 173, 172, 252, 251, NONE, 312, 320, 246, 250, 62, 445, 444, 446, 94, NONE,
    192, 86, 265, 50, 458, 194, 465, 195, NONE, 212, 198, 8, 189, 459, 461, 460, 6, NONE, 28, 453,
    237, 324, 319, 447, 256, 27, 83, 258, 133, 259, 149, 325, 151, 9, NONE, 154, 165, 442, 429, 279,
    10, NONE, 245, 244, 240, 243, NONE, 242, NONE, 241, 25, 462, 71, 68, 70, 69, 26, NONE, 150, 152,
    11, 303, 35, 262, 180, NONE, NONE, NONE, NONE, NONE, NONE, 2, 304, 428, 467, 257, 437, 34, NONE,
    NONE, NONE, 298, 135, 438, 434, 424, 22, 293, 155, 330, 331, 329, 7, 271, NONE, 157, 17, 295,
    327, 302, 440, 448, 310, 311, NONE, NONE, 270, NONE, 101, 182, 18, 296, 328, 178, 179, 443, 0,
    187, NONE, 89, 267, 19, 169, NONE, 45, 299, NONE, 47, 216, 197, 466, 82, 264, 316, 249, 219,
    NONE, NONE, 84, 334, 13, 127, 14, 129, 15, 130, 128, NONE, 297, NONE, NONE, NONE, NONE, NONE,
    NONE, 146, 147, 204, 315, 143, 145, 148, NONE, 203, 314, 142, 144, 24, 317, 185, 23, 66, 64, 65,
    220, NONE, NONE, 40, NONE, 307, 46, 44, 238, 450, 273, 205, 218, NONE, 171, 123, NONE, 122,
    NONE, 106, NONE, 116, NONE, 170, 38, 308, 109, 141, 114, NONE, 119, NONE, 117, NONE, 113, NONE,
    160, 112, 54, 164, 105, NONE, 188, 463, NONE, 30, 31, 67, 29, 48, NONE, 131, NONE, 282, 289,
    NONE, NONE, NONE, NONE, 41, NONE, 53, 275, NONE, NONE, NONE, 4, NONE, 137, NONE, 457, 332, NONE,
    NONE, NONE, NONE, 168, 167, NONE, 88, 266, 162, 277, NONE, 306, NONE, 139, 99, 103, NONE, 276,
    234, 201, 222, 226, 225, 224, NONE, 223, NONE, NONE, 283, 287, NONE, 286, NONE, 100, 200, 76,
    NONE, 184, NONE, NONE, 95, NONE, 166, 63, 87, 263, 272, 335, 134, 323, NONE, NONE, 136, 132,
    280, NONE, 235, 58, 153, NONE, NONE, 278, 236, 61, 247, NONE, 1, 20,
];

/// X32.
#[rustfmt::skip]
pub(super) static X32: Column = [
    NONE, NONE, NONE, 43, 288, 21, 163, 248, 159, 183, 37, 158, NONE, NONE, NONE, NONE, NONE, 49,
    321, NONE, NONE, 12, NONE, NONE, 451, 125, 126, 80, 90, 92, NONE, 161, 305, NONE, 229, NONE,
    228, NONE, 230, NONE, 227, NONE, 56, 435, 3, 436, 42, 326, 85, NONE, 176, 32, 33, 292, 213, 291,
    233, NONE, 281, 441, 232, NONE, 284, 290, 520, 545, 60, 231, 269, 439, 221, NONE, 285, 300, 301,
    81, 91, 268, 452, 93, NONE, 260, 72, NONE, 75, 193, 468, 469, 313, 196, 73, 57, 199, 431, 190,
    432, 430, 433, 5, NONE, NONE, 138, NONE, 74, NONE, 77, NONE, 202, 456, NONE, 455, 449, 454, 261,
    NONE, 239, 531, NONE, NONE, 309, 79, 78, 217, 108, NONE, 107, NONE, 104, NONE, 115, NONE, 36,
    NONE, 52, 121, 111, 39, 181, 110, 140, 318, 120, NONE, 118, NONE, 97, 98, 124, 51, 542, 186, 96,
    102, NONE, 191, 464, NONE, NONE, 175, 254, 253, 294, 255, 210, 207, 208, 333, NONE, 543, 544,
    426, 427, 425, 514, 173, 172, 252, 251, NONE, 312, 320, 528, 250, 62, 445, 444, 446, 94, NONE,
    192, 86, 265, 50, 458, 194, 465, 195, NONE, 212, 198, 8, 189, 459, 461, 460, 6, NONE, 28, 453,
    237, 324, 319, 447, 256, 27, 83, 258, 133, 259, 149, 325, 151, 9, NONE, 154, 165, 442, 429, 533,
    10, NONE, 245, 527, 240, 243, NONE, 242, NONE, 241, 25, 462, 71, 68, 70, 69, 26, NONE, 150, 152,
    11, 303, 35, 262, NONE, NONE, NONE, NONE, NONE, NONE, NONE, 2, 304, 428, 467, 257, 437, 34,
    NONE, NONE, NONE, 298, 135, 438, 434, 424, 22, 293, 155, 330, 331, 329, 7, 271, NONE, 157, 17,
    534, 546, 302, 440, 448, 539, 540, NONE, NONE, 270, NONE, 521, 182, 18, 535, 547, NONE, 179,
    443, 0, 187, NONE, 89, 267, 515, 169, NONE, 517, 537, NONE, 519, 216, 197, 466, 82, 264, 316,
    249, 219, NONE, NONE, 84, 334, 512, 522, 14, 524, 513, 130, 523, NONE, 536, NONE, NONE, NONE,
    NONE, NONE, NONE, 146, 147, 204, 315, 143, 145, 148, NONE, 203, 314, 142, 144, 24, 317, 185, 23,
    66, 64, 65, 220, NONE, NONE, 40, NONE, 538, 518, 44, 238, 450, 530, NONE, 218, NONE, 171, 123,
    NONE, 122, NONE, 106, NONE, 116, NONE, 170, 38, 308, 109, 141, 114, NONE, 119, NONE, 117, NONE,
    113, NONE, 160, 112, 541, 164, 105, NONE, 188, 463, NONE, 30, 31, 67, 29, 48, NONE, 525, NONE,
    282, 289, NONE, NONE, NONE, NONE, 41, NONE, 53, 275, NONE, NONE, NONE, 4, NONE, 137, NONE, 457,
    332, NONE, NONE, NONE, NONE, 168, 167, NONE, 88, 266, 162, 277, NONE, 306, NONE, 139, 99, 103,
    NONE, 276, 234, 201, 526, 226, 225, 224, NONE, 223, NONE, NONE, 283, 287, NONE, 286, NONE, 100,
    200, 76, NONE, 184, NONE, NONE, 95, NONE, 166, 63, 87, 263, 272, 335, NONE, 323, NONE, NONE,
    136, 132, 280, NONE, 235, 58, 153, NONE, NONE, 532, NONE, 61, 529, NONE, 1, 516,
];

/// ARM.
#[rustfmt::skip]
pub(super) static ARM: Column = [
    140, 142, 149, 285, 366, 33, 51, 309, 124, NONE, NONE, NONE, 270, 341, NONE, NONE, 134, 282,
    386, NONE, 61441, 45, NONE, 61442, 451, 184, 185, 12, 15, 182, 212, 61, 372, 405, 264, 406, 263,
    403, 265, 407, 262, 404, 120, 435, 6, 436, 283, 391, 8, NONE, 129, 41, 63, 358, 250, 357, 251,
    NONE, 346, 441, 252, NONE, 351, 356, 11, 387, 1, 248, 334, 439, NONE, NONE, 352, 367, 368, 133,
    94, 333, 452, 95, 207, 325, 55, 221, 148, 231, 468, 469, 379, 234, 143, 2, 237, 431, 228, 432,
    430, 433, 108, 197, 327, 100, 267, 118, NONE, 93, 194, 240, 456, 422, 455, 449, 454, 326, NONE,
    320, 339, NONE, 61446, 345, 183, 141, 217, 50, 202, 49, 201, 47, 200, 80, 205, 105, NONE, 287,
    132, 65, 20, NONE, 64, 96, 384, 171, 211, 165, 209, NONE, 77, 147, 286, 295, 224, 78, 24, 199,
    229, 464, NONE, NONE, 128, 317, 316, 360, 318, 247, 244, 245, 399, 416, 243, 246, 426, 427, 425,
    54, NONE, NONE, 315, 314, NONE, 378, 401, 347, 311, 37, 445, 444, 446, 16, 198, 230, 9, 330,
    284, 458, 232, 465, 233, NONE, 249, 236, 19, 227, 459, 461, 460, 107, 196, 220, 453, 319, 389,
    385, NONE, 400, 219, 39, 323, 14, 324, 150, 390, 152, NONE, 192, NONE, 21, 442, 429, 344, 125,
    NONE, 279, 278, 274, 277, 419, 276, 418, 275, 163, 462, 304, 303, 302, 301, 144, NONE, 151, 153,
    91, 370, 162, NONE, 169, 34, NONE, NONE, NONE, NONE, NONE, 5, 371, 428, 467, 322, 437, 29, 271,
    272, 273, 364, 136, 438, 434, 424, 42, 359, 218, 395, 396, 394, 168, 336, 414, 172, 180, 361,
    392, 369, 440, 448, 376, 377, NONE, NONE, 335, 413, 26, NONE, 181, 362, 393, NONE, 131, 443, 3,
    225, NONE, 85, 332, 145, 88, 291, 292, 365, 417, 297, 253, 235, 466, 38, 329, 382, 310, 0, NONE,
    NONE, 40, 398, 174, 176, 175, 178, 173, 179, 177, 421, 363, NONE, NONE, NONE, NONE, NONE, NONE,
    159, 160, 242, 381, 155, 157, 161, 423, 241, 380, 154, 156, 158, 383, NONE, NONE, 300, 299, 298,
    312, 420, 289, 187, 239, 374, 296, 290, 321, 450, 338, NONE, 256, 61445, 121, 139, 216, 138,
    215, 46, 214, 81, 206, 74, 104, 375, 57, 97, 71, 204, 170, 210, 164, 208, 70, 203, 75, 66, 294,
    79, 23, 213, 226, 463, NONE, 305, 308, 306, 307, 293, 67, 186, NONE, 349, 355, 73, 126, 119, 72,
    281, NONE, 288, 340, NONE, NONE, NONE, 106, 195, 99, 266, 457, 397, NONE, NONE, NONE, NONE, 115,
    87, NONE, 83, 331, 36, NONE, 341, 373, NONE, 135, 116, 103, NONE, 342, 268, NONE, 257, 261, 260,
    259, 408, 258, 409, NONE, 350, 354, 410, 353, 411, 43, 238, 92, 193, NONE, 191, NONE, 60, NONE,
    52, 122, 10, 328, 337, NONE, 86, 388, 61443, 61444, 62, NONE, 348, 412, 269, 190, 111, NONE,
    NONE, 343, 313, 114, 280, NONE, 4, 146,
];

/// AARCH64.
#[rustfmt::skip]
pub(super) static AARCH64: Column = [
    NONE, NONE, NONE, 202, 242, NONE, 89, 217, 171, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE,
    200, 280, NONE, NONE, 214, NONE, NONE, 451, 90, 91, 49, NONE, NONE, NONE, 51, 266, NONE, 114,
    NONE, 113, NONE, 115, NONE, 112, NONE, 220, 435, 57, 436, 203, 285, NONE, NONE, 106, 23, NONE,
    24, NONE, 20, 21, NONE, 22, 441, NONE, NONE, NONE, 19, 221, 281, 93, 94, 48, 439, 223, NONE, 47,
    262, 263, 50, 52, 53, 452, 55, NONE, 54, 25, NONE, 83, 10, 468, 469, 273, 13, 32, NONE, 16, 431,
    7, 432, 430, 433, 80, NONE, NONE, 44, NONE, 82, NONE, 46, NONE, 98, 456, NONE, 455, 449, 454,
    NONE, NONE, 236, 100, NONE, NONE, 168, 17, NONE, 61, 177, NONE, 175, NONE, 176, NONE, 158, NONE,
    102, NONE, 205, 155, NONE, 172, NONE, 173, 141, 278, 150, NONE, 148, NONE, 163, 165, 156, 204,
    209, 178, 169, 174, NONE, 8, 464, NONE, NONE, 105, 27, NONE, 26, 28, 3, 1, 4, 292, NONE, 0, 2,
    426, 427, 425, 29, NONE, NONE, 31, 30, NONE, 272, 294, 104, 219, 129, 445, 444, 446, NONE, NONE,
    9, NONE, 37, 201, 458, 11, 465, 12, NONE, 18, 15, 62, 6, 459, 461, 460, NONE, NONE, 233, 453,
    235, 283, 279, 447, 238, 232, NONE, 34, NONE, 33, 228, 284, 230, 222, NONE, NONE, 40, 442, 429,
    239, 226, NONE, 185, 184, 180, 183, NONE, 182, NONE, 181, 216, 462, 187, 186, 188, 189, 227,
    NONE, 229, 231, 215, 264, 101, 79, 42, NONE, NONE, NONE, NONE, NONE, NONE, NONE, 265, 428, 467,
    56, 437, NONE, NONE, NONE, NONE, 241, 92, 438, 434, 424, NONE, 59, 41, 289, 290, 288, NONE, 73,
    NONE, 167, 67, 69, 286, 261, 440, 448, 270, 271, NONE, NONE, 72, NONE, 117, NONE, 68, 70, 287,
    NONE, 60, 443, 63, 213, NONE, NONE, 78, 65, 142, NONE, 207, 243, NONE, 212, 234, 14, 466, NONE,
    38, 276, 218, 128, NONE, NONE, NONE, 293, 134, 136, 135, 138, 139, 133, 137, NONE, 240, NONE,
    NONE, NONE, NONE, NONE, NONE, 125, 126, 123, 275, 121, 120, 127, NONE, 122, 274, 118, 119, 124,
    277, NONE, NONE, 191, 190, 193, 192, NONE, NONE, 71, NONE, 269, 211, 206, 237, 450, 99, NONE,
    96, NONE, 162, 152, NONE, 151, NONE, 144, NONE, 159, NONE, 161, 103, 268, 154, 140, 143, NONE,
    149, NONE, 147, NONE, 145, NONE, 164, 157, 208, 170, 146, NONE, 5, 463, NONE, 196, 195, 197,
    194, 210, NONE, 132, NONE, NONE, 74, NONE, NONE, NONE, NONE, 198, NONE, 199, 76, NONE, NONE,
    NONE, NONE, NONE, 43, NONE, 457, 291, NONE, NONE, NONE, NONE, 225, 224, NONE, NONE, 36, 81, 84,
    NONE, 267, NONE, NONE, 179, 116, NONE, 77, 131, NONE, 107, 111, 109, 108, NONE, 110, NONE, NONE,
    85, 87, NONE, 86, NONE, 153, 130, 45, NONE, NONE, NONE, NONE, 166, NONE, 39, 160, NONE, 35, 97,
    NONE, NONE, 282, NONE, NONE, NONE, NONE, 88, NONE, NONE, NONE, 58, NONE, NONE, 75, NONE, 260,
    95, NONE, 64, 66,
];

/// LOONGARCH64.
#[rustfmt::skip]
pub(super) static LOONGARCH64: Column = [
    NONE, NONE, NONE, 202, 242, NONE, 89, 217, 171, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE,
    200, 280, NONE, NONE, 214, NONE, NONE, 451, 90, 91, 49, NONE, NONE, NONE, 51, 266, NONE, 114,
    NONE, 113, NONE, 115, NONE, 112, NONE, 220, 435, 57, 436, 203, 285, NONE, NONE, 106, 23, NONE,
    24, NONE, 20, 21, NONE, 22, 441, NONE, NONE, NONE, 19, 221, 281, 93, 94, 48, 439, 223, NONE, 47,
    262, 263, 50, 52, 53, 452, 55, NONE, 54, 25, NONE, 83, 10, 468, 469, 273, 13, 32, NONE, 16, 431,
    7, 432, 430, 433, 80, NONE, NONE, 44, NONE, 82, NONE, 46, NONE, 98, 456, NONE, 455, 449, 454,
    NONE, NONE, 236, 100, NONE, NONE, 168, 17, NONE, 61, 177, NONE, 175, NONE, 176, NONE, 158, NONE,
    102, NONE, 205, 155, NONE, 172, NONE, 173, 141, 278, 150, NONE, 148, NONE, NONE, 165, 156, 204,
    209, 178, 169, 174, NONE, 8, 464, NONE, NONE, 105, 27, NONE, 26, 28, 3, 1, 4, 292, NONE, 0, 2,
    426, 427, 425, 29, NONE, NONE, 31, 30, NONE, 272, 294, 104, 219, 129, 445, 444, 446, NONE, NONE,
    9, NONE, 37, 201, 458, 11, 465, 12, NONE, 18, 15, 62, 6, 459, 461, 460, NONE, NONE, 233, 453,
    235, 283, 279, NONE, 238, 232, NONE, 34, NONE, 33, 228, 284, 230, 222, NONE, NONE, 40, 442, 429,
    239, 226, NONE, 185, 184, 180, 183, NONE, 182, NONE, 181, 216, 462, 187, 186, 188, 189, 227,
    NONE, 229, 231, 215, 264, 101, 79, 42, NONE, NONE, NONE, NONE, NONE, NONE, NONE, 265, 428, 467,
    56, 437, NONE, NONE, NONE, NONE, 241, 92, 438, 434, 424, NONE, 59, 41, 289, 290, 288, NONE, 73,
    NONE, 167, 67, 69, 286, 261, 440, 448, 270, 271, NONE, NONE, 72, NONE, 117, NONE, 68, 70, 287,
    NONE, 60, 443, 63, 213, NONE, NONE, 78, 65, 142, NONE, 207, 243, NONE, 212, 234, 14, 466, NONE,
    NONE, 276, 218, 128, NONE, NONE, NONE, 293, 134, 136, 135, 138, 139, 133, 137, NONE, 240, NONE,
    NONE, NONE, NONE, NONE, NONE, 125, 126, 123, 275, 121, 120, 127, NONE, 122, 274, 118, 119, 124,
    277, NONE, NONE, 191, 190, 193, 192, NONE, NONE, 71, NONE, 269, 211, 206, 237, 450, 99, NONE,
    96, NONE, 162, 152, NONE, 151, NONE, 144, NONE, 159, NONE, 161, 103, 268, 154, 140, 143, NONE,
    149, NONE, 147, NONE, 145, NONE, NONE, 157, 208, 170, 146, NONE, 5, 463, NONE, 196, 195, 197,
    194, 210, NONE, 132, NONE, NONE, 74, NONE, NONE, NONE, NONE, 198, NONE, 199, 76, NONE, NONE,
    NONE, NONE, NONE, 43, NONE, 457, 291, NONE, NONE, NONE, NONE, 225, 224, NONE, NONE, 36, 81, 84,
    NONE, 267, NONE, NONE, 179, 116, NONE, 77, 131, NONE, 107, 111, 109, 108, NONE, 110, NONE, NONE,
    85, 87, NONE, 86, NONE, 153, 130, 45, NONE, NONE, NONE, NONE, 166, NONE, 39, 160, NONE, 35, 97,
    NONE, NONE, 282, NONE, NONE, NONE, NONE, 88, NONE, NONE, NONE, 58, NONE, NONE, 75, NONE, 260,
    95, NONE, 64, 66,
];

/// M68K.
#[rustfmt::skip]
pub(super) static M68K: Column = [
    140, 142, 149, NONE, 361, 33, 51, 279, 124, NONE, 27, NONE, NONE, NONE, 336, 335, 134, 358, 354,
    NONE, NONE, 45, NONE, 123, 451, 184, 185, 12, 15, 16, 198, 61, 342, 405, 261, 406, 260, 403,
    262, 407, 259, 404, 120, 435, 6, 436, 359, 376, 8, 127, 129, 41, 63, 326, 249, 325, 250, NONE,
    315, 441, 251, NONE, 319, 324, 11, 355, 1, 247, 300, 439, 246, 267, 320, 337, 338, 133, 94, 299,
    452, 95, 207, 291, 55, 239, 148, 228, 468, 469, 348, 231, 143, 2, 234, 431, 225, 432, 430, 433,
    108, 197, 293, 100, 264, 118, NONE, 93, 194, 235, 456, 422, 455, 449, 454, 292, 130, 269, 305,
    333, NONE, 314, 183, 141, 220, 50, 202, 49, 201, 47, 200, 80, 205, 105, 166, 365, 132, 65, 20,
    188, 64, 96, 352, 171, 211, 165, 209, 76, 77, 147, 364, 362, 221, 78, 24, 199, 226, 464, NONE,
    NONE, 128, 285, 284, 328, 286, 245, 242, 243, NONE, 416, 241, 244, 426, 427, 425, 54, NONE,
    NONE, 283, 282, 117, 347, NONE, 313, 281, 37, 445, 444, 446, 182, 212, 227, 9, 296, 360, 458,
    229, 465, 230, NONE, 248, 233, 19, 224, 459, 461, 460, 107, 196, 238, 453, 268, 374, 353, NONE,
    287, 237, 39, 289, 14, 290, 150, 375, 152, 90, 192, NONE, 21, 442, 429, 310, 125, NONE, 276,
    275, 271, 274, 419, 273, 418, 272, 163, 462, 402, 399, 401, 400, 144, NONE, 151, 153, 91, 340,
    162, NONE, 169, 34, 28, 84, NONE, 18, NONE, 5, 341, 428, 467, 288, 437, 29, NONE, NONE, NONE,
    332, 136, 438, 434, 424, 42, 327, 217, 382, 383, 381, 168, 302, 414, 172, 180, 329, 377, 339,
    440, 448, 345, 346, NONE, NONE, 301, 413, 26, 189, 181, 330, 378, 167, 131, 443, 3, 240, 89, 85,
    298, 145, 88, NONE, 368, 371, 417, 369, 252, 232, 466, 38, 295, 351, 280, 0, NONE, NONE, 40,
    384, 174, 176, 175, 178, 173, 179, 177, 421, 331, NONE, NONE, NONE, NONE, NONE, NONE, 159, 160,
    312, 350, 155, 157, 161, 423, 311, 349, 154, 156, 158, 380, NONE, 82, 394, 393, NONE, NONE, 420,
    NONE, 187, 236, 372, 367, 366, 270, 450, 304, 334, 253, NONE, 121, 139, 216, 138, 215, 46, 214,
    81, 206, 74, 104, 344, 57, 97, 71, 204, 170, 210, 164, 208, 70, 203, 75, 66, 363, 79, 23, 213,
    223, 463, 68, 397, 396, 398, 395, 370, 67, 186, 48, 317, 323, 73, 126, 119, 72, 356, 102, 357,
    306, NONE, NONE, 69, 106, 195, 99, 263, 457, 379, 25, NONE, NONE, NONE, 115, 87, NONE, 83, 297,
    36, 307, NONE, 343, NONE, 135, 116, 103, NONE, 308, 265, 13, 254, 258, 257, 256, 408, 255, 409,
    NONE, 318, 322, 410, 321, 411, 43, 222, 92, 193, NONE, 191, NONE, 60, 22, 52, 122, 10, 294, 303,
    NONE, 86, 373, NONE, NONE, 62, 30, 316, 412, 266, 190, 111, NONE, NONE, 309, NONE, 114, 277, 7,
    4, 146,
];

/// MIPS.
#[rustfmt::skip]
pub(super) static MIPS: Column = [
    4140, 4142, 4153, 4168, 4334, 4033, 4051, 4280, 4124, 4137, 4027, NONE, NONE, NONE, NONE, NONE,
    4134, 4169, 4355, 4017, NONE, 4045, 4148, 4147, 4451, 4204, 4205, 4012, 4015, 4202, NONE, 4061,
    4341, 4405, 4264, 4406, 4263, 4403, 4265, 4407, 4262, 4404, 4120, 4435, 4006, 4436, 4170, 4360,
    4008, 4127, 4129, 4041, 4063, 4327, 4248, 4326, 4249, NONE, 4313, 4441, 4250, NONE, 4319, 4325,
    4011, 4356, 4001, 4246, 4300, 4439, 4254, NONE, 4320, 4336, 4337, 4133, 4094, 4299, 4452, 4095,
    NONE, 4291, 4055, 4220, 4152, 4229, 4468, 4469, 4348, 4232, 4143, 4002, 4235, 4431, 4226, 4432,
    4430, 4433, 4108, 4215, 4293, 4100, 4256, 4118, 4035, 4093, 4212, 4238, 4456, 4422, 4455, 4449,
    4454, 4292, 4130, 4269, 4310, NONE, NONE, 4312, 4203, 4141, 4219, 4050, NONE, 4049, NONE, 4047,
    NONE, 4080, NONE, 4105, NONE, 4171, 4132, 4065, 4020, 4208, 4064, 4096, 4353, 4191, NONE, 4186,
    NONE, 4076, 4077, 4151, 4172, 4173, 4222, 4078, 4024, NONE, 4227, 4464, 4032, 4112, 4128, 4285,
    4284, 4329, 4286, 4245, 4242, 4243, 4368, 4416, 4241, 4244, 4426, 4427, 4425, 4054, 4101, 4110,
    4315, 4314, 4117, 4347, NONE, 4311, 4282, 4037, 4445, 4444, 4446, 4016, NONE, 4228, 4009, 4296,
    4174, 4458, 4230, 4465, 4231, 4053, 4247, 4234, 4019, 4225, 4459, 4461, 4460, 4107, 4214, 4218,
    4453, 4268, 4358, 4354, NONE, 4287, 4217, 4039, 4289, 4014, 4290, 4154, 4359, 4156, 4090, 4210,
    4123, 4021, 4442, 4429, 4308, 4125, 4056, 4276, 4275, 4271, 4274, 4419, 4273, 4418, 4272, 4167,
    4462, 4402, 4399, 4401, 4400, 4144, NONE, 4155, 4157, 4091, 4339, 4166, NONE, 4189, 4034, NONE,
    NONE, NONE, NONE, NONE, 4005, 4340, 4428, 4467, 4288, 4437, 4029, NONE, NONE, NONE, 4333, 4136,
    4438, 4434, 4424, 4042, 4328, 4216, 4364, 4365, 4363, 4188, 4302, 4414, 4192, 4200, 4330, 4361,
    4338, 4440, 4448, 4345, 4346, 4044, 4098, 4301, 4413, 4026, 4209, 4201, 4331, 4362, 4187, 4131,
    4443, 4003, 4223, 4089, 4085, 4298, 4145, 4088, 4175, 4176, 4335, 4417, 4177, 4251, 4233, 4466,
    4038, 4295, 4351, 4281, 4253, NONE, NONE, 4040, 4367, 4194, 4196, 4195, 4198, 4193, 4199, 4197,
    4421, 4332, NONE, NONE, NONE, NONE, NONE, NONE, 4163, 4164, 4240, 4350, 4159, 4161, 4165, 4423,
    4239, 4349, 4158, 4160, 4162, 4352, NONE, NONE, 4394, 4393, NONE, NONE, 4420, 4178, 4207, 4237,
    4343, 4179, 4180, 4270, 4450, 4309, 4283, 4252, NONE, 4121, 4139, NONE, 4138, NONE, 4046, NONE,
    4081, NONE, 4074, 4104, 4344, 4057, 4097, 4071, NONE, 4190, NONE, 4185, NONE, 4070, NONE, 4075,
    4066, 4181, 4079, 4023, NONE, 4224, 4463, 4068, 4397, 4396, 4398, 4395, 4182, 4067, 4206, 4048,
    4317, 4324, 4073, 4126, 4119, 4072, 4183, 4102, 4184, 4304, NONE, NONE, 4069, 4106, 4213, 4099,
    4255, 4457, 4366, 4025, 4031, NONE, NONE, 4115, 4087, NONE, 4083, 4297, 4036, 4305, NONE, 4342,
    NONE, 4135, 4116, 4103, 4149, 4306, 4266, 4013, 4257, 4261, 4260, 4259, 4408, 4258, 4409, 4318,
    4321, 4322, 4410, 4323, 4411, 4043, 4236, 4092, 4211, NONE, NONE, 4058, 4060, 4022, 4052, 4122,
    4010, 4294, 4303, NONE, 4086, 4357, NONE, NONE, 4062, 4030, 4316, 4412, 4267, NONE, 4111, 4113,
    NONE, 4307, 4277, 4114, 4278, 4007, 4004, 4146,
];

/// MIPS64.
#[rustfmt::skip]
pub(super) static MIPS64: Column = [
    NONE, 5022, 5152, 5042, 5293, 5020, 5158, 5239, 5154, 5176, 5037, NONE, NONE, NONE, NONE, NONE,
    NONE, 5048, 5315, NONE, NONE, 5012, 5198, 5197, 5451, 5123, 5124, 5078, 5088, 5090, NONE, 5156,
    5300, NONE, 5223, NONE, 5222, NONE, 5224, NONE, 5221, NONE, 5055, 5435, 5003, 5436, 5041, 5320,
    5083, 5167, 5169, 5031, 5032, 5286, 5207, 5285, 5208, NONE, 5272, 5441, 5209, NONE, 5278, 5284,
    5057, 5316, 5058, 5205, 5259, 5439, 5215, NONE, 5279, 5295, 5296, 5079, 5089, 5258, 5452, 5091,
    NONE, 5250, 5070, NONE, 5073, 5185, 5468, 5469, 5307, 5188, 5071, 5056, 5191, 5431, 5182, 5432,
    5430, 5433, 5005, NONE, NONE, 5135, NONE, 5072, NONE, 5075, NONE, 5194, 5456, NONE, 5455, 5449,
    5454, 5251, 5170, 5228, 5269, NONE, NONE, 5271, 5077, 5076, 5308, 5106, NONE, 5105, NONE, 5102,
    NONE, 5113, NONE, 5035, NONE, 5051, 5119, 5109, 5038, 5174, 5108, 5137, 5313, 5118, NONE, 5116,
    NONE, 5095, 5096, 5122, 5050, 5054, 5178, 5094, 5100, NONE, 5183, 5464, NONE, NONE, 5168, 5244,
    5243, 5288, 5245, 5204, 5201, 5202, 5328, NONE, 5200, 5203, 5426, 5427, 5425, 5015, NONE, NONE,
    5274, 5273, NONE, 5306, NONE, 5270, 5241, 5060, 5445, 5444, 5446, 5092, NONE, 5184, 5084, 5255,
    5049, 5458, 5186, 5465, 5187, NONE, 5206, 5190, 5008, 5181, 5459, 5461, 5460, 5006, NONE, 5027,
    5453, 5227, 5318, 5314, NONE, 5246, 5026, 5081, 5248, 5131, 5249, 5146, 5319, 5148, 5009, NONE,
    NONE, 5160, 5442, 5429, 5267, 5010, NONE, 5235, 5234, 5230, 5233, NONE, 5232, NONE, 5231, 5024,
    5462, 5069, 5066, 5068, 5067, 5025, NONE, 5147, 5149, 5011, 5298, 5034, 5252, 5173, NONE, NONE,
    NONE, NONE, NONE, NONE, 5002, 5299, 5428, 5467, 5247, 5437, 5033, NONE, NONE, NONE, 5292, 5132,
    5438, 5434, 5424, 5021, 5287, 5151, 5324, 5325, 5323, 5007, 5261, NONE, 5153, 5016, 5289, 5321,
    5297, 5440, 5448, 5304, 5305, NONE, NONE, 5260, NONE, 5099, 5175, 5017, 5290, 5322, 5171, 5172,
    5443, 5000, 5179, NONE, 5087, 5257, 5018, 5164, NONE, 5044, 5294, NONE, 5046, 5210, 5189, 5466,
    5080, 5254, 5311, 5240, 5213, NONE, NONE, 5082, 5327, 5013, 5125, 5014, 5127, 5211, 5128, 5126,
    NONE, 5291, NONE, NONE, NONE, NONE, NONE, NONE, 5143, 5144, 5196, 5310, 5140, 5142, 5145, NONE,
    5195, 5309, 5139, 5141, 5023, 5312, NONE, NONE, 5064, 5062, 5063, 5214, NONE, NONE, 5039, NONE,
    5302, 5045, 5043, 5229, 5450, 5268, 5242, 5212, NONE, 5166, 5121, NONE, 5120, NONE, 5104, NONE,
    5114, NONE, 5165, 5036, 5303, 5107, 5138, 5112, NONE, 5117, NONE, 5115, NONE, 5111, NONE, 5155,
    5110, 5053, 5159, 5103, NONE, 5180, 5463, NONE, 5029, 5030, 5065, 5028, 5047, NONE, 5129, NONE,
    5276, 5283, NONE, NONE, NONE, NONE, 5040, NONE, 5052, 5263, NONE, NONE, NONE, 5004, NONE, 5134,
    NONE, 5457, 5326, NONE, NONE, NONE, NONE, 5163, 5162, NONE, 5086, 5256, 5157, 5264, NONE, 5301,
    NONE, 5136, 5097, 5101, 5199, 5265, 5225, NONE, 5216, 5220, 5219, 5218, NONE, 5217, NONE, 5277,
    5280, 5281, NONE, 5282, NONE, 5098, 5192, 5074, NONE, NONE, NONE, NONE, 5093, NONE, 5161, 5061,
    5085, 5253, 5262, NONE, NONE, 5317, NONE, NONE, 5133, 5130, 5275, NONE, 5226, NONE, 5150, NONE,
    NONE, 5266, 5236, 5059, 5237, NONE, 5001, 5019,
];

/// MIPS64N32.
#[rustfmt::skip]
pub(super) static MIPS64N32: Column = [
    NONE, 6022, 6152, 6042, 6297, 6020, 6158, 6243, 6154, 6176, 6037, NONE, NONE, NONE, NONE, NONE,
    NONE, 6048, 6319, NONE, NONE, 6012, 6198, 6197, 6451, 6123, 6124, 6078, 6088, 6090, NONE, 6156,
    6305, 6405, 6227, 6406, 6226, 6403, 6228, 6407, 6225, 6404, 6055, 6435, 6003, 6436, 6041, 6324,
    6083, 6167, 6169, 6031, 6032, 6290, 6207, 6289, 6208, NONE, 6276, 6441, 6209, NONE, 6282, 6288,
    6057, 6320, 6058, 6205, 6263, 6439, 6216, NONE, 6283, 6300, 6301, 6079, 6089, 6262, 6452, 6091,
    NONE, 6254, 6070, 6212, 6073, 6185, 6468, 6469, 6312, 6188, 6071, 6056, 6191, 6431, 6182, 6432,
    6430, 6433, 6005, NONE, NONE, 6135, 6218, 6072, NONE, 6075, NONE, 6194, 6456, 6422, 6455, 6449,
    6454, 6255, 6170, 6232, 6273, NONE, NONE, 6275, 6077, 6076, 6299, 6106, NONE, 6105, NONE, 6102,
    NONE, 6113, NONE, 6035, NONE, 6051, 6119, 6109, 6038, 6174, 6108, 6137, 6317, 6118, NONE, 6116,
    NONE, 6095, 6096, 6122, 6050, 6054, 6178, 6094, 6100, NONE, 6183, 6464, NONE, NONE, 6168, 6248,
    6247, 6292, 6249, 6204, 6201, 6202, 6332, 6416, 6200, 6203, 6426, 6427, 6425, 6015, NONE, NONE,
    6278, 6277, NONE, 6311, NONE, 6274, 6245, 6060, 6445, 6444, 6446, 6092, NONE, 6184, 6084, 6259,
    6049, 6458, 6186, 6465, 6187, NONE, 6206, 6190, 6008, 6181, 6459, 6461, 6460, 6006, NONE, 6027,
    6453, 6231, 6322, 6318, NONE, 6250, 6026, 6081, 6252, 6131, 6253, 6146, 6323, 6148, 6009, NONE,
    NONE, 6160, 6442, 6429, 6271, 6010, NONE, 6239, 6238, 6234, 6237, 6419, 6236, 6418, 6235, 6024,
    6462, 6069, 6066, 6068, 6067, 6025, NONE, 6147, 6149, 6011, 6303, 6034, 6256, 6173, NONE, NONE,
    NONE, NONE, NONE, NONE, 6002, 6304, 6428, 6467, 6251, 6437, 6033, NONE, NONE, NONE, 6296, 6132,
    6438, 6434, 6424, 6021, 6291, 6151, 6328, 6329, 6327, 6007, 6265, 6414, 6153, 6016, 6293, 6325,
    6302, 6440, 6448, 6309, 6310, NONE, NONE, 6264, 6413, 6099, 6175, 6017, 6294, 6326, 6171, 6172,
    6443, 6000, 6179, NONE, 6087, 6261, 6018, 6164, NONE, 6044, 6298, 6417, 6046, 6210, 6189, 6466,
    6080, 6258, 6315, 6244, 6214, NONE, NONE, 6082, 6331, 6013, 6125, 6014, 6127, 6211, 6128, 6126,
    6421, 6295, NONE, NONE, NONE, NONE, NONE, NONE, 6143, 6144, 6196, 6314, 6140, 6142, 6145, 6423,
    6195, 6313, 6139, 6141, 6023, 6316, NONE, NONE, 6064, 6062, 6063, 6215, 6420, NONE, 6039, 6219,
    6307, 6045, 6043, 6233, 6450, 6272, 6246, 6213, NONE, 6166, 6121, NONE, 6120, NONE, 6104, NONE,
    6114, NONE, 6165, 6036, 6308, 6107, 6138, 6112, NONE, 6117, NONE, 6115, NONE, 6111, NONE, 6155,
    6110, 6053, 6159, 6103, NONE, 6180, 6463, NONE, 6029, 6030, 6065, 6028, 6047, NONE, 6129, NONE,
    6280, 6287, NONE, NONE, NONE, NONE, 6040, NONE, 6052, 6267, NONE, NONE, NONE, 6004, NONE, 6134,
    6217, 6457, 6330, NONE, NONE, NONE, NONE, 6163, 6162, NONE, 6086, 6260, 6157, 6268, NONE, 6306,
    NONE, 6136, 6097, 6101, 6199, 6269, 6229, NONE, 6220, 6224, 6223, 6222, 6408, 6221, 6409, 6281,
    6284, 6285, 6410, 6286, 6411, 6098, 6192, 6074, NONE, NONE, NONE, NONE, 6093, NONE, 6161, 6061,
    6085, 6257, 6266, NONE, NONE, 6321, NONE, NONE, 6133, 6130, 6279, 6412, 6230, NONE, 6150, NONE,
    NONE, 6270, 6240, 6059, 6241, NONE, 6001, 6019,
];

/// PPC.
#[rustfmt::skip]
pub(super) static PPC: Column = [
    140, 142, 149, 330, 344, 33, 51, 269, 124, 137, 27, NONE, NONE, NONE, NONE, NONE, 134, 327, 361,
    17, NONE, 45, NONE, NONE, 451, 183, 184, 12, 15, 181, NONE, 61, 347, 405, 247, 406, 246, 403,
    248, 407, 245, 404, 120, 435, 6, 436, 328, 379, 8, 127, 129, 41, 63, 316, 236, 315, 237, NONE,
    303, 441, 238, NONE, 307, 314, 11, 362, 1, 234, 298, 439, 233, 254, 309, 323, 324, 133, 94, 297,
    452, 95, NONE, 289, 55, 204, 148, 214, 468, 469, 353, 217, 143, 2, 220, 431, 211, 432, 430, 433,
    108, 197, 291, 100, 253, 118, 35, 93, 194, 221, 456, 422, 455, 449, 454, 290, 130, 260, 299,
    NONE, NONE, 302, 182, 141, 202, 50, NONE, 49, NONE, 47, NONE, 80, NONE, 105, NONE, 332, 132, 65,
    20, 187, 64, 96, 359, 170, NONE, 165, NONE, 76, 77, 147, 331, 340, 207, 78, 24, NONE, 212, 464,
    32, 112, 128, 276, 275, 318, 277, 231, 228, 229, 388, 416, 227, 230, 426, 427, 425, 54, 101,
    110, 274, 273, 117, 354, 382, 268, 271, 37, 445, 444, 446, 16, NONE, 213, 9, 294, 329, 458, 215,
    465, 216, 53, 235, 219, 19, 210, 459, 461, 460, 107, 196, 205, 453, 259, 365, 360, NONE, 258,
    206, 39, 287, 14, 288, 150, 378, 152, 90, 192, 123, 21, 442, 429, 301, 125, 56, 267, 266, 262,
    265, 419, 264, 418, 263, 163, 462, 402, 399, 401, 400, 144, 201, 151, 153, 91, 345, 162, NONE,
    168, 34, 28, 84, 59, 18, 109, 5, 346, 428, 467, 286, 437, 29, 200, 198, 199, 319, 136, 438, 434,
    424, 42, 317, 203, 384, 385, 386, 167, 281, 414, 171, 179, 320, 380, 325, 440, 448, 351, 352,
    44, 98, 280, 413, 26, 188, 180, 321, 381, 166, 131, 443, 3, 191, 89, 85, 296, 145, 88, 336, 337,
    343, 417, 342, 239, 218, 466, 38, 293, 357, 270, 0, NONE, NONE, 40, 387, 173, 175, 174, 177,
    172, 178, 176, 421, 322, 255, NONE, NONE, NONE, NONE, NONE, 159, 160, 223, 356, 155, 157, 161,
    423, 222, 355, 154, 156, 158, 358, NONE, 82, 394, 393, NONE, NONE, 420, 334, 186, 226, 349, 341,
    335, 261, 450, 300, NONE, 232, NONE, 121, 139, NONE, 138, NONE, 46, NONE, 81, NONE, 74, 104,
    350, 57, 97, 71, NONE, 169, NONE, 164, NONE, 70, NONE, 75, 66, 339, 79, 23, NONE, 209, 463, 68,
    397, 396, 398, 395, 338, 67, 185, 48, 305, 313, 73, 126, 119, 72, 326, 102, 333, 283, 279, 278,
    69, 106, 195, 99, 252, 457, 383, 25, 31, 310, 249, 115, 87, 363, 83, 295, 36, NONE, 308, 348,
    256, 135, 116, 103, NONE, 284, 250, 13, 240, 244, 243, 242, 408, 241, 409, NONE, 306, 312, 410,
    311, 411, 43, 208, 92, 193, 225, 190, 58, 60, 22, 52, 122, 10, 292, 282, NONE, 86, 364, NONE,
    NONE, 62, 30, 304, 412, 251, 189, 111, 113, NONE, 285, NONE, 114, 272, 7, 4, 146,
];

/// PPC64.
#[rustfmt::skip]
pub(super) static PPC64: Column = [
    140, 142, 149, 330, 344, 33, 51, 269, 124, 137, 27, NONE, NONE, NONE, NONE, NONE, 134, 327, 361,
    17, NONE, 45, NONE, NONE, 451, 183, 184, 12, 15, 181, NONE, 61, 347, NONE, 247, NONE, 246, NONE,
    248, NONE, 245, NONE, 120, 435, 6, 436, 328, 379, 8, 127, 129, 41, 63, 316, 236, 315, 237, NONE,
    303, 441, 238, NONE, 307, 314, 11, 362, 1, 234, 298, 439, 233, NONE, 309, 323, 324, 133, 94,
    297, 452, 95, NONE, 289, 55, NONE, 148, 214, 468, 469, 353, 217, 143, 2, 220, 431, 211, 432,
    430, 433, 108, NONE, NONE, 100, 253, 118, 35, 93, NONE, 221, 456, NONE, 455, 449, 454, 290, 130,
    260, 299, NONE, NONE, 302, 182, 141, 202, 50, NONE, 49, NONE, 47, NONE, 80, NONE, 105, NONE,
    332, 132, 65, 20, 187, 64, 96, 359, 170, NONE, 165, NONE, 76, 77, 147, 331, 340, 207, 78, 24,
    NONE, 212, 464, 32, 112, 128, 276, 275, 318, 277, 231, 228, 229, 388, NONE, 227, 230, 426, 427,
    425, 54, 101, 110, 274, 273, 117, 354, 382, 268, 271, 37, 445, 444, 446, 16, NONE, 213, 9, 294,
    329, 458, 215, 465, 216, 53, 235, 219, 19, 210, 459, 461, 460, 107, NONE, 205, 453, 259, 365,
    360, NONE, 258, 206, 39, 287, 14, 288, 150, 378, 152, 90, NONE, 123, 21, 442, 429, 301, 125, 56,
    267, 266, 262, 265, NONE, 264, NONE, 263, 163, 462, 402, 399, 401, 400, 144, 201, 151, 153, 91,
    345, 162, 291, 168, 34, 28, 84, 59, 18, 109, 5, 346, 428, 467, 286, 437, 29, 200, 198, 199, 319,
    136, 438, 434, 424, 42, 317, 203, 384, 385, 386, 167, 281, NONE, 171, 179, 320, 380, 325, 440,
    448, 351, 352, 44, 98, 280, NONE, 26, 188, 180, 321, 381, 166, 131, 443, 3, 191, 89, 85, 296,
    145, 88, 336, 337, 343, NONE, 342, 239, 218, 466, 38, 293, 357, 270, 0, NONE, NONE, 40, 387,
    173, 175, 174, 177, 172, 178, 176, NONE, 322, 255, NONE, NONE, NONE, NONE, NONE, 159, 160, 223,
    356, 155, 157, 161, NONE, 222, 355, 154, 156, 158, 358, NONE, 82, 394, 393, NONE, 392, NONE,
    334, 186, NONE, 349, 341, 335, 261, 450, 300, NONE, 232, NONE, 121, 139, NONE, 138, NONE, 46,
    NONE, 81, NONE, 74, 104, 350, 57, 97, 71, NONE, 169, NONE, 164, NONE, 70, NONE, 75, 66, 339, 79,
    23, NONE, 209, 463, 68, 397, 396, 398, 395, 338, 67, 185, 48, 305, 313, 73, 126, 119, 72, 326,
    102, 333, 283, 279, 278, 69, 106, NONE, 99, 252, 457, 383, 25, 31, 310, 249, 115, 87, 363, 83,
    295, 36, NONE, 308, 348, 256, 135, 116, 103, NONE, 284, 250, 13, 240, 244, 243, 242, NONE, 241,
    NONE, NONE, 306, 312, NONE, 311, NONE, 43, 208, 92, NONE, 225, 190, 58, 60, 22, 52, 122, 10,
    292, 282, NONE, 86, 364, NONE, NONE, 62, 30, 304, NONE, 251, 189, 111, 113, NONE, 285, NONE,
    114, 272, 7, 4, 146,
];

/// S390.
#[rustfmt::skip]
pub(super) static S390: Column = [
    140, 142, 149, NONE, 364, 33, 51, 278, 124, 137, 27, NONE, NONE, NONE, NONE, NONE, 134, 361,
    351, NONE, NONE, 45, NONE, NONE, 451, 184, 185, 12, 15, 182, 212, 61, 337, 405, 261, 406, 260,
    403, 262, 407, 259, 404, 120, 435, 6, 436, 362, 375, 8, 127, 129, 41, 63, 326, 249, 327, 250,
    NONE, 312, 441, 251, NONE, 318, 323, 11, 354, 1, 248, 300, 439, 253, 264, 314, 332, 333, 133,
    94, 299, 452, 95, 207, 291, 55, 221, 148, 229, 468, 469, 344, 232, 143, 2, 235, 431, 226, 432,
    430, 433, 108, 197, 293, 100, 266, 118, NONE, 93, 194, 238, 456, 422, 455, 449, 454, 292, 130,
    269, 305, NONE, NONE, 311, 183, 141, 220, 50, 202, 49, 201, 47, 200, 80, 205, 105, NONE, 368,
    132, 65, 20, 188, 64, 96, 349, 171, 211, 165, 209, 76, 77, 147, 367, 365, 236, 78, 24, 199, 227,
    464, NONE, 112, 128, 285, 284, 324, 286, 247, 244, 245, 382, 416, 243, 246, 426, 427, 425, 54,
    101, NONE, 283, 282, 117, 343, 381, 277, 280, 37, 445, 444, 446, 16, 198, 228, 9, 296, 363, 458,
    230, 465, 231, NONE, 110, 234, 19, 225, 459, 461, 460, 107, 196, 219, 453, 268, 356, 350, NONE,
    287, 218, 39, 289, 14, 290, 150, 374, 152, 90, 192, NONE, 21, 442, 429, 310, 125, NONE, 276,
    275, 271, 274, 419, 273, 418, 272, 163, 462, 402, 399, 401, 400, 144, NONE, 151, 153, 91, 335,
    162, NONE, 169, 34, NONE, NONE, NONE, NONE, NONE, 5, 336, 428, 467, 288, 437, 29, NONE, NONE,
    NONE, 331, 136, 438, 434, 424, 42, 325, 217, 385, 386, 384, 168, 302, 414, 172, 180, 328, 376,
    334, 440, 448, 340, 341, NONE, NONE, 301, 413, 26, 189, 181, 329, 377, 167, 131, 443, 3, 222,
    89, 85, 298, 145, 88, NONE, 371, 357, 417, 372, 267, 233, 466, 38, 295, 347, 279, 7, NONE, NONE,
    40, 383, 174, 176, 175, 178, 173, 179, 177, 421, 330, NONE, 378, 353, 352, 342, 380, 159, 160,
    240, 346, 155, 157, 161, 423, 239, 345, 154, 156, 158, 348, NONE, NONE, 394, 393, NONE, NONE,
    420, NONE, 187, 223, 358, 370, 369, 270, 450, 304, NONE, 252, NONE, 121, 139, 216, 138, 215, 46,
    214, 81, 206, 74, 104, 339, 57, 97, 71, 204, 170, 210, 164, 208, 70, 203, 75, 66, 366, 79, 23,
    213, 224, 463, NONE, 397, 396, 398, 395, 373, 67, 186, 48, 316, 322, 73, 126, 119, 72, 359, 102,
    360, 306, NONE, NONE, NONE, 106, 195, 99, 265, 457, 379, 25, NONE, NONE, NONE, 115, 87, NONE,
    83, 297, 36, 307, NONE, 338, NONE, 135, 116, 103, NONE, 308, 241, 13, 254, 258, 257, 256, 408,
    255, 409, 317, 319, 321, 410, 320, 411, 43, 237, 92, 193, NONE, 191, NONE, 60, 22, 52, 122, 10,
    294, 303, NONE, 86, 355, NONE, NONE, 62, 30, 315, 412, 313, 190, 111, NONE, NONE, 309, NONE,
    114, 281, NONE, 4, 146,
];

/// S390X.
#[rustfmt::skip]
pub(super) static S390X: Column = [
    NONE, NONE, 149, NONE, 364, 33, 51, 278, 124, 137, 27, NONE, NONE, NONE, NONE, NONE, 134, 361,
    351, NONE, NONE, 45, NONE, NONE, 451, 184, 185, 12, 15, 212, NONE, 61, 337, NONE, 261, NONE,
    260, NONE, 262, NONE, 259, NONE, 120, 435, 6, 436, 362, 375, 8, 127, 129, 41, 63, 326, 249, 327,
    250, NONE, 312, 441, 251, NONE, 318, 323, 11, 354, 1, 248, 300, 439, 253, NONE, 314, 332, 333,
    133, 94, 299, 452, 207, NONE, 291, 55, NONE, 148, 229, 468, 469, 344, 232, 143, 2, 235, 431,
    226, 432, 430, 433, 108, NONE, NONE, 100, 266, 118, NONE, 93, NONE, 238, 456, NONE, 455, 449,
    454, 292, 130, 269, 305, NONE, NONE, 311, 183, 141, 220, 202, NONE, 201, NONE, 200, NONE, 205,
    NONE, 105, NONE, 368, 132, 65, 20, 188, 64, 96, 349, 211, NONE, 209, NONE, 191, 77, 147, 367,
    365, 236, 78, 199, NONE, 227, 464, NONE, 112, 128, 285, 284, 324, 286, 247, 244, 245, 382, NONE,
    243, 246, 426, 427, 425, 54, NONE, NONE, 283, 282, 117, 343, 381, 277, 280, 37, 445, 444, 446,
    198, NONE, 228, 9, 296, 363, 458, 230, 465, 231, NONE, 110, 234, 19, 225, 459, 461, 460, 107,
    NONE, 219, 453, 268, 356, 350, 447, 287, 218, 39, 289, 14, 290, 150, 374, 152, 90, NONE, NONE,
    21, 442, 429, 310, 125, NONE, 276, 275, 271, 274, NONE, 273, NONE, 272, 163, 462, 402, 399, 401,
    400, 144, NONE, 151, 153, 91, 335, 162, 293, 169, 34, NONE, NONE, NONE, NONE, NONE, 5, 336, 428,
    467, 288, 437, 29, NONE, NONE, NONE, 331, 136, 438, 434, 424, 42, 325, 217, 385, 386, 384, 168,
    302, NONE, 172, 180, 328, 376, 334, 440, 448, 340, 341, NONE, NONE, 301, NONE, 26, 189, 181,
    329, 377, 167, 131, 443, 3, 222, 89, 85, 298, 145, 88, NONE, 371, 357, NONE, 372, 267, 233, 466,
    38, 295, 347, 279, 7, NONE, NONE, 40, 383, 174, 176, 175, 178, 173, 179, 177, NONE, 330, NONE,
    378, 353, 352, 342, 380, 159, 160, 240, 346, 155, 157, 161, NONE, 239, 345, 154, 156, 158, 348,
    NONE, 142, 394, 393, NONE, 392, NONE, NONE, 187, NONE, 358, 370, 369, 270, 450, 304, NONE, 252,
    NONE, 121, 216, NONE, 215, NONE, 214, NONE, 206, NONE, 74, 104, 339, 57, 97, 204, NONE, 210,
    NONE, 208, NONE, 203, NONE, 75, 66, 366, 79, 213, NONE, 224, 463, NONE, 397, 396, 398, 395, 373,
    67, 186, 48, 316, 322, 73, 126, 119, 72, 359, 102, 360, 306, NONE, NONE, NONE, 106, NONE, 99,
    265, 457, 379, NONE, NONE, NONE, NONE, 115, 87, NONE, 83, 297, 36, 307, NONE, 338, NONE, 135,
    116, 103, NONE, 308, 241, NONE, 254, 258, 257, 256, NONE, 255, NONE, 317, 319, 321, NONE, 320,
    NONE, 43, 237, 92, NONE, NONE, NONE, NONE, 60, 22, 52, 122, 10, 294, 303, NONE, 86, 355, NONE,
    NONE, 62, 30, 315, NONE, 313, 190, 111, NONE, NONE, 309, NONE, 114, 281, NONE, 4, 146,
];

/// SH.
#[rustfmt::skip]
pub(super) static SH: Column = [
    140, 142, 149, 344, 358, 33, 51, 285, 124, NONE, 27, NONE, NONE, NONE, NONE, NONE, 134, 341,
    375, NONE, NONE, 45, NONE, 123, 451, 184, 185, 12, 15, 182, 212, 61, 361, 405, 266, 406, 265,
    403, 267, 407, 264, 404, 120, NONE, 6, 436, 342, 380, 8, NONE, 129, 41, 63, 330, 254, 329, 255,
    NONE, 319, 441, 256, NONE, 323, 328, 11, 376, 1, 252, 307, 439, 250, 272, 324, 337, 338, 133,
    94, 306, 452, 95, 207, 298, 55, 221, 148, 231, 468, 469, 368, 234, 143, 2, 237, 431, 228, 432,
    430, 433, 108, 197, 300, 100, 269, 118, NONE, 93, 194, 240, 456, 422, 455, 449, 454, 299, NONE,
    275, 312, NONE, NONE, 318, 183, 141, 220, 50, 202, 49, 201, 47, 200, 80, 205, 105, NONE, 346,
    132, 65, 20, NONE, 64, 96, 373, 171, 211, 165, 209, 76, 77, 147, 345, 354, 224, 78, 24, 199,
    229, 464, NONE, NONE, 128, 291, 290, 332, 292, 249, 246, 247, NONE, 416, 245, 248, 426, 427,
    425, 54, NONE, NONE, 289, 288, 117, 367, NONE, 283, 287, 37, 445, 444, 446, 16, 198, 230, 9,
    303, 343, 458, 232, 465, 233, NONE, 253, 236, 19, 227, 459, 461, 460, 107, 196, 219, 453, 274,
    378, 374, NONE, 294, 218, 39, 296, 14, 297, 150, 379, 152, 90, 192, NONE, 21, 442, 429, 317,
    125, NONE, 282, 281, 277, 280, 419, 279, 418, 278, 163, 462, 402, 399, 401, 400, 144, NONE, 151,
    153, 91, 359, 162, NONE, 169, 34, 28, 84, NONE, 18, 109, 5, 360, 428, 467, 295, 437, 29, NONE,
    NONE, NONE, 336, 136, 438, 434, 424, 42, 331, 217, 385, 386, 384, 168, 309, 414, 172, 180, 333,
    381, 339, 440, 448, 365, 366, NONE, NONE, 308, 413, 26, NONE, 181, 334, 382, NONE, 131, 443, 3,
    225, 89, 85, 305, 145, 88, 350, 351, 357, 417, 356, 257, 235, 466, 38, 302, 371, 286, 0, NONE,
    NONE, 40, 387, 174, 176, 175, 178, 173, 179, 177, 421, 335, NONE, NONE, NONE, NONE, NONE, NONE,
    159, 160, 242, 369, 155, 157, 161, 423, 241, 370, 154, 156, 158, 372, NONE, NONE, 394, 393,
    NONE, NONE, 420, 348, 187, 239, 363, 355, 349, 276, 450, 311, NONE, 258, NONE, 121, 139, 216,
    138, 215, 46, 214, 81, 206, 74, 104, 364, 57, 97, 71, 204, 170, 210, 164, 208, 70, 203, 75, 66,
    353, 79, 23, 213, 226, 463, 68, 397, 396, 398, 395, 352, 67, 186, 48, 321, 327, 73, 126, 119,
    72, 340, 102, 347, 313, NONE, NONE, 69, 106, 195, 99, 268, 457, 383, 25, NONE, NONE, NONE, 115,
    87, NONE, 83, 304, 36, 314, NONE, 362, NONE, 135, 116, 103, NONE, 315, 270, 13, 259, 263, 262,
    261, 408, 260, 409, NONE, 322, 326, 410, 325, 411, 43, 238, 92, 193, NONE, 191, NONE, 60, 22,
    52, 122, 10, 301, 310, NONE, 86, 377, NONE, NONE, 62, 30, 320, 412, 271, 190, 111, NONE, NONE,
    316, NONE, 114, 284, 7, 4, 146,
];

/// PARISC.
#[rustfmt::skip]
pub(super) static PARISC: Column = [
    140, 142, 149, 35, 320, 33, 51, 264, 124, NONE, 27, NONE, NONE, NONE, NONE, NONE, 134, 22, 341,
    NONE, NONE, 45, NONE, NONE, 451, 106, 107, 12, 15, 180, NONE, 61, 324, 405, 257, 406, 256, 403,
    258, 407, 255, 404, 120, 435, 6, 436, 31, 346, 8, NONE, 129, 41, 63, 312, 224, 311, 225, NONE,
    297, 441, 226, NONE, 304, 310, 11, 342, 1, 222, 287, 439, NONE, 236, 305, 322, 323, 133, 94,
    286, 452, 95, NONE, 278, 55, 202, 148, 243, 468, 469, 333, 246, 143, 2, 249, 431, 240, 432, 430,
    433, 28, 112, 280, 100, 299, 118, NONE, 93, 200, 210, 456, 422, 455, 449, 454, 279, NONE, 261,
    290, NONE, NONE, 296, 110, 141, 201, 50, NONE, 49, NONE, 47, NONE, 80, NONE, 105, NONE, 53, 132,
    65, 20, NONE, 64, 96, 339, 171, NONE, 165, NONE, 76, 77, 147, 44, 182, 206, 78, 24, NONE, 241,
    464, NONE, NONE, 128, 270, 269, 314, 271, 219, 216, 217, 350, 416, 215, 218, 426, 427, 425, 54,
    NONE, NONE, 268, 267, NONE, 332, 355, 300, 266, 37, 445, 444, 446, 16, NONE, 242, 9, 283, 32,
    458, 244, 465, 245, NONE, 223, 248, 19, 239, 459, 461, 460, 84, 198, 119, 453, 260, 343, 340,
    NONE, 272, 72, 39, 276, 14, 277, 150, 345, 152, 90, 89, NONE, 21, 442, 429, 295, 125, NONE, 234,
    233, 229, 232, 419, 231, 418, 230, 163, 462, 191, 190, 189, 188, 144, NONE, 151, 153, 91, 325,
    162, NONE, NONE, 34, NONE, NONE, NONE, NONE, NONE, 5, 326, 428, 467, 275, 437, 29, NONE, NONE,
    NONE, 318, 136, 438, 434, 424, 42, 313, 67, 352, 353, 351, 168, 274, 414, 172, 108, 315, 347,
    321, 440, 448, 330, 331, NONE, NONE, 273, 413, 26, NONE, 109, 316, 348, NONE, 131, 443, 3, 207,
    NONE, 85, 285, 145, 88, 98, 123, 319, 417, 184, 227, 247, 466, 38, 282, 337, 265, 0, NONE, NONE,
    40, 354, 174, 176, 175, 178, 173, 179, 177, 421, 317, NONE, NONE, NONE, NONE, NONE, NONE, 159,
    160, 212, 335, 155, 157, 161, 423, 211, 334, 154, 156, 158, 338, NONE, NONE, 187, 186, 185, 228,
    420, 58, 122, 209, 329, 183, 82, 262, 450, 289, NONE, 237, NONE, 121, 139, NONE, 138, NONE, 46,
    NONE, 81, NONE, 74, 104, 328, 57, 97, 71, NONE, 170, NONE, 164, NONE, 70, NONE, 75, 66, 181, 79,
    23, NONE, 238, 463, 68, 192, 195, 193, 194, 117, NONE, 166, 48, 302, 309, 73, 126, NONE, NONE,
    17, NONE, 56, 291, NONE, NONE, 69, 18, 101, 99, 298, 457, 349, 25, NONE, NONE, NONE, 115, 87,
    NONE, 83, 284, 36, 292, NONE, 327, NONE, 135, 116, 103, NONE, 293, 259, 13, 250, 254, 253, 252,
    408, 251, 409, NONE, 306, 308, 410, 307, 411, 43, 208, 92, 199, NONE, NONE, NONE, 60, NONE, 52,
    59, 10, 281, 288, NONE, 86, 344, NONE, NONE, 62, 30, 301, 412, 336, 113, 111, NONE, NONE, 294,
    NONE, 114, 235, 7, 4, 146,
];

/// PARISC64.
#[rustfmt::skip]
pub(super) static PARISC64: Column = [
    140, 142, 149, 35, 320, 33, 51, 264, 124, NONE, 27, NONE, NONE, NONE, NONE, NONE, 134, 22, 341,
    NONE, NONE, 45, NONE, NONE, 451, 106, 107, 12, 15, 180, NONE, 61, 324, NONE, 257, NONE, 256,
    NONE, 258, NONE, 255, NONE, 120, 435, 6, 436, 31, 346, 8, NONE, 129, 41, 63, 312, 224, 311, 225,
    NONE, 297, 441, 226, NONE, 304, 310, 11, 342, 1, 222, 287, 439, NONE, 236, 305, 322, 323, 133,
    94, 286, 452, 95, NONE, 278, 55, 202, 148, 243, 468, 469, 333, 246, 143, 2, 249, 431, 240, 432,
    430, 433, 28, 112, 280, 100, 299, 118, NONE, 93, 200, 210, 456, NONE, 455, 449, 454, 279, NONE,
    261, 290, NONE, NONE, 296, 110, 141, 201, 50, NONE, 49, NONE, 47, NONE, 80, NONE, 105, NONE, 53,
    132, 65, 20, NONE, 64, 96, 339, 171, NONE, 165, NONE, 76, 77, 147, 44, 182, 206, 78, 24, NONE,
    241, 464, NONE, NONE, 128, 270, 269, 314, 271, 219, 216, 217, 350, NONE, 215, 218, 426, 427,
    425, 54, NONE, NONE, 268, 267, NONE, 332, 355, 300, 266, 37, 445, 444, 446, 16, NONE, 242, 9,
    283, 32, 458, 244, 465, 245, NONE, 223, 248, 19, 239, 459, 461, 460, 84, 198, 119, 453, 260,
    343, 340, NONE, 272, 72, 39, 276, 14, 277, 150, 345, 152, 90, 89, NONE, 21, 442, 429, 295, 125,
    NONE, 234, 233, 229, 232, NONE, 231, NONE, 230, 163, 462, 191, 190, 189, 188, 144, NONE, 151,
    153, 91, 325, 162, NONE, NONE, 34, NONE, NONE, NONE, NONE, NONE, 5, 326, 428, 467, 275, 437, 29,
    NONE, NONE, NONE, 318, 136, 438, 434, 424, 42, 313, 67, 352, 353, 351, 168, 274, NONE, 172, 108,
    315, 347, 321, 440, 448, 330, 331, NONE, NONE, 273, NONE, 26, NONE, 109, 316, 348, NONE, 131,
    443, 3, 207, NONE, 85, 285, 145, 88, 98, 123, 319, NONE, 184, 227, 247, 466, 38, 282, 337, 265,
    0, NONE, NONE, 40, 354, 174, 176, 175, 178, 173, 179, 177, NONE, 317, NONE, NONE, NONE, NONE,
    NONE, NONE, 159, 160, 212, 335, 155, 157, 161, NONE, 211, 334, 154, 156, 158, 338, NONE, NONE,
    187, 186, 185, 228, NONE, 58, 122, 209, 329, 183, 82, 262, 450, 289, NONE, 237, NONE, 121, 139,
    NONE, 138, NONE, 46, NONE, 81, NONE, 74, 104, 328, 57, 97, 71, NONE, 170, NONE, 164, NONE, 70,
    NONE, 75, 66, 181, 79, 23, NONE, 238, 463, 68, 192, 195, 193, 194, 117, NONE, 166, 48, 302, 309,
    73, 126, NONE, NONE, 17, NONE, 56, 291, NONE, NONE, 69, 18, 101, 99, 298, 457, 349, 25, NONE,
    NONE, NONE, 115, 87, NONE, 83, 284, 36, 292, NONE, 327, NONE, 135, 116, 103, NONE, 293, 259, 13,
    250, 254, 253, 252, NONE, 251, NONE, NONE, 306, 308, NONE, 307, NONE, 43, 208, 92, 199, NONE,
    NONE, NONE, 60, NONE, 52, 59, 10, 281, 288, NONE, 86, 344, NONE, NONE, 62, 30, 301, NONE, 336,
    113, 111, NONE, NONE, 294, NONE, 114, 235, 7, 4, 146,
];

/// RISCV64.
#[rustfmt::skip]
pub(super) static RISCV64: Column = [
    NONE, NONE, NONE, 202, 242, NONE, 89, 217, 171, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE,
    200, 280, NONE, NONE, 214, NONE, NONE, 451, 90, 91, 49, NONE, NONE, NONE, 51, 266, NONE, 114,
    NONE, 113, NONE, 115, NONE, 112, NONE, 220, 435, 57, 436, 203, 285, NONE, NONE, 106, 23, NONE,
    24, NONE, 20, 21, NONE, 22, 441, NONE, NONE, NONE, 19, 221, 281, 93, 94, 48, 439, 223, NONE, 47,
    262, 263, 50, 52, 53, 452, 55, NONE, 54, 25, NONE, 83, 10, 468, 469, 273, 13, 32, NONE, 16, 431,
    7, 432, 430, 433, 80, NONE, NONE, 44, NONE, 82, NONE, 46, NONE, 98, 456, NONE, 455, 449, 454,
    NONE, NONE, 236, 100, NONE, NONE, 168, 17, NONE, 61, 177, NONE, 175, NONE, 176, NONE, 158, NONE,
    102, NONE, 205, 155, NONE, 172, NONE, 173, 141, 278, 150, NONE, 148, NONE, 163, 165, 156, 204,
    209, 178, 169, 174, NONE, 8, 464, NONE, NONE, 105, 27, NONE, 26, 28, 3, 1, 4, 292, NONE, 0, 2,
    426, 427, 425, 29, NONE, NONE, 31, 30, NONE, 272, 294, 104, 219, 129, 445, 444, 446, NONE, NONE,
    9, NONE, 37, 201, 458, 11, 465, 12, NONE, 18, 15, 62, 6, 459, 461, 460, NONE, NONE, 233, 453,
    235, 283, 279, 447, 238, 232, NONE, 34, NONE, 33, 228, 284, 230, 222, NONE, NONE, 40, 442, 429,
    239, 226, NONE, 185, 184, 180, 183, NONE, 182, NONE, 181, 216, 462, 187, 186, 188, 189, 227,
    NONE, 229, 231, 215, 264, 101, 79, 42, NONE, NONE, NONE, NONE, NONE, NONE, NONE, 265, 428, 467,
    56, 437, NONE, NONE, NONE, NONE, 241, 92, 438, 434, 424, NONE, 59, 41, 289, 290, 288, NONE, 73,
    NONE, 167, 67, 69, 286, 261, 440, 448, 270, 271, NONE, NONE, 72, NONE, 117, NONE, 68, 70, 287,
    NONE, 60, 443, 63, 213, NONE, NONE, 78, 65, 142, NONE, 207, 243, NONE, 212, 234, 14, 466, NONE,
    NONE, 276, 218, 128, 259, 258, NONE, 293, 134, 136, 135, 138, 139, 133, 137, NONE, 240, NONE,
    NONE, NONE, NONE, NONE, NONE, 125, 126, 123, 275, 121, 120, 127, NONE, 122, 274, 118, 119, 124,
    277, NONE, NONE, 191, 190, 193, 192, NONE, NONE, 71, NONE, 269, 211, 206, 237, 450, 99, NONE,
    96, NONE, 162, 152, NONE, 151, NONE, 144, NONE, 159, NONE, 161, 103, 268, 154, 140, 143, NONE,
    149, NONE, 147, NONE, 145, NONE, 164, 157, 208, 170, 146, NONE, 5, 463, NONE, 196, 195, 197,
    194, 210, NONE, 132, NONE, NONE, 74, NONE, NONE, NONE, NONE, 198, NONE, 199, 76, NONE, NONE,
    NONE, NONE, NONE, 43, NONE, 457, 291, NONE, NONE, NONE, NONE, 225, 224, NONE, NONE, 36, 81, 84,
    NONE, 267, NONE, NONE, 179, 116, NONE, 77, 131, NONE, 107, 111, 109, 108, NONE, 110, NONE, NONE,
    85, 87, NONE, 86, NONE, 153, 130, 45, NONE, NONE, NONE, NONE, 166, NONE, 39, 160, NONE, 35, 97,
    NONE, NONE, 282, NONE, NONE, NONE, NONE, 88, NONE, NONE, NONE, 58, NONE, NONE, 75, NONE, 260,
    95, NONE, 64, 66,
];
