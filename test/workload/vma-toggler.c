/*
 * A writer that locks one large VMA again and again: it switches MADV_DONTDUMP on and off, which changes nothing but
 * flags of the VMA. Where the kernel has per-VMA locks, it sleeps in __vma_start_write() while somebody reads that VMA.
 * Prints one JSON object: its calls, those that slept, those over 1 ms.
 */
#define _GNU_SOURCE
#include "common.h"

#include <getopt.h>
#include <sys/mman.h>
#include <sys/resource.h>

const char usage_text[] =
	"usage: vma-toggler [--seconds S] [--bytes B] [--pin CPU] [--name COMM] [--gate]\n"
	"  --seconds S   how long to run (10)\n"
	"  --bytes B     size of the VMA, every page of which is there (268435456)\n"
	"  --pin CPU     run on this CPU only\n"
	"  --name COMM   name of the process, at most 15 bytes\n"
	"  --gate        after \"ready PID\" on stderr, wait for a byte or EOF on stdin\n";

/* The times this thread gave up its CPU by itself: it slept. */
static uint64_t sleeps(void)
{
	struct rusage usage;

	if (getrusage(RUSAGE_THREAD, &usage))
		die("getrusage");
	return (uint64_t)usage.ru_nvcsw;
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "seconds", required_argument, NULL, 's' }, { "bytes", required_argument, NULL, 'b' },
		{ "pin", required_argument, NULL, 'p' },     { "name", required_argument, NULL, 'n' },
		{ "gate", no_argument, NULL, 'g' },	     { 0 },
	};
	uint64_t run_ns = 10 * NS_PER_S;
	size_t bytes = 256UL << 20;
	struct latency calls = { 0 }, slept = { 0 };
	bool gate = false;
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 's': run_ns = parse_seconds(optarg); break;
		case 'b': bytes = (size_t)parse_number(optarg, 1, 1LL << 40); break;
		case 'p': pin_to((int)parse_number(optarg, 0, CPU_SETSIZE - 1)); break;
		case 'n':
			if (!*optarg || strlen(optarg) > 15)
				usage();
			set_comm(optarg);
			break;
		case 'g': gate = true; break;
		default: usage();
		}
	}
	stop_on_signals();
	char *vma = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	/* With huge pages a reader would be through in no time. */
	if (vma == MAP_FAILED || madvise(vma, bytes, MADV_NOHUGEPAGE))
		die("mmap");
	memset(vma, 1, bytes);
	announce_ready(gate);
	uint64_t start_ns = now_ns(CLOCK_BOOTTIME);
	uint64_t deadline = now_ns(CLOCK_MONOTONIC) + run_ns;
	for (bool dump = false; !stop_requested && now_ns(CLOCK_MONOTONIC) < deadline; dump = !dump) {
		uint64_t sleeps_before = sleeps();
		uint64_t since = now_ns(CLOCK_MONOTONIC);

		if (madvise(vma, bytes, dump ? MADV_DODUMP : MADV_DONTDUMP))
			die("madvise");
		uint64_t ns = now_ns(CLOCK_MONOTONIC) - since;
		latency_add(&calls, ns);
		if (sleeps() != sleeps_before)
			latency_add(&slept, ns);
	}
	printf("{\"pid\":%d,\"start_ns\":%" PRIu64 ",\"end_ns\":%" PRIu64 ",", getpid(), start_ns, now_ns(CLOCK_BOOTTIME));
	latency_print("calls", &calls);
	putchar(',');
	latency_print("slept", &slept);
	puts("}");
	return 0;
}
