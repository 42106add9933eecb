/* Takes another name before each open and read of its own maps: as many names as there are opens. */
#define _GNU_SOURCE
#include "common.h"

#include <fcntl.h>
#include <getopt.h>

const char usage_text[] =
	"usage: renamer [--seconds S] [--gate]\n"
	"  --seconds S  how long (10)\n"
	"  --gate       after \"ready PID\" on stderr, wait for a byte or EOF on stdin\n"
	"It prints how often it opened and read, and how often in each tenth of a second.\n";

#define TENTHS 3600

static uint64_t tenths[TENTHS];

static void open_and_read(uint64_t i)
{
	char name[16], buffer[4096];

	snprintf(name, sizeof(name), "rn%" PRIu64, i);
	set_comm(name);
	int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, buffer, sizeof(buffer)) < 0)
		die("/proc/self/maps");
	close(fd);
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "seconds", required_argument, NULL, 's' }, { "gate", no_argument, NULL, 'g' }, { 0 },
	};
	uint64_t run_ns = 10 * NS_PER_S, opens = 0, tenth = 0;
	bool gate = false;
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 's': run_ns = parse_seconds(optarg); break;
		case 'g': gate = true; break;
		default: usage();
		}
	}
	if (argc != optind || run_ns > TENTHS * NS_PER_S / 10)
		usage();
	announce_ready(gate);
	uint64_t start_ns = now_ns(CLOCK_MONOTONIC), now = start_ns;
	for (; now - start_ns < run_ns; now = now_ns(CLOCK_MONOTONIC)) {
		tenth = (now - start_ns) / (NS_PER_S / 10);
		open_and_read(opens++);
		tenths[tenth]++;
	}
	printf("{\"opens\":%" PRIu64 ",\"tenths\":[", opens);
	for (uint64_t i = 0; i <= tenth; i++)
		printf("%s%" PRIu64, i ? "," : "", tenths[i]);
	puts("]}");
	return 0;
}
