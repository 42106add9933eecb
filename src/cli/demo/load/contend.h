/* One contended wait on the caller's own mmap_lock, in a few milliseconds. */
#ifndef WORKLOAD_CONTEND_H
#define WORKLOAD_CONTEND_H

#include "common.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/resource.h>

#define CONTEND_BYTES (16UL << 20)
#define CONTEND_ROUNDS 50

struct contention {
	unsigned int rounds; /* tries made */
	unsigned int waits; /* mmap() calls that slept: 1, or 0 if every try failed */
	uint64_t wait_ns; /* duration of the mmap() that slept */
};

struct contend_round {
	void *area;
	atomic_bool populated;
	bool slept;
	uint64_t wait_ns;
};

/* mincore() and getrusage() take no mmap_lock for write, so looking does not disturb the holder. */
static inline void *contend_wait(void *arg)
{
	struct contend_round *round = arg;
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	unsigned char resident = 0;
	struct rusage before, after;

	while (!(resident & 1) && !atomic_load(&round->populated)) {
		if (mincore(round->area, page, &resident))
			return NULL;
		sched_yield();
	}
	getrusage(RUSAGE_THREAD, &before);
	uint64_t start = now_ns(CLOCK_MONOTONIC);
	void *p = mmap(NULL, page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	round->wait_ns = now_ns(CLOCK_MONOTONIC) - start;
	getrusage(RUSAGE_THREAD, &after);
	round->slept = after.ru_nvcsw > before.ru_nvcsw;
	if (p != MAP_FAILED)
		munmap(p, page);
	return NULL;
}

/*
 * MADV_POPULATE_WRITE (5.14) faults in the whole range under one mmap_lock taken for read
 * (faultin_page_range(), mm/gup.c). A second thread sees its first page arrive and calls mmap(),
 * which has to queue for write. Only a thread kept off its CPU for all of that time misses it;
 * then the round is repeated. A voluntary context switch inside mmap() is the proof of the wait.
 */
static inline struct contention contend_once(void)
{
	struct contention result = { 0 };
	struct contend_round round = { 0 };

	/* Large folios would make the hold too short to be met. Setting it stays with this process. */
	prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
	round.area = mmap(NULL, CONTEND_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (round.area == MAP_FAILED)
		die("mmap");
	while (!result.waits && result.rounds < CONTEND_ROUNDS) {
		pthread_t waiter;

		result.rounds++;
		atomic_store(&round.populated, false);
		if (pthread_create(&waiter, NULL, contend_wait, &round))
			die("pthread_create");
		if (madvise(round.area, CONTEND_BYTES, MADV_POPULATE_WRITE))
			die("MADV_POPULATE_WRITE");
		atomic_store(&round.populated, true);
		pthread_join(waiter, NULL);
		if (round.slept) {
			result.waits = 1;
			result.wait_ns = round.wait_ns;
		} else {
			madvise(round.area, CONTEND_BYTES, MADV_DONTNEED);
		}
	}
	return result;
}

#endif
