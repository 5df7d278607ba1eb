/*
 * probe - prints what only a process inside a container can see.
 *
 * One fact per line, "name value", so that a shell compares it with grep -x.  Several
 * sub-commands in one call are separated by "--":  probe caps -- nnp -- exit 3
 * It is linked statically and uses /proc only where the kernel offers nothing else, since a
 * container need not have a /proc.
 *
 * A sub-command which cannot tell its fact prints "name ERRNO" and the call goes on: the
 * judging is the caller's work.  The exit status is 0, or 2 for a sub-command nobody knows.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static const char *err(void)
{
	const char *n = strerrorname_np(errno);
	return n ? n : "E?";
}

/* Everything outside printable ASCII, and the backslash, as \xNN: one fact stays one line. */
static void escaped(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = s[i];
		if (c == '\\' || c < 0x20 || c >= 0x7f)
			printf("\\x%02x", c);
		else
			putchar(c);
	}
}

/* Reads a whole small file; NULL on error. The caller frees. */
static char *slurp(const char *path, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	size_t cap = 4096, n = 0;
	char *b = malloc(cap + 1);
	for (;;) {
		ssize_t r = read(fd, b + n, cap - n);
		if (r < 0) {
			int e = errno;
			free(b);
			close(fd);
			errno = e;
			return NULL;
		}
		if (r == 0)
			break;
		n += r;
		if (n == cap)
			b = realloc(b, (cap *= 2) + 1);
	}
	close(fd);
	b[n] = 0;
	if (len)
		*len = n;
	return b;
}

/* The value of "Key:" in /proc/self/status, trimmed. */
static int status_line(const char *key, char *out, size_t size)
{
	char *b = slurp("/proc/self/status", NULL);
	if (!b)
		return -1;
	size_t k = strlen(key);
	for (char *l = strtok(b, "\n"); l; l = strtok(NULL, "\n")) {
		if (!strncmp(l, key, k) && l[k] == ':') {
			l += k + 1;
			while (isspace((unsigned char)*l))
				l++;
			snprintf(out, size, "%s", l);
			free(b);
			return 0;
		}
	}
	free(b);
	errno = ENODATA;
	return -1;
}

static void cmd_ids(void)
{
	uid_t r, e, s;
	gid_t g[256];
	getresuid(&r, &e, &s);
	printf("uid %u %u %u\n", r, e, s);
	getresgid(&r, &e, &s);
	printf("gid %u %u %u\n", r, e, s);
	int n = getgroups(256, g);
	printf("groups");
	for (int i = 0; i < n; i++)
		printf(" %u", g[i]);
	printf("\n");
}

static void cmd_caps(void)
{
	/* capget and prctl instead of /proc/self/status: they work without /proc. */
	struct { uint32_t version; int pid; } h = { 0x20080522, 0 };
	struct { uint32_t e, p, i; } d[2] = { { 0, 0, 0 }, { 0, 0, 0 } };
	syscall(SYS_capget, &h, d);
	unsigned long long bnd = 0, amb = 0;
	for (int c = 0; c < 64; c++) {
		if (prctl(PR_CAPBSET_READ, c) == 1)
			bnd |= 1ULL << c;
		if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, c, 0, 0) == 1)
			amb |= 1ULL << c;
	}
#define TWO(m) ((unsigned long long)d[1].m << 32 | d[0].m)
	printf("cap_bounding %016llx\ncap_effective %016llx\ncap_inheritable %016llx\n", bnd, TWO(e), TWO(i));
	printf("cap_permitted %016llx\ncap_ambient %016llx\n", TWO(p), amb);
}

static void cmd_rlimits(void)
{
	static const char *names[] = { "CPU", "FSIZE", "DATA", "STACK", "CORE", "RSS", "NPROC", "NOFILE",
		"MEMLOCK", "AS", "LOCKS", "SIGPENDING", "MSGQUEUE", "NICE", "RTPRIO", "RTTIME" };
	for (int i = 0; i < 16; i++) {
		struct rlimit l;
		if (getrlimit(i, &l))
			continue;
		printf("RLIMIT_%s", names[i]);
		rlim_t v[2] = { l.rlim_cur, l.rlim_max };
		for (int j = 0; j < 2; j++)
			v[j] == RLIM_INFINITY ? printf(" unlimited") : printf(" %llu", (unsigned long long)v[j]);
		printf("\n");
	}
}

