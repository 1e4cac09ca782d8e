#include "streams.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "exit.h"
#include "log.h"

/* Queued frames of one client, beyond which the sessions that it watches are not read from. */
#define OUTPUT_LIMIT (256u << 10)
/* After the process's end: more than pipes of the largest ordinary size hold, so that only others' output is held back. */
#define DRAIN_LIMIT (4u << 20)
#define INPUT_LIMIT (256u << 10)
/* Reads of one drain; someone else may be writing without end. */
#define DRAIN_READS 128

static uint8_t chunk[OUTPUT_MAX];

static void stream_ready(struct source *source, uint32_t events);
static void input_ready(struct source *source, uint32_t events);

static void streams_init(struct session *session)
{
	for (uint8_t i = 0; i < 2; i++) {
		struct stream *stream = &session->streams[i];
		stream->source = (struct source){ .fd = -1, .ready = stream_ready };
		stream->session = session;
		stream->number = i + 1;
	}
	session->input.source = (struct source){ .fd = -1, .ready = input_ready };
}

/* A pipe whose end `mine` (0 or 1) never blocks. */
static int open_pipe(int mine, int *my_end, int *their_end)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) < 0 && !(errno == EMFILE && descriptors_more() && pipe2(ends, O_CLOEXEC) == 0))
		return -1;
	fcntl(ends[mine], F_SETFL, O_NONBLOCK | (mine == 1 ? O_WRONLY : O_RDONLY));
	*my_end = ends[mine];
	*their_end = ends[1 - mine];
	return 0;
}

int streams_open(struct session *session, const struct session_options *options, int theirs[3])
{
	streams_init(session);
	theirs[0] = theirs[1] = theirs[2] = -1;
	if (options->inherit) {
		for (int i = 0; i < 3; i++)
			theirs[i] = i;
		return 0;
	}
	/* A terminal replaces them all. */
	if (options->terminal) {
		session->awaits_terminal = true;
		return 0;
	}
	if ((options->open_stdin && open_pipe(1, &session->input.source.fd, &theirs[0]) < 0) ||
	    (options->output && (open_pipe(0, &session->streams[0].source.fd, &theirs[1]) < 0 ||
				 open_pipe(0, &session->streams[1].source.fd, &theirs[2]) < 0))) {
		int error = errno;
		streams_close(session);
		for (int i = 0; i < 3; i++) {
			if (theirs[i] >= 0)
				close(theirs[i]);
		}
		errno = error;
		return -1;
	}
	return 0;
}

static void input_close(struct session *session)
{
	loop_close(&session->input.source);
	queue_clear(&session->input.queue);
}

bool session_input_full(const struct session *session)
{
	return queue_size(&session->input.queue) > INPUT_LIMIT;
}

/* Writes what is queued. Clients that were held back go on when there is room again. */
static void input_write(struct session *session)
{
	struct input *input = &session->input;
	bool full = session_input_full(session);
	if (queue_write(&input->queue, input->source.fd) < 0) {
		/* Nobody reads it any more. */
		input_close(session);
	} else if (queue_size(&input->queue) > 0) {
		loop_want(&input->source, EPOLLOUT);
	} else if (input->ending) {
		input_close(session);
	} else {
		loop_want(&input->source, 0);
	}
	if (full && !session_input_full(session)) {
		for (struct attachment *a = session->attachments; a != NULL; a = a->of_session)
			client_update(a->client);
	}
}

void streams_terminal(struct session *session, int master)
{
	if (session->streams[0].source.fd >= 0) {
		close(master);
		return;
	}
	fcntl(master, F_SETFL, O_RDWR | O_NONBLOCK);
	session->streams[0].source.fd = master;
	session->terminal = true;
	session->awaits_terminal = false;
	/* Reading and writing are watched apart, which takes two descriptors. */
	session->input.source.fd = fcntl(master, F_DUPFD_CLOEXEC, 0);
	if (session->input.source.fd < 0 && errno == EMFILE && descriptors_more())
		session->input.source.fd = fcntl(master, F_DUPFD_CLOEXEC, 0);
	/*
	 * Without a slave open, the master reads EIO for as long as no process has the terminal open, which is no end: the
	 * process may open /dev/tty again.
	 */
	session->slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (session->resized)
		ioctl(master, TIOCSWINSZ, &session->size);
	input_write(session);
}

