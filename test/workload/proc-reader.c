/* Reads one of the proc files that take another process's mmap_lock, and counts every call. */
#define _GNU_SOURCE
#include "common.h"

#include <fcntl.h>
#include <getopt.h>
#include <sys/resource.h>
#include <sys/uio.h>

const char usage_text[] =
	"usage: proc-reader FILE PID [--seconds S | --passes N] [--buffer B] [--call CALL] [--range START-END]\n"
	"                   [--pin CPU] [--nice N] [--gate]\n"
	"  FILE          maps, smaps, smaps_rollup, numa_maps or pagemap\n"
	"  --seconds S   how long to run (10)\n"
	"  --passes N    open, read to the end, close: N times, in place of a time\n"
	"  --buffer B    bytes asked for by each call (65536; for pagemap a multiple of 8)\n"
	"  --call CALL   read, pread, readv or preadv (read)\n"
	"  --range R     addresses, in hexadecimal, that a pass of pagemap covers (the 512 MiB below the stack)\n"
	"  --pin CPU     run on this CPU only\n"
	"  --nice N      -20 to 19\n"
	"  --gate        after \"ready PID\" on stderr, wait for a byte or EOF on stdin\n";

enum call { CALL_READ, CALL_PREAD, CALL_READV, CALL_PREADV, CALLS };
static const char *const call_names[CALLS] = { "read", "pread", "readv", "preadv" };
static const char *const files[] = { "maps", "smaps", "smaps_rollup", "numa_maps", "pagemap" };

#define PAGEMAP_DEFAULT_SPAN (512ULL << 20)

static struct {
	const char *file;
	int pid;
	uint64_t run_ns, passes;
	size_t buffer_bytes;
	enum call call;
	off_t first, end; /* of the file; end 0 means up to EOF */
} options = { .run_ns = 10 * NS_PER_S, .buffer_bytes = 65536 };

static struct {
	uint64_t passes, opens, open_errors, read_errors, bytes;
	struct latency open, read;
} counts;

static ssize_t call_read(int fd, void *buffer, size_t bytes, off_t offset)
{
	struct iovec iov = { .iov_base = buffer, .iov_len = bytes };

	switch (options.call) {
	case CALL_PREAD: return pread(fd, buffer, bytes, offset);
	case CALL_READV: return readv(fd, &iov, 1);
	case CALL_PREADV: return preadv(fd, &iov, 1, offset);
	default: return read(fd, buffer, bytes);
	}
}

/* False when the file cannot be opened or read any more: the target has gone. */
static bool pass(const char *path, char *buffer)
{
	off_t offset = options.first;
	ssize_t n;

	uint64_t since = now_ns(CLOCK_MONOTONIC);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		counts.open_errors++;
		return false;
	}
	latency_add(&counts.open, now_ns(CLOCK_MONOTONIC) - since);
	counts.opens++;
	if (offset && lseek(fd, offset, SEEK_SET) < 0)
		die("lseek");
	do {
		size_t want = options.buffer_bytes;

		if (options.end && (off_t)want > options.end - offset)
			want = (size_t)(options.end - offset);
		since = now_ns(CLOCK_MONOTONIC);
		n = call_read(fd, buffer, want, offset);
		latency_add(&counts.read, now_ns(CLOCK_MONOTONIC) - since);
		if (n > 0) {
			counts.bytes += (uint64_t)n;
			offset += n;
		}
	} while (n > 0 && !stop_requested && !(options.end && offset >= options.end));
	close(fd);
	if (n < 0) {
		counts.read_errors++;
		return false;
	}
	counts.passes++;
	return true;
}

/*
 * pagemap has 8 bytes for each page of the address space: 256 GiB to its end on x86-64, so a pass is
 * a part of it. start_stack is field 28 of /proc/PID/stat, which takes no mmap_lock.
 */
static uint64_t stack_of(int pid)
{
	char path[64], text[2048];
	unsigned long long stack;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	FILE *f = fopen(path, "re");
	if (!f)
		die(path);
	size_t n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = '\0';
	/* After the comm, which may hold anything, come the fields from 3 on. */
	char *field = strrchr(text, ')');
	for (int i = 2; field && i < 28; i++)
		field = strchr(field + 1, ' ');
	if (!field || sscanf(field, "%llu", &stack) != 1 || stack < PAGEMAP_DEFAULT_SPAN) {
		errno = EINVAL;
		die(path);
	}
	return stack;
}

