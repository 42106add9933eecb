/* What every workload program shares: clocks, latency counters, arguments, the start gate. */
#ifndef WORKLOAD_COMMON_H
#define WORKLOAD_COMMON_H

#ifndef _GNU_SOURCE
#error "define _GNU_SOURCE before the first include"
#endif

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S 1000000000ULL
#define NS_PER_MS 1000000ULL

/* The text printed for a bad argument; each program defines it. */
extern const char usage_text[];

static inline void __attribute__((noreturn)) usage(void)
{
	fputs(usage_text, stderr);
	exit(2);
}

/* Ends the program with errno's text: for failures that are the machine's, not the arguments'. */
static inline void __attribute__((noreturn)) die(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(1);
}

static inline uint64_t now_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

struct latency {
	uint64_t count;
	uint64_t sum_ns;
	uint64_t max_ns;
	uint64_t over_1ms;
};

static inline void latency_add(struct latency *l, uint64_t ns)
{
	l->count++;
	l->sum_ns += ns;
	if (ns > l->max_ns)
		l->max_ns = ns;
	if (ns > NS_PER_MS)
		l->over_1ms++;
}

static inline void latency_merge(struct latency *into, const struct latency *l)
{
	into->count += l->count;
	into->sum_ns += l->sum_ns;
	if (l->max_ns > into->max_ns)
		into->max_ns = l->max_ns;
	into->over_1ms += l->over_1ms;
}

/* Prints "name":{...} without a comma on either side. */
static inline void latency_print(const char *name, const struct latency *l)
{
	printf("\"%s\":{\"count\":%" PRIu64 ",\"sum_ns\":%" PRIu64 ",\"max_ns\":%" PRIu64
	       ",\"over_1ms\":%" PRIu64 "}",
	       name, l->count, l->sum_ns, l->max_ns, l->over_1ms);
}

/* A whole number from min to max, or the usage. */
static inline long long parse_number(const char *text, long long min, long long max)
{
	char *end;

	errno = 0;
	long long value = strtoll(text, &end, 10);
	if (errno || end == text || *end || value < min || value > max)
		usage();
	return value;
}

/* Seconds, fractions allowed, as nanoseconds. */
static inline uint64_t parse_seconds(const char *text)
{
	char *end;
	double value = strtod(text, &end);

	if (end == text || *end || !(value > 0 && value < 1e6))
		usage();
	return (uint64_t)(value * (double)NS_PER_S);
}

/* The place of a word among those a program knows, or the usage. */
static inline int index_of(const char *word, const char *const *words, int count)
{
	for (int i = 0; i < count; i++)
		if (!strcmp(word, words[i]))
			return i;
	usage();
}

/* The calling thread runs on this CPU only. */
static inline void pin_to(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("sched_setaffinity");
}

/* The comm of the process, when called by its main thread. The kernel keeps 15 bytes. */
static inline void set_comm(const char *name)
{
	if (prctl(PR_SET_NAME, name))
		die("PR_SET_NAME");
}

static volatile sig_atomic_t stop_requested;

static inline void request_stop(int signal)
{
	(void)signal;
	stop_requested = 1;
}

/* SIGINT and SIGTERM end the run early; what was counted is still printed. */
static inline void stop_on_signals(void)
{
	struct sigaction action = { .sa_handler = request_stop };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

/* Says "ready PID", then, with a gate, waits for a byte or EOF on stdin (or for a signal to stop). */
static inline void announce_ready(bool gate)
{
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };

	fprintf(stderr, "ready %d\n", getpid());
	/* The timeout closes the race between the test of the flag and a signal. */
	while (gate && !stop_requested && poll(&in, 1, 100) <= 0)
		;
}

#endif