static void stream_end(struct stream *stream)
{
	if (stream->source.fd < 0)
		return;
	loop_close(&stream->source);
	if (stream->session->container)
		log_end(monitor.log, stream->number);
}

static void deliver(struct stream *stream, size_t size)
{
	if (stream->session->container)
		log_write(monitor.log, stream->number, chunk, size);
	for (struct attachment *a = stream->session->attachments; a != NULL; a = a->of_session) {
		if (a->output)
			client_output(a->client, a->request, stream->number, chunk, size);
	}
}

/* Reads once. Returns false when there is nothing more for now, or at the end. */
static bool stream_read(struct stream *stream)
{
	ssize_t n = read(stream->source.fd, chunk, sizeof(chunk));
	if (n > 0) {
		deliver(stream, (size_t)n);
		return true;
	}
	if (n < 0 && errno == EINTR)
		return true;
	if (n < 0 && errno == EAGAIN) {
		/* A read of the master first fetches all that was written to the slave; the process that wrote it has ended. */
		if (stream->session->terminal && stream->session->reaped)
			stream_end(stream);
		return false;
	}
	/* 0: no writer is left. EIO: the terminal was hung up. */
	stream_end(stream);
	return false;
}

static void stream_ready(struct source *source, uint32_t events)
{
	(void)events;
	struct stream *stream = OWNER(source, struct stream, source);
	struct session *session = stream->session;
	stream_read(stream);
	session_update(session);
	if (source->fd < 0)
		session_progress(session);
}

bool streams_blocked(const struct session *session)
{
	size_t limit = session->reaped ? DRAIN_LIMIT : OUTPUT_LIMIT;
	for (struct attachment *a = session->attachments; a != NULL; a = a->of_session) {
		if (a->output && queue_size(&a->client->queue) > limit)
			return true;
	}
	return false;
}

void session_update(struct session *session)
{
	/* An exec'd process is announced before its output. */
	bool closed = !session->container && session->state != SESSION_RUNNING;
	uint32_t events = closed || streams_blocked(session) ? 0 : EPOLLIN;
	for (int i = 0; i < 2; i++)
		loop_want(&session->streams[i].source, events);
}

void streams_drain(struct session *session)
{
	for (int i = 0; i < 2; i++) {
		struct stream *stream = &session->streams[i];
		for (int n = 0; n < DRAIN_READS && stream->source.fd >= 0 && !streams_blocked(session); n++) {
			if (!stream_read(stream))
				break;
		}
	}
	session_update(session);
}

bool streams_ended(const struct session *session)
{
	return session->streams[0].source.fd < 0 && session->streams[1].source.fd < 0;
}

void streams_close(struct session *session)
{
	stream_end(&session->streams[0]);
	stream_end(&session->streams[1]);
	input_close(session);
	if (session->slave >= 0)
		close(session->slave);
	session->slave = -1;
}

static void input_ready(struct source *source, uint32_t events)
{
	(void)events;
	input_write(OWNER(source, struct session, input.source));
}

void session_input(struct session *session, const uint8_t *data, size_t size)
{
	struct input *input = &session->input;
	if ((input->source.fd < 0 && !session->awaits_terminal) || input->ending)
		return;
	if (!session->awaits_terminal && queue_size(&input->queue) == 0) {
		ssize_t n = write(input->source.fd, data, size);
		if (n < 0 && errno != EAGAIN && errno != EINTR) {
			input_close(session);
			return;
		}
		if (n > 0) {
			data += n;
			size -= (size_t)n;
		}
		if (size == 0)
			return;
	}
	/* Input with a hole would be worse than one that ends. */
	if (!queue_put(&input->queue, data, size))
		input_close(session);
	loop_want(&input->source, EPOLLOUT);
}

void session_input_end(struct session *session)
{
	struct input *input = &session->input;
	if (session->terminal || session->keep_input || input->source.fd < 0)
		return;
	input->ending = true;
	if (queue_size(&input->queue) == 0)
		input_close(session);
}

void session_resize(struct session *session, uint32_t columns, uint32_t rows)
{
	session->size = (struct winsize){ .ws_col = (unsigned short)columns, .ws_row = (unsigned short)rows };
	session->resized = true;
	if (session->terminal && session->streams[0].source.fd >= 0)
		ioctl(session->streams[0].source.fd, TIOCSWINSZ, &session->size);
}
