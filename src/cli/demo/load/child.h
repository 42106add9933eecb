/* A program that goes on in a child of its own. */
#ifndef WORKLOAD_CHILD_H
#define WORKLOAD_CHILD_H

#include "common.h"

#include <sys/syscall.h>
#include <sys/wait.h>

/* Blocks or unblocks the signals of stop_on_signals(). */
static inline void mask_stops(int how)
{
	sigset_t stops;

	sigemptyset(&stops);
	sigaddset(&stops, SIGINT);
	sigaddset(&stops, SIGTERM);
	sigprocmask(how, &stops, NULL);
}

/*
 * Returns in a child; the parent passes on the signals to stop, and ends as the child does. The child
 * starts with them blocked, so that after an exec none is lost before there is a handler again.
 */
static inline void continue_in_child(void)
{
	sigset_t unblocked;
	int status;

	sigprocmask(SIG_SETMASK, NULL, &unblocked);
	mask_stops(SIG_BLOCK);
	pid_t child = fork();
	if (child < 0)
		die("fork");
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		return;
	}
	struct pollfd ended = { .fd = (int)syscall(SYS_pidfd_open, child, 0), .events = POLLIN };
	if (ended.fd < 0)
		die("pidfd_open");
	do {
		if (stop_requested)
			kill(child, SIGTERM);
	} while (ppoll(&ended, 1, NULL, &unblocked) < 0 && errno == EINTR);
	if (waitpid(child, &status, 0) != child)
		die("waitpid");
	exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

#endif
