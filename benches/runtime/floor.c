/* floor MODE LAYOUT ROOTFS FILTER - the kernel's own part of `run`, and nothing else: what no runtime can be faster
 * than. No configuration is read and no state is kept; one clone3 with all namespaces, the mounts, pivot_root, the
 * cgroups, a filter that was compiled before, exec, wait, and the cgroups removed.
 *
 *   MODE    a: what `spec` writes; b: what Docker writes (limits, file binds, seccomp)
 *   LAYOUT  v1 (the hybrid layout: hierarchies in /sys/fs/cgroup/NAME) or v2 (/sys/fs/cgroup)
 *   FILTER  a file with the program, as `rrun seccomp --raw` writes it; used for b
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/mount.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CREATE = 6 /* FSCONFIG_CMD_CREATE */, EMPTY = 4 /* MOVE_MOUNT_F_EMPTY_PATH */ };
static const unsigned NOSUID = 2, NODEV = 4, NOEXEC = 8, RDONLY = 1;

static int docker, v1;
static const char *rootfs;
static char group[64];
static struct sock_fprog filter;

#define OK(call) ok((long)(call), #call, __LINE__)
static long ok(long result, const char *call, int line)
{
	if (result >= 0) return result;
	dprintf(2, "floor: line %d: %s: %s\n", line, call, strerror(errno));
	_exit(125);
}

/* --- mounts, by descriptors --- */

static void attach(int mount, const char *to)
{
	OK(syscall(SYS_move_mount, mount, "", AT_FDCWD, to, EMPTY));
	close(mount);
}
/* options: name, value or null, ... */
static int fresh(const char *type, unsigned attributes, const char *const *options)
{
	int context = OK(syscall(SYS_fsopen, type, 1));
	for (; options && *options; options += 2)
		OK(syscall(SYS_fsconfig, context, options[1] ? 1 : 0, options[0], options[1], 0));
	OK(syscall(SYS_fsconfig, context, CREATE, 0, 0, 0));
	int mount = OK(syscall(SYS_fsmount, context, 1, attributes));
	close(context);
	return mount;
}
static int copy(const char *of, unsigned recursive)
{
	return syscall(SYS_open_tree, AT_FDCWD, of, 1 | O_CLOEXEC | recursive);
}
static void make_read_only(const char *path)
{
	int tree = copy(path, AT_RECURSIVE);
	if (tree < 0) return; /* this kernel has no such file */
	struct mount_attr attributes = {.attr_set = RDONLY};
	OK(syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH, &attributes, sizeof attributes));
	attach(tree, path);
}

/* --- cgroups --- */

static const char *hierarchies[] = {"cpu", "cpuacct", "cpuset", "memory", "devices", "freezer",
                                    "blkio", "pids", "systemd", 0};
static int tasks[16], task_files, unified = -1;

