#include "client.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "session.h"
#include "unix_socket.h"

#define CLIENTS_MAX 512u
/* Attachments of one client: waits, attaches, execs. */
#define ATTACHED_MAX 2048u
#define RETRY_MS 1000

static struct source listener = { .fd = -1 };
static struct client *clients;
static unsigned int count;
static bool sweep;
/* When to listen again after accepting failed for want of descriptors or memory; 0 for not at all. */
static int64_t retry;
static uint64_t sent;
/* What was read of a client's frames. */
static uint8_t chunk[16384];
/* The frame being written. */
static struct wire_writer frame;

int clients_listen(int directory)
{
	int fd = unix_listen(directory, "monitor.sock", 128);
	if (fd < 0)
		return -1;
	fcntl(fd, F_SETFL, O_NONBLOCK);
	listener.fd = fd;
	return 0;
}

static void client_free(struct client *client)
{
	while (client->attachments != NULL)
		attachment_free(client->attachments);
	loop_close(&client->source);
	queue_clear(&client->queue);
	free(client->partial);
	free(client);
	count--;
}

static void client_end(struct client *client)
{
	client->ended = true;
	sweep = true;
	loop_want(&client->source, 0);
}

/* Nobody reads at the other end. What it has sent before is read still. */
static void client_deafen(struct client *client)
{
	client->deaf = true;
	queue_clear(&client->queue);
}

/* A full queue holds back the sessions that this client watches, and an empty one lets them go on. */
static void update_sessions(struct client *client)
{
	for (struct attachment *a = client->attachments; a != NULL; a = a->of_client) {
		if (a->output)
			session_update(a->session);
	}
}

/* Handles the frames in data[0..size). Returns how many bytes they took, or -1 when the stream makes no sense. */
static ssize_t frames(struct client *client, const uint8_t *data, size_t size)
{
	size_t used = 0;
	while (size - used >= sizeof(uint32_t)) {
		uint32_t length;
		memcpy(&length, data + used, sizeof(length));
		if (length > WIRE_MAX_FRAME)
			return -1;
		if (size - used - sizeof(length) < length)
			break;
		if (!request_handle(client, data + used + sizeof(length), length) || client->ended)
			return -1;
		used += sizeof(length) + length;
	}
	return (ssize_t)used;
}

/* Bytes that the partial frame needs to be whole, as far as known. */
static size_t needed(const struct client *client)
{
	uint32_t length;
	if (client->have < sizeof(length))
		return sizeof(length);
	memcpy(&length, client->partial, sizeof(length));
	return sizeof(length) + length;
}

/* Appends to the partial frame. Returns false when it is too long, or out of memory. */
static bool keep_partial(struct client *client, const uint8_t *data, size_t size)
{
	if (client->have + size > client->room) {
		size_t whole = needed(client);
		size_t room = client->have + size > whole ? client->have + size : whole;
		uint8_t *grown = realloc(client->partial, room);
		if (grown == NULL)
			return false;
		client->partial = grown;
		client->room = room;
	}
	memcpy(client->partial + client->have, data, size);
	client->have += size;
	return needed(client) <= WIRE_MAX_FRAME + sizeof(uint32_t);
}

/* Takes what was read. A frame that began before is made whole first, the others are handled where they lie. */
static bool take(struct client *client, const uint8_t *data, size_t size)
{
	while (client->have > 0 && size > 0) {
		size_t rest = needed(client) - client->have;
		size_t part = size < rest ? size : rest;
		if (!keep_partial(client, data, part))
			return false;
		data += part;
		size -= part;
		/* What is needed grows once the length is known. */
		if (client->have < needed(client))
			continue;
		if (frames(client, client->partial, client->have) < 0)
			return false;
		free(client->partial);
		client->partial = NULL;
		client->have = 0;
		client->room = 0;
	}
	ssize_t used = frames(client, data, size);
	if (used < 0)
		return false;
	return (size_t)used == size || keep_partial(client, data + used, size - (size_t)used);
}

