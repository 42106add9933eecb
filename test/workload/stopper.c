/*
 * An mmap_lock held for exactly as long as a process is stopped.
 *
 * SIGSTOP takes effect on the way back to user mode, when every mmap_lock has been given up: no task
 * is ever in state T with the lock. What happens on real hosts is one step removed: the holder waits,
 * lock in hand, for a process that is stopped. That is what this program arranges, in three processes:
 *
 *   server  serves a FUSE file of one page. When asked for the page it stops itself (SIGSTOP), and
 *           answers when it is continued.
 *   holder  maps that file and reads the page through /proc/self/mem. __access_remote_vm() takes
 *           mmap_lock for read and calls get_user_pages_remote() without leave to drop it (locked is
 *           NULL; mm/memory.c, mm/gup.c), so the page fault waits for the server with the lock held.
 *           Its other threads then need the lock: one calls mmap() (write), the rest fault (read).
 *   stopper the first process: times the stop and prints the result. Nothing of it can be caught in
 *           the holder's lock, for its mm is another.
 *
 * When the first process dies, however it dies, the server dies with it, the kernel aborts the FUSE
 * connection, and the holder is free. The server alone has the connection open, or that would not work.
 */
#define _GNU_SOURCE
#include "common.h"

#include <fcntl.h>
#include <getopt.h>
#include <linux/fuse.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

const char usage_text[] =
	"usage: stopper [--hold-ms N] [--faulters N] [--kill] [--gate]\n"
	"  --hold-ms N    how long the lock is held (4000)\n"
	"  --faulters N   threads that fault behind the waiting writer (0)\n"
	"  --kill         kill the holder in the end, while its threads wait\n"
	"  --gate         after \"ready PID\" on stderr, wait for a byte or EOF on stdin\n"
	"\"holding PID SERVER\" on stderr: PID holds its mmap_lock, its other threads wait, SERVER is stopped.\n";

#define PAGE 4096UL
#define MAX_FAULTERS 1999

/* Shared by the first process and the holder. */
struct shared {
	volatile pid_t writer_tid, faulter_tids[MAX_FAULTERS];
	uint64_t writer_wait_ns, faulter_wait_ns[MAX_FAULTERS];
};

static struct shared *shared;
static int writer_go[2], faulters_go[2];

/* ---- server: just enough of the FUSE protocol for a root directory that is one read-only file ---- */

static void reply(int fuse, uint64_t unique, int error, const void *body, size_t bytes)
{
	struct fuse_out_header head = { .len = (uint32_t)(sizeof(head) + bytes), .error = error, .unique = unique };
	char buffer[sizeof(head) + PAGE];

	memcpy(buffer, &head, sizeof(head));
	memcpy(buffer + sizeof(head), body, bytes);
	/* ENOENT: the request was interrupted and nobody waits for the answer. */
	if (write(fuse, buffer, sizeof(head) + bytes) < 0 && errno != ENOENT)
		_exit(1);
}

static void __attribute__((noreturn)) serve(int fuse)
{
	static union {
		struct fuse_in_header head;
		char bytes[FUSE_MIN_READ_BUFFER + PAGE];
	} request;
	static const char page[PAGE];

	for (;;) {
		ssize_t n = read(fuse, &request, sizeof(request));

		if (n < 0 && (errno == EINTR || errno == EAGAIN || errno == ENOENT))
			continue;
		if (n <= 0) /* ENODEV: unmounted */
			_exit(0);
		uint64_t unique = request.head.unique;
		switch (request.head.opcode) {
		case FUSE_INIT: {
			struct fuse_init_out out = { .major = FUSE_KERNEL_VERSION,
						     .minor = FUSE_KERNEL_MINOR_VERSION,
						     .max_write = PAGE };
			reply(fuse, unique, 0, &out, sizeof(out));
			break;
		}
		case FUSE_GETATTR: {
			struct fuse_attr_out out = { .attr = { .ino = FUSE_ROOT_ID, .size = PAGE, .blocks = PAGE / 512,
							       .mode = S_IFREG | 0400, .nlink = 1, .blksize = PAGE } };
			reply(fuse, unique, 0, &out, sizeof(out));
			break;
		}
		case FUSE_OPEN: {
			struct fuse_open_out out = { 0 };
			reply(fuse, unique, 0, &out, sizeof(out));
			break;
		}
		case FUSE_READ:
			raise(SIGSTOP);
			reply(fuse, unique, 0, page, sizeof(page));
			break;
		case FUSE_FORGET:
		case FUSE_BATCH_FORGET:
		case FUSE_INTERRUPT:
			break; /* these want no answer */
		default:
			reply(fuse, unique, -ENOSYS, NULL, 0);
		}
	}
}

