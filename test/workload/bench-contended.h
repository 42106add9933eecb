/* Loops of two threads that want the mmap_lock of their process for write at the same time. */
#ifndef WORKLOAD_BENCH_CONTENDED_H
#define WORKLOAD_BENCH_CONTENDED_H

#include "bench-loop.h"

#include <pthread.h>

#define CONTENDED_BATCH 50

static _Atomic uint64_t other_ops __attribute__((aligned(128)));
static size_t pages_touched __attribute__((aligned(128)));

static void map_touch_unmap(void)
{
	const size_t bytes = (pages_touched ? pages_touched : 1) * bench.page;
	volatile char *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		die("mmap");
	for (size_t i = 0; i < pages_touched; i++)
		p[i * bench.page] = 1;
	if (munmap((void *)p, bytes))
		die("munmap");
}

/* Goes on until the process of the loop ends. */
static void *contend(void *arg)
{
	(void)arg;
	pin_to(bench.cpus[1]);
	for (;;) {
		map_touch_unmap();
		atomic_fetch_add_explicit(&other_ops, 1, memory_order_relaxed);
	}
	return NULL;
}

static void start_contending(void)
{
	pthread_t thread;

	pin_to(bench.cpus[0]);
	if (pthread_create(&thread, NULL, contend, NULL))
		die("pthread_create");
	while (!atomic_load(&other_ops))
		sched_yield();
}

static void start_contending_with_pages(void)
{
	pages_touched = 4;
	start_contending();
}

/* Of both threads: the time of two divided by what the two have done. */
static struct batch run_contended(void)
{
	const uint64_t before = atomic_load(&other_ops);
	struct batch batch = TIMED(CONTENDED_BATCH, map_touch_unmap());

	batch.ops += atomic_load(&other_ops) - before;
	batch.ns *= 2;
	return batch;
}

#endif