static void cmd_signals(void)
{
	for (int s = 1; s < NSIG; s++) {
		/* raw rt_sigaction: the C library hides its own two signals */
		struct { void *handler; unsigned long flags; void *restorer; uint64_t mask; } a = { 0 };
		if (syscall(SYS_rt_sigaction, s, NULL, &a, 8))
			continue;
		if (a.handler == (void *)SIG_IGN)
			printf("signal %d ignored\n", s);
		else if (a.handler)
			printf("signal %d handled\n", s);
	}
	uint64_t m = 0;
	syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &m, 8);
	printf("blocked %016llx\n", (unsigned long long)m);
}

static int by_number(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

static void cmd_fds(void)
{
	int list[4096], n = 0;
	/* fcntl and not /proc/self/fd: it needs no /proc and opens no fd of its own */
	struct rlimit l;
	getrlimit(RLIMIT_NOFILE, &l);
	int max = l.rlim_cur > 65536 ? 65536 : (int)l.rlim_cur;
	for (int fd = 0; fd < max && n < 4096; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			list[n++] = fd;
	qsort(list, n, sizeof *list, by_number);
	for (int i = 0; i < n; i++) {
		char p[64], t[PATH_MAX];
		snprintf(p, sizeof p, "/proc/self/fd/%d", list[i]);
		ssize_t r = readlink(p, t, sizeof t);
		printf("fd %d ", list[i]);
		r < 0 ? (void)printf("%s", err()) : escaped(t, r);
		printf("\n");
	}
}

/* notify TEXT: says it to NOTIFY_SOCKET, and then waits for a barrier (sd_notify(3)). */
static void cmd_notify(const char *text)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	const char *path = getenv("NOTIFY_SOCKET");
	int p[2], s = socket(AF_UNIX, SOCK_DGRAM, 0);
	if (!path || s < 0 || pipe(p)) {
		printf("notify %s\n", path ? err() : "nobody");
		return;
	}
	snprintf(to.sun_path, sizeof to.sun_path, "%s", path);
	if (sendto(s, text, strlen(text), 0, (struct sockaddr *)&to, sizeof to) < 0) {
		printf("notify %s\n", err());
		return;
	}
	char space[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec v = { "BARRIER=1", 9 };
	struct msghdr m = { .msg_name = &to, .msg_namelen = sizeof to, .msg_iov = &v, .msg_iovlen = 1,
		.msg_control = space, .msg_controllen = sizeof space };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	c->cmsg_level = SOL_SOCKET, c->cmsg_type = SCM_RIGHTS, c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &p[1], sizeof(int));
	if (sendmsg(s, &m, 0) < 0) {
		printf("notify %s\n", err());
		return;
	}
	close(p[1]);
	char byte;
	printf("notify %s\n", read(p[0], &byte, 1) == 0 ? "ok" : err());
}

static void cmd_ns(void)
{
	static const char *names[] = { "cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts" };
	for (int i = 0; i < 8; i++) {
		char p[64];
		struct stat st;
		snprintf(p, sizeof p, "/proc/self/ns/%s", names[i]);
		if (stat(p, &st))
			printf("ns_%s %s\n", names[i], err());
		else
			printf("ns_%s %lu\n", names[i], (unsigned long)st.st_ino);
	}
}

/* mount POINT FSTYPE PER-MOUNT-OPTIONS SUPER-OPTIONS PROPAGATION */
static void cmd_mounts(void)
{
	char *b = slurp("/proc/self/mountinfo", NULL);
	if (!b) {
		printf("mount %s\n", err());
		return;
	}
	char *save;
	for (char *l = strtok_r(b, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
		char *f[64], *s2 = l;
		int n = 0, sep = 0;
		/* strsep, since the source of a mount may be empty */
		for (char *w; n < 64 && (w = strsep(&s2, " "));) {
			if (!strcmp(w, "-") && !sep)
				sep = n;
			f[n++] = w;
		}
		if (sep < 6 || n < sep + 4)
			continue;
		char prop[64] = "";
		for (int i = 6; i < sep; i++) {
			const char *p = !strncmp(f[i], "shared:", 7) ? "shared" : !strncmp(f[i], "master:", 7) ? "slave" :
				!strcmp(f[i], "unbindable") ? "unbindable" : NULL;
			if (p) {
				if (*prop)
					strcat(prop, ",");
				strcat(prop, p);
			}
		}
		printf("mount %s %s %s %s %s\n", f[4], f[sep + 1], f[5], f[sep + 3], *prop ? prop : "private");
	}
	free(b);
}

static void cmd_stat(const char *path)
{
	struct stat st;
	printf("stat ");
	escaped(path, strlen(path));
	if (lstat(path, &st)) {
		printf(" %s\n", err());
		return;
	}
	const char *t = S_ISREG(st.st_mode) ? "file" : S_ISDIR(st.st_mode) ? "dir" : S_ISLNK(st.st_mode) ? "link" :
		S_ISCHR(st.st_mode) ? "char" : S_ISBLK(st.st_mode) ? "block" : S_ISFIFO(st.st_mode) ? "fifo" : "socket";
	printf(" %s %04o %u %u %u:%u", t, st.st_mode & 07777, st.st_uid, st.st_gid, major(st.st_rdev), minor(st.st_rdev));
	if (S_ISLNK(st.st_mode)) {
		char to[PATH_MAX];
		ssize_t r = readlink(path, to, sizeof to);
		printf(" ");
		if (r >= 0)
			escaped(to, r);
	}
	printf("\n");
}

static void cmd_file_line(const char *name, const char *path)
{
	size_t n;
	char *b = slurp(path, &n);
	printf("%s ", name);
	if (!b)
		printf("%s", err());
	else {
		while (n && (b[n - 1] == '\n' || b[n - 1] == 0))
			n--;
		escaped(b, n);
	}
	printf("\n");
	free(b);
}

static void cmd_status(const char *name, const char *key)
{
	char v[256];
	if (status_line(key, v, sizeof v))
		printf("%s %s\n", name, err());
	else
		printf("%s %s\n", name, v);
}

static volatile sig_atomic_t stop_now;
static void on_term(int s)
{
	(void)s;
	stop_now = 1;
}

/* What sched_getattr, ioprio_get, personality and get_mempolicy tell of this process. */
static void cmd_sched(void)
{
	struct { uint32_t size, policy; uint64_t flags; int32_t nice; uint32_t prio; uint64_t runtime, deadline, period; } a = { 0 };
	if (syscall(SYS_sched_getattr, 0, &a, sizeof a, 0))
		printf("scheduler %s\n", err());
	else
		printf("scheduler %u %llu %d %u %llu %llu %llu\n", a.policy, (unsigned long long)a.flags, a.nice, a.prio,
		       /* Since Linux 6.12 it tells the slice of the ordinary policies there, which nobody set. */
		       a.policy == 6 ? (unsigned long long)a.runtime : 0, (unsigned long long)a.deadline,
		       (unsigned long long)a.period);
	long io = syscall(SYS_ioprio_get, 1, 0);
	if (io < 0)
		printf("ioprio %s\n", err());
	else
		printf("ioprio %ld %ld\n", io >> 13, io & 7);
	printf("personality %#lx\n", syscall(SYS_personality, 0xffffffffUL));
	int mode;
	unsigned long nodes[64] = { 0 };
	if (syscall(SYS_get_mempolicy, &mode, nodes, sizeof nodes * 8, 0, 0))
		printf("mempolicy %s\n", err());
	else
		printf("mempolicy %#x %#lx\n", mode, nodes[0]);
}

static void pause_forever(void)
{
	/* A handler, because PID 1 of a namespace gets no signal it has none for. */
	struct sigaction a = { .sa_handler = on_term };
	sigaction(SIGTERM, &a, NULL);
	sigset_t block, old;
	sigemptyset(&block);
	sigaddset(&block, SIGTERM);
	sigprocmask(SIG_BLOCK, &block, &old);
	sigdelset(&old, SIGTERM);
	/* Only now: whoever reads it may send the signal. */
	printf("sleeping\n");
	fflush(stdout);
	while (!stop_now)
		sigsuspend(&old);
}

static void cmd_wait_signal(void)
{
	/* All but the two that cannot be caught; "ready" tells the sender that it may begin. */
	sigset_t all;
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	printf("ready\n");
	fflush(stdout);
	siginfo_t si;
	int s;
	do
		s = sigwaitinfo(&all, &si);
	while (s < 0 && errno == EINTR);
	printf("got %d\n", s);
}

static void cmd_forks(int n)
{
	int made = 0;
	for (int i = 0; i < n; i++) {
		pid_t p = fork();
		if (p == 0) {
			for (;;)
				pause();
		}
		if (p < 0) {
			printf("forks %d %s\n", made, err());
			return;
		}
		made++;
	}
	printf("forks %d ok\n", made);
}

static void cmd_alloc(long mib)
{
	size_t len = (size_t)mib << 20;
	char *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED) {
		printf("alloc %ld %s\n", mib, err());
		return;
	}
	for (size_t i = 0; i < len; i += 4096)
		p[i] = (char)i | 1;
	printf("alloc %ld ok\n", mib);
}

static void cmd_spin(double sec)
{
	struct timespec a, b, c;
	clock_gettime(CLOCK_MONOTONIC, &a);
	do
		clock_gettime(CLOCK_MONOTONIC, &b);
	while ((b.tv_sec - a.tv_sec) + (b.tv_nsec - a.tv_nsec) / 1e9 < sec);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &c);
	printf("spin %ld ms\n", c.tv_sec * 1000 + c.tv_nsec / 1000000);
}

