/* masked CALL ERRNO COMMAND...: runs a command with one system call answering ENOSYS or EPERM, as
 * old kernels and the filters of outer sandboxes do. A classic BPF filter (seccomp(2)), inherited by
 * everything that the command starts. Needs root, so that no_new_privs stays off. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct { const char *name; int number; } calls[] = {
	{ "clone3", SYS_clone3 },           { "openat2", SYS_openat2 },
	{ "fsopen", SYS_fsopen },           { "fsconfig", SYS_fsconfig },
	{ "fsmount", SYS_fsmount },         { "open_tree", SYS_open_tree },
	{ "move_mount", SYS_move_mount },   { "mount_setattr", SYS_mount_setattr },
	{ "pidfd_open", SYS_pidfd_open },   { "pidfd_send_signal", SYS_pidfd_send_signal },
	{ "close_range", SYS_close_range }, { "keyctl", SYS_keyctl },
};

int main(int argc, char **argv)
{
	int number = -1, answer = -1;

	if (argc < 4) {
		fprintf(stderr, "usage: masked CALL ENOSYS|EPERM COMMAND...\n");
		return 125;
	}
	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
		if (!strcmp(calls[i].name, argv[1]))
			number = calls[i].number;
	if (!strcmp(argv[2], "ENOSYS"))
		answer = ENOSYS;
	if (!strcmp(argv[2], "EPERM"))
		answer = EPERM;
	if (number < 0 || answer < 0) {
		fprintf(stderr, "masked: unknown call `%s` or errno `%s`\n", argv[1], argv[2]);
		return 125;
	}

	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | answer),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof code / sizeof *code, code };

	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0) {
		perror("masked: seccomp");
		return 125;
	}
	execvp(argv[3], argv + 3);
	perror(argv[3]);
	return 125;
}
