/* Threads that map, touch, protect and unmap on one mm, and count what they did and how long it took. */
#define _GNU_SOURCE
#include "common.h"
#include "contend.h"

#include <fcntl.h>
#include <getopt.h>

const char usage_text[] =
	"usage: writers [--threads N] [--vmas N] [--vma-bytes B] [--seconds S | --ops N] [--bytes B] [--pin CPU[,CPU...]]\n"
	"               [--fault-gap-us U] [--read-own FILE] [--name COMM] [--names N] [--gate]\n"
	"       writers --once [--name COMM] [--gate]\n"
	"  --threads N   threads sharing the mm (2)\n"
	"  --vmas N      further mappings that the threads leave alone (0)\n"
	"  --vma-bytes B size of each of those; every page of them is there (a page)\n"
	"  --vma-files   they are mappings of a file, its first page each\n"
	"  --seconds S   how long to run (10)\n"
	"  --ops N       cycles of mmap, touch, mprotect, munmap for each thread, in place of a time\n"
	"  --bytes B     size of each mapping (65536)\n"
	"  --pin CPUS    thread i runs on the CPU number i of the list, which repeats\n"
	"  --fault-gap-us U  one more thread, which faults in a mapping of its own every U microseconds: each for the\n"
	"                first time, so that the kernel wants mmap_lock for it (Linux 6.4 and later, too)\n"
	"  --read-own F  read /proc/self/F to its end, once, after the gate and before the threads start:\n"
	"                maps, smaps, smaps_rollup or numa_maps\n"
	"  --once        two threads, one contended wait, then exit\n"
	"  --name COMM   name of the process, at most 15 bytes\n"
	"  --names N     take another name after every few cycles, the number appended, and end after N of them\n"
	"  --gate        after \"ready PID\" on stderr, wait for a byte or EOF on stdin\n";

#define MAX_THREADS 256
#define CYCLES_OF_A_NAME 8

enum op { OP_MMAP, OP_TOUCH, OP_MPROTECT, OP_MUNMAP, OP_FAULT, OP_KINDS };
static const char *const op_names[OP_KINDS] = { "mmap", "touch", "mprotect", "munmap", "fault" };

static const char *const own_files[] = { "maps", "smaps", "smaps_rollup", "numa_maps" };

/* What the scheduler did with a thread. Slept is the rest: wall - exec - run_delay. */
struct schedstat {
	uint64_t wall_ns;
	uint64_t exec_ns;
	uint64_t run_delay_ns;
};

struct worker {
	pthread_t thread;
	int cpu;
	struct latency ops[OP_KINDS];
	struct schedstat sched;
} __attribute__((aligned(128)));

static struct {
	unsigned int threads, vmas;
	uint64_t run_ns, cycles, fault_gap_ns;
	size_t bytes, vma_bytes;
	int cpus[MAX_THREADS];
	unsigned int cpu_count;
	const char *own_file, *name;
	uint64_t names;
	bool once, gate, vma_files;
} options = { .threads = 2, .run_ns = 10 * NS_PER_S, .bytes = 65536 };

static size_t page_size;
static uint64_t deadline_ns;
static pthread_barrier_t threads_exist, start;

/*
 * /proc/thread-self/schedstat takes no mmap_lock. The kernel does not bring its first number up to
 * date for a running thread (proc_pid_schedstat(), fs/proc/base.c), so that one comes from the clock.
 */
static struct schedstat read_schedstat(void)
{
	struct schedstat s;
	char text[128];
	int fd = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (n <= 0)
		die("/proc/thread-self/schedstat");
	close(fd);
	text[n] = '\0';
	if (sscanf(text, "%*u %" SCNu64, &s.run_delay_ns) != 1)
		die("/proc/thread-self/schedstat");
	s.exec_ns = now_ns(CLOCK_THREAD_CPUTIME_ID);
	s.wall_ns = now_ns(CLOCK_MONOTONIC);
	return s;
}