/* Mounts nowhere: the mount lives as long as the descriptor that is returned. */
static int mount_detached(int fuse)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", fuse);
	int fs = fsopen("fuse", FSOPEN_CLOEXEC);
	if (fs < 0)
		die("fsopen fuse");
	/* The root is a regular file, so there is nothing to look up. */
	if (fsconfig(fs, FSCONFIG_SET_STRING, "fd", text, 0) ||
	    fsconfig(fs, FSCONFIG_SET_STRING, "rootmode", "100000", 0) ||
	    fsconfig(fs, FSCONFIG_SET_STRING, "user_id", "0", 0) ||
	    fsconfig(fs, FSCONFIG_SET_STRING, "group_id", "0", 0) ||
	    fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		die("fsconfig");
	int mount = fsmount(fs, FSMOUNT_CLOEXEC, 0);
	if (mount < 0)
		die("fsmount");
	close(fs);
	return mount;
}

/* ---- holder ---- */

/* One byte for each thread that waits for it. */
static void send_go(int fd, int threads)
{
	for (int i = 0; i < threads; i++)
		if (write(fd, "g", 1) != 1)
			die("write");
}

static void wait_for_go(int fd)
{
	char byte;

	while (read(fd, &byte, 1) < 0 && errno == EINTR)
		;
}

static void *write_waiter(void *arg)
{
	(void)arg;
	shared->writer_tid = gettid();
	wait_for_go(writer_go[0]);
	uint64_t start = now_ns(CLOCK_MONOTONIC);
	void *p = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	shared->writer_wait_ns = now_ns(CLOCK_MONOTONIC) - start;
	if (p == MAP_FAILED)
		die("mmap");
	return NULL;
}

/*
 * The first fault of a VMA that has no anon_vma yet needs mmap_lock even where other faults make do
 * with the VMA's lock (vmf_anon_prepare(), mm/memory.c). Pages without access on both sides keep the
 * VMA from being merged with one that has an anon_vma.
 */
static void *read_waiter(void *arg)
{
	int i = (int)(intptr_t)arg;
	char *p = mmap(NULL, 3 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED || mprotect(p + PAGE, PAGE, PROT_READ | PROT_WRITE))
		die("mmap");
	shared->faulter_tids[i] = gettid();
	wait_for_go(faulters_go[0]);
	uint64_t start = now_ns(CLOCK_MONOTONIC);
	*(volatile char *)(p + PAGE) = 1;
	shared->faulter_wait_ns[i] = now_ns(CLOCK_MONOTONIC) - start;
	return NULL;
}

static void __attribute__((noreturn)) hold(int mount, int faulters)
{
	pthread_t threads[MAX_FAULTERS + 1];
	struct stat st;
	char path[64], byte;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", mount);
	int file = open(path, O_RDONLY | O_CLOEXEC);
	/* fstat() makes the kernel ask for the size. */
	if (file < 0 || fstat(file, &st) || st.st_size != (off_t)PAGE)
		die("the FUSE file");
	void *page = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, file, 0);
	int mem = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	if (page == MAP_FAILED || mem < 0)
		die("mmap of the FUSE file");
	if (pthread_create(&threads[0], NULL, write_waiter, NULL))
		die("pthread_create");
	for (int i = 0; i < faulters; i++)
		if (pthread_create(&threads[i + 1], NULL, read_waiter, (void *)(intptr_t)i))
			die("pthread_create");
	/* Their own mappings have to be made before the lock is taken. */
	for (int i = 0; i < faulters; i++)
		while (!shared->faulter_tids[i])
			sched_yield();
	while (!shared->writer_tid)
		sched_yield();
	if (pread(mem, &byte, 1, (off_t)(uintptr_t)page) != 1)
		die("pread of /proc/self/mem");
	for (int i = 0; i <= faulters; i++)
		pthread_join(threads[i], NULL);
	_exit(0);
}

/* ---- the first process ---- */

static pid_t fork_child(void)
{
	pid_t parent = getpid(), pid = fork();

	if (pid < 0)
		die("fork");
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(1);
		/* Stopping is the first process's business; a signal to the whole group must not end these. */
		signal(SIGINT, SIG_IGN);
		signal(SIGTERM, SIG_IGN);
	}
	return pid;
}

