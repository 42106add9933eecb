/* Reads one of the proc files that take a process's mmap_lock, and counts every call. */
#define _GNU_SOURCE
#include "child.h"
#include "common.h"
#include "proc-file.h"

#include <getopt.h>
#include <limits.h>
#include <pthread.h>
#include <sys/resource.h>

const char usage_text[] =
	"usage: proc-reader FILE PID [--seconds S | --passes N] [--pause-us U] [--buffer B] [--call CALL]\n"
	"                   [--pieces N] [--range START-END] [--open each|once|inherit [--exec]] [--threads N]\n"
	"                   [--pin CPU] [--nice N] [--name COMM] [--gate]\n"
	"  FILE          maps, smaps, smaps_rollup, numa_maps or pagemap; or procmap_query (that ioctl on maps,\n"
	"                from mapping to mapping), pagemap_scan (that ioctl on pagemap), map_files (getdents64() to\n"
	"                its end) or clear_refs (writes \"1\"), whose calls count as reads\n"
	"  PID           whose file; \"self\": of the process that is started (with --open inherit, the parent)\n"
	"  --seconds S   how long to run (10)\n"
	"  --passes N    each thread reads the file to its end N times, in place of a time\n"
	"  --pause-us U  microseconds between two passes (0)\n"
	"  --buffer B    bytes asked for by each call (65536; for pagemap a multiple of 8)\n"
	"  --between N   read() calls on /dev/zero before each pass (0)\n"
	"  --call CALL   read, pread, readv, preadv or preadv2 (read)\n"
	"  --pieces N    buffers that readv, preadv and preadv2 divide theirs into: one read all the same (1)\n"
	"  --range R     addresses, in hexadecimal, that a pass of pagemap or pagemap_scan covers (the 512 MiB below the stack)\n"
	"  --open WHEN   each: every pass opens and closes; once: opened before \"ready PID\", a pass rewinds;\n"
	"                inherit: as once, but a child, forked after the gate, does the passes (each)\n"
	"  --exec        the child of --open inherit runs this program anew\n"
	"  --threads N   threads that do passes, each with its own descriptors; only with --open each (1)\n"
	"  --pin CPU     run on this CPU only\n"
	"  --nice N      -20 to 19\n"
	"  --name COMM   name of the process, at most 15 bytes\n"
	"  --gate        after \"ready PID\" on stderr, wait for a byte or EOF on stdin\n";

enum open_when { OPEN_EACH, OPEN_ONCE, OPEN_INHERIT, OPENS };
static const char *const open_names[OPENS] = { "each", "once", "inherit" };

#define MAX_THREADS 256

struct reader {
	pthread_t thread;
	char *buffer;
	struct counts counts;
} __attribute__((aligned(128)));

static struct {
	const struct proc_file *file;
	pid_t started, pid; /* the process that was started, and the target */
	char path[64];
	uint64_t run_ns, passes, pause_ns, between;
	enum open_when open;
	bool exec;
	unsigned int threads;
} options = { .run_ns = 10 * NS_PER_S, .threads = 1 };

static struct reader readers[MAX_THREADS];
static uint64_t deadline_ns;
static pthread_barrier_t start;
/* The descriptor of --open once and inherit. */
static int held_fd = -1;

/* The descriptor, or -1: the target has gone. */
static int open_file(struct counts *counts)
{
	uint64_t since = now_ns(CLOCK_MONOTONIC);
	int fd = open(options.path, options.file->flags | O_CLOEXEC);

	if (fd < 0) {
		counts->open_errors++;
		return -1;
	}
	latency_add(&counts->open, now_ns(CLOCK_MONOTONIC) - since);
	counts->opens++;
	return fd;
}

static bool pass(struct reader *r)
{
	int fd = options.open == OPEN_EACH ? open_file(&r->counts) : held_fd;

	if (fd < 0)
		return false;
	/* A fresh descriptor is at 0 already. */
	if ((reading.first || options.open != OPEN_EACH) && lseek(fd, reading.first, SEEK_SET) < 0)
		die("lseek");
	bool done = options.file->pass(&r->counts, fd, r->buffer);
	if (options.open == OPEN_EACH)
		close(fd);
	if (done)
		r->counts.passes++;
	else
		r->counts.read_errors++;
	return done;
}

