/* The proc files that take a process's mmap_lock, and one pass over each of them. */
#ifndef WORKLOAD_PROC_FILE_H
#define WORKLOAD_PROC_FILE_H

#include "common.h"
#include "pagemap-scan.h"
#include "procmap.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/uio.h>

enum call { CALL_READ, CALL_PREAD, CALL_READV, CALL_PREADV, CALL_PREADV2, CALLS };
static const char *const call_names[CALLS] = { "read", "pread", "readv", "preadv", "preadv2" };

#define MAX_PIECES 64
#define PAGEMAP_DEFAULT_SPAN (512ULL << 20)

/* Every call counts as a read, those that met EOF or an error included. */
struct counts {
	uint64_t passes, opens, open_errors, read_errors, bytes;
	struct latency open, read;
};

/* How a pass reads. */
static struct {
	size_t buffer_bytes;
	unsigned int pieces; /* into which readv() and its like divide the buffer */
	enum call call;
	off_t first, end; /* of the file; end 0 means up to EOF */
} reading = { .buffer_bytes = 65536, .pieces = 1 };

/* What the program's FILE names. */
struct proc_file {
	const char *name, *opened;
	int flags;
	/* From the start to the end of the file; false when that fails: the target has gone. */
	bool (*pass)(struct counts *counts, int fd, char *buffer);
	const char *call; /* NULL: the one of reading.call */
};

static inline ssize_t call_read(int fd, void *buffer, size_t bytes, off_t offset)
{
	struct iovec iov[MAX_PIECES];
	size_t piece = bytes / reading.pieces;

	for (unsigned int i = 0; i < reading.pieces; i++) {
		iov[i].iov_base = (char *)buffer + i * piece;
		iov[i].iov_len = i + 1 < reading.pieces ? piece : bytes - i * piece;
	}
	switch (reading.call) {
	case CALL_PREAD: return pread(fd, buffer, bytes, offset);
	case CALL_READV: return readv(fd, iov, (int)reading.pieces);
	case CALL_PREADV: return preadv(fd, iov, (int)reading.pieces, offset);
	case CALL_PREADV2: return preadv2(fd, iov, (int)reading.pieces, offset, 0);
	default: return read(fd, buffer, bytes);
	}
}

static inline bool read_to_end(struct counts *counts, int fd, char *buffer)
{
	off_t offset = reading.first;
	ssize_t n;

	do {
		size_t want = reading.buffer_bytes;

		if (reading.end && (off_t)want > reading.end - offset)
			want = (size_t)(reading.end - offset);
		uint64_t since = now_ns(CLOCK_MONOTONIC);
		n = call_read(fd, buffer, want, offset);
		latency_add(&counts->read, now_ns(CLOCK_MONOTONIC) - since);
		if (n > 0) {
			counts->bytes += (uint64_t)n;
			offset += n;
		}
	} while (n > 0 && !stop_requested && !(reading.end && offset >= reading.end));
	return n >= 0;
}

/* ENOENT, after the last mapping, is to this ioctl what EOF is to read(). */
static inline bool query_to_end(struct counts *counts, int fd, char *buffer)
{
	struct procmap_query query = { .size = sizeof(query), .query_flags = PROCMAP_QUERY_COVERING_OR_NEXT_VMA };
	int error;

	(void)buffer;
	do {
		uint64_t since = now_ns(CLOCK_MONOTONIC);
		error = ioctl(fd, PROCMAP_QUERY, &query) ? errno : 0;
		latency_add(&counts->read, now_ns(CLOCK_MONOTONIC) - since);
		query.query_addr = query.vma_end;
	} while (!error && !stop_requested);
	return !error || error == ENOENT;
}

/* Nothing of it is swapped out, so the kernel looks at all of the range in one call. */
static inline bool scan_to_end(struct counts *counts, int fd, char *buffer)
{
	const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	struct pm_scan_arg scan = {
		.size = sizeof(scan),
		.start = (uint64_t)reading.first / 8 * page,
		.end = (uint64_t)reading.end / 8 * page,
		.vec = (uintptr_t)buffer,
		.vec_len = reading.buffer_bytes / sizeof(struct page_region),
		.category_mask = PAGE_IS_SWAPPED,
		.return_mask = PAGE_IS_SWAPPED,
	};
	int found;

	do {
		uint64_t since = now_ns(CLOCK_MONOTONIC);
		found = ioctl(fd, PAGEMAP_SCAN, &scan);
		latency_add(&counts->read, now_ns(CLOCK_MONOTONIC) - since);
		scan.start = scan.walk_end;
	} while (found >= 0 && scan.walk_end < scan.end && !stop_requested);
	return found >= 0;
}

static inline bool list_to_end(struct counts *counts, int fd, char *buffer)
{
	long n;

	do {
		uint64_t since = now_ns(CLOCK_MONOTONIC);
		n = syscall(SYS_getdents64, fd, buffer, reading.buffer_bytes);
		latency_add(&counts->read, now_ns(CLOCK_MONOTONIC) - since);
		if (n > 0)
			counts->bytes += (uint64_t)n;
	} while (n > 0 && !stop_requested);
	return n >= 0;
}

static inline bool clear_references(struct counts *counts, int fd, char *buffer)
{
	uint64_t since = now_ns(CLOCK_MONOTONIC);
	ssize_t n = write(fd, "1", 1);

	(void)buffer;
	latency_add(&counts->read, now_ns(CLOCK_MONOTONIC) - since);
	return n == 1;
}

static const struct proc_file files[] = {
	{ "maps", "maps", O_RDONLY, read_to_end, NULL },
	{ "smaps", "smaps", O_RDONLY, read_to_end, NULL },
	{ "smaps_rollup", "smaps_rollup", O_RDONLY, read_to_end, NULL },
	{ "numa_maps", "numa_maps", O_RDONLY, read_to_end, NULL },
	{ "pagemap", "pagemap", O_RDONLY, read_to_end, NULL },
	{ "procmap_query", "maps", O_RDONLY, query_to_end, "ioctl" },
	{ "pagemap_scan", "pagemap", O_RDONLY, scan_to_end, "ioctl" },
	{ "map_files", "map_files", O_RDONLY | O_DIRECTORY, list_to_end, "getdents64" },
	{ "clear_refs", "clear_refs", O_WRONLY, clear_references, "write" },
};

static inline const struct proc_file *file_named(const char *name)
{
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (!strcmp(name, files[i].name))
			return &files[i];
	usage();
}

/*
 * pagemap has 8 bytes for each page of the address space: 256 GiB to its end on x86-64, so a pass is
 * a part of it. start_stack is field 28 of /proc/PID/stat, which takes no mmap_lock.
 */
static inline uint64_t stack_of(pid_t pid)
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

/* The addresses of a pass: "START-END" in hexadecimal, or NULL for those below the stack of the process. */
static inline void set_pagemap_range(pid_t pid, const char *range)
{
	const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	unsigned long long start, end;
	char rest;

	if (range) {
		if (sscanf(range, "%llx-%llx%c", &start, &end, &rest) != 2 || start >= end)
			usage();
	} else {
		end = stack_of(pid);
		start = end - PAGEMAP_DEFAULT_SPAN;
	}
	reading.first = (off_t)(start / page * 8);
	reading.end = (off_t)((end + page - 1) / page * 8);
}

#endif