static void __attribute__((noreturn)) fail(const char *what)
{
	fprintf(stderr, "stopper: %s\n", what);
	exit(1);
}

/* Returns once that thread sleeps where only SIGKILL wakes it, that is, for the lock; or when asked to stop. */
static void await_state_d(pid_t pid, pid_t tid)
{
	char path[64], text[512];

	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", pid, tid);
	while (!stop_requested) {
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

		if (n <= 0)
			fail("a waiting thread has gone");
		close(fd);
		text[n] = '\0';
		if (strstr(text, ") D "))
			return;
		poll(NULL, 0, 1);
	}
}

/* Sleeps until then, or until a signal asks to stop. */
static void sleep_until(uint64_t monotonic_ns)
{
	while (!stop_requested && now_ns(CLOCK_MONOTONIC) < monotonic_ns)
		poll(NULL, 0, (int)((monotonic_ns - now_ns(CLOCK_MONOTONIC)) / NS_PER_MS % 100 + 1));
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "hold-ms", required_argument, NULL, 'h' },
		{ "faulters", required_argument, NULL, 'f' },
		{ "kill", no_argument, NULL, 'k' },
		{ "gate", no_argument, NULL, 'g' },
		{ 0 },
	};
	uint64_t hold_ms = 4000;
	int faulters = 0, status, c;
	bool killed = false, gate = false;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 'h': hold_ms = (uint64_t)parse_number(optarg, 1, 3600000); break;
		case 'f': faulters = (int)parse_number(optarg, 0, MAX_FAULTERS); break;
		case 'k': killed = true; break;
		case 'g': gate = true; break;
		default: usage();
		}
	}
	if (optind != argc)
		usage();

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED || pipe2(writer_go, O_CLOEXEC) || pipe2(faulters_go, O_CLOEXEC))
		die("mmap or pipe");
	int fuse = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (fuse < 0)
		die("/dev/fuse");
	int mount = mount_detached(fuse);
	pid_t server = fork_child();
	if (server == 0) {
		close(mount);
		serve(fuse);
	}
	close(fuse);

	stop_on_signals();
	announce_ready(gate);
	uint64_t start_ns = now_ns(CLOCK_BOOTTIME);
	pid_t holder = fork_child();
	if (holder == 0)
		hold(mount, faulters);
	close(mount);

	pid_t changed;
	while ((changed = waitpid(-1, &status, WUNTRACED)) < 0 && errno == EINTR)
		;
	if (changed != server || !WIFSTOPPED(status))
		fail("the holder or the server ended too early");
	uint64_t stopped_ns = now_ns(CLOCK_MONOTONIC);
	send_go(writer_go[1], 1);
	await_state_d(holder, shared->writer_tid);
	send_go(faulters_go[1], faulters);
	for (int i = 0; i < faulters; i++)
		await_state_d(holder, shared->faulter_tids[i]);
	fprintf(stderr, "holding %d %d\n", holder, server);
	sleep_until(stopped_ns + hold_ms * NS_PER_MS);
	if (killed)
		kill(holder, SIGKILL);
	kill(server, SIGCONT);
	uint64_t held_ns = now_ns(CLOCK_MONOTONIC) - stopped_ns;
	while (waitpid(holder, &status, 0) < 0 && errno == EINTR)
		;
	if (killed ? !WIFSIGNALED(status) : status)
		fail("the holder failed");
	uint64_t end_ns = now_ns(CLOCK_BOOTTIME);

	struct latency faults = { 0 };
	for (int i = 0; i < faulters; i++)
		latency_add(&faults, shared->faulter_wait_ns[i]);
	uint64_t longest_ns = shared->writer_wait_ns > faults.max_ns ? shared->writer_wait_ns : faults.max_ns;
	printf("{\"pid\":%d,\"holder_pid\":%d,\"start_ns\":%" PRIu64 ",\"end_ns\":%" PRIu64 ",\"held_ns\":%" PRIu64
	       ",\"longest_wait_ns\":%" PRIu64 ",\"writer_wait_ns\":%" PRIu64 ",",
	       getpid(), holder, start_ns, end_ns, held_ns, longest_ns, shared->writer_wait_ns);
	latency_print("faults", &faults);
	puts("}");
	return 0;
}