static void cmd_open_dev(const char *type, const char *maj, const char *min)
{
	char p[64];
	mode_t m = (*type == 'b' ? S_IFBLK : *type == 'p' ? S_IFIFO : S_IFCHR) | 0600;
	dev_t d = makedev(atoi(maj), atoi(min));
	snprintf(p, sizeof p, "/dev/.probe.%d", getpid());
	printf("open-dev %s %s:%s ", type, maj, min);
	int r = mknod(p, m, d);
	if (r && (errno == ENOENT || errno == EROFS)) {
		snprintf(p, sizeof p, "/tmp/.probe.%d", getpid());
		r = mknod(p, m, d);
	}
	if (r) {
		printf("mknod %s\n", err());
		return;
	}
	int fd = open(p, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	printf("%s\n", fd < 0 ? err() : "ok");
	if (fd >= 0)
		close(fd);
	unlink(p);
}

static void cmd_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	printf("write ");
	escaped(path, strlen(path));
	if (fd < 0) {
		printf(" %s\n", err());
		return;
	}
	ssize_t r = write(fd, text, strlen(text));
	printf(" %s\n", r < 0 ? err() : "ok");
	close(fd);
}

static void cmd_ls(const char *path)
{
	DIR *d = opendir(path);
	if (!d) {
		printf("ls ");
		escaped(path, strlen(path));
		printf(" %s\n", err());
		return;
	}
	int n = 0;
	for (struct dirent *e; (e = readdir(d));) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		n++;
		printf("entry ");
		escaped(e->d_name, strlen(e->d_name));
		printf("\n");
	}
	closedir(d);
	printf("ls ");
	escaped(path, strlen(path));
	printf(" %d\n", n);
}

