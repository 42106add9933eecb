/* Loops of one thread: each repeats one thing that every program does. */
#ifndef WORKLOAD_BENCH_SYSTEM_CALLS_H
#define WORKLOAD_BENCH_SYSTEM_CALLS_H

#include "bench-loop.h"

#include <spawn.h>
#include <sys/wait.h>

/* The shortest system call there is. */
static struct batch run_getppid(void)
{
	return TIMED(500, syscall(SYS_getppid));
}

/* One byte of /dev/zero, open all the time. */
static struct batch run_read(void)
{
	char byte;

	return TIMED(500, {
		if (read(bench.zero, &byte, 1) != 1)
			die("/dev/zero");
	});
}

/* Tracepoints tell readers by marks: who has opened its maps once is looked at in each read() from then on. */
static void open_own_maps(void)
{
	int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		die("/proc/self/maps");
	close(fd);
}

static struct batch run_mmap(void)
{
	return TIMED(50, {
		void *p = mmap(NULL, bench.page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (p == MAP_FAILED || munmap(p, bench.page))
			die("mmap");
	});
}

#define FAULT_PAGES 64

/* First touches of fresh pages; that they are given back is outside the time. */
static struct batch run_fault(void)
{
	static volatile char *area;
	const size_t bytes = FAULT_PAGES * bench.page;

	if (!area) {
		area = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (area == MAP_FAILED)
			die("mmap");
		madvise((void *)area, bytes, MADV_NOHUGEPAGE);
	}
	struct batch batch = TIMED(FAULT_PAGES, area[i_ * bench.page] = 1);
	if (madvise((void *)area, bytes, MADV_DONTNEED))
		die("MADV_DONTNEED");
	return batch;
}

/* A read() of a file that is open already, always from its start. */
static struct batch run_stat(void)
{
	char text[4096];

	return TIMED(50, {
		if (pread(bench.target_stat, text, sizeof(text), 0) <= 0)
			die("stat");
	});
}

/* A child by vfork, its exec, and the wait for its end. */
static struct batch run_fork_exec(void)
{
	char *const arguments[] = { bench.program, NULL };

	return TIMED(1, {
		pid_t child;
		int status;
		int error = posix_spawn(&child, bench.program, NULL, NULL, arguments, arguments + 1);

		if (error) {
			errno = error;
			die(bench.program);
		}
		if (waitpid(child, &status, 0) != child || status)
			die("waitpid");
	});
}

/* As an agent does it: open, read to the end, close. */
static struct batch run_maps(void)
{
	static char text[65536];
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/maps", bench.target);
	return TIMED(1, {
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		ssize_t n;

		if (fd < 0)
			die(path);
		while ((n = read(fd, text, sizeof(text))) > 0)
			;
		if (n < 0)
			die(path);
		close(fd);
	});
}

#endif