static void client_read(struct client *client)
{
	ssize_t n = read(client->source.fd, chunk, sizeof(chunk));
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0 || !take(client, chunk, (size_t)n))
		client_end(client);
}

static void client_ready(struct source *source, uint32_t events)
{
	struct client *client = OWNER(source, struct client, source);
	if (events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) {
		size_t before = queue_size(&client->queue);
		if (queue_write(&client->queue, source->fd) < 0)
			client_deafen(client);
		sent += before - queue_size(&client->queue);
		update_sessions(client);
	}
	if (source->events & EPOLLIN && events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		client_read(client);
	client_update(client);
}

void client_update(struct client *client)
{
	if (client->ended)
		return;
	uint32_t events = EPOLLIN;
	for (struct attachment *a = client->attachments; a != NULL; a = a->of_client) {
		if (a->input && session_input_full(a->session))
			events = 0;
	}
	if (queue_size(&client->queue) > 0)
		events |= EPOLLOUT;
	if (loop_want(&client->source, events) < 0)
		client_end(client);
}

static void accept_client(int fd)
{
	/* Root and the monitor's own user may do everything with the container, others nothing; whatever the file's mode. */
	struct ucred peer;
	socklen_t size = sizeof(peer);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 || (peer.uid != 0 && peer.uid != geteuid())) {
		close(fd);
		return;
	}
	struct client *client = calloc(1, sizeof(*client));
	if (client == NULL) {
		close(fd);
		return;
	}
	client->source = (struct source){ .fd = fd, .ready = client_ready };
	client->next = clients;
	clients = client;
	count++;
	client_update(client);
}

static void listener_ready(struct source *source, uint32_t events)
{
	(void)events;
	int fd = accept4(source->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd >= 0) {
		accept_client(fd);
		if (count >= CLIENTS_MAX)
			loop_want(source, 0);
	} else if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
		if (errno == EMFILE)
			descriptors_more();
		/* The connection waits in the kernel; asking for it over and over would only burn time. */
		loop_want(source, 0);
		retry = now_ms() + RETRY_MS;
	}
}

int clients_accept(void)
{
	listener.ready = listener_ready;
	return loop_want(&listener, EPOLLIN);
}

int clients_timeout(void)
{
	if (sweep)
		return 0;
	if (retry == 0)
		return -1;
	int64_t left = retry - now_ms();
	return left > 0 ? (int)left : 0;
}

void clients_sweep(void)
{
	if (sweep) {
		sweep = false;
		for (struct client **at = &clients; *at != NULL;) {
			struct client *client = *at;
			if (client->ended) {
				*at = client->next;
				client_free(client);
			} else {
				at = &client->next;
			}
		}
		if (retry == 0 && count < CLIENTS_MAX)
			loop_want(&listener, EPOLLIN);
	}
	if (retry != 0 && now_ms() >= retry) {
		retry = 0;
		if (count < CLIENTS_MAX)
			loop_want(&listener, EPOLLIN);
	}
}

bool clients_flushed(void)
{
	for (struct client *client = clients; client != NULL; client = client->next) {
		if (queue_size(&client->queue) > 0 || (client->sends && !client->deaf))
			return false;
	}
	return true;
}

uint64_t clients_sent(void)
{
	return sent;
}

