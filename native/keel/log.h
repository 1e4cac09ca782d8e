/*
 * The container's log in CRI's format, one entry a line:
 *
 *   2016-10-06T00:17:09.669794202Z stdout F the line's bytes as they are
 *
 * F ends a line; P is a part of one that goes on. A line is held back until its newline or its end of file comes, or
 * until it exceeds 16 KiB: then its first 16384 bytes become a P entry and the rest is looked at anew. So a line of exactly
 * 16384 bytes is one F entry, and an unfinished last line is F too. That is what containerd's CRI logger does. Time is
 * UTC with nine digits, when the entry's last byte was read.
 *
 * A write that fails never stops the container: what can't be written is dropped and counted. After a short write the
 * entry that was torn is cut off again, so that the file always ends with a whole entry.
 *
 * A log with a limit is rotated between entries: LOG becomes LOG.1 and so on, nothing is ever written to a file again that
 * was renamed, and whoever reads LOG.1 to its end goes on with LOG. While LOG is renamed there is none for a moment.
 */
#ifndef KEEL_LOG_H
#define KEEL_LOG_H

#include <stddef.h>
#include <stdint.h>

#include "wire.gen.h"

#define LOG_ENTRY_MAX 16384u

struct log_stream {
	const char *name; /* stdout or stderr */
	uint32_t held;	  /* bytes of an unfinished line */
	uint8_t line[LOG_ENTRY_MAX];
};

struct log {
	int fd;		   /* -1 for none */
	const char *path;
	uint64_t size;	   /* of the file */
	uint64_t max_size; /* 0 for no limit */
	uint32_t max_files;
	uint64_t lost;	   /* bytes of the file that could not be written */
	struct log_stream streams[2];
};

/*
 * Opens the log for appending, made with mode 0640 when missing; what `create` says must outlive it. Returns 0, or -1 with
 * errno.
 */
int log_open(struct log *log, const struct msg_create *create);

/*
 * Goes on in the file that stands at the log's path now, made when missing: for whoever has renamed the old one. Unfinished
 * lines go to the new one. Returns 0, or -1 with errno and goes on in the old one.
 */
int log_reopen(struct log *log);

/* Takes what was read in one go. `stream` is 1 for stdout, 2 for stderr. */
void log_write(struct log *log, unsigned int stream, const uint8_t *data, size_t size);

/* Writes the unfinished line, at the stream's end. */
void log_end(struct log *log, unsigned int stream);

#endif