/* Counts the time since *since under this kind; *since becomes now. */
static void record(struct worker *w, enum op op, uint64_t *since)
{
	uint64_t now = now_ns(CLOCK_MONOTONIC);

	latency_add(&w->ops[op], now - *since);
	*since = now;
}

static void cycle(struct worker *w)
{
	uint64_t since = now_ns(CLOCK_MONOTONIC);
	volatile char *p = mmap(NULL, options.bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		die("mmap");
	record(w, OP_MMAP, &since);
	for (size_t offset = 0; offset < options.bytes; offset += page_size) {
		p[offset] = 1;
		record(w, OP_TOUCH, &since);
	}
	if (mprotect((void *)p, options.bytes, PROT_READ))
		die("mprotect");
	record(w, OP_MPROTECT, &since);
	if (munmap((void *)p, options.bytes))
		die("munmap");
	record(w, OP_MUNMAP, &since);
}

static void *work(void *arg)
{
	struct worker *w = arg;

	if (w->cpu >= 0)
		pin_to(w->cpu);
	pthread_barrier_wait(&threads_exist);
	pthread_barrier_wait(&start);
	struct schedstat before = read_schedstat();
	for (uint64_t i = 0; !stop_requested && (!options.cycles || i < options.cycles); i++) {
		if (!options.cycles && now_ns(CLOCK_MONOTONIC) >= deadline_ns)
			break;
		cycle(w);
	}
	struct schedstat after = read_schedstat();
	w->sched.wall_ns = after.wall_ns - before.wall_ns;
	w->sched.exec_ns = after.exec_ns - before.exec_ns;
	w->sched.run_delay_ns = after.run_delay_ns - before.run_delay_ns;
	return NULL;
}

/*
 * A VMA that has never been written has no anon_vma, and the kernel makes one under mmap_lock (vmf_anon_prepare(),
 * mm/memory.c). So each mapping is good for one such fault; the page between two keeps them apart.
 */
static void *fault(void *arg)
{
	struct worker *w = arg;
	const size_t most = 30000;
	volatile char *p = mmap(NULL, 2 * most * page_size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		die("mmap of what is to be faulted in");
	for (size_t i = 0; i < most; i++)
		if (mprotect((void *)(p + 2 * i * page_size), page_size, PROT_READ | PROT_WRITE))
			die("mprotect of what is to be faulted in (vm.max_map_count?)");
	pthread_barrier_wait(&threads_exist);
	pthread_barrier_wait(&start);
	for (size_t i = 0; i < most && !stop_requested && now_ns(CLOCK_MONOTONIC) < deadline_ns; i++) {
		struct timespec gap = { .tv_sec = (time_t)(options.fault_gap_ns / NS_PER_S),
					.tv_nsec = (long)(options.fault_gap_ns % NS_PER_S) };
		uint64_t since = now_ns(CLOCK_MONOTONIC);

		p[2 * i * page_size] = 1;
		record(w, OP_FAULT, &since);
		nanosleep(&gap, NULL);
	}
	return NULL;
}

/* The number of read() calls to the end of /proc/self/FILE, the one that met EOF included. */
static uint64_t read_own(const char *file)
{
	char path[64], text[4096];
	uint64_t reads = 0;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/%s", file);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		die(path);
	do {
		n = read(fd, text, sizeof(text));
		if (n < 0)
			die(path);
		reads++;
	} while (n > 0);
	close(fd);
	return reads;
}

/* Every other page is unreadable, or the kernel would merge them all into one VMA. */
static void map_ballast(unsigned int vmas)
{
	if (!vmas)
		return;
	size_t size = (options.vma_bytes + page_size - 1) / page_size * page_size;

	if (!size)
		size = page_size;
	char *p = mmap(NULL, vmas * size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		die("mmap of the ballast");
	int fd = options.vma_files ? open("/proc/self/exe", O_RDONLY | O_CLOEXEC) : -1;
	for (unsigned int i = 0; i < vmas; i++) {
		if (options.vma_files) {
			if (mmap(p + i * size, page_size, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 0) == MAP_FAILED)
				die("mmap of the ballast (vm.max_map_count?)");
			continue;
		}
		memset(p + i * size, 1, size);
		if (i % 2 && mprotect(p + i * size, size, PROT_NONE))
			die("mprotect of the ballast (vm.max_map_count?)");
	}
	if (fd >= 0)
		close(fd);
}

static void print_schedstat(const struct schedstat *s)
{
	int64_t slept = (int64_t)(s->wall_ns - s->exec_ns - s->run_delay_ns);

	printf("\"wall_ns\":%" PRIu64 ",\"exec_ns\":%" PRIu64 ",\"run_delay_ns\":%" PRIu64 ",\"slept_ns\":%" PRId64,
	       s->wall_ns, s->exec_ns, s->run_delay_ns, slept > 0 ? slept : 0);
}

static void print_result(const struct worker *workers, uint64_t own_reads, uint64_t names, uint64_t start_ns,
			 uint64_t end_ns)
{
	struct schedstat sum = { 0 };

	printf("{\"pid\":%d,\"threads\":%u,\"seconds\":%.6f,\"start_ns\":%" PRIu64 ",\"end_ns\":%" PRIu64
	       ",\"own_reads\":%" PRIu64 ",\"names\":%" PRIu64 ",\"ops\":{",
	       getpid(), options.threads, (double)(end_ns - start_ns) / (double)NS_PER_S, start_ns, end_ns, own_reads,
	       names);
	for (int op = 0; op < OP_KINDS; op++) {
		struct latency total = { 0 };

		for (unsigned int i = 0; i <= options.threads; i++)
			latency_merge(&total, &workers[i].ops[op]);
		if (op)
			putchar(',');
		latency_print(op_names[op], &total);
	}
	for (unsigned int i = 0; i < options.threads; i++) {
		sum.wall_ns += workers[i].sched.wall_ns;
		sum.exec_ns += workers[i].sched.exec_ns;
		sum.run_delay_ns += workers[i].sched.run_delay_ns;
	}
	printf("},\"schedstat\":{");
	print_schedstat(&sum);
	printf(",\"per_thread\":[");
	for (unsigned int i = 0; i < options.threads; i++) {
		printf(i ? ",{" : "{");
		print_schedstat(&workers[i].sched);
		putchar('}');
	}
	puts("]}}");
}

/* A name for every few cycles, in which the threads surely meet: as many processes would take minutes to start. */
static uint64_t take_names(const struct worker *workers)
{
	uint64_t taken = 0, seen = 0;
	char name[64];

	while (taken < options.names && !stop_requested && now_ns(CLOCK_MONOTONIC) < deadline_ns) {
		uint64_t cycles = 0;

		for (unsigned int i = 0; i < options.threads; i++)
			cycles += *(const volatile uint64_t *)&workers[i].ops[OP_MUNMAP].count;
		if (cycles < seen + CYCLES_OF_A_NAME) {
			usleep(100);
			continue;
		}
		seen = cycles;
		snprintf(name, sizeof(name), "%s%" PRIu64, options.name, taken++);
		set_comm(name);
	}
	stop_requested = 1;
	return taken;
}

static void run_threads(void)
{
	/* The last is the one that faults, if any. */
	static struct worker workers[MAX_THREADS + 1];
	const unsigned int all = options.threads + (options.fault_gap_ns != 0);

	/* One touch is to be one page fault. */
	prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
	map_ballast(options.vmas);
	pthread_barrier_init(&threads_exist, NULL, all + 1);
	pthread_barrier_init(&start, NULL, all + 1);
	for (unsigned int i = 0; i < all; i++) {
		workers[i].cpu = options.cpu_count ? options.cpus[i % options.cpu_count] : -1;
		if (pthread_create(&workers[i].thread, NULL, i < options.threads ? work : fault, &workers[i]))
			die("pthread_create");
	}
	pthread_barrier_wait(&threads_exist);
	announce_ready(options.gate);
	uint64_t start_ns = now_ns(CLOCK_BOOTTIME);
	uint64_t own_reads = options.own_file ? read_own(options.own_file) : 0;
	deadline_ns = now_ns(CLOCK_MONOTONIC) + options.run_ns;
	pthread_barrier_wait(&start);
	uint64_t names = options.names ? take_names(workers) : 0;
	for (unsigned int i = 0; i < all; i++)
		pthread_join(workers[i].thread, NULL);
	print_result(workers, own_reads, names, start_ns, now_ns(CLOCK_BOOTTIME));
}

static void run_once(void)
{
	announce_ready(options.gate);
	uint64_t start_ns = now_ns(CLOCK_BOOTTIME);
	struct contention c = contend_once();
	uint64_t end_ns = now_ns(CLOCK_BOOTTIME);

	printf("{\"pid\":%d,\"threads\":2,\"seconds\":%.6f,\"start_ns\":%" PRIu64 ",\"end_ns\":%" PRIu64
	       ",\"rounds\":%u,\"contended_waits\":%u,\"wait_ns\":%" PRIu64 "}\n",
	       getpid(), (double)(end_ns - start_ns) / (double)NS_PER_S, start_ns, end_ns, c.rounds, c.waits,
	       c.wait_ns);
}

static void parse_cpus(char *list)
{
	for (char *cpu = strtok(list, ","); cpu; cpu = strtok(NULL, ",")) {
		if (options.cpu_count == MAX_THREADS)
			usage();
		options.cpus[options.cpu_count++] = (int)parse_number(cpu, 0, CPU_SETSIZE - 1);
	}
	if (!options.cpu_count)
		usage();
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "threads", required_argument, NULL, 't' }, { "vmas", required_argument, NULL, 'v' },
		{ "vma-bytes", required_argument, NULL, 'V' }, { "vma-files", no_argument, NULL, 'F' },
		{ "seconds", required_argument, NULL, 's' }, { "ops", required_argument, NULL, 'o' },
		{ "bytes", required_argument, NULL, 'b' },   { "pin", required_argument, NULL, 'p' },
		{ "fault-gap-us", required_argument, NULL, 'f' },
		{ "name", required_argument, NULL, 'n' },
		{ "names", required_argument, NULL, 'N' },    { "read-own", required_argument, NULL, 'r' },
		{ "once", no_argument, NULL, '1' },	     { "gate", no_argument, NULL, 'g' },
		{ 0 },
	};
	const int own_count = sizeof(own_files) / sizeof(own_files[0]);
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 't': options.threads = (unsigned int)parse_number(optarg, 1, MAX_THREADS); break;
		case 'v': options.vmas = (unsigned int)parse_number(optarg, 0, 1 << 24); break;
		case 'V': options.vma_bytes = (size_t)parse_number(optarg, 1, 1 << 30); break;
		case 'F': options.vma_files = true; break;
		case 's': options.run_ns = parse_seconds(optarg); break;
		case 'o': options.cycles = (uint64_t)parse_number(optarg, 1, 1LL << 40); break;
		case 'b': options.bytes = (size_t)parse_number(optarg, 1, 1LL << 40); break;
		case 'p': parse_cpus(optarg); break;
		case 'f': options.fault_gap_ns = (uint64_t)parse_number(optarg, 1, 1000000) * 1000; break;
		case 'n':
			if (strlen(optarg) > 15)
				usage();
			set_comm(optarg);
			options.name = optarg;
			break;
		case 'N': options.names = (uint64_t)parse_number(optarg, 1, 1000000); break;
		case 'r': options.own_file = own_files[index_of(optarg, own_files, own_count)]; break;
		case '1': options.once = true; break;
		case 'g': options.gate = true; break;
		default: usage();
		}
	}
	if (optind != argc || (options.once && options.own_file) || (options.names && !options.name))
		usage();
	page_size = (size_t)sysconf(_SC_PAGESIZE);
	stop_on_signals();
	if (options.once)
		run_once();
	else
		run_threads();
	return 0;
}
