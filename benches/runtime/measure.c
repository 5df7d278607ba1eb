/* measure COMMAND... - runs it, its output thrown away, and prints "wall cpu rss faults switches failed" to standard
 * output: milliseconds, milliseconds, KiB.
 *
 * A program of its own since a child's largest resident set begins with that of who started it: this one is small.
 * MEASURE_STDERR shows what the command says. A command that takes half a minute is killed, and has failed.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static double now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1e3 + time.tv_nsec / 1e6;
}
static double milliseconds(struct timeval time) { return time.tv_sec * 1e3 + time.tv_usec / 1e3; }

int main(int count, char **arguments)
{
	if (count < 2) return 2;
	/* Blocked, so that its end can be waited for with a limit; not so in the command. */
	sigset_t none, ended;
	sigemptyset(&none);
	sigemptyset(&ended);
	sigaddset(&ended, SIGCHLD);
	sigprocmask(SIG_BLOCK, &ended, NULL);
	posix_spawnattr_t attributes;
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawn_file_actions_t files;
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
	if (!getenv("MEASURE_STDERR")) posix_spawn_file_actions_addopen(&files, 2, "/dev/null", O_WRONLY, 0);
	pid_t pid;
	int status;
	struct rusage used;
	double began = now();
	if (posix_spawnp(&pid, arguments[1], &files, &attributes, arguments + 1, environ)) return 127;
	struct timespec limit = { .tv_sec = 30 };
	if (sigtimedwait(&ended, NULL, &limit) < 0) kill(pid, SIGKILL);
	while (wait4(pid, &status, 0, &used) < 0) ;
	double wall = now() - began;
	printf("%f %f %ld %ld %ld %d\n", wall, milliseconds(used.ru_utime) + milliseconds(used.ru_stime), used.ru_maxrss,
	       used.ru_minflt, used.ru_nvcsw + used.ru_nivcsw, !WIFEXITED(status) || WEXITSTATUS(status));
	return 0;
}