/* Sends what the socket takes at once, and queues the rest. */
static void client_send(struct client *client, struct iovec *parts, size_t n)
{
	if (client->deaf || client->ended)
		return;
	size_t skip = 0;
	if (queue_size(&client->queue) == 0) {
		struct msghdr message = { .msg_iov = parts, .msg_iovlen = n };
		ssize_t taken = sendmsg(client->source.fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (taken < 0 && errno != EAGAIN && errno != EINTR) {
			client_deafen(client);
			return;
		}
		skip = taken < 0 ? 0 : (size_t)taken;
		sent += skip;
	}
	for (size_t i = 0; i < n; i++) {
		size_t gone = skip < parts[i].iov_len ? skip : parts[i].iov_len;
		skip -= gone;
		if (!queue_put(&client->queue, (uint8_t *)parts[i].iov_base + gone, parts[i].iov_len - gone)) {
			/* Out of memory, in the middle of a frame: what follows would make no sense. */
			client_end(client);
			return;
		}
	}
	client_update(client);
}

static void send_frame(struct client *client)
{
	if (frame.failed) {
		client_end(client);
		wire_release(&frame);
		return;
	}
	struct iovec part = { .iov_base = frame.data, .iov_len = frame.size };
	client_send(client, &part, 1);
	frame.size = 0;
}

void client_done(struct client *client, uint32_t request)
{
	wire_encode_done(&frame, request);
	send_frame(client);
}

void client_failed(struct client *client, uint32_t request, int32_t step, uint32_t error, const char *syscall,
		   const char *detail)
{
	wire_encode_failed(&frame, request, step, error, syscall, detail);
	send_frame(client);
}

void client_exec_started(struct client *client, uint32_t request, uint32_t pid)
{
	wire_encode_exec_started(&frame, request, pid);
	send_frame(client);
}

void client_status(struct client *client, uint32_t request, uint8_t state, uint32_t pid, struct wire_list_u32 execs)
{
	wire_encode_status_is(&frame, request, state, pid, execs);
	send_frame(client);
}

void client_exited(struct client *client, uint32_t request, const struct outcome *outcome)
{
	wire_encode_exited(&frame, request, outcome->status, outcome->signal, outcome->oom_killed,
			   outcome->time.tv_sec, (uint32_t)outcome->time.tv_nsec);
	send_frame(client);
}

void client_output(struct client *client, uint32_t request, uint8_t stream, const uint8_t *data, size_t size)
{
	/* The frame's head alone, as if its data followed: the data isn't copied. */
	size_t start = wire_begin(&frame, request, MSG_OUTPUT);
	wire_write_u8(&frame, stream);
	wire_write_u32(&frame, (uint32_t)size);
	if (frame.failed) {
		send_frame(client);
		return;
	}
	uint32_t length = (uint32_t)(frame.size - start - sizeof(length) + size);
	memcpy(frame.data + start, &length, sizeof(length));
	struct iovec parts[] = {
		{ .iov_base = frame.data, .iov_len = frame.size },
		{ .iov_base = (void *)(uintptr_t)data, .iov_len = size },
	};
	client_send(client, parts, 2);
	frame.size = 0;
}

struct attachment *client_attachment(struct client *client, uint32_t request)
{
	for (struct attachment *a = client->attachments; a != NULL; a = a->of_client) {
		if (a->request == request)
			return a;
	}
	return NULL;
}

struct attachment *attachment_new(struct client *client, struct session *session, uint32_t request,
				  enum attachment_kind kind)
{
	if (client_attachment(client, request) != NULL) {
		errno = EEXIST;
		return NULL;
	}
	if (client->attached >= ATTACHED_MAX) {
		errno = EAGAIN;
		return NULL;
	}
	struct attachment *a = calloc(1, sizeof(*a));
	if (a == NULL)
		return NULL;
	a->client = client;
	a->session = session;
	a->request = request;
	a->kind = kind;
	a->of_client = client->attachments;
	client->attachments = a;
	client->attached++;
	a->of_session = session->attachments;
	session->attachments = a;
	return a;
}

void attachment_free(struct attachment *attachment)
{
	struct client *client = attachment->client;
	struct session *session = attachment->session;
	struct attachment **at = &client->attachments;
	while (*at != attachment)
		at = &(*at)->of_client;
	*at = attachment->of_client;
	client->attached--;
	at = &session->attachments;
	while (*at != attachment)
		at = &(*at)->of_session;
	*at = attachment->of_session;
	if (attachment->input)
		session_input_end(session);
	if (attachment->output)
		session_update(session);
	free(attachment);
}