/*
 * reaper COMMAND...: adopts and reaps every orphan below the command.  Where PID 1 does not
 * reap, as in many containers, dead test containers would otherwise stay as zombies.  What is
 * still alive at the end was started below here and nowhere else, so it may be killed.
 */
static int reaper(char **argv)
{
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	pid_t main_child = fork();
	if (main_child == 0) {
		execvp(argv[0], argv);
		perror(argv[0]);
		_exit(127);
	}
	for (int s = 1; s < NSIG; s++)
		if (s == SIGINT || s == SIGTERM || s == SIGHUP)
			signal(s, SIG_IGN); /* the command has its own handling; we only outlive it */
	int st, code = 125;
	pid_t p;
	while ((p = wait(&st)) > 0 || errno == EINTR) {
		if (p != main_child)
			continue;
		code = WIFEXITED(st) ? WEXITSTATUS(st) : 128 + WTERMSIG(st);
		break;
	}
	for (int round = 0; round < 200; round++) {
		char path[64];
		snprintf(path, sizeof path, "/proc/self/task/%d/children", getpid());
		char *b = slurp(path, NULL);
		if (b)
			for (char *w = strtok(b, " "); w; w = strtok(NULL, " "))
				kill(atoi(w), SIGKILL);
		free(b);
		while ((p = waitpid(-1, NULL, WNOHANG)) > 0)
			;
		if (p < 0 && errno == ECHILD)
			break;
		usleep(10000);
	}
	return code;
}