/* Reads of another file, which are not counted. */
static void read_others(char *buffer)
{
	if (!options.between)
		return;
	int fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	for (uint64_t i = 0; i < options.between; i++)
		if (fd < 0 || read(fd, buffer, 1) != 1)
			die("/dev/zero");
	close(fd);
}

static void *work(void *arg)
{
	const struct timespec pause = { .tv_sec = (time_t)(options.pause_ns / NS_PER_S),
					.tv_nsec = (long)(options.pause_ns % NS_PER_S) };
	struct reader *r = arg;

	pthread_barrier_wait(&start);
	for (uint64_t i = 0; !options.passes || i < options.passes; i++) {
		if (i && options.pause_ns)
			nanosleep(&pause, NULL);
		if (stop_requested || (!options.passes && now_ns(CLOCK_MONOTONIC) >= deadline_ns))
			break;
		read_others(r->buffer);
		if (!pass(r))
			break;
	}
	return NULL;
}

/*
 * Starts this program anew in the same process. The hidden --fd tells it which descriptor it has, and
 * how long its open() took.
 */
static void __attribute__((noreturn)) exec_again(int argc, char **argv)
{
	char self[PATH_MAX], fd[64];
	char **args = calloc((size_t)argc + 2, sizeof(*args));
	/* Under the name /proc/self/exe, the comm would be "exe". */
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (!args || n < 0 || fcntl(held_fd, F_SETFD, 0))
		die("exec");
	self[n] = '\0';
	snprintf(fd, sizeof(fd), "--fd=%d:%" PRIu64, held_fd, readers[0].counts.open.sum_ns);
	args[0] = argv[0];
	args[1] = fd;
	memcpy(args + 2, argv + 1, (size_t)(argc - 1) * sizeof(*args));
	execv(self, args);
	die(self);
}

static void take_over(const char *inherited)
{
	struct counts *counts = &readers[0].counts;
	uint64_t open_ns;

	if (sscanf(inherited, "%d:%" SCNu64, &held_fd, &open_ns) != 2)
		usage();
	counts->opens = 1;
	latency_add(&counts->open, open_ns);
}

static void print_result(uint64_t start_ns, uint64_t end_ns)
{
	struct counts sum = { 0 };

	for (unsigned int i = 0; i < options.threads; i++) {
		const struct counts *c = &readers[i].counts;

		sum.passes += c->passes;
		sum.opens += c->opens;
		sum.open_errors += c->open_errors;
		sum.read_errors += c->read_errors;
		sum.bytes += c->bytes;
		latency_merge(&sum.open, &c->open);
		latency_merge(&sum.read, &c->read);
	}
	printf("{\"pid\":%d,\"reader_pid\":%d,\"target_pid\":%d,\"file\":\"%s\",\"call\":\"%s\",\"open\":\"%s\""
	       ",\"threads\":%u,\"seconds\":%.6f,\"start_ns\":%" PRIu64 ",\"end_ns\":%" PRIu64 ",\"passes\":%" PRIu64
	       ",\"opens\":%" PRIu64 ",\"open_errors\":%" PRIu64 ",\"reads\":%" PRIu64 ",\"read_errors\":%" PRIu64
	       ",\"bytes\":%" PRIu64 ",\"latency\":{",
	       options.started, getpid(), options.pid, options.file->name,
	       options.file->call ? options.file->call : call_names[reading.call], open_names[options.open],
	       options.threads, (double)(end_ns - start_ns) / (double)NS_PER_S, start_ns, end_ns, sum.passes,
	       sum.opens, sum.open_errors, sum.read.count, sum.read_errors, sum.bytes);
	latency_print("open", &sum.open);
	putchar(',');
	latency_print("read", &sum.read);
	puts("}}");
}

/* Whatever takes the mmap_lock of this process comes before the gate: it may be its own target. */
static void prepare_threads(void)
{
	pthread_barrier_init(&start, NULL, options.threads);
	for (unsigned int i = 0; i < options.threads; i++) {
		readers[i].buffer = malloc(reading.buffer_bytes);
		if (!readers[i].buffer)
			die("malloc");
		/* The first is the main thread. */
		if (i && pthread_create(&readers[i].thread, NULL, work, &readers[i]))
			die("pthread_create");
	}
}

