#include "browse.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "apply_layer.h"
#include "browse_limits.h"
#include "browse_tree.h"
#include "compat.h"
#include "context.h"

/* Frames are sent together when they are this many bytes. */
#define BATCH (128u << 10)
/* openat2 gives EAGAIN when a rename or mount races with the resolution of `..`; then it is tried again, this often. */
#define RACE_TRIES 1000

int browse_fail(struct browse *b, const char *call, const char *path)
{
	int saved = errno;
	b->syscall = call;
	snprintf(b->detail, sizeof(b->detail), "%s", path);
	errno = saved;
	return -1;
}

int browse_resolve(const struct browse *b, const char *path, bool follow)
{
	struct open_how how = {
		.flags = (uint64_t)(O_PATH | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW)),
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	for (int i = 0;; i++) {
		int fd = (int)syscall(SYS_openat2, b->root, path, &how, sizeof(how));
		if (fd >= 0 || errno != EAGAIN || i == RACE_TRIES)
			return fd;
	}
}

int browse_flush(struct browse *b, bool all)
{
	if (b->out.failed) {
		errno = ENOMEM;
		return browse_fail(b, "malloc", "");
	}
	size_t at = 0;
	if (!all && b->out.size < BATCH)
		return 0;
	while (at < b->out.size) {
		ssize_t n = write(b->in.fd, b->out.data + at, b->out.size - at);
		if (n < 0 && errno != EINTR)
			return browse_fail(b, "write", "");
		if (n > 0)
			at += (size_t)n;
	}
	b->out.size = 0;
	return 0;
}

