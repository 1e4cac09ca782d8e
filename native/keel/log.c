#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Longest header: "2016-10-06T00:17:09.669794202Z stdout F " */
#define HEADER_MAX 64u
/* Entries of one read are written together; only the pages that are used take memory. */
static uint8_t batch[LOG_ENTRY_MAX + HEADER_MAX + 16384];
static size_t batched;

/* Not blocking, in case someone put a FIFO there; and in a directory of others a link could lead anywhere. */
static const int open_flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW;

static int open_file(struct log *log)
{
	int fd = open(log->path, open_flags, 0640);
	if (fd < 0)
		return -1;
	off_t end = lseek(fd, 0, SEEK_END);
	log->fd = fd;
	log->size = end > 0 ? (uint64_t)end : 0;
	return 0;
}

int log_open(struct log *log, const struct msg_create *create)
{
	log->streams[0].name = "stdout";
	log->streams[1].name = "stderr";
	log->path = create->log;
	log->max_size = create->log_max_size;
	log->max_files = create->log_max_files;
	return open_file(log);
}

int log_reopen(struct log *log)
{
	int before = log->fd;
	if (open_file(log) < 0)
		return -1;
	close(before);
	return 0;
}

/* The new file is made first: without it all stays as it is, and is tried again when as much again has been written. */
static void rotate(struct log *log)
{
	char from[PATH_MAX + 16];
	char to[PATH_MAX + 16];
	snprintf(to, sizeof(to), "%s.new", log->path);
	int fd = open(to, open_flags | O_TRUNC, 0640);
	if (fd < 0) {
		log->size = 0;
		return;
	}
	for (uint32_t n = log->max_files; n-- > 2;) {
		snprintf(from, sizeof(from), "%s.%u", log->path, n - 1);
		snprintf(to, sizeof(to), "%s.%u", log->path, n);
		rename(from, to);
	}
	snprintf(to, sizeof(to), "%s.1", log->path);
	if (log->max_files > 1)
		rename(log->path, to);
	snprintf(from, sizeof(from), "%s.new", log->path);
	rename(from, log->path);
	close(log->fd);
	log->fd = fd;
	log->size = 0;
}

/* Size of the part of data[0..size) that ends with a whole entry. Entries hold no newline but their last byte. */
static size_t whole(const uint8_t *data, size_t size)
{
	const uint8_t *end = memrchr(data, '\n', size);
	return end == NULL ? 0 : (size_t)(end - data) + 1;
}

static void flush(struct log *log)
{
	size_t done = 0;
	if (log->max_size > 0 && log->size > 0 && log->size + batched > log->max_size)
		rotate(log);
	while (done < batched) {
		ssize_t n = write(log->fd, batch + done, batched - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	if (done < batched) {
		size_t torn = done - whole(batch, done);
		log->lost += batched - done + torn;
		if (torn > 0) {
			off_t end = lseek(log->fd, 0, SEEK_END);
			/* Nothing to be done when it fails: the entry stays torn. */
			if (end >= (off_t)torn && ftruncate(log->fd, end - (off_t)torn) < 0)
				log->lost -= torn;
			else
				done -= torn;
		}
	}
	log->size += done;
	batched = 0;
}

/* Civil date of a day since 1970 (the proleptic Gregorian calendar in eras of 400 years, years from March). */
static void date(int64_t day, int64_t *year, unsigned int *month, unsigned int *dayOfMonth)
{
	day += 719468; /* days from 0000-03-01 to 1970-01-01 */
	int64_t era = (day >= 0 ? day : day - 146096) / 146097;
	unsigned int of_era = (unsigned int)(day - era * 146097);
	unsigned int of_year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	unsigned int rest = of_era - (365 * of_year + of_year / 4 - of_year / 100);
	unsigned int from_march = (5 * rest + 2) / 153;
	*dayOfMonth = rest - (153 * from_march + 2) / 5 + 1;
	*month = from_march < 10 ? from_march + 3 : from_march - 9;
	*year = (int64_t)of_year + era * 400 + (*month <= 2 ? 1 : 0);
}

/* gmtime_r would do, but reads the time zone files first, and takes memory for them. */
static size_t header(char *out, const struct timespec *now, const char *stream, char tag)
{
	static int64_t formatted = -1;
	static char prefix[40];
	int64_t second = now->tv_sec;
	if (second != formatted) {
		int64_t year;
		unsigned int month;
		unsigned int day;
		date(second / 86400, &year, &month, &day);
		unsigned int of_day = (unsigned int)(second % 86400);
		snprintf(prefix, sizeof(prefix), "%04d-%02u-%02uT%02u:%02u:%02u", (int)year, month, day, of_day / 3600,
			 of_day / 60 % 60, of_day % 60);
		formatted = second;
	}
	return (size_t)snprintf(out, HEADER_MAX, "%s.%09ldZ %s %c ", prefix, now->tv_nsec, stream, tag);
}

static void put(const void *data, size_t size)
{
	if (size > 0)
		memcpy(batch + batched, data, size);
	batched += size;
}

/* One entry of the held bytes and `size` more. */
static void entry(struct log *log, struct log_stream *s, const struct timespec *now, char tag, const uint8_t *data,
		  size_t size)
{
	size_t need = HEADER_MAX + s->held + size + 1;
	/* What still goes into this file is written; the next entry begins another one. */
	bool full = log->max_size > 0 && batched > 0 && log->size + batched + need > log->max_size;
	if (full || sizeof(batch) - batched < need)
		flush(log);
	batched += header((char *)batch + batched, now, s->name, tag);
	put(s->line, s->held);
	put(data, size);
	put("\n", 1);
	s->held = 0;
}

void log_write(struct log *log, unsigned int stream, const uint8_t *data, size_t size)
{
	if (log->fd < 0)
		return;
	struct log_stream *s = &log->streams[stream - 1];
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	while (size > 0) {
		const uint8_t *newline = memchr(data, '\n', size);
		size_t piece = newline == NULL ? size : (size_t)(newline - data);
		if (s->held + piece > LOG_ENTRY_MAX) {
			size_t room = LOG_ENTRY_MAX - s->held;
			entry(log, s, &now, 'P', data, room);
			data += room;
			size -= room;
		} else if (newline != NULL) {
			entry(log, s, &now, 'F', data, piece);
			data += piece + 1;
			size -= piece + 1;
		} else {
			memcpy(s->line + s->held, data, piece);
			s->held += (uint32_t)piece;
			size = 0;
		}
	}
	flush(log);
}

void log_end(struct log *log, unsigned int stream)
{
	struct log_stream *s = &log->streams[stream - 1];
	if (log->fd < 0 || s->held == 0)
		return;
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	entry(log, s, &now, 'F', NULL, 0);
	flush(log);
}
