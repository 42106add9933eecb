/* Many short-lived processes, each with its own name, and one contended wait on its own mmap_lock or one read file. */
#define _GNU_SOURCE
#include "common.h"
#include "contend.h"

#include <fcntl.h>
#include <getopt.h>
#include <sys/wait.h>

const char usage_text[] =
	"usage: spawner --count N --name PREFIX [--parallel P] [--distinct K] [--read FILE --target PID]\n"
	"               [--gate]\n"
	"  --count N      processes in all\n"
	"  --name PREFIX  their name; with --distinct, child i is called PREFIX followed by i mod K\n"
	"  --parallel P   how many at a time (2)\n"
	"  --read FILE    in place of a wait each child reads maps, smaps or numa_maps of --target to its end, once\n"
	"  --gate         after \"ready PID\" on stderr, wait for a byte or EOF on stdin\n";

static const char *const read_files[] = { "maps", "smaps", "numa_maps" };

/* What the children read, and their read() calls, those that met EOF included. */
static char read_path[64];
static _Atomic uint64_t *reads;

enum { CONTENDED = 0, FAILED = 1, NOT_CONTENDED = 3 };

static void __attribute__((noreturn)) read_once(void)
{
	static char buffer[65536];
	ssize_t n;
	int fd = open(read_path, O_RDONLY);

	if (fd < 0)
		die(read_path);
	do {
		n = read(fd, buffer, sizeof(buffer));
		atomic_fetch_add(reads, 1);
	} while (n > 0);
	_exit(n < 0 ? FAILED : NOT_CONTENDED);
}

static void __attribute__((noreturn)) child(const char *name)
{
	set_comm(name);
	if (*read_path)
		read_once();
	_exit(contend_once().waits ? CONTENDED : NOT_CONTENDED);
}

/* Waits for one child and counts how it ended. */
static void reap(long counts[4])
{
	int status;

	while (waitpid(-1, &status, 0) < 0)
		if (errno != EINTR)
			die("waitpid");
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : FAILED;
	counts[code == CONTENDED || code == NOT_CONTENDED ? code : FAILED]++;
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "count", required_argument, NULL, 'c' },    { "name", required_argument, NULL, 'n' },
		{ "parallel", required_argument, NULL, 'p' }, { "distinct", required_argument, NULL, 'd' },
		{ "gate", no_argument, NULL, 'g' },	      { "read", required_argument, NULL, 'r' },
		{ "target", required_argument, NULL, 't' },   { 0 },
	};
	long count = 0, parallel = 2, distinct = 0, started = 0, running = 0, counts[4] = { 0 };
	const char *prefix = NULL, *file = NULL;
	pid_t target = 0;
	char name[64];
	bool gate = false;
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 'c': count = (long)parse_number(optarg, 1, 1000000); break;
		case 'n': prefix = optarg; break;
		case 'p': parallel = (long)parse_number(optarg, 1, 1024); break;
		case 'd': distinct = (long)parse_number(optarg, 1, 1000000); break;
		case 'g': gate = true; break;
		case 'r': file = read_files[index_of(optarg, read_files, 3)]; break;
		case 't': target = (pid_t)parse_number(optarg, 1, 1 << 22); break;
		default: usage();
		}
	}
	if (optind != argc || !count || !prefix || !*prefix || !file != !target)
		usage();
	if (file)
		snprintf(read_path, sizeof(read_path), "/proc/%d/%s", target, file);
	reads = mmap(NULL, sizeof(*reads), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (reads == MAP_FAILED)
		die("mmap");
	/* The kernel would cut a longer name, and then nobody finds it. */
	int longest = distinct ? snprintf(name, sizeof(name), "%s%ld", prefix, distinct - 1) : (int)strlen(prefix);
	if (longest > 15)
		usage();

	stop_on_signals();
	announce_ready(gate);
	uint64_t start_ns = now_ns(CLOCK_BOOTTIME);
	for (; started < count && !stop_requested; started++) {
		for (; running >= parallel; running--)
			reap(counts);
		if (distinct)
			snprintf(name, sizeof(name), "%s%ld", prefix, started % distinct);
		else
			snprintf(name, sizeof(name), "%s", prefix);
		pid_t pid = fork();
		if (pid < 0)
			die("fork");
		if (pid == 0)
			child(name);
		running++;
	}
	for (; running; running--)
		reap(counts);
	uint64_t end_ns = now_ns(CLOCK_BOOTTIME);

	printf("{\"pid\":%d,\"children\":%ld,\"contended\":%ld,\"not_contended\":%ld,\"failed\":%ld,\"reads\":%" PRIu64 ",\"seconds\":%.6f"
	       ",\"start_ns\":%" PRIu64 ",\"end_ns\":%" PRIu64 "}\n",
	       getpid(), started, counts[CONTENDED], counts[NOT_CONTENDED], counts[FAILED],
	       atomic_load(reads), (double)(end_ns - start_ns) / (double)NS_PER_S, start_ns, end_ns);
	return 0;
}
