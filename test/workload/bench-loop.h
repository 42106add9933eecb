/* What a loop of the cost benchmark is, and what it can use. */
#ifndef WORKLOAD_BENCH_LOOP_H
#define WORKLOAD_BENCH_LOOP_H

#include "common.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/syscall.h>

/* Of an operation, which may be of several system calls. */
struct batch {
	uint64_t ops;
	uint64_t ns;
};

struct loop {
	const char *name;
	/* Runs once in the process of this loop, before its clock; NULL where there is nothing to do. */
	void (*prepare)(void);
	/* Some operations, and the time that they alone took. */
	struct batch (*run)(void);
};

/* A process that sleeps, with this many VMAs: its stat and its maps are read. */
#define TARGET_VMAS 2000

static struct {
	pid_t target;
	int target_stat; /* /proc/TARGET/stat, open */
	int zero; /* /dev/zero, open */
	int cpus[2];
	size_t page;
	char program[4096]; /* bench-exit */
} bench;

/* Times `count` repetitions of a statement. */
#define TIMED(count, statement)                                                                                   \
	({                                                                                                        \
		const uint64_t since_ = now_ns(CLOCK_MONOTONIC);                                                  \
		for (unsigned int i_ = 0; i_ < (count); i_++)                                                     \
			statement;                                                                                \
		(struct batch){ .ops = (count), .ns = now_ns(CLOCK_MONOTONIC) - since_ };                         \
	})

#endif