static void put(const char *hierarchy, const char *file, const char *value)
{
	char path[256];
	snprintf(path, sizeof path, "/sys/fs/cgroup/%s/%s/%s", hierarchy, group, file);
	int fd = OK(open(path, O_WRONLY | O_CLOEXEC));
	OK(write(fd, value, strlen(value)));
	close(fd);
}
static void make_v1(void)
{
	char path[256], above[256], text[64];
	for (int i = 0; hierarchies[i]; i++) {
		int n = snprintf(path, sizeof path, "/sys/fs/cgroup/%s/%s", hierarchies[i], group);
		OK(mkdir(path, 0755));
		if (!strcmp(hierarchies[i], "cpuset")) {
			const char *files[] = {"cpuset.cpus", "cpuset.mems"};
			for (int f = 0; f < 2; f++) {
				snprintf(above, sizeof above, "/sys/fs/cgroup/cpuset/%s", files[f]);
				int fd = OK(open(above, O_RDONLY | O_CLOEXEC));
				text[OK(read(fd, text, sizeof text - 1))] = 0;
				close(fd);
				put("cpuset", files[f], text);
			}
		}
		strcpy(path + n, "/tasks");
		tasks[task_files++] = OK(open(path, O_WRONLY | O_CLOEXEC));
	}
	snprintf(path, sizeof path, "/sys/fs/cgroup/unified/%s", group);
	OK(mkdir(path, 0755));
	unified = OK(open(path, O_DIRECTORY | O_RDONLY | O_CLOEXEC));
	put("devices", "devices.deny", "a");
	static const char *own[] = {"c 1:5 rwm", "c 1:3 rwm", "c 1:9 rwm", "c 1:8 rwm", "c 5:0 rwm", "c 5:1 rwm", 0};
	static const char *all[] = {"c *:* m", "b *:* m", "c 136:* rwm", "c 5:2 rwm", "c 1:7 rwm", 0};
	for (int i = 0; docker && own[i]; i++) put("devices", "devices.allow", own[i]);
	for (int i = 0; all[i]; i++) put("devices", "devices.allow", all[i]);
	if (!docker) return;
	put("memory", "memory.limit_in_bytes", "536870912");
	put("cpu", "cpu.cfs_period_us", "100000");
	put("cpu", "cpu.cfs_quota_us", "50000");
	put("cpu", "cpu.shares", "1024");
	put("pids", "pids.max", "100");
}
static struct bpf_insn instruction(int code, int to, int from, int offset, int value)
{
	return (struct bpf_insn){.code = code, .dst_reg = to, .src_reg = from, .off = offset, .imm = value};
}
/* a program about as long as an ordinary list of devices makes */
static void restrict_devices(void)
{
	struct bpf_insn program[24];
	int n = 0;
	for (int word = 0; word < 3; word++) program[n++] = instruction(0x61, 2 + word, 1, word * 4, 0);
	for (int i = 0; i < 8; i++) {
		program[n++] = instruction(0x55, 3, 0, 1, i);
		program[n++] = instruction(0x55, 4, 0, 0, i);
	}
	program[n++] = instruction(0xb7, 0, 0, 0, 1);
	program[n++] = instruction(0x95, 0, 0, 0, 0);
	union bpf_attr load = {.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE, .insns = (long)program,
	                       .insn_cnt = n, .license = (long)"GPL"};
	int loaded = OK(syscall(SYS_bpf, BPF_PROG_LOAD, &load, sizeof load));
	union bpf_attr attach = {.target_fd = unified, .attach_bpf_fd = loaded,
	                         .attach_type = BPF_CGROUP_DEVICE, .attach_flags = BPF_F_ALLOW_MULTI};
	OK(syscall(SYS_bpf, BPF_PROG_ATTACH, &attach, sizeof attach));
	close(loaded);
}
static void make_v2(void)
{
	char path[256];
	snprintf(path, sizeof path, "/sys/fs/cgroup/%s", group);
	OK(mkdir(path, 0755));
	unified = OK(open(path, O_DIRECTORY | O_RDONLY | O_CLOEXEC));
	restrict_devices();
}
static void remove_cgroups(void)
{
	char path[256];
	for (int i = 0; v1 && hierarchies[i]; i++) {
		snprintf(path, sizeof path, "/sys/fs/cgroup/%s/%s", hierarchies[i], group);
		OK(rmdir(path));
	}
	snprintf(path, sizeof path, "/sys/fs/cgroup/%s%s", v1 ? "unified/" : "", group);
	OK(rmdir(path));
}

/* --- the child --- */