/* One system call by its number; on x86 "int80" makes it as a 32-bit program would. */
static void cmd_syscall(int n, char **a)
{
	long v[7] = { 0 }, r;
	for (int i = 0; i < 7 && i + 1 < n; i++)
		v[i] = (long)strtoull(a[i + 1], NULL, 0);
#ifdef __x86_64__
	if (!strcmp(a[0], "int80")) {
		__asm__ volatile("int $0x80" : "=a"(r) : "a"(v[0]), "b"(v[1]), "c"(v[2]), "d"(v[3]), "S"(v[4]), "D"(v[5])
			: "memory", "r8", "r9", "r10", "r11");
		r = (int)r;
		if (r < 0 && r > -4096) {
			errno = -r;
			r = -1;
		}
	} else
#endif
		r = syscall(v[0], v[1], v[2], v[3], v[4], v[5], v[6]);
	printf("%s %s ", a[0], a[1]);
	if (r == -1)
		printf("%s\n", err());
	else
		printf("%ld\n", r);
}

static volatile sig_atomic_t trapped;
static void on_sys(int s)
{
	trapped = s;
}

/* The same with a handler for SIGSYS, which a filter may raise instead. */
static void cmd_trapped(int n, char **a)
{
	signal(SIGSYS, on_sys);
	cmd_syscall(n, a);
	printf("trapped %s\n", trapped ? "yes" : "no");
}

struct words { int n; char **a; };

static int in_thread(void *p)
{
	struct words *it = p;
	cmd_syscall(it->n, it->a);
	fflush(stdout);
	return 0;
}

/* The same in a thread of its own, which may be killed for it. */
static void cmd_thread(int n, char **a)
{
	static char stack[65536] __attribute__((aligned(16)));
	static int cleared = 1;
	struct words arg = { n, a };
	int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM
		| CLONE_CHILD_CLEARTID;
	if (clone(in_thread, stack + sizeof stack, flags, &arg, NULL, NULL, &cleared) < 0) {
		printf("thread %s\n", err());
		return;
	}
	for (int i = 0; i < 500 && __atomic_load_n(&cleared, __ATOMIC_SEQ_CST); i++)
		usleep(10000);
	printf("thread over\n");
}

/*
 * agent SOCKET PLAN COUNT: outside the container; listens at SOCKET, prints the state that comes with a
 * seccomp listener, and answers COUNT calls: PLAN "continue", or an errno by number.
 */
static int agent(char **a)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	snprintf(at.sun_path, sizeof at.sun_path, "%s", a[0]);
	int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(s, (struct sockaddr *)&at, sizeof at) || listen(s, 4))
		return perror("agent"), 2;
	printf("listening\n");
	fflush(stdout);
	int c = accept(s, NULL, NULL);
	char text[65536], control[256];
	struct iovec v = { text, sizeof text - 1 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
	ssize_t len = recvmsg(c, &m, MSG_CMSG_CLOEXEC);
	struct cmsghdr *h = len > 0 ? CMSG_FIRSTHDR(&m) : NULL;
	if (!h || h->cmsg_type != SCM_RIGHTS)
		return fprintf(stderr, "agent: no descriptor\n"), 2;
	int fd, more = h->cmsg_len != CMSG_LEN(sizeof fd);
	memcpy(&fd, CMSG_DATA(h), sizeof fd);
	text[len] = 0;
	for (char *t = text; *t; t++)
		if (*t == '\n')
			*t = ' ';
	printf("state %s\nfds %s\n", text, more ? "many" : "1");
	fflush(stdout);
	for (int i = 0, count = atoi(a[2]); i < count; i++) {
		struct seccomp_notif ask = { 0 };
		if (ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, &ask)) {
			if (errno == EINTR || errno == ENOENT) {
				i--;
				continue;
			}
			break;
		}
		struct seccomp_notif_resp answer = { .id = ask.id };
		if (!strcmp(a[1], "continue"))
			answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
		else
			answer.error = -atoi(a[1]);
		printf("call %d\n", ask.data.nr);
		fflush(stdout);
		ioctl(fd, SECCOMP_IOCTL_NOTIF_SEND, &answer);
	}
	return 0;
}

