/* killed WHOM N COMMAND...: runs a command and ends it by SIGKILL at its Nth entry into the kernel:
 * the command itself (WHOM is `self`), or the first process that it clones (`child`). Exits as the
 * command did, with 137 where that was killed; where it came to its end before, with its status.
 * For showing what is left behind wherever a runtime dies (ptrace(2)). */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

static int code(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char **argv)
{
	pid_t self, victim, pid;
	long left;
	int status, go[2], inside = 0, result = 125;

	if (argc < 4 || (strcmp(argv[1], "self") && strcmp(argv[1], "child"))) {
		fprintf(stderr, "usage: killed self|child N COMMAND...\n");
		return 125;
	}
	left = strtol(argv[2], NULL, 10);
	if (pipe(go) < 0) {
		perror("killed: pipe");
		return 125;
	}
	self = fork();
	if (!self) {
		char word;
		close(go[1]);
		if (read(go[0], &word, 1) != 1)
			_exit(125);
		close(go[0]);
		execvp(argv[3], argv + 3);
		perror(argv[3]);
		_exit(125);
	}
	victim = strcmp(argv[1], "self") ? 0 : self;
	/* What is cloned is traced as well when that is the one to die. It may be a container that
	 * outlives the command and us: then it goes on, untraced. Seized, since whoever is attached in
	 * the old way begins with a SIGSTOP, and stays stopped where we end at that moment. */
	if (self < 0 ||
	    ptrace(PTRACE_SEIZE, self, 0,
		   PTRACE_O_TRACESYSGOOD |
		   (victim ? PTRACE_O_EXITKILL
			   : PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK)) < 0 ||
	    ptrace(PTRACE_INTERRUPT, self, 0, 0) < 0 || waitpid(self, &status, 0) < 0 ||
	    !WIFSTOPPED(status)) {
		perror("killed: trace");
		return 125;
	}
	ptrace(PTRACE_SYSCALL, self, 0, 0);
	if (write(go[1], "", 1) != 1)
		return 125;
	close(go[0]);
	close(go[1]);
	while ((pid = waitpid(-1, &status, __WALL)) > 0 || errno == EINTR) {
		if (pid < 0)
			continue;
		if (WIFEXITED(status) || WIFSIGNALED(status)) {
			if (pid == self) {
				result = code(status);
				break;
			}
			continue;
		}
		int signal = WSTOPSIG(status), deliver = 0;
		if (pid != self && !victim)
			victim = pid, signal = 0; /* its first stop, which tells that it is there */
		if (signal == (SIGTRAP | 0x80)) {
			if (pid == victim && (inside = !inside) && !--left) {
				kill(victim, SIGKILL);
				continue;
			}
		} else if (signal && signal != SIGTRAP && signal != SIGSTOP) {
			deliver = signal;
		}
		if (pid != self && pid != victim)
			ptrace(PTRACE_DETACH, pid, 0, deliver);
		else
			ptrace(PTRACE_SYSCALL, pid, 0, deliver);
	}
	return result;
}
