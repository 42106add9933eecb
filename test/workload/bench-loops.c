/*
 * The loops of the cost benchmark. Each runs in a process of its own, in batches that are shorter than what the
 * scheduler gives to others, and prints a line of JSON: nanoseconds of one operation, the median and the quartiles of
 * the batches. A batch that something else interrupted is an outlier among them, which the median leaves out.
 */
#define _GNU_SOURCE
#include "bench-contended.h"
#include "bench-system-calls.h"

#include <getopt.h>

const char usage_text[] =
	"usage: bench-loops [--ms M] [--batches N] [--cpus A,B] [LOOP]...\n"
	"  --ms M        milliseconds for each loop, of its own time (200)\n"
	"  --batches N   batches of operations, where these take longer (10)\n"
	"  --cpus A,B    loops of one thread run on CPU A, those of two on A and B (the last two it may run on)\n"
	"  LOOP          getppid, read, read_marked, mmap, fault, stat, fork_exec, contended, contended_touch,\n"
	"                maps; all in this order where none is named\n";

static const struct loop loops[] = {
	{ "getppid", NULL, run_getppid },
	{ "read", NULL, run_read },
	{ "read_marked", open_own_maps, run_read },
	{ "mmap", NULL, run_mmap },
	{ "fault", NULL, run_fault },
	{ "stat", NULL, run_stat },
	{ "fork_exec", NULL, run_fork_exec },
	{ "contended", start_contending, run_contended },
	{ "contended_touch", start_contending_with_pages, run_contended },
	{ "maps", NULL, run_maps },
};
#define LOOPS (sizeof(loops) / sizeof(loops[0]))

static struct {
	unsigned int batches;
	uint64_t time_ns;
} options = { .batches = 10, .time_ns = 200 * NS_PER_MS };

/* Nanoseconds of one operation, for each batch. */
static double samples[1 << 16];
#define MAX_SAMPLES (sizeof(samples) / sizeof(samples[0]))

static void __attribute__((noreturn)) be_target(int ready)
{
	const size_t bytes = TARGET_VMAS * bench.page;
	char *area = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (area == MAP_FAILED)
		die("mmap");
	/* Neighbours of another protection are not merged. */
	for (size_t i = 0; i < TARGET_VMAS; i += 2)
		if (mprotect(area + i * bench.page, bench.page, PROT_READ))
			die("mprotect");
	close(ready);
	for (;;)
		pause();
}

/* A child that ends with this process. */
static pid_t fork_child(void)
{
	fflush(stdout);
	pid_t child = fork();

	if (child < 0)
		die("fork");
	if (!child && prctl(PR_SET_PDEATHSIG, SIGKILL))
		die("PR_SET_PDEATHSIG");
	return child;
}

static void start_target(void)
{
	char path[64], byte;
	int ready[2];

	if (pipe(ready))
		die("pipe");
	bench.target = fork_child();
	if (!bench.target) {
		close(ready[0]);
		be_target(ready[1]);
	}
	close(ready[1]);
	/* The end of the pipe: it is ready, or dead. */
	if (read(ready[0], &byte, 1) != 0)
		die("the target");
	close(ready[0]);
	snprintf(path, sizeof(path), "/proc/%d/stat", bench.target);
	bench.target_stat = open(path, O_RDONLY | O_CLOEXEC);
	if (bench.target_stat < 0)
		die(path);
}

static void find_program(void)
{
	ssize_t n = readlink("/proc/self/exe", bench.program, sizeof(bench.program) - 1);
	char *slash = n > 0 ? strrchr(bench.program, '/') : NULL;
	const size_t left = slash ? sizeof(bench.program) - (size_t)(slash + 1 - bench.program) : 0;

	if (left < sizeof("bench-exit"))
		die("/proc/self/exe");
	strcpy(slash + 1, "bench-exit");
}

static int by_value(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void run_batches(const struct loop *loop)
{
	struct batch sum = { 0 };
	size_t count = 0;

	pin_to(bench.cpus[0]);
	if (loop->prepare)
		loop->prepare();
	loop->run(); /* to warm up */
	while (count < MAX_SAMPLES && (count < options.batches || sum.ns < options.time_ns)) {
		struct batch batch = loop->run();

		sum.ops += batch.ops;
		sum.ns += batch.ns;
		samples[count++] = (double)batch.ns / (double)batch.ops;
	}
	qsort(samples, count, sizeof(samples[0]), by_value);
	printf("{\"loop\":\"%s\",\"batches\":%zu,\"ns\":%.2f,\"lower_ns\":%.2f,\"upper_ns\":%.2f,\"mean_ns\":%.2f}\n",
	       loop->name, count, samples[count / 2], samples[count / 4], samples[count * 3 / 4],
	       (double)sum.ns / (double)sum.ops);
}

static void run_loop(const struct loop *loop)
{
	pid_t child = fork_child();
	int status;

	if (!child) {
		run_batches(loop);
		fflush(stdout);
		_exit(0); /* with the thread that goes on contending */
	}
	if (waitpid(child, &status, 0) != child)
		die("waitpid");
	if (status) {
		fprintf(stderr, "the loop %s did not end well (status %d)\n", loop->name, status);
		exit(1);
	}
}

/* The first CPU has more of the interrupts. */
static void choose_cpus(void)
{
	cpu_set_t allowed;
	int last = -1;

	if (sched_getaffinity(0, sizeof(allowed), &allowed))
		die("sched_getaffinity");
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &allowed))
			continue;
		bench.cpus[1] = last < 0 ? cpu : last;
		bench.cpus[0] = last = cpu;
	}
}

static void parse_cpus(const char *text)
{
	char rest;

	if (sscanf(text, "%d,%d%c", &bench.cpus[0], &bench.cpus[1], &rest) != 2)
		usage();
}

static const struct loop *loop_named(const char *name)
{
	for (size_t i = 0; i < LOOPS; i++)
		if (!strcmp(name, loops[i].name))
			return &loops[i];
	usage();
}

static void parse_options(int argc, char **argv)
{
	static const struct option known[] = {
		{ "ms", required_argument, NULL, 'm' },
		{ "batches", required_argument, NULL, 'b' },
		{ "cpus", required_argument, NULL, 'c' },
		{ 0 },
	};
	int option;

	choose_cpus();
	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (option) {
		case 'm': options.time_ns = (uint64_t)parse_number(optarg, 1, 100000) * NS_PER_MS; break;
		case 'b': options.batches = (unsigned int)parse_number(optarg, 1, MAX_SAMPLES); break;
		case 'c': parse_cpus(optarg); break;
		default: usage();
		}
	}
}

int main(int argc, char **argv)
{
	parse_options(argc, argv);
	const struct loop *wanted[64];
	const int named = argc - optind;
	size_t count = 0;

	if (named > 64)
		usage();
	for (int i = 0; i < named; i++)
		wanted[count++] = loop_named(argv[optind + i]);
	for (size_t i = 0; !named && i < LOOPS; i++)
		wanted[count++] = &loops[i];
	bench.page = (size_t)sysconf(_SC_PAGESIZE);
	bench.zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	if (bench.zero < 0)
		die("/dev/zero");
	find_program();
	start_target();
	for (size_t i = 0; i < count; i++)
		run_loop(wanted[i]);
	kill(bench.target, SIGKILL);
	waitpid(bench.target, NULL, 0);
	return 0;
}