/* A directory that is resolved in by number, whatever this process's root is later. */
static int open_descriptors(struct browse *b)
{
	scoped_fd proc = open_proc();
	if (proc < 0)
		return browse_fail(b, "open", "/proc");
	b->descriptors = openat(proc, "self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return b->descriptors < 0 ? browse_fail(b, "openat", "/proc/self/fd") : 0;
}

/* Takes the root over, and makes it this process's own as well: no path of it can mean anything of the host. */
static int settle(struct browse *b, struct context *c)
{
	if (root_directory(c) < 0)
		return browse_fail(b, "open", "/");
	b->root = fcntl(c->root, F_DUPFD_CLOEXEC, 0);
	if (b->root < 0)
		return browse_fail(b, "fcntl", "/");
	if (fchdir(b->root) < 0)
		return browse_fail(b, "fchdir", "/");
	if (chroot(".") < 0)
		return browse_fail(b, "chroot", "/");
	return 0;
}

/*
 * What the program has stopped goes on at the end of this process, which comes also when the client is killed: a container
 * must not stay frozen for that. Its cgroup is held by descriptor, as no path leads there any more.
 */
static void thaw(struct browse *b)
{
	if (b->frozen < 0)
		return;
	const bool v2 = filesystem_type(b->frozen) == MAGIC_CGROUP2;
	const char *thawed = v2 ? "0" : "THAWED";
	write_small(b->frozen, v2 ? "cgroup.freeze" : "freezer.state", thawed, strlen(thawed));
	close(b->frozen);
	b->frozen = -1;
}

static int freeze(struct browse *b, struct context *c, const struct op_freeze *op)
{
	thaw(b);
	scoped_fd directory = open(op->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory < 0)
		return fail(c, "open", op->path);
	b->frozen = fcntl(directory, F_DUPFD_CLOEXEC, 0);
	if (b->frozen < 0)
		return fail(c, "fcntl", op->path);
	return op_freeze(c, op);
}

/* Runs the program. `*step` is the operation that failed, or -1. */
static int open_root(struct browse *b, const struct msg_browse_open *m, int32_t *step)
{
	struct context c = {
		.program = &m->program,
		.channel = -1,
		.listener = -1,
		.starter = -1,
		.peer = -1,
		.announced = true,
		.root = -1,
		.hooks = -1,
		.agent = -1,
		.container_pidfd = -1,
		.self = SELF_FD,
		.null_device = -1,
		.empty_directory = -1,
		.sources = { [0 ... MAX_SOURCES - 1] = -1 },
		.map_namespace = -1,
		.clone_cgroup = -1,
		.umask = 022,
	};
	*step = -1;
	if (b->root >= 0) {
		errno = EPROTO;
		return browse_fail(b, "read", "");
	}
	if (open_descriptors(b) < 0)
		return -1;
	if (m->mounts && unshare(CLONE_NEWNS) < 0)
		return browse_fail(b, "unshare", "");
	for (; c.step < c.program->count; c.step++) {
		const struct wire_operation *o = &c.program->items[c.step];
		const bool stops = o->number == OP_FREEZE && o->u.freeze.frozen;
		if ((stops ? freeze(b, &c, &o->u.freeze) : operation_run(&c, o)) == 0)
			continue;
		*step = (int32_t)c.step;
		errno = (int)c.failure.error;
		snprintf(b->call, sizeof(b->call), "%s", c.failure.syscall);
		b->syscall = b->call;
		snprintf(b->detail, sizeof(b->detail), "%s", c.failure.detail);
		return -1;
	}
	int result = settle(b, &c);
	int saved = errno;
	root_replace(&c, -1);
	errno = saved;
	return result;
}

static int look(struct browse *b, const struct msg_browse_look *m)
{
	struct stat st;
	scoped_fd fd = browse_resolve(b, m->path, m->follow);
	if (fd < 0)
		return browse_fail(b, "openat2", m->path);
	if (fstat(fd, &st) < 0)
		return browse_fail(b, "fstat", m->path);
	return browse_found(b, fd, &st, ".", "", false);
}

static int start_writing(struct browse *b, struct layer **layer)
{
	struct layer *l = layer_new();
	if (l == NULL)
		return browse_fail(b, "calloc", "");
	l->merge = true;
	l->uid = geteuid();
	l->gid = getegid();
	/* syncfs wants one that is open for reading. */
	l->root = browse_reopen(b, b->root, O_RDONLY | O_DIRECTORY);
	if (l->root < 0) {
		free(l);
		return browse_fail(b, "openat", "/");
	}
	*layer = l;
	return 0;
}

static void end_writing(struct layer **layer)
{
	if (*layer == NULL)
		return;
	layer_close(*layer);
	free(*layer);
	*layer = NULL;
}

/* An entry to be made. Failures are those of the layer, told as the browse's. */
static int write_entry(struct browse *b, struct layer **layer, const struct wire_message *message)
{
	if (*layer == NULL) {
		errno = EPROTO;
		return browse_fail(b, "read", "");
	}
	if (layer_entry(*layer, message) < 0) {
		int saved = errno;
		const char *call = (*layer)->syscall;
		snprintf(b->detail, sizeof(b->detail), "%s", (*layer)->detail);
		end_writing(layer);
		b->syscall = call == NULL ? "" : call;
		errno = saved;
		return -1;
	}
	if (message->kind != MSG_APPLY_FINISH)
		return 0;
	end_writing(layer);
	wire_encode_done(&b->out, b->request);
	return browse_flush(b, true);
}

static int answer_done(struct browse *b, int result)
{
	if (result < 0)
		return -1;
	wire_encode_done(&b->out, b->request);
	return browse_flush(b, true);
}

/* Does what one message asks, and answers it. -1 when it failed; *last when nothing can follow. */
static int take(struct browse *b, struct layer **layer, const struct wire_message *message, int32_t *step, bool *last)
{
	*step = -1;
	*last = false;
	if (message->kind == MSG_BROWSE_OPEN) {
		*last = true;
		return answer_done(b, open_root(b, &message->u.browse_open, step));
	}
	*last = b->root < 0;
	if (b->root < 0 || (*layer != NULL && message->kind >= MSG_BROWSE_OPEN)) {
		errno = EPROTO;
		return browse_fail(b, "read", "");
	}
	switch (message->kind) {
	case MSG_BROWSE_LOOK:
		if (look(b, &message->u.browse_look) < 0)
			return -1;
		return browse_flush(b, true);
	case MSG_BROWSE_WALK:
		return answer_done(b, browse_walk(b, &message->u.browse_walk));
	case MSG_BROWSE_WRITE:
		*last = true;
		return start_writing(b, layer);
	default:
		*last = true;
		return write_entry(b, layer, message);
	}
}

static int run(struct browse *b)
{
	struct layer *layer = NULL;
	struct wire_message message = { .request = 0 };
	const uint8_t *data;
	size_t size;
	int result;
	for (;;) {
		struct wire_arena arena = { .chunks = NULL };
		int32_t step = -1;
		bool last = true;
		result = input_next(&b->in, &data, &size);
		if (result == 0)
			break;
		bool read = result > 0 && wire_decode_message(data, size, &arena, &message);
		if (read) {
			b->request = message.request;
			result = take(b, &layer, &message, &step, &last);
		} else {
			errno = result > 0 ? EPROTO : errno;
			result = browse_fail(b, "read", "");
		}
		uint32_t error = (uint32_t)errno;
		wire_free(&arena);
		if (result == 0)
			continue;
		/* What was found before is told first. */
		wire_encode_failed(&b->out, b->request, step, error, b->syscall, b->detail);
		if (browse_flush(b, true) == 0 && !last)
			continue;
		input_drain(&b->in);
		result = 1;
		break;
	}
	end_writing(&layer);
	return result;
}

/* A deep tree has a descriptor open for each of its levels. */
static void allow_descriptors(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

int browse_main(int socket)
{
	struct browse *b = calloc(1, sizeof(*b));
	int result = 1;
	if (b == NULL)
		return 1;
	/* A client that is gone while it is written to must not end this process before it has thawed. */
	signal(SIGPIPE, SIG_IGN);
	b->in.fd = socket;
	b->root = b->descriptors = b->frozen = -1;
	b->syscall = "";
	b->buffer = malloc(BROWSE_DATA);
	b->names = malloc(BROWSE_NAMES);
	b->values = malloc(BROWSE_VALUES);
	if (input_start(&b->in) == 0 && b->buffer != NULL && b->names != NULL && b->values != NULL) {
		umask(0);
		allow_descriptors();
		result = run(b);
	}
	thaw(b);
	wire_release(&b->out);
	free(b->values);
	free(b->names);
	free(b->buffer);
	input_end(&b->in);
	free(b);
	return result;
}