static void set_pagemap_range(const char *range)
{
	const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	unsigned long long start, end;
	char rest;

	if (range) {
		if (sscanf(range, "%llx-%llx%c", &start, &end, &rest) != 2 || start >= end)
			usage();
	} else {
		end = stack_of(options.pid);
		start = end - PAGEMAP_DEFAULT_SPAN;
	}
	options.first = (off_t)(start / page * 8);
	options.end = (off_t)((end + page - 1) / page * 8);
}

static int index_of(const char *word, const char *const *words, int count)
{
	for (int i = 0; i < count; i++)
		if (!strcmp(word, words[i]))
			return i;
	usage();
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "seconds", required_argument, NULL, 's' }, { "passes", required_argument, NULL, 'n' },
		{ "buffer", required_argument, NULL, 'b' },  { "call", required_argument, NULL, 'c' },
		{ "range", required_argument, NULL, 'r' },   { "pin", required_argument, NULL, 'p' },
		{ "nice", required_argument, NULL, 'i' },    { "gate", no_argument, NULL, 'g' },
		{ 0 },
	};
	const char *range = NULL;
	char path[64];
	bool gate = false;
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 's': options.run_ns = parse_seconds(optarg); break;
		case 'n': options.passes = (uint64_t)parse_number(optarg, 1, 1LL << 40); break;
		case 'b': options.buffer_bytes = (size_t)parse_number(optarg, 1, 1 << 30); break;
		case 'c': options.call = (enum call)index_of(optarg, call_names, CALLS); break;
		case 'r': range = optarg; break;
		case 'p': pin_to((int)parse_number(optarg, 0, CPU_SETSIZE - 1)); break;
		case 'i':
			if (setpriority(PRIO_PROCESS, 0, (int)parse_number(optarg, -20, 19)))
				die("setpriority");
			break;
		case 'g': gate = true; break;
		default: usage();
		}
	}
	if (argc - optind != 2)
		usage();
	options.file = files[index_of(argv[optind], files, sizeof(files) / sizeof(files[0]))];
	options.pid = (int)parse_number(argv[optind + 1], 1, 1 << 22);
	if (!strcmp(options.file, "pagemap"))
		set_pagemap_range(range);
	else if (range)
		usage();
	snprintf(path, sizeof(path), "/proc/%d/%s", options.pid, options.file);
	char *buffer = malloc(options.buffer_bytes);
	if (!buffer)
		die("malloc");

	stop_on_signals();
	announce_ready(gate);
	uint64_t start_ns = now_ns(CLOCK_BOOTTIME);
	uint64_t deadline_ns = now_ns(CLOCK_MONOTONIC) + options.run_ns;
	while (!stop_requested && (!options.passes || counts.passes < options.passes)) {
		if (!options.passes && now_ns(CLOCK_MONOTONIC) >= deadline_ns)
			break;
		if (!pass(path, buffer))
			break;
	}
	uint64_t end_ns = now_ns(CLOCK_BOOTTIME);

	printf("{\"pid\":%d,\"target_pid\":%d,\"file\":\"%s\",\"call\":\"%s\",\"seconds\":%.6f,\"start_ns\":%" PRIu64
	       ",\"end_ns\":%" PRIu64 ",\"passes\":%" PRIu64 ",\"opens\":%" PRIu64 ",\"open_errors\":%" PRIu64
	       ",\"reads\":%" PRIu64 ",\"read_errors\":%" PRIu64 ",\"bytes\":%" PRIu64 ",\"latency\":{",
	       getpid(), options.pid, options.file, call_names[options.call],
	       (double)(end_ns - start_ns) / (double)NS_PER_S, start_ns, end_ns, counts.passes, counts.opens,
	       counts.open_errors, counts.read.count, counts.read_errors, counts.bytes);
	latency_print("open", &counts.open);
	putchar(',');
	latency_print("read", &counts.read);
	puts("}}");
	return 0;
}