/*
 * attach SOCKET: outside the container; what an engine's client is to conmon: standard input goes in as
 * packets, and what comes out has the stream, 2 or 3, before it.
 */
static int attach(const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	snprintf(at.sun_path, sizeof at.sun_path, "%s", path);
	int s = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (connect(s, (struct sockaddr *)&at, sizeof at))
		return perror("attach"), 2;
	struct pollfd p[2] = { { .fd = s, .events = POLLIN }, { .fd = 0, .events = POLLIN } };
	char b[8192 + 1];
	for (;;) {
		if (poll(p, 2, -1) < 0)
			return perror("attach"), 2;
		if (p[0].revents) {
			ssize_t n = recv(s, b, sizeof b, 0);
			if (n <= 0)
				return 0;
			if (write(b[0] == 3 ? 2 : 1, b + 1, n - 1) < 0)
				return perror("attach"), 2;
		}
		if (p[1].revents) {
			ssize_t n = read(0, b, sizeof b - 1);
			if (n > 0 && send(s, b, n, MSG_NOSIGNAL) < 0)
				return perror("attach"), 2;
			if (n <= 0) {
				shutdown(s, SHUT_WR);
				p[1].fd = -1;
			}
		}
	}
}

static int argc0;
static char **argv0;


/* N processes, each of which lives for a moment and leaves its place to a child: who kills them one
   by one comes late. */
static void cmd_breed(int n)
{
	signal(SIGCHLD, SIG_IGN);
	for (int i = 0; i < n; i++) {
		if (fork())
			continue;
		for (;;) {
			usleep(200);
			if (fork() > 0)
				_exit(0);
		}
	}
	printf("breeding\n");
	fflush(stdout);
	pause_forever();
}

