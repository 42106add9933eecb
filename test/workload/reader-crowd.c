/*
 * Many processes that each live for one read of a proc file, made by several parents at once. They are made by vfork():
 * each is a process of its own, with its own pid and name, and only its memory is that of its parent. To copy that would
 * take most of the time.
 */
#define _GNU_SOURCE
#include "common.h"

#include <fcntl.h>
#include <getopt.h>
#include <sys/mman.h>
#include <sys/wait.h>

const char usage_text[] =
	"usage: reader-crowd FILE PID --name COMM [--numbered] [--parents P] [--each N] [--gate]\n"
	"  FILE         of /proc/PID, such as maps\n"
	"  PID          whose file\n"
	"  --name COMM  name of each reader, at most 15 bytes; with --numbered 7\n"
	"  --numbered   COMM and a number instead, another for each: COMM-0, COMM-1, ...\n"
	"  --parents P  processes that start readers, one after the other (8)\n"
	"  --each N     readers of each of them (2500)\n"
	"  --gate       after \"ready PID\" on stderr, wait for a byte or EOF on stdin\n";

/* Shared by all. */
struct counts {
	uint64_t readers, opens, reads, bytes;
};

static char path[64];
static const char *name;
static bool numbered;

static void add(uint64_t *count, uint64_t more)
{
	__atomic_fetch_add(count, more, __ATOMIC_RELAXED);
}

/* Counts what it has done, whatever became of it, and ends. */
static void __attribute__((noreturn)) read_once(struct counts *counts)
{
	char buffer[4096], own_name[16];
	uint64_t number = __atomic_fetch_add(&counts->readers, 1, __ATOMIC_RELAXED);

	snprintf(own_name, sizeof(own_name), "%s-%llu", name, (unsigned long long)number);
	set_comm(numbered ? own_name : name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		_exit(1);
	add(&counts->opens, 1);
	ssize_t n = read(fd, buffer, sizeof(buffer));
	add(&counts->reads, 1);
	if (n <= 0)
		_exit(1);
	add(&counts->bytes, (uint64_t)n);
	_exit(0);
}

/* Whether it ended with 0. */
static bool reap(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			die("waitpid");
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* One reader from its start to its end; whether all went well. */
static bool run_reader(struct counts *counts)
{
	pid_t pid = vfork();

	if (pid < 0)
		die("vfork");
	if (!pid)
		read_once(counts);
	return reap(pid);
}

static void __attribute__((noreturn)) be_parent(struct counts *counts, long each)
{
	bool good = true;

	for (long i = 0; i < each && !stop_requested; i++)
		good = run_reader(counts) && good;
	_exit(good ? 0 : 1);
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "name", required_argument, NULL, 'm' }, { "parents", required_argument, NULL, 'p' },
		{ "each", required_argument, NULL, 'e' }, { "gate", no_argument, NULL, 'g' },
		{ "numbered", no_argument, NULL, 'n' }, { 0 },
	};
	long parents = 8, each = 2500, failed = 0;
	bool gate = false;
	pid_t pids[64];
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 'm': name = optarg; break;
		case 'p': parents = (long)parse_number(optarg, 1, 64); break;
		case 'e': each = (long)parse_number(optarg, 1, 1000000); break;
		case 'g': gate = true; break;
		case 'n': numbered = true; break;
		default: usage();
		}
	}
	if (argc - optind != 2 || !name || !*name || strlen(name) > (numbered ? 7 : 15) || strchr(argv[optind], '/'))
		usage();
	int target = (int)parse_number(argv[optind + 1], 1, 1 << 22);
	snprintf(path, sizeof(path), "/proc/%d/%s", target, argv[optind]);

	struct counts *counts =
		mmap(NULL, sizeof(*counts), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (counts == MAP_FAILED)
		die("mmap");
	stop_on_signals();
	announce_ready(gate);
	uint64_t start_ns = now_ns(CLOCK_BOOTTIME);
	for (long i = 0; i < parents; i++) {
		pids[i] = fork();
		if (pids[i] < 0)
			die("fork");
		if (!pids[i])
			be_parent(counts, each);
	}
	for (long i = 0; i < parents; i++)
		failed += !reap(pids[i]);
	uint64_t end_ns = now_ns(CLOCK_BOOTTIME);

	printf("{\"pid\":%d,\"start_ns\":%" PRIu64 ",\"end_ns\":%" PRIu64 ",\"seconds\":%.6f,\"readers\":%" PRIu64
	       ",\"opens\":%" PRIu64 ",\"reads\":%" PRIu64 ",\"bytes\":%" PRIu64 "}\n",
	       getpid(), start_ns, end_ns, (double)(end_ns - start_ns) / (double)NS_PER_S, counts->readers,
	       counts->opens, counts->reads, counts->bytes);
	return failed ? 1 : 0;
}