static void run_threads(void)
{
	uint64_t start_ns = now_ns(CLOCK_BOOTTIME);

	deadline_ns = now_ns(CLOCK_MONOTONIC) + options.run_ns;
	work(&readers[0]);
	for (unsigned int i = 1; i < options.threads; i++)
		pthread_join(readers[i].thread, NULL);
	print_result(start_ns, now_ns(CLOCK_BOOTTIME));
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "seconds", required_argument, NULL, 's' },  { "passes", required_argument, NULL, 'n' },
		{ "pause-us", required_argument, NULL, 'u' }, { "buffer", required_argument, NULL, 'b' },
		{ "call", required_argument, NULL, 'c' },     { "range", required_argument, NULL, 'r' },
		{ "open", required_argument, NULL, 'o' },     { "exec", no_argument, NULL, 'e' },
		{ "threads", required_argument, NULL, 't' },  { "pin", required_argument, NULL, 'p' },
		{ "nice", required_argument, NULL, 'i' },     { "name", required_argument, NULL, 'm' },
		{ "gate", no_argument, NULL, 'g' },	      { "fd", required_argument, NULL, 'f' },
		{ "pieces", required_argument, NULL, 'P' },   { "between", required_argument, NULL, 'B' },
		{ 0 },
	};
	const char *range = NULL, *call = NULL, *inherited = NULL;
	bool gate = false;
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 's': options.run_ns = parse_seconds(optarg); break;
		case 'n': options.passes = (uint64_t)parse_number(optarg, 1, 1LL << 40); break;
		case 'u': options.pause_ns = (uint64_t)parse_number(optarg, 0, 60000000) * 1000; break;
		case 'B': options.between = (uint64_t)parse_number(optarg, 1, 1LL << 40); break;
		case 'P': reading.pieces = (unsigned int)parse_number(optarg, 1, MAX_PIECES); break;
		case 'b': reading.buffer_bytes = (size_t)parse_number(optarg, 1, 1 << 30); break;
		case 'c': call = optarg; break;
		case 'r': range = optarg; break;
		case 'o': options.open = (enum open_when)index_of(optarg, open_names, OPENS); break;
		case 'e': options.exec = true; break;
		case 't': options.threads = (unsigned int)parse_number(optarg, 1, MAX_THREADS); break;
		case 'p': pin_to((int)parse_number(optarg, 0, CPU_SETSIZE - 1)); break;
		case 'i':
			if (setpriority(PRIO_PROCESS, 0, (int)parse_number(optarg, -20, 19)))
				die("setpriority");
			break;
		case 'm':
			if (strlen(optarg) > 15)
				usage();
			set_comm(optarg);
			break;
		case 'g': gate = true; break;
		case 'f': inherited = optarg; break;
		default: usage();
		}
	}
	if (argc - optind != 2 || (options.exec && options.open != OPEN_INHERIT) ||
	    (options.threads > 1 && options.open != OPEN_EACH))
		usage();
	options.file = file_named(argv[optind]);
	if (call) {
		if (options.file->call)
			usage();
		reading.call = (enum call)index_of(call, call_names, CALLS);
	}
	const char *target = argv[optind + 1];
	options.started = inherited ? getppid() : getpid();
	options.pid = strcmp(target, "self") ? (pid_t)parse_number(target, 1, 1 << 22) : options.started;
	if (!strcmp(options.file->opened, "pagemap"))
		set_pagemap_range(options.pid, range);
	else if (range)
		usage();
	snprintf(options.path, sizeof(options.path), "/proc/%s/%s", target, options.file->opened);

	prepare_threads();
	stop_on_signals();
	if (inherited) {
		take_over(inherited);
	} else {
		if (options.open != OPEN_EACH)
			held_fd = open_file(&readers[0].counts);
		announce_ready(gate);
		if (options.open == OPEN_INHERIT)
			continue_in_child();
		if (options.exec && held_fd >= 0)
			exec_again(argc, argv);
	}
	mask_stops(SIG_UNBLOCK);
	run_threads();
	return 0;
}