static int one(int n, char **a)
{
#define IS(name, args) (!strcmp(a[0], name) && n >= 1 + (args))
	if (IS("ids", 0)) cmd_ids();
	else if (IS("caps", 0)) cmd_caps();
	else if (IS("nnp", 0)) printf("nnp %d\n", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	else if (IS("rlimits", 0)) cmd_rlimits();
	else if (IS("umask", 0)) { mode_t m = umask(0); umask(m); printf("umask %04o\n", m); }
	else if (IS("signals", 0)) cmd_signals();
	else if (IS("fds", 0)) cmd_fds();
	else if (IS("env", 0)) for (char **e = environ; *e; e++) { printf("env "); escaped(*e, strlen(*e)); printf("\n"); }
	else if (IS("args", 0)) for (int i = 0; i < argc0; i++) { printf("arg %d ", i); escaped(argv0[i], strlen(argv0[i])); printf("\n"); }
	else if (IS("cwd", 0)) { char p[PATH_MAX]; printf("cwd "); if (syscall(SYS_getcwd, p, sizeof p) < 0) printf("%s", err()); else escaped(p, strlen(p)); printf("\n"); }
	else if (IS("ns", 0)) cmd_ns();
	else if (IS("mounts", 0)) cmd_mounts();
	else if (IS("stat", 1)) cmd_stat(a[1]);
	else if (IS("ls", 1)) cmd_ls(a[1]);
	else if (IS("hostname", 0)) { struct utsname u; uname(&u); printf("hostname %s\n", u.nodename); }
	else if (IS("domainname", 0)) { struct utsname u; uname(&u); printf("domainname %s\n", u.domainname); }
	else if (IS("machine", 0)) { struct utsname u; uname(&u); printf("machine %s\n", u.machine); }
	else if (IS("sched", 0)) cmd_sched();
	else if (IS("oom", 0)) cmd_file_line("oom", "/proc/self/oom_score_adj");
	else if (IS("notify", 1)) cmd_notify(a[1]);
	else if (IS("keyring", 0)) { long k = syscall(SYS_keyctl, 0, -3, 0); if (k < 0) printf("keyring %s\n", err()); else printf("keyring %ld\n", k); }
	else if (IS("seccomp", 0)) cmd_status("seccomp", "Seccomp");
	else if (IS("syscall", 1) || IS("int80", 1)) cmd_syscall(n, a);
	else if (IS("trapped", 2)) cmd_trapped(n - 1, a + 1);
	else if (IS("thread", 2)) cmd_thread(n - 1, a + 1);
	else if (IS("pid", 0)) printf("pid %d %d\n", getpid(), getppid());
	else if (IS("sid", 0)) printf("sid %d %d\n", getsid(0), getpgrp());
	else if (IS("tty", 0)) { for (int i = 0; i < 3; i++) printf("tty %d %s\n", i, isatty(i) ? "yes" : "no"); int f = open("/dev/tty", O_RDWR); printf("tty controlling %s\n", f < 0 ? err() : "yes"); if (f >= 0) close(f); }
	else if (IS("exit", 1)) { fflush(stdout); exit(atoi(a[1])); }
	else if (IS("killself", 1)) { fflush(stdout); signal(atoi(a[1]), SIG_DFL); kill(getpid(), atoi(a[1])); usleep(100000); }
	else if (IS("sleep", 0)) { pause_forever(); }
	else if (IS("ticks", 0)) for (;;) { printf("tick\n"); fflush(stdout); usleep(20000); }
	else if (IS("reopen", 3)) for (;;) { cmd_open_dev(a[1], a[2], a[3]); fflush(stdout); usleep(20000); }
	else if (IS("breed", 1)) cmd_breed(atoi(a[1]));
	else if (IS("ignore-term", 0)) { signal(SIGTERM, SIG_IGN); printf("ignoring\n"); fflush(stdout); for (;;) pause(); }
	else if (IS("wait-signal", 0)) cmd_wait_signal();
	else if (IS("forks", 1)) cmd_forks(atoi(a[1]));
	else if (IS("alloc", 1)) cmd_alloc(atol(a[1]));
	else if (IS("spin", 1)) cmd_spin(atof(a[1]));
	else if (IS("open-dev", 3)) cmd_open_dev(a[1], a[2], a[3]);
	else if (IS("write", 2)) cmd_write(a[1], a[2]);
	else if (IS("read", 1)) cmd_file_line("read", a[1]);
	else if (IS("mkdir", 1)) { int r = mkdir(a[1], 0777); printf("mkdir %s %s\n", a[1], r ? err() : "ok"); }
	else if (IS("lines", 1)) { char *b = slurp(a[1], NULL); if (!b) printf("line %s\n", err()); else { char *s, *l = strtok_r(b, "\n", &s); for (; l; l = strtok_r(NULL, "\n", &s)) { printf("line "); escaped(l, strlen(l)); printf("\n"); } free(b); } }
	else {
		fprintf(stderr, "probe: no sub-command '%s' with %d arguments\n", a[0], n - 1);
		return 2;
	}
	fflush(stdout);
	return 0;
}

int main(int argc, char **argv)
{
	argc0 = argc;
	argv0 = argv;
	if (argc < 2) {
		fprintf(stderr, "usage: probe SUBCOMMAND [ARG...] [-- SUBCOMMAND [ARG...]]...\n");
		return 2;
	}
	if (!strcmp(argv[1], "reaper") && argc > 2)
		return reaper(argv + 2);
	if (!strcmp(argv[1], "agent") && argc > 4)
		return agent(argv + 2);
	if (!strcmp(argv[1], "attach") && argc > 2)
		return attach(argv[2]);
	int rc = 0;
	for (int i = 1; i < argc;) {
		int j = i;
		while (j < argc && strcmp(argv[j], "--"))
			j++;
		if (j > i && one(j - i, argv + i))
			rc = 2;
		i = j + 1;
	}
	return rc;
}
