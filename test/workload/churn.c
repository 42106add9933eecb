/*
 * Processes and threads that come and go around the probes, each in a way that leaves something behind where nobody
 * takes it away: targets that were read, readers that are killed in a read(), threads that read and then exec.
 */
#define _GNU_SOURCE
#include "common.h"

#include <fcntl.h>
#include <getopt.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>

const char usage_text[] =
	"usage: churn targets [--file FILE] [--count N] [--gate]\n"
	"       churn killed PID [--file FILE] [--count N] [--gate]\n"
	"       churn exec PID [--file FILE] [--count N] [--gate]\n"
	"  targets      N processes of which the file is read once, and once more in the middle; one of ten has two threads\n"
	"               that map and unmap meanwhile. Each is killed, one of four while its file is being read\n"
	"  killed       N processes that read the file of PID again and again until they are killed\n"
	"  exec         N processes of which a thread that is not the leader reads the file of PID, and calls execve()\n"
	"  --file FILE  of /proc/PID (smaps)\n"
	"  --count N    how many (100)\n"
	"  --gate       after \"ready PID\" on stderr, wait for a byte or EOF on stdin\n";

enum kind { TARGETS, KILLED, EXEC };
static const char *const kinds[] = { "targets", "killed", "exec" };

/* So many processes at a time: to wait for each would take most of the time. */
#define BATCH 20

static uint64_t reads;
static const char *file = "smaps";
static char path[64];

static void file_of(pid_t pid)
{
	snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
}

/* One read() of the file at its beginning, and one more: the second begins in the middle. */
static void read_twice(void)
{
	char buffer[4096];
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		die(path);
	for (int i = 0; i < 2; i++, reads++)
		if (read(fd, buffer, sizeof(buffer)) < 0 && errno != ESRCH)
			die("read");
	close(fd);
}

static void __attribute__((noreturn)) read_until_killed(void)
{
	char buffer[4096];
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		die(path);
	for (;;)
		if (pread(fd, buffer, sizeof(buffer), 0) < 0)
			die("pread");
}

static void *map_and_unmap(void *arg)
{
	const size_t bytes = 65536;

	(void)arg;
	for (;;) {
		char *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (p == MAP_FAILED)
			die("mmap");
		memset(p, 1, bytes);
		munmap(p, bytes);
	}
}

static void __attribute__((noreturn)) be_target(bool busy)
{
	pthread_t thread;

	for (int i = 0; busy && i < 2; i++)
		if (pthread_create(&thread, NULL, map_and_unmap, NULL))
			die("pthread_create");
	for (;;)
		pause();
}

static void *read_and_exec(void *arg)
{
	char *const argv[] = { "true", NULL };

	(void)arg;
	read_twice();
	execv("/bin/true", argv);
	die("/bin/true");
}

static void __attribute__((noreturn)) exec_from_a_thread(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, read_and_exec, NULL))
		die("pthread_create");
	for (;;)
		pause();
}

static pid_t start(enum kind kind, long number)
{
	pid_t parent = getpid(), pid = fork();

	if (pid < 0)
		die("fork");
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	switch (kind) {
	case TARGETS: be_target(number % 10 == 0);
	case KILLED: read_until_killed();
	case EXEC: exec_from_a_thread();
	}
	_exit(1);
}

static int reap(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			die("waitpid");
	return status;
}

/* Busy ones are read so often that their threads have to wait, one of four by a process that reads on when it dies. */
static void read_target(pid_t pid, long number)
{
	pid_t reader = 0;

	file_of(pid);
	if (number % 4 == 0) {
		reader = fork();
		if (reader < 0)
			die("fork");
		if (!reader) {
			char buffer[4096];
			int fd = open(path, O_RDONLY | O_CLOEXEC);
			while (fd >= 0 && pread(fd, buffer, sizeof(buffer), 0) > 0)
				;
			_exit(0);
		}
	}
	for (int i = 0; i < (number % 10 == 0 ? 200 : 1); i++)
		read_twice();
	kill(pid, SIGKILL);
	reap(pid);
	if (reader)
		reap(reader);
}

static void run_batch(enum kind kind, long first, long count)
{
	pid_t pids[BATCH];

	for (long i = 0; i < count; i++)
		pids[i] = start(kind, first + i);
	/* Each is in the middle of one of its reads, or between two. */
	if (kind == KILLED)
		poll(NULL, 0, 5);
	for (long i = 0; kind == KILLED && i < count; i++)
		kill(pids[i], SIGKILL);
	for (long i = 0; i < count; i++) {
		int status = reap(pids[i]);
		if (kind == EXEC && status) {
			fprintf(stderr, "churn: a process that called execve() ended with %d\n", status);
			exit(1);
		}
	}
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "count", required_argument, NULL, 'c' },
		{ "file", required_argument, NULL, 'f' },
		{ "gate", no_argument, NULL, 'g' },
		{ 0 },
	};
	long count = 100, done = 0;
	bool gate = false;
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 'c': count = (long)parse_number(optarg, 1, 1000000); break;
		case 'f': file = optarg; break;
		case 'g': gate = true; break;
		default: usage();
		}
	}
	if (optind >= argc || strlen(file) > 15 || strchr(file, '/'))
		usage();
	enum kind kind = (enum kind)index_of(argv[optind], kinds, 3);
	bool alone = kind == TARGETS;
	if (argc - optind != (alone ? 1 : 2))
		usage();
	if (!alone)
		file_of((pid_t)parse_number(argv[optind + 1], 1, 1 << 22));

	stop_on_signals();
	announce_ready(gate);
	uint64_t start_ns = now_ns(CLOCK_BOOTTIME);
	for (; kind == TARGETS && done < count && !stop_requested; done++)
		read_target(start(kind, done), done);
	for (; !alone && done < count && !stop_requested; done += BATCH)
		run_batch(kind, done, count - done < BATCH ? count - done : BATCH);
	uint64_t end_ns = now_ns(CLOCK_BOOTTIME);

	printf("{\"pid\":%d,\"start_ns\":%" PRIu64 ",\"end_ns\":%" PRIu64 ",\"processes\":%ld,\"reads\":%" PRIu64
	       ",\"seconds\":%.6f}\n",
	       getpid(), start_ns, end_ns, done < count ? done : count, reads,
	       (double)(end_ns - start_ns) / (double)NS_PER_S);
	return 0;
}