static void mount_all(void)
{
	static const char *const dev[] = {"mode", "755", "size", "65536k", 0}, *const shm[] = {"mode", "1777", "size", "67108864", 0},
	    *const pts[] = {"newinstance", 0, "ptmxmode", "0666", "mode", "0620", "gid", "5", 0}, *const groups[] = {"mode", "755", 0};
	attach(fresh("proc", NOSUID | NOEXEC | NODEV, 0), "proc");
	attach(fresh("tmpfs", NOSUID | MOUNT_ATTR_STRICTATIME, dev), "dev");
	OK(mkdir("dev/pts", 0755));
	OK(mkdir("dev/shm", 0755));
	OK(mkdir("dev/mqueue", 0755));
	attach(fresh("devpts", NOSUID | NOEXEC, pts), "dev/pts");
	attach(fresh("tmpfs", NOSUID | NOEXEC | NODEV, shm), "dev/shm");
	attach(fresh("mqueue", NOSUID | NOEXEC | NODEV, 0), "dev/mqueue");
	attach(fresh("sysfs", NOSUID | NOEXEC | NODEV | RDONLY, 0), "sys");
	if (!v1) {
		attach(fresh("cgroup2", NOSUID | NOEXEC | NODEV | RDONLY, 0), "sys/fs/cgroup");
	} else {
		attach(fresh("tmpfs", NOSUID, groups), "sys/fs/cgroup");
		for (int i = 0; hierarchies[i]; i++) {
			char path[64];
			snprintf(path, sizeof path, "sys/fs/cgroup/%s", hierarchies[i]);
			OK(mkdir(path, 0755));
			const char *name = strcmp(hierarchies[i], "systemd") ? hierarchies[i] : "none,name=systemd";
			OK(mount("cgroup", path, "cgroup", MS_NOSUID | MS_NOEXEC | MS_NODEV | MS_RDONLY, name));
		}
		struct mount_attr attributes = {.attr_set = RDONLY};
		OK(syscall(SYS_mount_setattr, AT_FDCWD, "sys/fs/cgroup", 0, &attributes, sizeof attributes));
	}
	static const char *files[] = {"etc/resolv.conf", "etc/hostname", "etc/hosts", 0};
	for (int i = 0; docker && files[i]; i++) {
		char path[4096];
		snprintf(path, sizeof path, "%s/%s", rootfs, files[i]);
		attach(OK(copy(path, AT_RECURSIVE)), files[i]);
		OK(mount(0, files[i], 0, MS_PRIVATE | MS_REC, 0));
	}
}
static void make_devices(void)
{
	static const struct { const char *path; int major, minor; } devices[] = {
	    {"dev/null", 1, 3}, {"dev/zero", 1, 5}, {"dev/full", 1, 7}, {"dev/random", 1, 8}, {"dev/urandom", 1, 9}, {"dev/tty", 5, 0}};
	static const char *links[][2] = {{"/proc/self/fd", "dev/fd"}, {"/proc/self/fd/0", "dev/stdin"},
	                                 {"/proc/self/fd/1", "dev/stdout"}, {"/proc/self/fd/2", "dev/stderr"}, {"pts/ptmx", "dev/ptmx"}};
	umask(0);
	for (int i = 0; i < 6; i++) OK(mknod(devices[i].path, S_IFCHR | 0666, makedev(devices[i].major, devices[i].minor)));
	umask(022);
	for (int i = 0; i < 5; i++) OK(symlink(links[i][0], links[i][1]));
}
static void hide(void)
{
	static const char *read_only[] = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger", 0};
	static const char *of_spec[] = {"/proc/asound", "/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list",
	                                "/proc/timer_stats", "/proc/sched_debug", "/sys/firmware", "/proc/scsi", 0};
	static const char *of_docker[] = {"/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
	                                  "/proc/sched_debug", "/proc/scsi", "/proc/timer_list", "/proc/timer_stats",
	                                  "/sys/devices/virtual/powercap", "/sys/firmware", 0};
	for (int i = 0; read_only[i]; i++) make_read_only(read_only[i]);
	int shared = -1; /* one empty file system for all directories */
	for (const char **path = docker ? of_docker : of_spec; *path; path++) {
		struct stat status;
		if (stat(*path, &status) < 0) continue;
		if (!S_ISDIR(status.st_mode)) {
			attach(OK(copy("/dev/null", 0)), *path);
			continue;
		}
		if (shared < 0) shared = fresh("tmpfs", RDONLY, 0);
		attach(OK(syscall(SYS_open_tree, shared, "", 1 | O_CLOEXEC | AT_EMPTY_PATH)), *path);
	}
	if (shared >= 0) close(shared);
}
static void child(void)
{
	for (int i = 0; i < task_files; i++) OK(write(tasks[i], "0", 1));
	if (v1) OK(unshare(CLONE_NEWCGROUP));
	setsid();
	OK(mount(0, "/", 0, MS_REC | MS_PRIVATE, 0));
	attach(OK(copy(rootfs, AT_RECURSIVE)), rootfs);
	OK(chdir(rootfs));
	mount_all();
	make_devices();
	OK(syscall(SYS_pivot_root, ".", "."));
	OK(umount2(".", MNT_DETACH));
	OK(chdir("/"));
	if (!docker) OK(mount(0, "/", 0, MS_BIND | MS_REMOUNT | MS_RDONLY, 0));
	OK(sethostname("0123456789ab", 12));
	hide();
	unsigned long long keep = docker ? 0xa80425fb : 0x20000420;
	for (int i = 0; i < 41; i++)
		if (!(keep >> i & 1)) prctl(PR_CAPBSET_DROP, i);
	prctl(PR_SET_KEEPCAPS, 1);
	OK(syscall(SYS_setgroups, 0, 0));
	OK(syscall(SYS_setresgid, 0, 0, 0));
	OK(syscall(SYS_setresuid, 0, 0, 0));
	if (docker) OK(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter));
	else prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct sets[2] = {{keep, keep, 0}, {keep >> 32, keep >> 32, 0}};
	OK(syscall(SYS_capset, &header, sets));
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	syscall(SYS_close_range, 3, ~0u, 4 /* CLOSE_RANGE_CLOEXEC */);
	char *arguments[] = {"/bin/true", 0};
	char *environment[] = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 0};
	OK(execve(arguments[0], arguments, environment));
}

int main(int count, char **arguments)
{
	if (count != 5) return 2;
	docker = arguments[1][0] == 'b';
	v1 = !strcmp(arguments[2], "v1");
	rootfs = arguments[3];
	if (docker) {
		int file = OK(open(arguments[4], O_RDONLY | O_CLOEXEC));
		struct stat status;
		OK(fstat(file, &status));
		filter.filter = malloc(status.st_size);
		filter.len = OK(read(file, filter.filter, status.st_size)) / sizeof *filter.filter;
		close(file);
	}
	snprintf(group, sizeof group, "rrun-floor-%d", getpid());
	if (v1) make_v1();
	else make_v2();
	struct clone_args clone = {
	    .flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_INTO_CGROUP | (v1 ? 0 : CLONE_NEWCGROUP),
	    .exit_signal = SIGCHLD, .cgroup = unified};
	long pid = OK(syscall(SYS_clone3, &clone, sizeof clone));
	if (pid == 0) child();
	int status;
	while (waitpid(pid, &status, 0) < 0) ;
	remove_cgroups();
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
